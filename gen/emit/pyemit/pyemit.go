// Package pyemit writes the Python package of a model: the hand-written package of targets/python, what it has to know of the
// model, a README whose examples are doctests, and a test suite for whoever receives it. It returns files; it writes nothing.
package pyemit

import (
	"bytes"
	"io/fs"
	"path"
	"text/template"

	"github.com/tfgen/tfgen"
	"github.com/tfgen/tfgen/gen/file"
)

// Model is what the package is made of.
type Model struct {
	Package, Title, Architecture, Format, Version string

	Parameters int64
	Causal     bool
	Encodes    bool // an encoder–decoder
	Tokens     bool
	Chat       bool
	Embedded   bool     // the weights are compiled into the library
	Embeds     bool     // the model embeds texts
	Classifies bool     // it gives scores for texts
	Ranks      bool     // it gives one for a pair of texts
	ByToken    []string // outputs of an encoder with a row for every token
}

// sources is the directory of the hand-written package.
const sources = "targets/python/package"

// Files returns the package's files without library and weights.
func Files(m *Model) ([]file.File, error) {
	entries, err := fs.ReadDir(tfgen.Targets, sources)
	if err != nil {
		return nil, err
	}
	var files []file.File
	for _, e := range entries {
		data, err := tfgen.Targets.ReadFile(path.Join(sources, e.Name()))
		if err != nil {
			return nil, err
		}
		files = append(files, file.File{Name: path.Join(m.Package, e.Name()), Data: data})
	}
	for _, p := range []struct{ template, place string }{
		{"build.py.tmpl", m.Package + "/_build.py"}, {"README.md.tmpl", "README.md"}, {"test.py.tmpl", "tests/test_" + m.Package + ".py"},
	} {
		data, err := fill(path.Join("templates/python", p.template), m)
		if err != nil {
			return nil, err
		}
		files = append(files, file.File{Name: p.place, Data: data})
	}
	return files, nil
}

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
