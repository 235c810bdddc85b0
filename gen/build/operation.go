package build

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/spec"
)

// stateAttrs are the attributes that a state takes from the operation that owns it, by kind of state.
var stateAttrs = map[string][]string{"kv": {"kv_heads", "head_dim", "window"}, "cross": {"kv_heads", "head_dim"},
	"latent": {"rank", "rope_dim"}}

// operation expands a step that is a row of the op table.
func (x *expander) operation(f *frame, s *spec.Step) error {
	o := &ir.Op{Kind: s.Kind, Attrs: ir.Attrs{}, Pos: x.place(f, s)}
	for _, part := range []func(*frame, *spec.Step, *ir.Op) error{x.inputs, x.attributes, x.weights, x.state} {
		if err := part(f, s, o); err != nil {
			return err
		}
	}
	if err := x.emit(f, s, o); err != nil {
		return err
	}
	return nil
}

// inputs sets the inputs: named ones, and the current value for the first if it is not named.
func (x *expander) inputs(f *frame, s *spec.Step, o *ir.Op) error {
	for i, in := range s.Op.In {
		name := strings.TrimSuffix(in, "?")
		if _, given := s.Inputs[name]; !given && i > 0 {
			if name == in {
				return spec.Errorf(s.Pos, "%s: the input %q is missing", s.Kind, name)
			}
			break
		}
		v, err := x.input(f, s, name)
		if err != nil {
			return err
		}
		o.In = append(o.In, v)
	}
	return nil
}

// attributes computes every attribute; absent ones and those that are null get the default of the op table.
func (x *expander) attributes(f *frame, s *spec.Step, o *ir.Op) error {
	for _, a := range s.Op.Attrs {
		var v any
		if s.Args[a.Name] != nil {
			var err error
			if v, err = s.Args[a.Name].Convert(x.env(f), a.Kind); err != nil {
				return err
			}
		}
		if v == nil {
			v = a.Default
		}
		if v == nil {
			return spec.Errorf(s.Args[a.Name].Pos, "%s: %s is null, expected %s", s.Kind, a.Name, a.Kind)
		}
		o.Attrs[a.Name] = v
	}
	return nil
}

// weights finds the weight of every role. Shapes follow from inputs and attributes.
func (x *expander) weights(f *frame, s *spec.Step, o *ir.Op) error {
	o.Weights = make([]*ir.Weight, len(s.Op.Weights))
	if len(s.Op.Weights) == 0 {
		return nil
	}
	if _, err := op.Infer(o); err != nil {
		return spec.Errorf(s.Pos, "%s: %v", s.Kind, err)
	}
	for i, r := range s.Op.Weights {
		name, err := x.weightName(f, s, r)
		if err != nil {
			return err
		}
		if name == "" {
			continue
		}
		w, err := x.store.weight(x.qualify(name), r.Shape(o), o.Pos)
		if err != nil {
			return err
		}
		o.Weights[i] = x.use(w)
		if _, known := x.users[w]; !known && x.users != nil {
			x.users[w] = f.path + s.Kind
		}
	}
	return nil
}

// use adds a weight to the graph when it is new.
func (x *expander) use(w *ir.Weight) *ir.Weight {
	if !x.seen[w] {
		x.seen[w] = true
		x.graph.Weights = append(x.graph.Weights, w)
	}
	return w
}

// weightName is the name of the weight of a role, "" if the step does without.
func (x *expander) weightName(f *frame, s *spec.Step, r op.Role) (string, error) {
	arg := s.Args[spec.RoleKey(r)]
	if arg == nil {
		return "", nil
	}
	v, err := arg.Eval(x.env(f))
	if err != nil {
		return "", err
	}
	switch v := v.(type) {
	case bool:
		if !v || !r.Optional {
			break
		}
		return x.moduleWeight(f, s, r, false)
	case string:
		if r.Optional {
			return v, nil
		}
		return x.moduleWeight(f, s, r, true)
	}
	if r.Optional && (v == nil || v == false) {
		return "", nil
	}
	return "", spec.Errorf(arg.Pos, "%s: %s is %s, expected the name of a weight", s.Kind, spec.RoleKey(r), spec.Describe(v))
}

// moduleWeight is a name made of the step's module (w) and the suffix of the role. A tie that holds gives another module.
func (x *expander) moduleWeight(f *frame, s *spec.Step, r op.Role, tie bool) (string, error) {
	module := s.Args["w"]
	if !r.Optional {
		module = s.Args[r.Name]
	}
	if tie && s.Args["tie.if"] != nil {
		on, err := s.Args["tie.if"].Bool(x.env(f))
		if err != nil {
			return "", err
		}
		if on {
			module = s.Args["tie.to"]
		}
	}
	v, err := module.Convert(x.env(f), "name")
	if err != nil {
		return "", err
	}
	name, ok := v.(string)
	if !ok || name == "" {
		return "", spec.Errorf(module.Pos, "%s: the name of the weight is empty", s.Kind)
	}
	return name + r.Suffix, nil
}

// state gives the operation memory if the step asks for it.
func (x *expander) state(f *frame, s *spec.Step, o *ir.Op) error {
	if s.Args["state"] == nil {
		return nil
	}
	on, err := s.Args["state"].Bool(x.env(f))
	if err != nil || !on {
		return err
	}
	st := &ir.State{Kind: s.Op.State, Attrs: ir.Attrs{}}
	if len(o.In) > 1 && o.In[0].Type.Rows != o.In[1].Type.Rows { // keys of another sequence
		st.Kind = "cross"
	}
	for _, k := range stateAttrs[st.Kind] {
		st.Attrs[k] = o.Attrs[k]
	}
	if s.Op.Size != nil {
		st.Attrs["size"] = s.Op.Size(o)
	}
	if s.Op.Each != nil {
		st.Attrs["width"] = s.Op.Each(o)
	}
	st.Name = x.stateName(st.Kind)
	x.graph.States = append(x.graph.States, st)
	o.State = st
	return nil
}

// stateName is the kind and the number of the layer; a second one in the same layer gets a letter.
func (x *expander) stateName(kind string) string {
	name := kind + strings.TrimPrefix(x.region.Name, "layer")
	for letter := 'b'; ; letter++ {
		taken := false
		for _, st := range x.graph.States {
			taken = taken || st.Name == name
		}
		if !taken {
			return name
		}
		name = fmt.Sprintf("%s%s%c", kind, strings.TrimPrefix(x.region.Name, "layer"), letter)
	}
}
