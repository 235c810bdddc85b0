package template

import (
	"github.com/tfgen/tfgen/runtime/template/py"
	"github.com/tfgen/tfgen/runtime/template/syntax"
)

// eval evaluates an expression.
func (s *State) eval(e syntax.Expr, a *activation) Value {
	s.Step(1)
	switch e := e.(type) {
	case *syntax.Const:
		return e.Value
	case *syntax.Name:
		if s.folding {
			impossible()
		}
		return Get(*a.at(e.Var), e.Name)
	case *syntax.GetAttr:
		return s.GetAttr(s.eval(e.X, a), e.Name)
	case *syntax.GetItem:
		return s.item(e, a)
	case *syntax.Binary:
		return s.binary(e, a)
	case *syntax.Unary:
		return s.unary(e, a)
	case *syntax.Compare:
		return s.compare(e, a)
	case *syntax.Call:
		if s.folding {
			impossible()
		}
		f := s.eval(e.F, a)
		return s.Call(f, s.arguments(&e.Args, a))
	case *syntax.Filter:
		return s.applyFilter(e, s.eval(e.X, a), a)
	case *syntax.Test:
		x := s.eval(e.X, a)
		return s.CallTest(e.Name, x, s.arguments(&e.Args, a))
	case *syntax.Cond:
		if s.Truth(s.eval(e.Test, a)) {
			return s.eval(e.Then, a)
		}
		if e.Else == nil {
			return s.NoElse(syntax.LineOf(e))
		}
		return s.eval(e.Else, a)
	case *syntax.Concat:
		items := s.evalAll(e.Items, a)
		if e.Escape == syntax.EscapeAlways {
			return s.ConcatMarkup(items...)
		}
		return s.Concat(items...)
	}
	return s.literal(e, a)
}

func (s *State) literal(e syntax.Expr, a *activation) Value {
	switch e := e.(type) {
	case *syntax.List:
		return &py.List{Items: s.evalAll(e.Items, a)}
	case *syntax.Tuple:
		return &py.Tuple{Items: s.evalAll(e.Items, a)}
	case *syntax.Dict:
		d := new(py.Dict)
		for i, k := range e.Keys {
			key := s.eval(k, a)
			d.Set(key, s.eval(e.Values[i], a))
		}
		return d
	}
	py.Throw("TypeError", "this cannot be evaluated")
	return nil
}

func (s *State) evalAll(list []syntax.Expr, a *activation) []Value {
	s.Alloc(16 * len(list))
	out := make([]Value, len(list))
	for i, e := range list {
		out[i] = s.eval(e, a)
	}
	return out
}

func (s *State) item(e *syntax.GetItem, a *activation) Value {
	x := s.eval(e.X, a)
	if sl, ok := e.Key.(*syntax.Slice); ok {
		bound := func(e syntax.Expr) Value {
			if e == nil {
				return nil
			}
			return s.eval(e, a)
		}
		start, stop, step := bound(sl.Start), bound(sl.Stop), bound(sl.Step)
		if e.Soft || s.folding {
			return s.SoftSlice(x, start, stop, step)
		}
		return s.Slice(x, start, stop, step)
	}
	return s.GetItem(x, s.eval(e.Key, a))
}

func (s *State) binary(e *syntax.Binary, a *activation) Value {
	x := s.eval(e.Left, a)
	switch e.Op {
	case "and":
		if !s.Truth(x) {
			return x
		}
		return s.eval(e.Right, a)
	case "or":
		if s.Truth(x) {
			return x
		}
		return s.eval(e.Right, a)
	}
	if e.Negate {
		return s.Neg(s.Pow(s.Neg(x), s.eval(e.Right, a)))
	}
	return s.Arith(e.Op, x, s.eval(e.Right, a))
}

