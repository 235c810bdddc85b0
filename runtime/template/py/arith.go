package py

import (
	"math"
	"math/big"
	"strings"
)

// maxBits bounds integers.
const maxBits = 1 << 17

// asInt returns an integer or bool as a big integer.
func asInt(v Value) (*big.Int, bool) {
	switch v := v.(type) {
	case int64:
		return big.NewInt(v), true
	case *big.Int:
		return v, true
	case bool:
		if v {
			return big.NewInt(1), true
		}
		return new(big.Int), true
	}
	return nil, false
}

// small returns an integer or bool that fits int64.
func small(v Value) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

// toFloat converts a number; integers that are too large throw.
func toFloat(v Value) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case *big.Int:
		f, _ := new(big.Float).SetInt(v).Float64()
		if math.IsInf(f, 0) {
			Throw("OverflowError", "int too large to convert to float")
		}
		return f, true
	}
	i, ok := small(v)
	return float64(i), ok
}

func isNumber(v Value) bool {
	switch v.(type) {
	case bool, int64, *big.Int, float64:
		return true
	}
	return false
}

// operands throws the TypeError of an operator that its operands do not have.
func operands(op string, a, b Value) {
	Fail(a)
	Fail(b)
	typeError("unsupported operand type(s) for %s: '%s' and '%s'", op, TypeName(a), TypeName(b))
}

// Add is a + b.
func (m *Machine) Add(a, b Value) Value {
	m.Step(1)
	if x, ok := a.(int64); ok {
		if y, ok := b.(int64); ok {
			if s := x + y; (s > x) == (y > 0) {
				return s
			}
		}
	}
	switch x := a.(type) {
	case string:
		return m.addText(x, b)
	case Markup:
		if y, ok := Text(b); ok {
			return m.concatMarkup(string(x), string(Escape(m, b, y)))
		}
		typeError("unsupported operand type(s) for +: 'Markup' and '%s'", TypeName(b))
	case *List:
		return m.addList(x, b)
	case *Tuple:
		if y, ok := b.(*Tuple); ok {
			m.Alloc(slotBytes * (len(x.Items) + len(y.Items)))
			return &Tuple{Items: append(append([]Value{}, x.Items...), y.Items...)}
		}
		Fail(b)
		typeError("can only concatenate tuple (not \"%s\") to tuple", TypeName(b))
	case Bytes:
		if y, ok := b.(Bytes); ok {
			m.Alloc(len(x) + len(y))
			return x + y
		}
	}
	return m.number("+", a, b)
}

func (m *Machine) addText(x string, b Value) Value {
	switch y := b.(type) {
	case string:
		m.Alloc(len(x) + len(y))
		return x + y
	case Markup:
		return m.concatMarkup(string(Escape(m, x, x)), string(y))
	}
	Fail(b)
	typeError("can only concatenate str (not \"%s\") to str", TypeName(b))
	return nil
}

func (m *Machine) concatMarkup(a, b string) Value {
	m.Alloc(len(a) + len(b))
	return Markup(a + b)
}

func (m *Machine) addList(x *List, b Value) Value {
	y, ok := b.(*List)
	if !ok {
		Fail(b)
		typeError("can only concatenate list (not \"%s\") to list", TypeName(b))
	}
	m.Alloc(slotBytes * (len(x.Items) + len(y.Items)))
	return &List{append(append(make([]Value, 0, len(x.Items)+len(y.Items)), x.Items...), y.Items...)}
}

// Sub is a - b: of numbers, or of sets.
func (m *Machine) Sub(a, b Value) Value {
	m.Step(1)
	if d := m.without(a, b); d != nil {
		return d
	}
	return m.number("-", a, b)
}

// Mul is a * b: of numbers, or a sequence repeated.
func (m *Machine) Mul(a, b Value) Value {
	m.Step(1)
	if isNumber(a) && isNumber(b) {
		return m.number("*", a, b)
	}
	Fail(a)
	Fail(b)
	if isSequence(a) {
		return m.repeat(a, b)
	}
	if isSequence(b) {
		return m.repeat(b, a)
	}
	operands("*", a, b)
	return nil
}

func isSequence(v Value) bool {
	switch v.(type) {
	case string, Markup, Bytes, *List, *Tuple:
		return true
	}
	return false
}

func (m *Machine) repeat(seq, count Value) Value {
	n, ok := asInt(count)
	if !ok {
		typeError("can't multiply sequence by non-int of type '%s'", TypeName(count))
	}
	if !n.IsInt64() {
		Throw("OverflowError", "cannot fit 'int' into an index-sized integer")
	}
	times := max(n.Int64(), 0)
	switch s := seq.(type) {
	case string:
		m.AllocTimes(len(s), times)
		return repeatText(s, times)
	case Markup:
		m.AllocTimes(len(s), times)
		return Markup(repeatText(string(s), times))
	case Bytes:
		m.AllocTimes(len(s), times)
		return Bytes(repeatText(string(s), times))
	case *Tuple:
		return &Tuple{Items: m.repeatItems(s.Items, times)}
	case *List:
		return &List{m.repeatItems(s.Items, times)}
	}
	return nil
}

func repeatText(s string, times int64) string {
	if s == "" {
		return ""
	}
	return strings.Repeat(s, int(times))
}

func (m *Machine) repeatItems(items []Value, times int64) []Value {
	m.AllocTimes(slotBytes*len(items), times)
	var out []Value
	if len(items) > 0 {
		for range times {
			out = append(out, items...)
		}
	}
	return out
}

