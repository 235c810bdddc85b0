package build

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/spec"
)

// Bounds of the expansion, far above any real model.
const (
	maxDepth  = 32
	maxRepeat = 10000
	maxOps    = 400000
)

// expander turns the steps of a specification into operations of a graph.
type expander struct {
	graph   *ir.Graph
	store   *store
	region  *ir.Region
	tower   string               // "encoder" in the first tower of two
	prefix  string               // of weight names in the current block
	renamed map[string]*ir.Value // names of inputs that stand for others
	shared  map[string]*ir.Op    // operations on inputs only, which need to be done once
	seen    map[*ir.Weight]bool
	users   map[*ir.Weight]string // the step that each weight belongs to; nil: nobody asks
	depth   int

	generates bool // the head's class makes text: only some rows are asked for
}

// frame is where a sequence of steps runs: the names it can use and the implicit current value.
type frame struct {
	vars    map[string]any
	locals  map[string]any
	names   map[string]*ir.Value
	current *ir.Value
	pos     *ir.Pos // in a macro: the step of the architecture's own file
	path    string  // in a macro: the names of the macros, outermost first, each followed by " › "
}

func (x *expander) env(f *frame) *spec.Env {
	return &spec.Env{
		Vars: f.vars, Locals: f.locals,
		Has: func(name string) bool { return x.store.has(x.qualify(name)) },
		Width: func(name string) (int, bool) {
			v, err := x.lookup(f, name)
			if err != nil {
				return 0, false
			}
			return v.Type.Width(), true
		},
	}
}

// qualify puts the block's prefix before a weight name; names that begin with "/" stay.
func (x *expander) qualify(name string) string {
	if len(name) > 0 && name[0] == '/' {
		return name
	}
	return x.prefix + name
}

func (x *expander) lookup(f *frame, name string) (*ir.Value, error) {
	if v, ok := f.names[name]; ok {
		return v, nil
	}
	if v := x.renamed[name]; v != nil {
		return v, nil
	}
	if v := x.graph.Input(name); v != nil {
		return v, nil
	}
	known := []string{}
	for n := range f.names {
		known = append(known, n)
	}
	for _, v := range x.graph.Inputs {
		known = append(known, v.Name)
	}
	return nil, fmt.Errorf("no value is called %q here%s", name, spec.Suggest(name, known))
}

// steps expands a sequence.
func (x *expander) steps(f *frame, steps []*spec.Step) error {
	for _, s := range steps {
		if err := x.step(f, s); err != nil {
			return err
		}
	}
	return nil
}

func (x *expander) step(f *frame, s *spec.Step) error {
	x.depth++
	defer func() { x.depth-- }()
	if x.depth > maxDepth {
		return spec.Errorf(s.Pos, "steps are nested more than %d deep; does a macro use itself?", maxDepth)
	}
	switch {
	case s.Macro != nil:
		return x.macro(f, s)
	case s.Kind == "select" && !x.generates: // every row is asked for
		return nil
	case s.Op != nil:
		return x.operation(f, s)
	}
	switch s.Form {
	case "residual":
		return x.residual(f, s)
	case "parallel":
		return x.parallel(f, s)
	case "repeat":
		return x.repeat(f, s)
	case "when":
		return x.when(f, s)
	}
	return x.output(f, s)
}

// residual adds what the steps make of the current value to it.
func (x *expander) residual(f *frame, s *spec.Step) error {
	before := f.current
	if before == nil {
		return spec.Errorf(s.Pos, "residual: there is no current value")
	}
	if err := x.steps(f, s.Steps); err != nil {
		return err
	}
	add := &ir.Op{Kind: "add", In: []*ir.Value{before, f.current}, Pos: x.place(f, s)}
	return x.emit(f, s, add)
}

// parallel adds to the current value what each branch makes of it.
func (x *expander) parallel(f *frame, s *spec.Step) error {
	before := f.current
	if before == nil {
		return spec.Errorf(s.Pos, "parallel: there is no current value")
	}
	var results []*ir.Value
	for _, branch := range s.Branches {
		f.current = before
		if err := x.steps(f, branch); err != nil {
			return err
		}
		results = append(results, f.current)
	}
	f.current = before
	for _, v := range results {
		add := &ir.Op{Kind: "add", In: []*ir.Value{f.current, v}, Pos: x.place(f, s)}
		if err := x.emit(f, s, add); err != nil {
			return err
		}
	}
	return nil
}

func (x *expander) repeat(f *frame, s *spec.Step) error {
	n, err := s.Args["times"].Int(x.env(f))
	if err != nil {
		return err
	}
	if n < 0 || n > maxRepeat {
		return spec.Errorf(s.Pos, "repeat: %d times, expected 0 to %d", n, maxRepeat)
	}
	outer := f.locals
	defer func() { f.locals = outer }()
	for i := range n {
		f.locals = map[string]any{s.Out[0]: i}
		for k, v := range outer {
			if k != s.Out[0] {
				f.locals[k] = v
			}
		}
		if err := x.steps(f, s.Steps); err != nil {
			return err
		}
	}
	return nil
}

func (x *expander) when(f *frame, s *spec.Step) error {
	on, err := s.Args["if"].Bool(x.env(f))
	if err != nil {
		return err
	}
	if on {
		return x.steps(f, s.Steps)
	}
	return x.steps(f, s.Else)
}

