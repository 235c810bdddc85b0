package py

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"unicode/utf8"
)

var listMethods methods

func init() {
	listMethods = table(
		row{"copy", "/", func(m *Machine, self Value, a []Value) Value { return &List{m.Items(self)} }},
		row{"count", "/ value", countItems},
		row{"index", "/ value start? stop?", indexItem},
	)
}

var tupleMethods methods

func init() {
	tupleMethods = table(
		row{"count", "/ value", countItems},
		row{"index", "/ value start? stop?", indexItem},
	)
}

var rangeMethods methods

func init() {
	rangeMethods = table(
		row{"count", "/ value", countItems},
		row{"index", "/ value", func(m *Machine, self Value, a []Value) Value { return indexItem(m, self, []Value{a[0], nil, nil}) }},
	)
}

func countItems(m *Machine, self Value, a []Value) Value {
	n := int64(0)
	next := m.Iter(self)
	for x, ok := next(); ok; x, ok = next() {
		if m.same(x, a[0]) || m.Eq(x, a[0]) {
			n++
		}
	}
	return n
}

func indexItem(m *Machine, self Value, a []Value) Value {
	n := m.Len(self)
	from, to := spanOf(n, a[1], a[2])
	for i := from; i < to; i++ {
		if x := at1(self, i); m.same(x, a[0]) || m.Eq(x, a[0]) {
			return int64(i)
		}
	}
	valueError("%s is not in %s", m.safeRepr(a[0]), TypeName(self))
	return nil
}

// spanOf is the range that start and end bound, as str.find and list.index read them.
func spanOf(n int, start, end Value) (from, to int) {
	bound := func(v Value, absent int) int {
		if v == nil || v == Value(None) {
			return absent
		}
		i := clampIndex(v, absent)
		if i < 0 {
			i = max(i+n, 0)
		}
		return i
	}
	return bound(start, 0), min(bound(end, n), n)
}

var dictMethods methods

func init() {
	dictMethods = table(
		row{"copy", "/", func(m *Machine, self Value, a []Value) Value {
			m.Alloc(2 * slotBytes * self.(*Dict).Len())
			return self.(*Dict).Copy()
		}},
		row{"fromkeys", "/ iterable value?", func(m *Machine, self Value, a []Value) Value { return FromKeys(m, a[0], a[1]) }},
		row{"get", "/ key default?", func(m *Machine, self Value, a []Value) Value {
			if x, ok := self.(*Dict).Get(a[0]); ok {
				return x
			}
			if a[1] == nil {
				return None
			}
			return a[1]
		}},
		row{"items", "/", func(m *Machine, self Value, a []Value) Value { return &View{self.(*Dict), "items"} }},
		row{"keys", "/", func(m *Machine, self Value, a []Value) Value { return &View{self.(*Dict), "keys"} }},
		row{"values", "/", func(m *Machine, self Value, a []Value) Value { return &View{self.(*Dict), "values"} }},
	)
}

// FromKeys is dict.fromkeys.
func FromKeys(m *Machine, keys, value Value) Value {
	if value == nil {
		value = None
	}
	d := new(Dict)
	next := m.Iter(keys)
	for k, ok := next(); ok; k, ok = next() {
		m.Alloc(2 * slotBytes)
		d.Set(k, value)
	}
	return d
}

// MakeDict is dict(…).
func MakeDict(m *Machine, a Args) *Dict {
	d := new(Dict)
	if len(a.Pos) > 1 {
		typeError("dict expected at most 1 argument, got %d", len(a.Pos))
	}
	if len(a.Pos) == 1 {
		m.update(d, a.Pos[0])
	}
	for i, n := range a.Names {
		d.Set(n, a.Named[i])
	}
	return d
}

func (m *Machine) update(d *Dict, v Value) {
	Fail(v)
	if from, ok := v.(*Dict); ok {
		m.Alloc(2 * slotBytes * from.Len())
		for i, k := range from.keys {
			d.Set(k, from.vals[i])
		}
		return
	}
	next := m.Iter(v)
	for i := 0; ; i++ {
		x, ok := next()
		if !ok {
			return
		}
		if !m.IsIterable(x) {
			typeError("cannot convert dictionary update sequence element #%d to a sequence", i)
		}
		pair := m.Items(x)
		if len(pair) != 2 {
			valueError("dictionary update sequence element #%d has length %d; 2 is required", i, len(pair))
		}
		d.Set(pair[0], pair[1])
	}
}

var viewMethods methods

func init() {
	viewMethods = table(
		row{"isdisjoint", "/ other", func(m *Machine, self Value, a []Value) Value {
			next := m.Iter(a[0])
			for x, ok := next(); ok; x, ok = next() {
				if m.Contains(self, x) {
					return false
				}
			}
			return true
		}},
	)
}

var intMethods methods

func init() {
	intMethods = table(
		row{"bit_length", "/", func(m *Machine, self Value, a []Value) Value { x, _ := asInt(self); return int64(x.BitLen()) }},
		row{"bit_count", "/", func(m *Machine, self Value, a []Value) Value {
			x, _ := asInt(self)
			n := int64(0)
			for i := range x.BitLen() {
				n += int64(new(big.Int).Abs(x).Bit(i))
			}
			return n
		}},
		row{"conjugate", "/", func(m *Machine, self Value, a []Value) Value { x, _ := asInt(self); return Int(x) }},
		row{"as_integer_ratio", "/", func(m *Machine, self Value, a []Value) Value {
			x, _ := asInt(self)
			return &Tuple{Items: []Value{Int(x), int64(1)}}
		}},
	)
}

var floatMethods methods

func init() {
	floatMethods = table(
		row{"is_integer", "/", func(m *Machine, self Value, a []Value) Value {
			f := self.(float64)
			return f == math.Trunc(f) && !math.IsInf(f, 0)
		}},
		row{"conjugate", "/", func(m *Machine, self Value, a []Value) Value { return self }},
		row{"hex", "/", func(m *Machine, self Value, a []Value) Value { return floatHex(self.(float64)) }},
		row{"as_integer_ratio", "/", func(m *Machine, self Value, a []Value) Value {
			f := self.(float64)
			if math.IsInf(f, 0) || math.IsNaN(f) {
				Throw("OverflowError", "cannot convert Infinity to integer ratio")
			}
			r := new(big.Rat).SetFloat64(f)
			return &Tuple{Items: []Value{Int(new(big.Int).Set(r.Num())), Int(new(big.Int).Set(r.Denom()))}}
		}},
	)
}

func floatHex(f float64) string {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return FloatRepr(f)
	}
	if f == 0 {
		return map[bool]string{false: "0x0.0p+0", true: "-0x0.0p+0"}[math.Signbit(f)]
	}
	s := strconv.FormatFloat(f, 'x', 13, 64)
	mantissa, exp, _ := cut(s, "p")
	e, _ := strconv.Atoi(exp)
	return fmt.Sprintf("%sp%+d", mantissa, e)
}

var bytesMethods methods

func init() {
	bytesMethods = table(
		row{"decode", "encoding? errors?", func(m *Machine, self Value, a []Value) Value {
			s := string(self.(Bytes))
			if !utf8.ValidString(s) {
				Throw("UnicodeDecodeError", "'utf-8' codec can't decode bytes")
			}
			return s
		}},
		row{"hex", "/", func(m *Machine, self Value, a []Value) Value { return fmt.Sprintf("%x", string(self.(Bytes))) }},
	)
}
