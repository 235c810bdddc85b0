package template

import (
	"fmt"

	"github.com/tfgen/tfgen/runtime/template/py"
)

// Loop is the loop variable, and goes through the values. It follows jinja2.runtime.LoopContext.
type Loop struct {
	state    *State
	iterable Value
	next     py.Iterator
	index0   int
	length   int // −1: not known yet
	depth0   int
	after    Value // looked ahead; nil: not
	current  Value
	before   Value
	changed  Value
	recurse  func(v Value, depth int) Value
}

// NewLoop starts a loop over the values of v.
func (s *State) NewLoop(v Value) *Loop {
	return &Loop{state: s, iterable: v, next: s.Iter(v), index0: -1, length: -1}
}

// NewRecursiveLoop starts a loop whose body can call it for further values.
func (s *State) NewRecursiveLoop(v Value, depth int, recurse func(v Value, depth int) Value) *Loop {
	l := s.NewLoop(v)
	l.depth0, l.recurse = depth, recurse
	return l
}

// Next returns the next value.
func (l *Loop) Next() (Value, bool) {
	l.state.Step(1)
	v := l.after
	l.after = nil
	if v == nil {
		var ok bool
		if v, ok = l.next(); !ok {
			return nil, false
		}
	}
	l.index0++
	l.before, l.current = l.current, v
	return v, true
}

func (l *Loop) peek() Value {
	if l.after == nil {
		if v, ok := l.next(); ok {
			l.after = v
		}
	}
	return l.after
}

// Len is the number of values; an iterator is read to its end for it.
func (l *Loop) Len(m *py.Machine) int {
	if l.length >= 0 {
		return l.length
	}
	if _, isGenerator := l.iterable.(*py.Generator); !isGenerator {
		l.length = m.Len(l.iterable)
		return l.length
	}
	rest := m.Items(&py.Generator{Next: l.next})
	l.next = py.Each(rest)
	l.length = len(rest) + l.index0 + 1
	if l.after != nil {
		l.length++
	}
	return l.length
}

// Iter goes through the rest of the loop, as pairs of value and loop.
func (l *Loop) Iter(*py.Machine) py.Iterator {
	return func() (Value, bool) {
		v, ok := l.Next()
		if !ok {
			return nil, false
		}
		return &py.Tuple{Items: []Value{v, l}}, true
	}
}

// Type is its class.
func (l *Loop) Type() string { return "LoopContext" }

// Repr prints it.
func (l *Loop) Repr(m *py.Machine) string {
	return fmt.Sprintf("<LoopContext %d/%d>", l.index0+1, l.Len(m))
}

// Attr returns what a template can ask of its loop.
func (l *Loop) Attr(m *py.Machine, name string) (Value, bool) {
	switch name {
	case "index":
		return int64(l.index0 + 1), true
	case "index0":
		return int64(l.index0), true
	case "revindex":
		return int64(l.Len(m) - l.index0), true
	case "revindex0":
		return int64(l.Len(m) - l.index0 - 1), true
	case "first":
		return l.index0 == 0, true
	case "last":
		return l.peek() == nil, true
	case "length":
		return int64(l.Len(m)), true
	case "depth":
		return int64(l.depth0 + 1), true
	case "depth0":
		return int64(l.depth0), true
	}
	return l.further(name)
}

func (l *Loop) further(name string) (Value, bool) {
	switch name {
	case "previtem":
		if l.index0 == 0 {
			return &py.Undefined{Hint: "there is no previous item"}, true
		}
		return l.before, true
	case "nextitem":
		if v := l.peek(); v != nil {
			return v, true
		}
		return &py.Undefined{Hint: "there is no next item"}, true
	case "cycle":
		return &py.Func{Name: name, Text: "<bound method LoopContext.cycle>", Fn: l.cycle}, true
	case "changed":
		return &py.Func{Name: name, Text: "<bound method LoopContext.changed>", Fn: l.hasChanged}, true
	}
	return nil, false
}

func noNames(what string, a py.Args) {
	if len(a.Names) > 0 {
		py.Throw("TypeError", "%s() got an unexpected keyword argument '%s'", what, a.Names[0])
	}
}

func (l *Loop) cycle(_ *py.Machine, a py.Args) Value {
	noNames("LoopContext.cycle", a)
	if len(a.Pos) == 0 {
		py.Throw("TypeError", "no items for cycling given")
	}
	return a.Pos[l.index0%len(a.Pos)]
}

func (l *Loop) hasChanged(m *py.Machine, a py.Args) Value {
	noNames("LoopContext.changed", a)
	v := &py.Tuple{Items: a.Pos}
	if l.changed != nil && m.Eq(l.changed, v) {
		return false
	}
	l.changed = v
	return true
}

// Call renders the body for further values.
func (l *Loop) Call(_ *py.Machine, a py.Args) Value {
	if len(a.Pos) != 1 || len(a.Names) > 0 {
		py.Throw("TypeError", "LoopContext.__call__() takes 2 positional arguments but %d were given", len(a.Pos)+1)
	}
	if l.recurse == nil {
		py.Throw("TypeError", "The loop must have the 'recursive' marker to be called recursively.")
	}
	return l.recurse(a.Pos[0], l.depth0+1)
}
