package py

import (
	"math/big"
	"strings"
	"unicode/utf8"
)

// Each iterates over items.
func Each(items []Value) Iterator {
	i := 0
	return func() (Value, bool) {
		if i >= len(items) {
			return nil, false
		}
		i++
		return items[i-1], true
	}
}

// eachOf iterates over n values that at returns.
func eachOf(n func() int, at func(int) Value) Iterator {
	i := 0
	return func() (Value, bool) {
		if i >= n() {
			return nil, false
		}
		i++
		return at(i - 1), true
	}
}

func eachRune(s string) Iterator {
	return func() (Value, bool) {
		if s == "" {
			return nil, false
		}
		_, n := utf8.DecodeRuneInString(s)
		c := s[:n]
		s = s[n:]
		return c, true
	}
}

// iterator returns an iterator over v, or nil if v is not iterable.
func (m *Machine) iterator(v Value) Iterator {
	switch v := v.(type) {
	case string:
		return eachRune(v)
	case Markup:
		return eachRune(string(v))
	case Bytes:
		return eachOf(func() int { return len(v) }, func(i int) Value { return int64(v[i]) })
	case *List:
		return eachOf(func() int { return len(v.Items) }, func(i int) Value { return v.Items[i] })
	case *Tuple:
		return Each(v.Items)
	case *Dict:
		return eachOf(v.Len, func(i int) Value { return v.keys[i] })
	case *View:
		return eachOf(v.Dict.Len, v.at)
	case *Set:
		return Each(v.d.keys)
	case *Range:
		return eachOf(func() int { return int(v.Len) }, func(i int) Value { return v.Start + int64(i)*v.Step })
	case *Generator:
		return v.Next
	case *Undefined:
		return Each(nil)
	case Iterable:
		return v.Iter(m)
	}
	return nil
}

// Iter is iter(v).
func (m *Machine) Iter(v Value) Iterator {
	next := m.iterator(v)
	if next == nil {
		typeError("'%s' object is not iterable", TypeName(v))
	}
	return next
}

// IsIterable reports whether iter(v) works.
func (m *Machine) IsIterable(v Value) bool { return m.iterator(v) != nil }

// Items is list(v).
func (m *Machine) Items(v Value) []Value {
	switch v := v.(type) {
	case *List:
		m.Alloc(slotBytes * len(v.Items))
		return append([]Value{}, v.Items...)
	case *Tuple:
		m.Alloc(slotBytes * len(v.Items))
		return append([]Value{}, v.Items...)
	}
	next := m.Iter(v)
	items := []Value{}
	for x, ok := next(); ok; x, ok = next() {
		m.Alloc(slotBytes)
		items = append(items, x)
	}
	return items
}

// Unpack is the assignment of v to n targets.
func (m *Machine) Unpack(v Value, n int) []Value {
	next := m.iterator(v)
	if next == nil {
		typeError("cannot unpack non-iterable %s object", TypeName(v))
	}
	items := make([]Value, 0, n)
	for x, ok := next(); ok; x, ok = next() {
		if len(items) == n {
			valueError("too many values to unpack (expected %d)", n)
		}
		items = append(items, x)
	}
	if len(items) < n {
		valueError("not enough values to unpack (expected %d, got %d)", n, len(items))
	}
	return items
}

// size is len(v), or −1 if v has none.
func (m *Machine) size(v Value) int {
	switch v := v.(type) {
	case string:
		m.Step(len(v) / 64)
		return utf8.RuneCountInString(v)
	case Markup:
		return utf8.RuneCountInString(string(v))
	case Bytes:
		return len(v)
	case *List:
		return len(v.Items)
	case *Tuple:
		return len(v.Items)
	case *Dict:
		return v.Len()
	case *View:
		return v.Dict.Len()
	case *Set:
		return v.d.Len()
	case *Range:
		return int(v.Len)
	case *Undefined:
		return 0
	case Sized:
		return v.Len(m)
	}
	return -1
}