// Arith applies an arithmetic operator.
func (s *State) Arith(op string, x, y Value) Value {
	switch op {
	case "+":
		return s.Add(x, y)
	case "-":
		return s.Sub(x, y)
	case "*":
		return s.Mul(x, y)
	case "/":
		return s.Div(x, y)
	case "//":
		return s.FloorDiv(x, y)
	case "%":
		return s.Mod(x, y)
	}
	return s.Pow(x, y)
}

func (s *State) unary(e *syntax.Unary, a *activation) Value {
	x := s.eval(e.X, a)
	switch e.Op {
	case "-":
		return s.Neg(x)
	case "+":
		return s.Pos(x)
	}
	return !s.Truth(x)
}

func (s *State) compare(e *syntax.Compare, a *activation) Value {
	x := s.eval(e.X, a)
	for _, o := range e.Ops {
		y := s.eval(o.X, a)
		if !s.Holds(o.Op, x, y) {
			return false
		}
		x = y
	}
	return true
}

// Holds is a comparison.
func (s *State) Holds(op string, x, y Value) bool {
	switch op {
	case "in":
		return s.Contains(y, x)
	case "not in":
		return !s.Contains(y, x)
	}
	return s.Compare(op, x, y)
}

func (s *State) arguments(args *syntax.Arguments, a *activation) (out py.Args) {
	if len(args.Pos) > 0 {
		out.Pos = s.evalAll(args.Pos, a)
	}
	if len(args.Names) > 0 {
		out.Names = append(out.Names, args.Names...)
		out.Named = s.evalAll(args.Named, a)
	}
	if args.Star != nil {
		s.Spread(&out, s.eval(args.Star, a))
	}
	if args.Double != nil {
		s.SpreadNamed(&out, s.eval(args.Double, a))
	}
	return out
}

func (s *State) applyFilter(f *syntax.Filter, x Value, a *activation) Value {
	return s.Filter(f.Name, x, s.arguments(&f.Args, a))
}

// Filter is x|name(…).
func (s *State) Filter(name string, x Value, a py.Args) Value {
	f := s.filters[name]
	if f == nil {
		py.Throw("TemplateRuntimeError", "No filter named '%s' found.", name)
	}
	if s.folding && contextual[name] {
		impossible()
	}
	s.Step(1)
	return f.apply(s, x, a)
}

// contextual are the filters that jinja does not fold: they take the context.
var contextual = map[string]bool{"map": true, "select": true, "reject": true, "selectattr": true, "rejectattr": true, "random": true}

// CallTest is x is name(…).
func (s *State) CallTest(name string, x Value, a py.Args) Value {
	f, ok := tests[name]
	if !ok {
		py.Throw("TemplateRuntimeError", "No test named '%s' found.", name)
	}
	s.Step(1)
	return f(s, x, a)
}

// constant returns the value of an expression that jinja folds when it compiles a template: no names, no calls, no error.
func constant(e syntax.Expr) (v any, ok bool) {
	s := newState(new(py.Dict), Options{Limits: py.Limits{Steps: 10_000, Bytes: 1 << 20}}, every())
	s.folding = true
	defer func() {
		if r := recover(); r != nil {
			if _, thrown := r.(*Error); !thrown {
				panic(r)
			}
			v, ok = nil, false
		}
	}()
	v = s.eval(e, &activation{})
	return v, representable(v)
}

// impossible ends the evaluation of an expression that is not constant.
func impossible() { py.Throw("Impossible", "not a constant") }

// representable is jinja's has_safe_repr.
func representable(v Value) bool {
	switch v := v.(type) {
	case *py.List:
		return allRepresentable(v.Items)
	case *py.Tuple:
		return v.Names == nil && allRepresentable(v.Items)
	case *py.Dict:
		for i := range v.Len() {
			k, x := v.At(i)
			if !representable(k) || !representable(x) {
				return false
			}
		}
		return true
	case *py.Undefined, *py.Generator, *py.Func, *py.View, py.Object, py.Bytes:
		return false
	}
	return true
}

func allRepresentable(items []Value) bool {
	for _, x := range items {
		if !representable(x) {
			return false
		}
	}
	return true
}
