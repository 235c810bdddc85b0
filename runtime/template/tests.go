package template

import (
	"math/big"

	"github.com/tfgen/tfgen/runtime/template/py"
)

// tests by their names; init fills it.
var tests map[string]filter

// is makes a test of a function of the value alone.
func is(name string, f func(s *State, v Value) bool) filter {
	return fn("test_"+name, "value", func(s *State, a []Value) Value { return f(s, a[0]) })
}

func init() {
	tests = map[string]filter{
		"odd":       is("odd", func(s *State, v Value) bool { return s.Eq(s.Mod(v, int64(2)), int64(1)) }),
		"even":      is("even", func(s *State, v Value) bool { return s.Eq(s.Mod(v, int64(2)), int64(0)) }),
		"defined":   is("defined", func(_ *State, v Value) bool { return !py.IsUndefined(v) }),
		"undefined": is("undefined", func(_ *State, v Value) bool { return py.IsUndefined(v) }),
		"none":      is("none", func(_ *State, v Value) bool { return v == Value(py.None) }),
		"boolean":   is("boolean", func(_ *State, v Value) bool { _, ok := v.(bool); return ok }),
		"false":     is("false", func(_ *State, v Value) bool { return v == Value(false) }),
		"true":      is("true", func(_ *State, v Value) bool { return v == Value(true) }),
		"integer":   is("integer", func(_ *State, v Value) bool { return isInteger(v) }),
		"float":     is("float", func(_ *State, v Value) bool { _, ok := v.(float64); return ok }),
		"lower":     is("lower", func(s *State, v Value) bool { return py.IsLowerText(s.Str(v)) }),
		"upper":     is("upper", func(s *State, v Value) bool { return py.IsUpperText(s.Str(v)) }),
		"string":    is("string", func(_ *State, v Value) bool { _, ok := py.Text(v); return ok }),
		"mapping":   is("mapping", func(_ *State, v Value) bool { _, ok := v.(*py.Dict); return ok }),
		"number":    is("number", func(_ *State, v Value) bool { return isNumber(v) }),
		"sequence":  is("sequence", func(s *State, v Value) bool { return s.IsSequence(v) }),
		"iterable":  is("iterable", func(s *State, v Value) bool { return s.IsIterable(v) }),
		"escaped":   is("escaped", func(_ *State, v Value) bool { _, ok := v.(py.Markup); return ok }),
		"callable":  fn("callable", "/ obj", func(_ *State, a []Value) Value { return py.IsCallable(a[0]) }),
		"filter": is("filter", func(_ *State, v Value) bool {
			py.NeedHashable(v)
			name, _ := py.Text(v)
			return isFilter(name)
		}),
		"test": is("test", func(_ *State, v Value) bool {
			py.NeedHashable(v)
			name, _ := py.Text(v)
			_, ok := tests[name]
			return ok
		}),
		"divisibleby": fn("test_divisibleby", "value num", func(s *State, a []Value) Value { return s.Eq(s.Mod(a[0], a[1]), int64(0)) }),
		"sameas":      fn("test_sameas", "value other", func(s *State, a []Value) Value { return s.Same(a[0], a[1]) }),
		"in":          fn("test_in", "value seq", func(s *State, a []Value) Value { return s.Contains(a[1], a[0]) }),
	}
	for op, names := range map[string][]string{
		"==": {"==", "eq", "equalto"}, "!=": {"!=", "ne"}, ">": {">", "gt", "greaterthan"}, ">=": {">=", "ge"},
		"<": {"<", "lt", "lessthan"}, "<=": {"<=", "le"},
	} {
		for _, name := range names {
			tests[name] = fn(name, "/ a b", func(s *State, a []Value) Value { return s.Compare(op, a[0], a[1]) })
		}
	}
}

func isInteger(v Value) bool {
	switch v.(type) {
	case int64, *big.Int:
		return true
	}
	return false
}

func isNumber(v Value) bool {
	switch v.(type) {
	case bool, float64:
		return true
	}
	return isInteger(v)
}
