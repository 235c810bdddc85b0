package spec

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// rules decodes a map from patterns of weight names to stored tensors.
func (d *decoder) rules(n *yaml.Node, sc *scope) ([]*Rule, error) {
	if n == nil {
		return nil, nil
	}
	entries, err := d.entries(n, "map", nil)
	if err != nil {
		return nil, err
	}
	var out []*Rule
	for _, e := range entries {
		r, err := d.rule(e, sc)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// rule decodes one rule: a stored name, a list of alternative names, {from, each, as, steps}, or a list of these.
func (d *decoder) rule(e entry, sc *scope) (*Rule, error) {
	r := &Rule{Pos: e.pos, Pattern: e.key}
	ways := []*yaml.Node{e.value}
	if e.value.Kind == yaml.SequenceNode {
		ways = e.value.Content
	}
	for _, n := range ways {
		s, err := d.stored(n, e, sc)
		if err != nil {
			return nil, err
		}
		r.Stored = append(r.Stored, s)
	}
	if len(r.Stored) == 0 {
		return nil, Errorf(e.pos, "%s: the list is empty", e.key)
	}
	return r, nil
}

// stored decodes one way of storing a weight.
func (d *decoder) stored(n *yaml.Node, e entry, sc *scope) (*Stored, error) {
	s := &Stored{Pos: d.pos(n)}
	names := []string{e.key}
	from := n
	if n.Kind == yaml.MappingNode {
		f, err := d.fields(n, "rule", e.key)
		if err != nil {
			return nil, err
		}
		if sc, err = d.counter(s, f, n, sc); err != nil {
			return nil, err
		}
		if f["steps"] != nil {
			if s.Steps, err = d.tensorSteps(f["steps"], sc); err != nil {
				return nil, err
			}
		}
		if f["constant"] != nil {
			if s.Constant, err = d.value(f["constant"], "float", sc); err != nil {
				return nil, err
			}
		}
		from = f["from"]
	}
	if from != nil {
		var err error
		if names, err = d.texts(from, "from"); err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		if strings.Count(name, "*") > strings.Count(e.key, "*") {
			return nil, Errorf(e.pos, "%q has more * than the pattern %q", name, e.key)
		}
		t, err := parseTemplate(name)
		if err == nil {
			err = sc.check(t)
		}
		if err != nil {
			return nil, Errorf(s.Pos, "%v", err)
		}
		s.From = append(s.From, &Value{Pos: s.Pos, Src: name, n: t})
	}
	return s, nil
}

// counter decodes each and as, which stand together, and returns the scope in which the counter is known.
func (d *decoder) counter(s *Stored, f map[string]*yaml.Node, n *yaml.Node, sc *scope) (*scope, error) {
	if (f["each"] == nil) != (f["as"] == nil) {
		return nil, d.errorf(n, "each and as stand together: a number of parts and the name of their counter")
	}
	if f["each"] == nil {
		return sc, nil
	}
	var err error
	if s.Each, err = d.value(f["each"], "int", sc); err != nil {
		return nil, err
	}
	if s.As, err = d.text(f["as"], "as"); err != nil {
		return nil, err
	}
	return sc.with(nil, []string{s.As}), nil
}

func (d *decoder) tensorSteps(n *yaml.Node, sc *scope) ([]TensorStep, error) {
	items, err := d.sequence(n, "steps")
	var out []TensorStep
	for _, item := range items {
		s, err := d.tensorStep(item, sc)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, err
}

// tensorStep decodes a word such as transpose or a mapping such as {rows: [0, $d_model]}.
func (d *decoder) tensorStep(n *yaml.Node, sc *scope) (TensorStep, error) {
	s := TensorStep{Pos: d.pos(n)}
	var args []*yaml.Node
	if n.Kind == yaml.ScalarNode {
		s.Kind = n.Value
	} else {
		entries, err := d.entries(n, "steps", sortedKeys(tensorSteps))
		if err != nil {
			return s, err
		}
		if len(entries) != 1 {
			return s, d.errorf(n, "steps: expected one step, found %d keys", len(entries))
		}
		s.Kind, args = entries[0].key, []*yaml.Node{entries[0].value}
		if args[0].Kind == yaml.SequenceNode {
			args = args[0].Content
		}
	}
	kinds, ok := tensorSteps[s.Kind]
	if !ok || len(args) != len(kinds) {
		return s, d.errorf(n, "steps: expected one of %s; found %s", stepsDoc, source(n))
	}
	for i, a := range args {
		v, err := d.value(a, kinds[i], sc)
		if err != nil {
			return s, err
		}
		s.Args = append(s.Args, v)
	}
	return s, nil
}

// ignores decodes a list of patterns, each a word or {name, when}.
func (d *decoder) ignores(n *yaml.Node, sc *scope) ([]*Ignore, error) {
	if n == nil {
		return nil, nil
	}
	items, err := d.sequence(n, "ignore")
	var out []*Ignore
	for _, item := range items {
		ig := &Ignore{Pos: d.pos(item), Pattern: item.Value}
		if item.Kind != yaml.ScalarNode {
			f, err := d.fields(item, "ignore", "ignore")
			if err != nil {
				return nil, err
			}
			if ig.Pattern, err = d.text(f["name"], "name"); err != nil {
				return nil, err
			}
			if ig.When, err = d.value(f["when"], "bool", sc); err != nil {
				return nil, err
			}
		}
		out = append(out, ig)
	}
	return out, err
}
