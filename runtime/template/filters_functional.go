package template

import (
	"github.com/tfgen/tfgen/runtime/template/py"
)

// Filters that take other filters and tests.
var (
	FilterMap        = &Filter{names: "map", free: mapFilter}
	FilterSelect     = &Filter{names: "select", free: func(s *State, x Value, a py.Args) Value { return s.pick(x, a, true, false) }}
	FilterReject     = &Filter{names: "reject", free: func(s *State, x Value, a py.Args) Value { return s.pick(x, a, false, false) }}
	FilterSelectattr = &Filter{names: "selectattr", free: func(s *State, x Value, a py.Args) Value { return s.pick(x, a, true, true) }}
	FilterRejectattr = &Filter{names: "rejectattr", free: func(s *State, x Value, a py.Args) Value { return s.pick(x, a, false, true) }}
)

func argumentError(format string, args ...any) { py.Throw("FilterArgumentError", format, args...) }

func mapFilter(s *State, x Value, a py.Args) Value {
	return py.Generate(func() py.Iterator {
		if !s.Truth(x) {
			return py.Each(nil)
		}
		f := s.mapped(a)
		next := s.Iter(x)
		return func() (Value, bool) {
			v, ok := next()
			if !ok {
				return nil, false
			}
			return f(v), true
		}
	})
}

// mapped returns the function of the map filter: a filter or an attribute.
func (s *State) mapped(a py.Args) func(Value) Value {
	if len(a.Pos) == 0 {
		if attr := a.Take("attribute"); attr != nil {
			absent := a.Take("default")
			if len(a.Names) > 0 {
				argumentError("Unexpected keyword argument '%s'", a.Names[0])
			}
			return s.attribute(attr, absent, nil)
		}
		argumentError("map requires a filter argument")
	}
	name, _ := py.Text(a.Pos[0])
	rest := py.Args{Pos: a.Pos[1:], Names: a.Names, Named: a.Named}
	return func(v Value) Value { return s.Filter(name, v, copyArgs(rest)) }
}

func copyArgs(a py.Args) py.Args {
	return py.Args{Pos: append([]Value{}, a.Pos...), Names: append([]string{}, a.Names...), Named: append([]Value{}, a.Named...)}
}

// pick goes through the values for which a test holds, or does not.
func (s *State) pick(x Value, a py.Args, want, attr bool) Value {
	return py.Generate(func() py.Iterator {
		if !s.Truth(x) {
			return py.Each(nil)
		}
		holds := s.picked(a, attr)
		next := s.Iter(x)
		return func() (Value, bool) {
			for {
				s.Step(1)
				v, ok := next()
				if !ok {
					return nil, false
				}
				if holds(v) == want {
					return v, true
				}
			}
		}
	})
}

func (s *State) picked(a py.Args, attr bool) func(Value) bool {
	get := func(v Value) Value { return v }
	pos := a.Pos
	if attr {
		if len(pos) == 0 {
			argumentError("Missing parameter for attribute name")
		}
		get = s.attribute(pos[0], nil, nil)
		pos = pos[1:]
	}
	if len(pos) == 0 {
		return func(v Value) bool { return s.Truth(get(v)) }
	}
	name, _ := py.Text(pos[0])
	rest := py.Args{Pos: pos[1:], Names: a.Names, Named: a.Named}
	return func(v Value) bool { return s.Truth(s.CallTest(name, get(v), copyArgs(rest))) }
}
