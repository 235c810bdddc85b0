package template

import (
	"math/rand/v2"
	"strings"

	"github.com/tfgen/tfgen/runtime/template/py"
)

// filter is the function of a filter or test: of the value and the arguments.
type filter func(s *State, x Value, a py.Args) Value

// fn makes a filter of a function with the given parameters, of which the value is the first.
func fn(name, params string, f func(s *State, a []Value) Value) filter {
	sig := py.NewSignature(name, params)
	return func(s *State, x Value, a py.Args) Value {
		a.Pos = append([]Value{x}, a.Pos...)
		return f(s, sig.Bind(a))
	}
}

// Filters of any value.
var (
	FilterLength      = &Filter{names: "length count", title: "len", params: "/ obj", call: func(s *State, a []Value) Value { return int64(s.Len(a[0])) }}
	FilterDefault     = &Filter{names: "default d", title: "do_default", params: "value default_value? boolean?", call: standard}
	FilterEscape      = &Filter{names: "escape e", title: "escape", params: "/ s", call: func(s *State, a []Value) Value { return s.EscapeValue(a[0]) }}
	FilterAbs         = &Filter{names: "abs", title: "abs", params: "/ x", call: func(s *State, a []Value) Value { return absolute(s, a[0]) }}
	FilterAttr        = &Filter{names: "attr", title: "do_attr", params: "obj name", call: func(s *State, a []Value) Value { return s.Attr(a[0], textOf(a[1])) }}
	FilterForceescape = &Filter{names: "forceescape", title: "do_forceescape", params: "value", call: func(s *State, a []Value) Value { return s.EscapeValue(s.Str(a[0])) }}
	FilterSafe        = &Filter{names: "safe", title: "do_mark_safe", params: "value", call: func(s *State, a []Value) Value { return s.MarkupOf(a[0]) }}
	FilterString      = &Filter{names: "string", title: "soft_str", params: "/ s", call: func(s *State, a []Value) Value { return s.soft(a[0]) }}
	FilterPprint      = &Filter{names: "pprint", title: "do_pprint", params: "value", call: func(s *State, a []Value) Value { return s.Pretty(a[0]) }}
	FilterList        = &Filter{names: "list", title: "do_list", params: "value", call: func(s *State, a []Value) Value { return &py.List{Items: s.Items(a[0])} }}
	FilterRandom      = &Filter{names: "random", title: "do_random", params: "seq", call: random}
	FilterTojson      = &Filter{names: "tojson", title: "tojson", params: "x ensure_ascii? indent? separators? sort_keys?", call: tojson}
)

func standard(s *State, a []Value) Value {
	if py.IsUndefined(a[0]) || given(a[2], false) != Value(false) && s.Truth(a[2]) && !s.Truth(a[0]) {
		return given(a[1], "")
	}
	return a[0]
}

// given returns an argument, or what it is if it was not passed.
func given(v, absent Value) Value {
	if v == nil {
		return absent
	}
	return v
}

func textOf(v Value) string {
	s, ok := py.Text(v)
	if !ok {
		py.Fail(v)
		py.Throw("TypeError", "expected str, got %s", py.TypeName(v))
	}
	return s
}

// truth is an optional flag.
func (s *State) truth(v Value) bool { return v != nil && s.Truth(v) }

// soft is soft_str: text stays what it is, anything else becomes str.
func (s *State) soft(v Value) Value {
	if _, ok := py.Text(v); ok {
		return v
	}
	return s.Str(v)
}

// method calls a method of a value.
func (s *State) method(v Value, name string, args ...Value) Value {
	return s.Call(s.GetAttr(v, name), py.Args{Pos: args})
}

func absolute(s *State, v Value) Value {
	switch x := v.(type) {
	case float64:
		if x < 0 || x == 0 {
			return 0 - x + 0
		}
		return x
	case *py.Undefined:
		py.Throw("TypeError", "bad operand type for abs(): 'Undefined'")
	}
	if _, isText := py.Text(v); isText {
		py.Throw("TypeError", "bad operand type for abs(): 'str'")
	}
	if x := s.Pos(v); s.Compare("<", x, int64(0)) {
		return s.Neg(x)
	}
	return s.Pos(v)
}

func random(s *State, a []Value) Value {
	n := s.Len(a[0])
	if n == 0 {
		return &py.Undefined{Hint: "No random item, sequence was empty."}
	}
	i := int64(rand.IntN(n))
	v := s.GetItem(a[0], i)
	if py.IsUndefined(v) {
		py.Throw("TypeError", "'%s' object has no item %d", py.TypeName(a[0]), i)
	}
	return v
}

func tojson(s *State, a []Value) Value {
	o := py.JSON{ASCII: s.truth(a[1]), Item: ", ", Key: ": ", SortKeys: s.truth(a[4])}
	if indent := given(a[2], py.None); indent != Value(py.None) {
		o.Lines, o.Item = true, ","
		if text, ok := py.Text(indent); ok {
			o.Indent = text
		} else {
			n := max(py.WantInt(indent, 0), 0)
			s.Alloc(n)
			o.Indent = strings.Repeat(" ", n)
		}
	}
	if sep := given(a[3], py.None); sep != Value(py.None) {
		pair := s.Unpack(sep, 2)
		o.Item, o.Key = textOf(pair[0]), textOf(pair[1])
	}
	return s.Dumps(a[0], o)
}
