package spec

import (
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/tfgen/tfgen/gen/op"
)

// steps decodes a sequence of steps.
func (d *decoder) steps(n *yaml.Node, what string, sc *scope) ([]*Step, error) {
	items, err := d.sequence(n, what)
	if err != nil {
		return nil, err
	}
	out := make([]*Step, len(items))
	for i, item := range items {
		if out[i], err = d.step(item, sc); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// step decodes one step: {kind: arguments}, or only the word where nothing is needed.
func (d *decoder) step(n *yaml.Node, sc *scope) (*Step, error) {
	s := &Step{Pos: d.pos(n), Args: map[string]*Value{}, Inputs: map[string]string{}}
	body := &yaml.Node{Kind: yaml.MappingNode, Line: n.Line}
	if n.Kind == yaml.ScalarNode {
		s.Kind = n.Value
	} else {
		entries, err := d.entries(n, "step", nil)
		if err != nil {
			return nil, err
		}
		if len(entries) != 1 {
			return nil, d.errorf(n, "a step is one operation, found %d keys", len(entries))
		}
		s.Kind, body = entries[0].key, entries[0].value
	}
	if _, ok := forms[s.Kind]; ok {
		s.Form = s.Kind
		return s, d.form(s, body, sc)
	}
	if m, ok := d.lib.Macros[s.Kind]; ok {
		s.Macro = m
		return s, d.macroCall(s, body, sc)
	}
	if row, ok := op.Lookup(s.Kind); ok {
		s.Op = row
		return s, d.operation(s, body, sc)
	}
	known := append(append(op.Kinds(), sortedKeys(d.lib.Macros)...), sortedKeys(forms)...)
	return nil, d.errorf(n, "no operation, macro or form is called %q%s; operations are %s; macros %s; forms %s", s.Kind,
		Suggest(s.Kind, known), join(op.Kinds()), join(sortedKeys(d.lib.Macros)), join(sortedKeys(forms)))
}

// form decodes a step whose kind is a row of forms.
func (d *decoder) form(s *Step, body *yaml.Node, sc *scope) (err error) {
	switch s.Form {
	case "residual":
		s.Steps, err = d.steps(body, "residual", sc)
		return err
	case "parallel":
		return d.parallel(s, body, sc)
	case "output":
		name, err := d.text(body, "output")
		s.Out = []string{name}
		return err
	}
	f, err := d.keyed(body, formKeys[s.Form], s.Form)
	if err != nil {
		return err
	}
	if s.Form == "when" {
		if s.Args["if"], err = d.value(f["if"], "bool", sc); err != nil {
			return err
		}
		if s.Steps, err = d.steps(f["then"], "then", sc); err != nil || f["else"] == nil {
			return err
		}
		s.Else, err = d.steps(f["else"], "else", sc)
		return err
	}
	as, err := d.text(f["as"], "as")
	if err != nil {
		return err
	}
	s.Out = []string{as}
	if s.Args["times"], err = d.value(f["times"], "int", sc); err != nil {
		return err
	}
	s.Steps, err = d.steps(f["steps"], "steps", sc.with(nil, []string{as}))
	return err
}

// parallel decodes the branches of parallel.
func (d *decoder) parallel(s *Step, body *yaml.Node, sc *scope) error {
	items, err := d.sequence(body, "parallel")
	if err != nil {
		return err
	}
	for _, item := range items {
		branch, err := d.steps(item, "parallel", sc)
		if err != nil {
			return err
		}
		s.Branches = append(s.Branches, branch)
	}
	return nil
}

// tieKeys are the keys of tie: the step uses the weight of another step when the condition holds.
var tieKeys = []key{
	{"to", "word", true, "module whose weight is used"},
	{"if", "value", true, "condition"},
}

// operation decodes a step whose kind is a row of the op table.
func (d *decoder) operation(s *Step, body *yaml.Node, sc *scope) error {
	kinds := operationKeys(s.Op)
	entries, err := d.entries(body, s.Kind, sortedKeys(kinds))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := d.operationKey(s, e, kinds[e.key], sc); err != nil {
			return err
		}
	}
	for _, a := range s.Op.Attrs {
		if a.Default == nil && s.Args[a.Name] == nil {
			return Errorf(s.Pos, "%s: %q is missing (%s)", s.Kind, a.Name, a.Doc)
		}
	}
	for _, r := range s.Op.Weights {
		if !r.Optional && s.Args[r.Name] == nil {
			return Errorf(s.Pos, "%s: the weight %q is missing", s.Kind, r.Name)
		}
	}
	return nil
}

func (d *decoder) operationKey(s *Step, e entry, kind string, sc *scope) (err error) {
	switch kind {
	case "input":
		s.Inputs[e.key], err = d.text(e.value, e.key)
	case "tie":
		f, err := d.keyed(e.value, tieKeys, e.key)
		if err != nil {
			return err
		}
		if s.Args["tie.to"], err = d.value(f["to"], "name", sc); err != nil {
			return err
		}
		s.Args["tie.if"], err = d.value(f["if"], "bool", sc)
		return err
	case "words":
		if e.key == "out" {
			s.Out, err = d.texts(e.value, e.key)
			return err
		}
		var names []string
		if names, err = d.texts(e.value, e.key); err != nil {
			return err
		}
		if len(names) > len(s.Op.In) {
			return Errorf(e.pos, "%s takes %s, found %d inputs", s.Kind, join(s.Op.In), len(names))
		}
		for i, name := range names {
			s.Inputs[inputName(s.Op, i)] = name
		}
	default:
		s.Args[e.key], err = d.value(e.value, kind, sc)
	}
	return err
}

// operationKeys gives the keys that an operation may have, with the kind of each.
func operationKeys(row *op.Row) map[string]string {
	keys := map[string]string{"in": "words", "out": "words"}
	for i := range row.In {
		keys[inputName(row, i)] = "input"
	}
	for _, r := range row.Weights {
		keys[RoleKey(r)] = "name"
	}
	if len(row.Weights) > 0 {
		keys["tie"] = "tie"
	}
	if row.State != "" {
		keys["state"] = "bool"
	}
	for _, a := range row.Attrs {
		keys[a.Name] = a.Kind
	}
	return keys
}

// RoleKey is the key under which a step names the weight of a role: the role's name, or for an optional weight that
// shares the module of another its suffix ("bias": true or false, or the full name of a tensor).
func RoleKey(r op.Role) string {
	if r.Optional && r.Suffix != "" {
		return strings.TrimPrefix(r.Suffix, ".")
	}
	return r.Name
}

func inputName(row *op.Row, i int) string { return strings.TrimSuffix(row.In[i], "?") }

// macroCall decodes a step whose kind is a macro.
func (d *decoder) macroCall(s *Step, body *yaml.Node, sc *scope) error {
	names := []string{"in", "out"}
	for _, p := range s.Macro.Params {
		names = append(names, p.Name)
	}
	entries, err := d.entries(body, s.Kind, names)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch e.key {
		case "in":
			s.Inputs["x"], err = d.text(e.value, "in")
		case "out":
			s.Out, err = d.texts(e.value, "out")
		default:
			s.Args[e.key], err = d.value(e.value, s.Macro.param(e.key).Type, sc)
		}
		if err != nil {
			return err
		}
	}
	for _, p := range s.Macro.Params {
		if p.Default == nil && s.Args[p.Name] == nil {
			return Errorf(s.Pos, "%s: %q is missing (%s)", s.Kind, p.Name, p.Doc)
		}
	}
	return nil
}
