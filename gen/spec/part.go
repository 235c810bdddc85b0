package spec

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// part is what a building block brings to a specification beside its steps: values of the configuration and where its
// weights are stored. It is kept as written and decoded for each specification, whose values it uses.
type part struct {
	d       *decoder
	config  *yaml.Node
	tensors map[string]*yaml.Node // map and ignore
	gguf    *names
}

// partFile decodes the header of a part.
func (d *decoder) partFile(n *yaml.Node) error {
	f, err := d.fields(n, "part", "part")
	if err != nil {
		return err
	}
	name, err := d.text(f["part"], "part")
	if err != nil {
		return err
	}
	p := &part{d: d, config: f["config"]}
	if f["tensors"] != nil {
		if p.tensors, err = d.fields(f["tensors"], "partTensors", "tensors"); err != nil {
			return err
		}
	}
	if f["gguf"] != nil {
		g, err := d.fields(f["gguf"], "partGGUF", "gguf")
		if err != nil {
			return err
		}
		p.gguf = &names{d, g["config"], g["tensors"]}
	}
	d.lib.parts[name] = p
	return nil
}

// found are the rows of a table of the library that a word or a list of words names; n may be nil.
func found[T any](d *decoder, n *yaml.Node, table map[string]T, key, what string) ([]T, error) {
	if n == nil {
		return nil, nil
	}
	words, err := d.texts(n, key)
	var out []T
	for _, w := range words {
		row, ok := table[w]
		if !ok {
			return nil, d.errorf(n, "no %s called %q; there are %s%s", what, w, join(sortedKeys(table)), Suggest(w, sortedKeys(table)))
		}
		out = append(out, row)
	}
	return out, err
}

// partTensors adds the rules of the parts behind the specification's own.
func (s *Spec) partTensors() error {
	for _, p := range s.parts {
		rules, err := p.d.rules(p.tensors["map"], s.scope())
		if err != nil {
			return err
		}
		ignores, err := p.d.ignores(p.tensors["ignore"], s.scope())
		if err != nil {
			return err
		}
		s.Tensors.Map = append(s.Tensors.Map, rules...)
		s.Tensors.Ignore = append(s.Tensors.Ignore, ignores...)
	}
	return nil
}

// fieldSource is a field of the configuration as written, with the decoder of its file.
type fieldSource struct {
	entry
	d     *decoder
	under *yaml.Node // the field of a part that a specification's own differs from in some keys; nil: it stands alone
}

// fieldSources are the fields of the specification, those of its parts and those of its classes, each name once.
func (d *decoder) fieldSources(s *Spec, config *yaml.Node) ([]*fieldSource, error) {
	var list []*fieldSource
	at := map[string]*fieldSource{}
	add := func(d *decoder, n *yaml.Node) error {
		if n == nil {
			return nil
		}
		entries, err := d.entries(n, "config", nil)
		for _, e := range entries {
			if own := at[e.key]; own == nil {
				at[e.key] = &fieldSource{entry: e, d: d}
				list = append(list, at[e.key])
			} else if own.under == nil {
				own.under = e.value
			}
		}
		return err
	}
	if err := add(d, config); err != nil {
		return nil, err
	}
	for _, p := range s.parts {
		if err := add(p.d, p.config); err != nil {
			return nil, err
		}
	}
	for _, c := range s.classes {
		if err := add(c.d, c.config); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// inOrder puts fields behind those that their values need, and otherwise leaves the order as it is.
func inOrder(fields []*Field) ([]*Field, error) {
	byName := map[string]*Field{}
	for _, f := range fields {
		byName[f.Name] = f
	}
	var out []*Field
	const open, done = 1, 2
	state := map[*Field]int{}
	var visit func(f *Field, path []string) error
	visit = func(f *Field, path []string) error {
		path = append(path, "$"+f.Name)
		if state[f] == done {
			return nil
		}
		if state[f] == open {
			return Errorf(f.Pos, "%s: the value needs itself: %s", f.Name, strings.Join(path, " needs "))
		}
		state[f] = open
		for _, v := range []*Value{f.Default, f.Null, f.Len} {
			for _, name := range v.variables() {
				if err := visit(byName[name], path); err != nil {
					return err
				}
			}
		}
		state[f] = done
		out = append(out, f)
		return nil
	}
	for _, f := range fields {
		if err := visit(f, nil); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// variables are the names with $ in a value, in its order; v may be nil.
func (v *Value) variables() []string {
	if v == nil {
		return nil
	}
	var out []string
	var walk func(node)
	walk = func(n node) {
		if x, ok := n.(variable); ok {
			out = append(out, x.name)
		}
		for _, c := range children(n) {
			walk(c)
		}
	}
	walk(v.n)
	return out
}