// Div is a / b.
func (m *Machine) Div(a, b Value) Value {
	m.Step(1)
	x, okX := asInt(a)
	y, okY := asInt(b)
	if !okX || !okY {
		return m.number("/", a, b)
	}
	if y.Sign() == 0 {
		Throw("ZeroDivisionError", "division by zero")
	}
	f, _ := new(big.Rat).SetFrac(x, y).Float64()
	if math.IsInf(f, 0) {
		Throw("OverflowError", "integer division result too large for a float")
	}
	if f == 0 && y.Sign() < 0 {
		f = math.Copysign(0, -1)
	}
	return f
}

// FloorDiv is a // b.
func (m *Machine) FloorDiv(a, b Value) Value {
	m.Step(1)
	return m.number("//", a, b)
}

// Mod is a % b: of numbers, or a format with values.
func (m *Machine) Mod(a, b Value) Value {
	m.Step(1)
	switch s := a.(type) {
	case string:
		return m.Percent(s, b)
	case Markup:
		return m.markupPercent(s, b)
	}
	return m.number("%", a, b)
}

// Pow is a ** b.
func (m *Machine) Pow(a, b Value) Value {
	m.Step(1)
	return m.number("**", a, b)
}

// Neg is -a.
func (m *Machine) Neg(a Value) Value {
	if f, ok := a.(float64); ok {
		return -f
	}
	x, ok := asInt(a)
	if !ok {
		unary("-", a)
	}
	return Int(new(big.Int).Neg(x))
}

// Pos is +a.
func (m *Machine) Pos(a Value) Value {
	if f, ok := a.(float64); ok {
		return f
	}
	x, ok := asInt(a)
	if !ok {
		unary("+", a)
	}
	return Int(x)
}

func unary(op string, a Value) {
	Fail(a)
	typeError("bad operand type for unary %s: '%s'", op, TypeName(a))
}

// number applies an arithmetic operator to two numbers.
func (m *Machine) number(op string, a, b Value) Value {
	if !isNumber(a) || !isNumber(b) {
		operands(op, a, b)
	}
	x, okX := asInt(a)
	y, okY := asInt(b)
	if okX && okY {
		return m.integers(op, x, y)
	}
	f, _ := toFloat(a)
	g, _ := toFloat(b)
	return floats(op, f, g)
}

func (m *Machine) integers(op string, x, y *big.Int) Value {
	z := new(big.Int)
	switch op {
	case "+":
		return m.bounded1(z.Add(x, y))
	case "-":
		return m.bounded1(z.Sub(x, y))
	case "*":
		m.Step((x.BitLen() + y.BitLen()) / 64)
		if x.BitLen()+y.BitLen() > maxBits {
			Throw("MemoryError", "the integer is too large")
		}
		return Int(z.Mul(x, y))
	case "**":
		return m.power(x, y)
	}
	if y.Sign() == 0 {
		Throw("ZeroDivisionError", "integer division or modulo by zero")
	}
	q, r := z.QuoRem(x, y, new(big.Int))
	if r.Sign() != 0 && r.Sign() != y.Sign() {
		q.Sub(q, big.NewInt(1))
		r.Add(r, y)
	}
	if op == "//" {
		return Int(q)
	}
	return Int(r)
}

func (m *Machine) bounded1(x *big.Int) Value {
	if x.BitLen() > maxBits {
		Throw("MemoryError", "the integer is too large")
	}
	return Int(x)
}

func (m *Machine) power(x, y *big.Int) Value {
	if y.Sign() < 0 {
		f, _ := toFloat(Int(x))
		g, _ := toFloat(Int(y))
		return floats("**", f, g)
	}
	if x.BitLen() > 1 && (!y.IsInt64() || y.Int64() > maxBits/int64(x.BitLen()-1)) {
		Throw("MemoryError", "the integer is too large")
	}
	if x.BitLen() <= 1 && !y.IsInt64() {
		y = big.NewInt(2 + int64(y.Bit(0)))
	}
	m.Step(int(min(y.Int64(), maxBits)) * x.BitLen() / 64)
	return Int(new(big.Int).Exp(x, y, nil))
}

func floats(op string, x, y float64) Value {
	switch op {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	case "**":
		return floatPower(x, y)
	}
	if y == 0 {
		Throw("ZeroDivisionError", "%s", map[string]string{"/": "float division by zero", "//": "float floor division by zero", "%": "float modulo"}[op])
	}
	if op == "/" {
		return x / y
	}
	div, mod := floatDivMod(x, y)
	if op == "//" {
		return div
	}
	return mod
}

// floatDivMod is float_divmod of Objects/floatobject.c.
func floatDivMod(x, y float64) (div, mod float64) {
	mod = math.Mod(x, y)
	div = (x - mod) / y
	if mod != 0 {
		if (y < 0) != (mod < 0) {
			mod += y
			div--
		}
	} else {
		mod = math.Copysign(0, y)
	}
	if div == 0 {
		return math.Copysign(0, x/y), mod
	}
	floor := math.Floor(div)
	if div-floor > 0.5 {
		floor++
	}
	return floor, mod
}

func floatPower(x, y float64) Value {
	if x == 0 && y < 0 {
		Throw("ZeroDivisionError", "0.0 cannot be raised to a negative power")
	}
	if x < 0 && y != math.Trunc(y) && !math.IsInf(x, 0) && !math.IsInf(y, 0) {
		valueError("a complex result is not supported")
	}
	r := pow(x, y)
	if math.IsInf(r, 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0) {
		Throw("OverflowError", "(34, 'Numerical result out of range')")
	}
	return r
}
