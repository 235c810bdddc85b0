package spec

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/tfgen/tfgen/gen/op"
)

// Library holds what specifications share: macros, tables of values, lists of keys. Its files are lib/*.yaml.
type Library struct {
	Macros map[string]*Macro
	Tables map[string]map[string]any // e.g. activations: their name to ours
	Keys   map[string][]string       // e.g. harmless: patterns of configuration keys
	parts  map[string]*part          // e.g. mamba2: its sizes in configurations and where its weights are
	names  map[string]*names         // e.g. llama.cpp: what GGUF files call things
	heads  map[string]*classes       // e.g. decoder: classes that are made of every decoder
	files  map[string][]byte
}

// loadLibrary decodes every lib/*.yaml. Macros may use each other; headers are read first.
func loadLibrary(fsys fs.FS, dir string) (*Library, error) {
	lib := &Library{Macros: map[string]*Macro{}, Tables: map[string]map[string]any{}, Keys: map[string][]string{}, parts: map[string]*part{},
		names: map[string]*names{}, heads: map[string]*classes{}, files: map[string][]byte{}}
	names, err := fs.Glob(fsys, path.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var bodies []func() error
	for _, name := range names {
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		lib.files[path.Base(name)] = data
		d := &decoder{file: "specs/lib/" + path.Base(name), lib: lib}
		body, err := d.libraryFile(data)
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, body)
	}
	for _, body := range bodies {
		if err := body(); err != nil {
			return nil, err
		}
	}
	return lib, nil
}

// libraryFile decodes the header of one file and returns what decodes its steps.
func (d *decoder) libraryFile(data []byte) (func() error, error) {
	top, err := d.parse(data)
	if err != nil {
		return nil, err
	}
	entries, err := d.entries(top, "library", nil)
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 {
		return nil, d.errorf(top, "the file is empty")
	}
	none := func() error { return nil }
	switch entries[0].key {
	case "table":
		return none, d.table(top)
	case "keys":
		return none, d.keys(top)
	case "part":
		return none, d.partFile(top)
	case "names":
		return none, d.ggufNames(top)
	case "classes":
		return none, d.sharedClasses(top)
	case "macro":
		return d.macro(top)
	}
	return nil, d.errorf(top, "a file of the library begins with macro, part, table, names, classes or keys, found %q", entries[0].key)
}

func (d *decoder) table(n *yaml.Node) error {
	f, err := d.fields(n, "table", "table")
	if err != nil {
		return err
	}
	name, err := d.text(f["table"], "table")
	if err != nil {
		return err
	}
	d.lib.Tables[name], err = d.allowed(f["values"])
	return err
}

func (d *decoder) keys(n *yaml.Node) error {
	f, err := d.fields(n, "keys", "keys")
	if err != nil {
		return err
	}
	name, err := d.text(f["keys"], "keys")
	if err != nil {
		return err
	}
	d.lib.Keys[name], err = d.texts(f["names"], "names")
	return err
}

func (d *decoder) macro(n *yaml.Node) (func() error, error) {
	f, err := d.fields(n, "macro", "macro")
	if err != nil {
		return nil, err
	}
	m := &Macro{Pos: d.pos(n)}
	if m.Name, err = d.text(f["macro"], "macro"); err != nil {
		return nil, err
	}
	if m.Doc, err = d.text(f["doc"], "doc"); err != nil {
		return nil, err
	}
	if _, taken := op.Lookup(m.Name); taken || forms[m.Name] != "" || d.lib.Macros[m.Name] != nil {
		return nil, d.errorf(f["macro"], "the name %q is taken", m.Name)
	}
	entries, err := d.entries(f["params"], "params", nil)
	if err != nil {
		return nil, err
	}
	sc := newScope()
	for _, e := range entries {
		p, err := d.macroParam(e, sc)
		if err != nil {
			return nil, err
		}
		m.Params = append(m.Params, p)
		sc = sc.with([]string{p.Name}, nil)
	}
	d.lib.Macros[m.Name] = m
	return func() error {
		m.Steps, err = d.steps(f["steps"], "steps", sc)
		return err
	}, nil
}

func (d *decoder) macroParam(e entry, sc *scope) (*Param, error) {
	f, err := d.fields(e.value, "param", e.key)
	if err != nil {
		return nil, err
	}
	p := &Param{Pos: e.pos, Name: e.key}
	if e.key == "in" || e.key == "out" {
		return nil, Errorf(e.pos, "a parameter cannot be called %q", e.key)
	}
	if p.Type, err = d.text(f["type"], "type"); err != nil {
		return nil, err
	}
	if _, ok := paramTypes[p.Type]; !ok {
		return nil, d.errorf(f["type"], "unknown type %q; expected one of %s", p.Type, describeKinds(paramTypes))
	}
	if f["doc"] != nil {
		if p.Doc, err = d.text(f["doc"], "doc"); err != nil {
			return nil, err
		}
	}
	if f["default"] != nil {
		p.Default, err = d.value(f["default"], p.Type, sc)
	}
	return p, err
}

// Activations checks that the activation table of the library leads to activations of the op table.
func (l *Library) Activations() error {
	known := op.Activations()
	for theirs, ours := range l.Tables["activations"] {
		if s, _ := ours.(string); !has(known, s) {
			return fmt.Errorf("specs/lib: activations: %s leads to %v; the op table has %s", theirs, ours, strings.Join(known, ", "))
		}
	}
	return nil
}