// output makes the current value a result of the model.
func (x *expander) output(f *frame, s *spec.Step) error {
	name := s.Out[0]
	if f.current == nil {
		return spec.Errorf(s.Pos, "output: there is no current value")
	}
	if x.graph.Output(name) != nil {
		return spec.Errorf(s.Pos, "output: %q is given twice", name)
	}
	x.graph.Outputs = append(x.graph.Outputs, ir.Output{Name: name, Value: f.current})
	return nil
}

// macro expands a macro's steps in a frame that knows its parameters only.
func (x *expander) macro(f *frame, s *spec.Step) error {
	in, err := x.input(f, s, "x")
	if err != nil {
		return err
	}
	pos := x.place(f, s)
	inner := &frame{vars: map[string]any{}, names: map[string]*ir.Value{"x": in}, current: in, pos: &pos, path: f.path + s.Kind + " › "}
	for _, p := range s.Macro.Params {
		v, env := p.Default, x.env(inner)
		if s.Args[p.Name] != nil {
			v, env = s.Args[p.Name], x.env(f)
		}
		arg, err := v.Convert(env, paramKind(p.Type))
		if err != nil {
			return err
		}
		inner.vars[p.Name] = arg
		if name, ok := arg.(string); ok && p.Type == "value" {
			if inner.names[p.Name], err = x.lookup(f, name); err != nil {
				return &spec.Error{Pos: s.Pos, Msg: s.Kind + ": ", Err: err}
			}
		}
	}
	if err := x.steps(inner, s.Macro.Steps); err != nil {
		return &spec.Error{Pos: s.Pos, Msg: s.Kind + ": ", Err: err}
	}
	f.current = inner.current
	for _, name := range s.Out {
		f.names[name] = f.current
	}
	return nil
}

func paramKind(t string) string {
	if t == "value" {
		return "name"
	}
	return t
}

// input returns a step's input of this name, or the current value if the step does not name one.
func (x *expander) input(f *frame, s *spec.Step, name string) (*ir.Value, error) {
	if given, ok := s.Inputs[name]; ok {
		v, err := x.lookup(f, given)
		if err != nil {
			return nil, &spec.Error{Pos: s.Pos, Msg: s.Kind + ": ", Err: err}
		}
		return v, nil
	}
	if f.current == nil {
		return nil, spec.Errorf(s.Pos, "%s: there is no current value; name the input with in", s.Kind)
	}
	return f.current, nil
}

// place is the position that an operation carries: in the architecture's own file.
func (x *expander) place(f *frame, s *spec.Step) ir.Pos {
	if f.pos != nil {
		return *f.pos
	}
	return s.Pos
}

// emit infers the results of an operation, appends it to the graph and makes its first result the current value.
func (x *expander) emit(f *frame, s *spec.Step, o *ir.Op) error {
	types, err := op.Infer(o)
	if err != nil {
		return spec.Errorf(s.Pos, "%s: %v", o.Kind, err)
	}
	if len(s.Out) > len(types) && s.Form == "" {
		return spec.Errorf(s.Pos, "%s has %d results, found %d names", o.Kind, len(types), len(s.Out))
	}
	if twin := x.twin(o); twin != nil {
		o = twin
	} else {
		x.append(o, s, types)
	}
	f.current = o.Out[0]
	if s.Form == "" {
		for i, name := range s.Out {
			f.names[name] = o.Out[i]
		}
	}
	if len(x.graph.Ops) > maxOps {
		return spec.Errorf(s.Pos, "the model has more than %d operations", maxOps)
	}
	return nil
}

func (x *expander) append(o *ir.Op, s *spec.Step, types []ir.Type) {
	for i, t := range types {
		name := resultName(o)
		if s.Form == "" && i < len(s.Out) {
			name = s.Out[i]
		}
		v := x.graph.NewValue(name, t)
		v.Def = o
		o.Out = append(o.Out, v)
	}
	o.Region = x.region
	x.graph.Ops = append(x.graph.Ops, o)
}

// resultName names a result to which the specification gives no name: as the weight that makes it, as what it is a
// part of, or as its operation.
func resultName(o *ir.Op) string {
	if o.Kind == "slice" {
		return o.In[0].Name
	}
	if len(o.Weights) == 0 || o.Weights[0] == nil {
		return o.Kind
	}
	stem := strings.TrimSuffix(o.Weights[0].Name, ".weight")
	name := stem[strings.LastIndex(stem, ".")+1:]
	if strings.Trim(name, "0123456789") == "" {
		return o.Kind
	}
	return name
}

// twin returns an equal operation that reads inputs of the model only, such as the rotary angles of an earlier layer.
func (x *expander) twin(o *ir.Op) *ir.Op {
	row, _ := op.Lookup(o.Kind)
	if !row.Pure || len(o.In) == 0 {
		return nil
	}
	key := o.Kind + o.Attrs.String()
	for _, v := range o.In {
		if v.Def != nil {
			return nil
		}
		key += " " + v.String()
	}
	if twin, ok := x.shared[key]; ok {
		return twin
	}
	x.shared[key] = o
	return nil
}
