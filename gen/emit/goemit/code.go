package goemit

import (
	"regexp"
	"strings"

	"github.com/dave/jennifer/jen"
)

const runtimePath = "github.com/tfgen/tfgen/runtime/"

// imports are the packages that generated code uses, by the name that snippets write in front of a dot.
var imports = map[string]string{
	"arena": runtimePath + "arena", "chat": runtimePath + "chat", "constrain": runtimePath + "constrain", "cpu": runtimePath + "cpu",
	"generate": runtimePath + "generate", "heads": runtimePath + "heads", "pool": runtimePath + "pool", "portable": runtimePath + "portable",
	"probe": runtimePath + "probe", "quant": runtimePath + "quant",
	"program": runtimePath + "program", "rope": runtimePath + "rope", "sample": runtimePath + "sample", "snapshot": runtimePath + "snapshot", "tokenizer": runtimePath + "tokenizer", "toolcall": runtimePath + "toolcall",
	"weightfile": runtimePath + "weightfile",
	"bytes":      "bytes", "slices": "slices", "context": "context", "errors": "errors", "fmt": "fmt", "io": "io", "iter": "iter", "os": "os", "sync": "sync",
	"testing": "testing", "math": "math", "atomic": "sync/atomic", "filepath": "path/filepath",
}

// code turns a snippet of Go text into jennifer code: names of imported packages become qualified identifiers, so that
// the file gets the imports it needs. Comment lines pass unchanged.
func code(text string) jen.Code { return snippet(imports, text) }

// snippet is code with its own table of packages.
func snippet(imports map[string]string, text string) jen.Code {
	qualified := regexp.MustCompile(`(^|[^\w."])(` + strings.Join(keys(imports), "|") + `)\.([A-Z]\w*)`)
	s := &jen.Statement{}
	var plain strings.Builder
	flush := func() {
		if plain.Len() > 0 {
			s.Op(plain.String())
			plain.Reset()
		}
	}
	for _, line := range strings.SplitAfter(text, "\n") {
		body, comment := splitComment(line)
		for {
			m := qualified.FindStringSubmatchIndex(body)
			if m == nil {
				break
			}
			plain.WriteString(body[:m[4]])
			flush()
			s.Qual(imports[body[m[4]:m[5]]], body[m[6]:m[7]])
			body = body[m[1]:]
		}
		plain.WriteString(body + comment)
	}
	flush()
	return s
}

// splitComment divides a line before its comment. Snippets have no "//" inside strings.
func splitComment(line string) (body, comment string) {
	if i := strings.Index(line, "//"); i >= 0 {
		return line[:i], line[i:]
	}
	return line, ""
}

// source renders a file: header, package comment, and snippets one after another.
func source(o Options, doc string, constraint string, snippets ...string) ([]byte, error) {
	f := jen.NewFilePathName("generated/"+o.Package, o.Package)
	f.HeaderComment(o.header())
	if constraint != "" {
		f.HeaderComment("//go:build " + constraint)
	}
	if doc != "" {
		f.PackageComment(strings.TrimSuffix(comment(doc), "\n"))
	}
	for name, path := range imports {
		f.ImportName(path, name)
	}
	for _, s := range snippets {
		f.Add(code(strings.TrimSpace(s)))
		f.Line()
	}
	var b strings.Builder
	if err := f.Render(&b); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}
