package spec

import (
	"gopkg.in/yaml.v3"
)

// configFields decodes the fields of the configuration: the specification's own, and those of its parts and classes. A default
// may use any other field that does not need it.
func (d *decoder) configFields(s *Spec, config *yaml.Node) ([]*Field, error) {
	sources, err := d.fieldSources(s, config)
	if err != nil {
		return nil, err
	}
	sc := newScope()
	for _, src := range sources {
		sc.vars[src.key] = true
	}
	var out []*Field
	for _, src := range sources {
		f, err := src.d.field(src, sc)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return inOrder(out)
}

func (d *decoder) field(e *fieldSource, sc *scope) (*Field, error) {
	f, err := d.fields(e.value, "field", e.key)
	if err != nil {
		return nil, err
	}
	if f["type"] == nil {
		if e.under == nil {
			return nil, Errorf(e.pos, "%s: the key \"type\" is missing, and no part has a field of this name; types are %s", e.key, describeKinds(fieldTypes))
		}
		shared, err := d.fields(e.under, "field", e.key)
		if err != nil {
			return nil, err
		}
		for name, n := range shared {
			if f[name] == nil {
				f[name] = n
			}
		}
	}
	out := &Field{Pos: e.pos, Name: e.key}
	if out.Type, err = d.text(f["type"], "type"); err != nil {
		return nil, err
	}
	if _, ok := fieldTypes[out.Type]; !ok {
		return nil, d.errorf(f["type"], "unknown type %q; expected one of %s%s", out.Type, describeKinds(fieldTypes), Suggest(out.Type, sortedKeys(fieldTypes)))
	}
	if f["key"] != nil {
		if out.Keys, err = d.texts(f["key"], "key"); err != nil {
			return nil, err
		}
	}
	if f["doc"] != nil {
		if out.Doc, err = d.text(f["doc"], "doc"); err != nil {
			return nil, err
		}
	}
	return out, d.fieldValues(out, f, sc)
}

func (d *decoder) fieldValues(out *Field, f map[string]*yaml.Node, sc *scope) (err error) {
	kind := map[string]string{"int": "int", "size": "int", "count": "int", "float": "float", "bool": "bool"}[out.Type]
	for _, part := range []struct {
		key, kind string
		to        **Value
	}{{"default", kind, &out.Default}, {"null", kind, &out.Null}, {"len", "int", &out.Len}} {
		if n := f[part.key]; n != nil {
			if *part.to, err = d.value(n, part.kind, sc); err != nil {
				return err
			}
		}
	}
	if len(out.Keys) == 0 && out.Default == nil {
		return Errorf(out.Pos, "%s: has neither a key nor a default", out.Name)
	}
	if f["values"] != nil {
		out.Values, err = d.allowed(f["values"])
	}
	return err
}

// allowed decodes values: a list, a map, or the name of a table of the library.
func (d *decoder) allowed(n *yaml.Node) (map[string]any, error) {
	out := map[string]any{}
	switch n.Kind {
	case yaml.ScalarNode:
		t, ok := d.lib.Tables[n.Value]
		if !ok {
			return nil, d.errorf(n, "no table is called %q; there are %s%s", n.Value, join(sortedKeys(d.lib.Tables)), Suggest(n.Value, sortedKeys(d.lib.Tables)))
		}
		return t, nil
	case yaml.SequenceNode:
		words, err := d.texts(n, "values")
		for _, w := range words {
			out[w] = w
		}
		return out, err
	}
	entries, err := d.entries(n, "values", nil)
	for _, e := range entries {
		w, err := d.text(e.value, "values")
		if err != nil {
			return nil, err
		}
		out[e.key] = w
	}
	return out, err
}

// requirements decodes require: lists of allowed values by configuration key.
func (d *decoder) requirements(n *yaml.Node) ([]*Requirement, error) {
	if n == nil {
		return nil, nil
	}
	entries, err := d.entries(n, "require", nil)
	if err != nil {
		return nil, err
	}
	var out []*Requirement
	for _, e := range entries {
		items, err := d.sequence(e.value, e.key)
		if err != nil {
			return nil, err
		}
		r := &Requirement{Pos: e.pos, Key: e.key}
		for _, item := range items {
			v, err := d.value(item, "any", newScope())
			if err != nil {
				return nil, err
			}
			x, err := v.Eval(&Env{})
			if err != nil {
				return nil, err
			}
			r.Allowed = append(r.Allowed, x)
		}
		out = append(out, r)
	}
	return out, nil
}
