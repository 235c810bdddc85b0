package template

import (
	"math/big"

	"github.com/tfgen/tfgen/runtime/template/py"
)

// This file has the forms of operations that compiled templates use.

// Args are the arguments of a call.
type Args = py.Args

// None is Python's None.
var None = py.None

// Lookup returns the variable of the context with that name, Undefined if there is none.
func (s *State) Lookup(name string) Value { return Get(s.ctx.resolve(name), name) }

// Big is an integer that int64 does not hold.
func Big(digits string) Value {
	x, _ := new(big.Int).SetString(digits, 10)
	return x
}

// List is [items].
func (s *State) List(items ...Value) Value {
	s.Alloc(16 * len(items))
	return &py.List{Items: items}
}

// Tuple is (items).
func (s *State) Tuple(items ...Value) Value {
	s.Alloc(16 * len(items))
	return &py.Tuple{Items: items}
}

// Dict is {key: value, …}: keys and values take turns.
func (s *State) Dict(pairs ...Value) Value {
	s.Alloc(16 * len(pairs))
	return py.NewDict(pairs...)
}

// Do is f(args).
func (s *State) Do(f Value, args ...Value) Value { return s.Call(f, Args{Pos: args}) }

// Method is x.name(args).
func (s *State) Method(x Value, name string, args ...Value) Value {
	return s.Call(s.GetAttr(x, name), Args{Pos: args})
}

// Apply is x|name(args).
func (s *State) Apply(name string, x Value, args ...Value) Value {
	return s.Filter(name, x, Args{Pos: args})
}

// Is is x is name(args).
func (s *State) Is(name string, x Value, args ...Value) bool {
	return s.Truth(s.CallTest(name, x, Args{Pos: args}))
}

// Defined is "x is defined".
func Defined(x Value) bool { return !py.IsUndefined(x) }

// In is x in y.
func (s *State) In(x, y Value) bool { return s.Contains(y, x) }

// Not is the value of "not x".
func (s *State) Not(x Value) Value { return !s.Truth(x) }

// And is "x and y"; y is evaluated if it matters.
func (s *State) And(x Value, y func() Value) Value {
	if !s.Truth(x) {
		return x
	}
	return y()
}

// Or is "x or y"; y is evaluated if it matters.
func (s *State) Or(x Value, y func() Value) Value {
	if s.Truth(x) {
		return x
	}
	return y()
}

// Choose is "x if test else y"; only one of them is evaluated.
func Choose(test bool, x, y func() Value) Value {
	if test {
		return x()
	}
	return y()
}

// Link is a comparison of a chain.
type Link struct {
	Op string
	Y  func() Value
}

// Chain is a chain of comparisons like a < b < c: it ends at the first that does not hold.
func (s *State) Chain(x Value, links ...Link) bool {
	for _, l := range links {
		y := l.Y()
		if !s.Holds(l.Op, x, y) {
			return false
		}
		x = y
	}
	return true
}

// Args makes the arguments of a call; star and double are those of *star and **double, nil if there are none.
func (s *State) Args(pos []Value, names []string, named []Value, star, double Value) Args {
	a := Args{Pos: pos, Names: names, Named: named}
	if star != nil {
		s.Spread(&a, star)
	}
	if double != nil {
		s.SpreadNamed(&a, double)
	}
	return a
}

// CallBlock calls f with a caller and prints the text that it returns.
func (s *State) CallBlock(f Value, a Args, caller *Macro) {
	for _, name := range a.Names {
		if name == "caller" {
			py.Throw("TypeError", "got multiple values for keyword argument 'caller'")
		}
	}
	a.Names, a.Named = append(a.Names, "caller"), append(a.Named, caller)
	s.WriteValue(s.Call(f, a))
}

// Where is an iterator over the values of v that a test accepts.
func (s *State) Where(v Value, test func(item Value) bool) Value {
	return py.Generate(func() py.Iterator {
		next := s.Iter(v)
		return func() (Value, bool) {
			for {
				s.Step(1)
				x, ok := next()
				if !ok {
					return nil, false
				}
				if test(x) {
					return x, true
				}
			}
		}
	})
}

// Advance goes to the next value, false after the last; Value returns it.
func (l *Loop) Advance() bool {
	_, ok := l.Next()
	return ok
}

// Value is the value that the loop is at.
func (l *Loop) Value() Value { return l.current }
