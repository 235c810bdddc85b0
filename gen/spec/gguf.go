package spec

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// gguf decodes the gguf section.
func (d *decoder) gguf(n *yaml.Node, s *Spec) (*GGUF, error) {
	f, err := d.fields(n, "gguf", "gguf")
	if err != nil {
		return nil, err
	}
	g := &GGUF{Pos: d.pos(n), Tensors: Tensors{Pos: d.pos(n), Prefix: []string{""}}}
	if g.Architectures, err = d.texts(f["architecture"], "architecture"); err != nil {
		return nil, err
	}
	within := s.scope()
	within.vars["architecture"] = true
	if g.Class, err = d.value(f["class"], "string", within); err != nil {
		return nil, err
	}
	if err = d.ggufMaps(g, f, s); err != nil {
		return nil, err
	}
	if g.Require, err = d.requirements(f["require"]); err != nil {
		return nil, err
	}
	sc := s.scope()
	if g.Tensors.Ignore, err = d.ignores(f["ignore"], sc); err != nil || f["refuse"] == nil {
		return g, err
	}
	entries, err := d.entries(f["refuse"], "refuse", nil)
	for _, e := range entries {
		because, err := d.text(e.value, e.key)
		if err != nil {
			return nil, err
		}
		g.Refuse = append(g.Refuse, &Refusal{e.pos, e.key, because})
	}
	return g, err
}

// names are metadata keys and tensor names that architectures share, as written: they are decoded for each.
type names struct {
	d               *decoder
	config, tensors *yaml.Node
}

// ggufNames decodes the header of a file of names.
func (d *decoder) ggufNames(n *yaml.Node) error {
	f, err := d.fields(n, "names", "names")
	if err != nil {
		return err
	}
	name, err := d.text(f["names"], "names")
	d.lib.names[name] = &names{d, f["config"], f["tensors"]}
	return err
}

// ggufMaps decodes config and tensors: the section's own, behind them those of the parts, and those of the library that like
// names.
func (d *decoder) ggufMaps(g *GGUF, f map[string]*yaml.Node, s *Spec) error {
	own, err := d.ggufFields(f["config"], s, false)
	if err != nil {
		return err
	}
	given := map[string]*Field{}
	for _, x := range own {
		given[x.Name] = x
	}
	if g.Tensors.Map, err = d.rules(f["tensors"], s.scope()); err != nil {
		return err
	}
	shared, err := found(d, f["like"], d.lib.names, "like", "names are")
	if err != nil {
		return err
	}
	for _, p := range slices.Backward(s.parts) {
		if p.gguf != nil {
			shared = slices.Insert(shared, 0, p.gguf)
		}
	}
	for _, n := range shared {
		if err := n.addTo(g, given, s); err != nil {
			return err
		}
	}
	g.Config, err = inOrder(s.ggufConfig(given))
	return err
}

// addTo adds the names to those that are given.
func (n *names) addTo(g *GGUF, given map[string]*Field, s *Spec) error {
	fields, err := n.d.ggufFields(n.config, s, true)
	if err != nil {
		return err
	}
	for _, x := range fields {
		if given[x.Name] == nil {
			x.fill(g.Architectures)
			given[x.Name] = x
		}
	}
	rules, err := n.d.rules(n.tensors, s.scope())
	g.Tensors.Map = append(g.Tensors.Map, rules...)
	return err
}

// ggufConfig are the fields of the specification with the metadata keys that are given; others have no key, only their default.
func (s *Spec) ggufConfig(given map[string]*Field) []*Field {
	var out []*Field
	for _, f := range s.Config {
		g := given[f.Name]
		if g == nil {
			c := *f
			c.Keys = nil
			g = &c
		}
		out = append(out, g)
	}
	return out
}

// fill puts the architecture in the place of {arch} in metadata keys.
func (f *Field) fill(architectures []string) {
	var keys []string
	for _, k := range f.Keys {
		for _, a := range architectures {
			if full := strings.ReplaceAll(k, "{arch}", a); !has(keys, full) {
				keys = append(keys, full)
			}
		}
	}
	f.Keys = keys
	for name, k := range f.Fields {
		f.Fields[name] = strings.ReplaceAll(k, "{arch}", architectures[0])
	}
}

// ggufFields decodes the values that come from GGUF metadata: a key, a list of keys, or a mapping like those of config
// in which only what differs is written. Shared names may be of fields that the specification does not have.
func (d *decoder) ggufFields(n *yaml.Node, s *Spec, shared bool) ([]*Field, error) {
	if n == nil {
		return nil, nil
	}
	known := s.fieldNames()
	if shared {
		known = nil
	}
	entries, err := d.entries(n, "gguf config", known)
	if err != nil {
		return nil, err
	}
	var out []*Field
	for _, e := range entries {
		if s.field(e.key) == nil {
			continue
		}
		g := *s.field(e.key)
		g.Pos, g.Null = e.pos, nil
		if e.value.Kind != yaml.MappingNode {
			g.Keys, err = d.texts(e.value, e.key)
		} else {
			err = d.ggufField(&g, e, s)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, &g)
	}
	return out, nil
}

func (d *decoder) ggufField(g *Field, e entry, s *Spec) error {
	f, err := d.fields(e.value, "ggufField", e.key)
	if err != nil {
		return err
	}
	g.Keys = nil
	if f["key"] != nil {
		if g.Keys, err = d.texts(f["key"], e.key); err != nil {
			return err
		}
	}
	if f["type"] != nil {
		if g.Type, err = d.text(f["type"], e.key); err != nil {
			return err
		}
		if _, ok := fieldTypes[g.Type]; !ok {
			return d.errorf(f["type"], "unknown type %q; expected one of %s", g.Type, describeKinds(fieldTypes))
		}
	}
	if g.Fields, err = d.textMap(f["fields"], e.key); err != nil {
		return err
	}
	if g.Tensors, err = d.textMap(f["tensors"], e.key); err != nil {
		return err
	}
	if len(g.Keys) == 0 && g.Fields == nil && f["default"] == nil {
		return Errorf(e.pos, "%s: neither key nor fields nor default", e.key)
	}
	return d.fieldValues(g, map[string]*yaml.Node{"default": f["default"]}, newScope(s.fieldNames()...))
}

// textMap decodes a map of words; nil is none.
func (d *decoder) textMap(n *yaml.Node, what string) (map[string]string, error) {
	if n == nil {
		return nil, nil
	}
	entries, err := d.entries(n, what, nil)
	out := map[string]string{}
	for _, x := range entries {
		if out[x.key], err = d.text(x.value, x.key); err != nil {
			return nil, err
		}
	}
	return out, err
}
