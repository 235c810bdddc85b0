package py

import (
	"math"
	"math/big"
)

// Truth is bool(v).
func (m *Machine) Truth(v Value) bool {
	switch v := v.(type) {
	case bool:
		return v
	case NoneType, *Undefined:
		return false
	case string:
		return v != ""
	case Markup:
		return v != ""
	case Bytes:
		return v != ""
	case int64:
		return v != 0
	case float64:
		return v != 0
	case *big.Int:
		return v.Sign() != 0
	case *List:
		return len(v.Items) > 0
	case *Tuple:
		return len(v.Items) > 0
	case *Dict:
		return v.Len() > 0
	case *View:
		return v.Dict.Len() > 0
	case *Set:
		return v.d.Len() > 0
	case *Range:
		return v.Len > 0
	case Sized:
		return v.Len(m) > 0
	}
	return true
}

// Eq is a == b.
func (m *Machine) Eq(a, b Value) bool {
	m.Step(1)
	switch x := a.(type) {
	case string:
		y, ok := Text(b)
		m.Step(len(y) / 64)
		return ok && x == y
	case Markup:
		y, ok := Text(b)
		return ok && string(x) == y
	case bool, int64, *big.Int, float64:
		if !isNumber(b) {
			return false
		}
		c, ok := order(a, b)
		return ok && c == 0
	case NoneType:
		return b == Value(None)
	case *Undefined:
		return IsUndefined(b)
	case *List:
		y, ok := b.(*List)
		return ok && m.eqItems(x.Items, y.Items)
	case *Tuple:
		y, ok := b.(*Tuple)
		return ok && m.eqItems(x.Items, y.Items)
	case *Dict:
		y, ok := b.(*Dict)
		return ok && m.eqDicts(x, y)
	case *Range:
		y, ok := b.(*Range)
		return ok && hash(x) == hash(y)
	case *View:
		return m.eqViews(x, b)
	case *Set:
		y, ok := b.(*Set)
		return ok && x.d.Len() == y.d.Len() && m.without(x, y).d.Len() == 0
	}
	return a == b
}

func (m *Machine) eqItems(a, b []Value) bool {
	if len(a) != len(b) {
		return false
	}
	m.Enter()
	defer m.Leave()
	for i := range a {
		if !m.same(a[i], b[i]) && !m.Eq(a[i], b[i]) {
			return false
		}
	}
	return true
}

func (m *Machine) eqDicts(a, b *Dict) bool {
	if a.Len() != b.Len() {
		return false
	}
	m.Enter()
	defer m.Leave()
	for i, k := range a.keys {
		v, ok := b.Get(k)
		if !ok || !m.same(a.vals[i], v) && !m.Eq(a.vals[i], v) {
			return false
		}
	}
	return true
}

// eqViews compares views of keys and items as the sets that they are.
func (m *Machine) eqViews(a *View, b Value) bool {
	y, ok := b.(*View)
	if !ok || a.Kind == "values" || y.Kind == "values" {
		return a == y && ok
	}
	if a.Dict.Len() != y.Dict.Len() {
		return false
	}
	for i := range a.Dict.Len() {
		if !m.Contains(y, a.at(i)) {
			return false
		}
	}
	return true
}

// Same is a is b, as far as values have an identity here.
func (m *Machine) Same(a, b Value) bool { return m.same(a, b) }

func (m *Machine) same(a, b Value) bool {
	switch x := a.(type) {
	case float64:
		y, ok := b.(float64)
		return ok && math.Float64bits(x) == math.Float64bits(y)
	case *big.Int:
		y, ok := b.(*big.Int)
		return ok && x.Cmp(y) == 0
	}
	return a == b
}

// order compares two numbers; ok is false if one is not a number.
func order(a, b Value) (c int, ok bool) {
	if x, ok := a.(int64); ok {
		if y, ok := b.(int64); ok {
			return cmp(x, y), true
		}
	}
	f, isF := a.(float64)
	g, isG := b.(float64)
	switch {
	case isF && isG:
		return cmp(f, g), !math.IsNaN(f) && !math.IsNaN(g)
	case isF:
		c, ok = order(b, a)
		return -c, ok
	}
	x, _ := asInt(a)
	if !isG {
		y, _ := asInt(b)
		return x.Cmp(y), true
	}
	switch {
	case math.IsNaN(g):
		return 0, false
	case math.IsInf(g, 1):
		return -1, true
	case math.IsInf(g, -1):
		return 1, true
	}
	return new(big.Rat).SetInt(x).Cmp(new(big.Rat).SetFloat64(g)), true
}

func cmp[T int64 | float64 | string | int](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Less is a < b, where op is how the operator is called in errors; the other orders are made of it.
func (m *Machine) Compare(op string, a, b Value) bool {
	m.Step(1)
	switch op {
	case "==":
		return m.Eq(a, b)
	case "!=":
		return !m.Eq(a, b)
	}
	if isNumber(a) && isNumber(b) {
		c, ok := order(a, b)
		return ok && holds(op, c)
	}
	if x, ok := Text(a); ok {
		if y, ok := Text(b); ok {
			m.Step(min(len(x), len(y)) / 64)
			return holds(op, cmp(x, y))
		}
	}
	switch x := a.(type) {
	case *List:
		if y, ok := b.(*List); ok {
			return m.compareItems(op, x.Items, y.Items)
		}
	case *Tuple:
		if y, ok := b.(*Tuple); ok {
			return m.compareItems(op, x.Items, y.Items)
		}
	case Bytes:
		if y, ok := b.(Bytes); ok {
			return holds(op, cmp(string(x), string(y)))
		}
	case *View:
		if y, ok := b.(*View); ok && x.Kind != "values" && y.Kind != "values" {
			return m.compareViews(op, x, y)
		}
	}
	Fail(a)
	Fail(b)
	typeError("'%s' not supported between instances of '%s' and '%s'", op, TypeName(a), TypeName(b))
	return false
}

func holds(op string, c int) bool {
	switch op {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	case ">=":
		return c >= 0
	}
	return false
}

func (m *Machine) compareItems(op string, a, b []Value) bool {
	m.Enter()
	defer m.Leave()
	for i := range min(len(a), len(b)) {
		if !m.same(a[i], b[i]) && !m.Eq(a[i], b[i]) {
			return m.Compare(op, a[i], b[i])
		}
	}
	return holds(op, cmp(len(a), len(b)))
}

// compareViews compares views as sets: < is a proper subset.
func (m *Machine) compareViews(op string, a, b *View) bool {
	if op == ">" || op == ">=" {
		a, b = b, a
	}
	for i := range a.Dict.Len() {
		if !m.Contains(b, a.at(i)) {
			return false
		}
	}
	return a.Dict.Len() < b.Dict.Len() || op == "<=" || op == ">="
}
