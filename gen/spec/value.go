package spec

import (
	"fmt"
	"math"

	"github.com/tfgen/tfgen/gen/ir"
)

// Value is a scalar, list or map of a specification: a literal or an expression.
type Value struct {
	Pos ir.Pos
	Src string // as written, for messages
	n   node
}

// NewValue makes a literal value.
func NewValue(pos ir.Pos, v any) *Value { return &Value{Pos: pos, Src: fmt.Sprint(v), n: literal{v}} }

// Eval computes the value.
func (v *Value) Eval(e *Env) (any, error) {
	x, err := v.n.eval(e)
	if err != nil {
		return nil, &Error{Pos: v.Pos, Msg: fmt.Sprintf("%s: ", v.Src), Err: err}
	}
	return x, nil
}

// Convert computes the value as a type: int, float, bool, string, name, map, list, any. Null passes through.
func (v *Value) Convert(e *Env, kind string) (any, error) {
	x, err := v.Eval(e)
	if err != nil || x == nil {
		return nil, err
	}
	if c, ok := convert(x, kind); ok {
		return c, nil
	}
	return nil, Errorf(v.Pos, "%s is %s, expected %s", v.Src, Describe(x), article(kind))
}

// Int computes the value as an integer.
func (v *Value) Int(e *Env) (int, error) {
	x, err := v.Convert(e, "int")
	if err == nil && x == nil {
		err = Errorf(v.Pos, "%s is null, expected an integer", v.Src)
	}
	i, _ := x.(int)
	return i, err
}

// Bool computes the value as true or false.
func (v *Value) Bool(e *Env) (bool, error) {
	x, err := v.Convert(e, "bool")
	if err == nil && x == nil {
		err = Errorf(v.Pos, "%s is null, expected true or false", v.Src)
	}
	b, _ := x.(bool)
	return b, err
}

func convert(x any, kind string) (any, bool) {
	switch kind {
	case "int":
		f, ok := toFloat(x)
		if !ok || f != math.Trunc(f) || math.Abs(f) > maxInt {
			return nil, false
		}
		return int(f), true
	case "float":
		f, ok := toFloat(x)
		return f, ok
	case "bool":
		b, ok := x.(bool)
		return b, ok
	case "string", "name":
		s, ok := x.(string)
		return s, ok
	case "map":
		m, ok := x.(map[string]any)
		return m, ok
	case "list":
		l, ok := x.([]any)
		return l, ok
	case "floats":
		return toFloats(x)
	}
	return x, true
}

func toFloats(x any) (any, bool) {
	l, ok := x.([]any)
	out := make([]float64, len(l))
	for i := range l {
		f, isNumber := toFloat(l[i])
		ok = ok && isNumber
		out[i] = f
	}
	return out, ok
}

func article(kind string) string {
	switch kind {
	case "int":
		return "an integer"
	case "float":
		return "a number"
	case "bool":
		return "true or false"
	case "floats":
		return "a list of numbers"
	}
	return "a " + kind
}

// scope is what names an expression may use, for checks before anything is computed.
type scope struct {
	vars, locals map[string]bool
}

func newScope(vars ...string) *scope {
	s := &scope{map[string]bool{}, map[string]bool{}}
	for _, v := range vars {
		s.vars[v] = true
	}
	return s
}

func (s *scope) with(vars, locals []string) *scope {
	t := newScope(vars...)
	for v := range s.vars {
		t.vars[v] = true
	}
	for l := range s.locals {
		t.locals[l] = true
	}
	for _, l := range locals {
		t.locals[l] = true
	}
	return t
}

// check reports the first name of an expression that the scope does not have.
func (s *scope) check(n node) error {
	switch n := n.(type) {
	case variable:
		if !s.vars[n.name] {
			return fmt.Errorf("$%s is not defined here%s", n.name, Suggest(n.name, sortedKeys(s.vars)))
		}
	case local:
		if !s.locals[n.name] {
			return fmt.Errorf("%s is not the counter of a repeat here (write $%s for a configuration value, '%s' for a string)", n.name, n.name, n.name)
		}
	}
	for _, c := range children(n) {
		if err := s.check(c); err != nil {
			return err
		}
	}
	return nil
}

func children(n node) []node {
	switch n := n.(type) {
	case unary:
		return []node{n.x}
	case binary:
		return []node{n.x, n.y}
	case choice:
		return []node{n.then, n.cond, n.other}
	case index:
		return []node{n.x, n.i}
	case call:
		return n.args
	case list:
		return n.items
	case mapping:
		return append(append([]node(nil), n.keys...), n.values...)
	case template:
		return n.parts
	}
	return nil
}
