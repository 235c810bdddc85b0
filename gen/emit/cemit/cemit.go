// Package cemit writes the C library of a model: the main package that registers the generated Go package with
// targets/capi, and what users of a C library expect beside it (pkg-config, CMake, README, an example). It returns files; it
// writes nothing.
package cemit

import (
	"bytes"
	"fmt"
	"go/format"
	"path"
	"strings"
	"text/template"

	"github.com/tfgen/tfgen"
	"github.com/tfgen/tfgen/gen/file"
)

// Model is what the library is made of.
type Model struct {
	Package, Title, Architecture, Format string
	Header                               string // first line of generated files
	ImportPath                           string // of the generated Go package
	Runtime                              string // directory of the copy of the runtime
	Version                              string // of the library, e.g. "1.0.0"

	Parameters                                 int64
	WeightsBytes, ActivationBytes, WorkerBytes int64
	SessionBytes                               int64 // with the longest context
	Layers, Width, Vocabulary, MaxContext      int

	Causal     bool   // a decoder
	Tokens     bool   // it has a tokenizer
	Chat       bool   // it has a chat template
	Encodes    bool   // an encoder–decoder
	Head       string // method of an encoder's head that finds something in a text: Tag, Answer or FillMask; "" none
	TokenTypes bool   // an encoder with token types
	Ranks      bool   // it gives one number for a pair of texts
	Several    bool   // several of its classes may hold
	Regression bool   // its numbers are no probabilities
	Trace      bool
	Embedded   bool // the weights are compiled in
	MaxTokens  int  // encoders: tokens of a text that are used
	Outputs    []Output
	Labels     []string
}

// Output is a result of an encoder.
type Output struct {
	Name, Field string
	Width       int
	ByToken     bool
}

// EmbeddingSize is the width of the output embedding, 0 if there is none.
func (m *Model) EmbeddingSize() int { return m.sequenceOutput("embedding") }

// Classes is the number of scores of a classifier, 0 for other models.
func (m *Model) Classes() int { return m.sequenceOutput("logits") }

// Feature is the field of capi.Model that says that there is the head's method.
func (m *Model) Feature() string {
	return map[string]string{"Tag": "Tags", "Answer": "Answers", "FillMask": "Fills"}[m.Head]
}

func (m *Model) sequenceOutput(name string) int {
	for _, o := range m.Outputs {
		if o.Name == name && !o.ByToken {
			return o.Width
		}
	}
	return 0
}

// ValgrindKinds are the kinds of errors that valgrind reports of goroutine stacks.
func (m *Model) ValgrindKinds() []string {
	return []string{"Addr1", "Addr2", "Addr4", "Addr8", "Addr16", "Addr32", "Value1", "Value2", "Value4", "Value8", "Value16", "Value32", "Cond"}
}

// Main returns the main package of the library.
func Main(m *Model) (file.File, error) {
	data, err := fill("templates/c/main.go.tmpl", m)
	if err == nil {
		data, err = format.Source(data)
	}
	return file.File{Name: "lib/main.go", Data: data}, err
}

// Makefile returns the file that builds the libraries from their sources.
func Makefile(m *Model) (file.File, error) {
	data, err := fill("templates/c/Makefile.tmpl", m)
	return file.File{Name: "Makefile", Data: data}, err
}

// parts are the files of a library that are filled in, by their places. %s is the package.
var parts = []struct{ template, place string }{
	{"README.md.tmpl", "README.md"},
	{"example.c.tmpl", "examples/smallest.c"},
	{"pc.tmpl", "lib/pkgconfig/%s.pc"},
	{"Config.cmake.tmpl", "lib/cmake/%[1]s/%[1]sConfig.cmake"},
	{"ConfigVersion.cmake.tmpl", "lib/cmake/%[1]s/%[1]sConfigVersion.cmake"},
	{"Makefile.tmpl", "src/Makefile"},
	{"valgrind.supp.tmpl", "share/%[1]s/%[1]s.supp"},
}

// Files returns what is beside the library.
func Files(m *Model) ([]file.File, error) {
	header, err := tfgen.Targets.ReadFile("targets/capi/tfgen.h")
	if err != nil {
		return nil, err
	}
	files := []file.File{{Name: "include/tfgen.h", Data: header}}
	for _, p := range parts {
		data, err := fill(path.Join("templates/c", p.template), m)
		if err != nil {
			return nil, err
		}
		name := p.place
		if strings.Contains(name, "%") {
			name = fmt.Sprintf(name, m.Package)
		}
		files = append(files, file.File{Name: name, Data: data})
	}
	return files, nil
}

// fill executes a template that tfgen carries.
func fill(name string, m *Model) ([]byte, error) {
	text, err := tfgen.Targets.ReadFile(name)
	if err != nil {
		return nil, err
	}
	t, err := template.New(name).Parse(string(text))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, m)
	return b.Bytes(), err
}