// Len is len(v).
func (m *Machine) Len(v Value) int {
	n := m.size(v)
	if n < 0 {
		typeError("object of type '%s' has no len()", TypeName(v))
	}
	return n
}

// IsSequence is jinja's test: it has a length and items.
func (m *Machine) IsSequence(v Value) bool {
	switch v.(type) {
	case *View, *Set:
		return false
	}
	if m.size(v) < 0 {
		return false
	}
	_, sized := v.(Sized)
	_, indexed := v.(Indexable)
	return !sized || indexed
}

// Contains is x in v.
func (m *Machine) Contains(v, x Value) bool {
	m.Step(1)
	if s, ok := Text(v); ok {
		sub, ok := Text(x)
		if !ok {
			typeError("'in <string>' requires string as left operand, not %s", TypeName(x))
		}
		m.Step(len(s) / 32)
		return strings.Contains(s, sub)
	}
	switch v := v.(type) {
	case *Dict:
		return v.find(x) >= 0
	case *Set:
		return v.d.find(x) >= 0
	case *View:
		if v.Kind == "keys" {
			return v.Dict.find(x) >= 0
		}
		if v.Kind == "items" {
			return m.hasItem(v.Dict, x)
		}
	case *Range:
		if i, ok := asInt(x); ok {
			return i.IsInt64() && v.has(i.Int64())
		}
	case Bytes:
		return m.bytesContain(v, x)
	case *Undefined:
		return false
	}
	next := m.iterator(v)
	if next == nil {
		typeError("argument of type '%s' is not iterable", TypeName(v))
	}
	for y, ok := next(); ok; y, ok = next() {
		if m.same(y, x) || m.Eq(y, x) {
			return true
		}
	}
	return false
}

func (m *Machine) hasItem(d *Dict, x Value) bool {
	t, ok := x.(*Tuple)
	if !ok || len(t.Items) != 2 {
		return false
	}
	y, ok := d.Get(t.Items[0])
	return ok && m.Eq(y, t.Items[1])
}

func (m *Machine) bytesContain(b Bytes, x Value) bool {
	if sub, ok := x.(Bytes); ok {
		return strings.Contains(string(b), string(sub))
	}
	i, ok := small(x)
	if !ok {
		typeError("a bytes-like object is required, not '%s'", TypeName(x))
	}
	if i < 0 || i > 255 {
		valueError("byte must be in range(0, 256)")
	}
	return strings.IndexByte(string(b), byte(i)) >= 0
}

func (r *Range) has(i int64) bool {
	if r.Len == 0 || r.Step > 0 && (i < r.Start || i >= r.Stop) || r.Step < 0 && (i > r.Start || i <= r.Stop) {
		return false
	}
	d := new(big.Int).Sub(big.NewInt(i), big.NewInt(r.Start))
	return d.Rem(d, big.NewInt(r.Step)).Sign() == 0
}

// Reversed is reversed(v); nil if v cannot be reversed.
func (m *Machine) Reversed(v Value) *Generator {
	var at func(int) Value
	kind := "reversed"
	switch v := v.(type) {
	case string, Markup:
		at = itemOf(m.Items(v))
	case *List:
		kind, at = "list_reverseiterator", itemOf(v.Items)
	case *Tuple:
		at = itemOf(v.Items)
	case *Dict:
		kind, at = "dict_reversekeyiterator", func(i int) Value { return v.keys[i] }
	case *View:
		kind, at = "dict_reverse"+strings.TrimSuffix(v.Kind, "s")+"iterator", v.at
	case *Range:
		kind, at = "range_iterator", func(i int) Value { return v.Start + int64(i)*v.Step }
	case Bytes:
		at = func(i int) Value { return int64(v[i]) }
	case *Undefined:
		at = itemOf(nil)
	default:
		return nil
	}
	i := m.Len(v)
	return &Generator{kind, func() (Value, bool) {
		if i == 0 {
			return nil, false
		}
		i--
		return at(i), true
	}}
}

// itemOf returns item number i.
func itemOf(items []Value) func(int) Value { return func(i int) Value { return items[i] } }
