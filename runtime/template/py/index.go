package py

import (
	"math/big"
	"unicode/utf8"
)

// Item is v[key], nil if there is none: what jinja's getitem tries first. Uses of Undefined throw.
func (m *Machine) item(v, key Value) Value {
	m.Step(1)
	Fail(v)
	switch v := v.(type) {
	case *Dict:
		return m.dictItem(v, key)
	case Indexable:
		if x, ok := v.Item(m, key); ok {
			return x
		}
		return nil
	}
	n := m.indexable(v)
	if n < 0 {
		return nil
	}
	i, ok := asInt(key)
	if !ok || !i.IsInt64() {
		return nil
	}
	at := i.Int64()
	if at < 0 {
		at += int64(n)
	}
	if at < 0 || at >= int64(n) {
		return nil
	}
	return at1(v, int(at))
}

// indexable is the length of a value that integers index, or −1.
func (m *Machine) indexable(v Value) int {
	switch v.(type) {
	case string, Markup, Bytes, *List, *Tuple, *Range:
		return m.size(v)
	}
	return -1
}

// needSubscripts throws TypeError for values that have no items at all.
func (m *Machine) needSubscripts(v Value) {
	switch v.(type) {
	case *Dict, Indexable:
		return
	}
	if m.indexable(v) < 0 {
		typeError("'%s' object is not subscriptable", TypeName(v))
	}
}

func (m *Machine) dictItem(d *Dict, key Value) (x Value) {
	if !hashable(key) {
		return nil
	}
	x, _ = d.Get(key)
	return x
}

// NeedHashable throws TypeError for values that cannot be keys.
func NeedHashable(v Value) { hash(v) }

func hashable(v Value) bool {
	switch v := v.(type) {
	case *View:
		return v.Kind == "values"
	case *List, *Dict, *Set:
		return false
	case *Tuple:
		for _, x := range v.Items {
			if !hashable(x) {
				return false
			}
		}
	}
	return true
}

// at1 is item number i of a sequence.
func at1(v Value, i int) Value {
	switch v := v.(type) {
	case string:
		return runeAt(v, i)
	case Markup:
		return Markup(runeAt(string(v), i))
	case Bytes:
		return int64(v[i])
	case *List:
		return v.Items[i]
	case *Tuple:
		return v.Items[i]
	case *Range:
		return v.Start + int64(i)*v.Step
	}
	return nil
}

func runeAt(s string, i int) string {
	at := runeOffset(s, i)
	_, n := utf8.DecodeRuneInString(s[at:])
	return s[at : at+n]
}

// runeOffset is the byte where code point i begins.
func runeOffset(s string, i int) int {
	if i <= 0 {
		return 0
	}
	if len(s) == utf8.RuneCountInString(s) {
		return min(i, len(s))
	}
	for at := range s {
		if i == 0 {
			return at
		}
		i--
	}
	return len(s)
}

// GetItem is v[key] in a template: an item, or the attribute of that name, or Undefined.
func (m *Machine) GetItem(v, key Value) Value {
	if x := m.item(v, key); x != nil {
		return x
	}
	if name, ok := Text(key); ok {
		if x := m.attribute(v, name); x != nil {
			return x
		}
	}
	return &Undefined{Object: v, Name: key}
}

// GetAttr is v.name in a template: an attribute, or the item of that name, or Undefined.
func (m *Machine) GetAttr(v Value, name string) Value {
	m.Step(1)
	if u, ok := v.(*Undefined); ok {
		if hidden(v, name) {
			return unsafe(v, name)
		}
		u.fail()
	}
	if d, ok := v.(*Dict); ok && !dictAttributes[name] && (name == "" || name[0] != '_') {
		if x, ok := d.Get(name); ok {
			return x
		}
		return &Undefined{Object: v, Name: name}
	}
	if x := m.attribute(v, name); x != nil {
		return x
	}
	if x := m.item(v, name); x != nil {
		return x
	}
	return &Undefined{Object: v, Name: name}
}

// Attr is the filter: an attribute or Undefined, never an item.
func (m *Machine) Attr(v Value, name string) Value {
	if x := m.attribute(v, name); x != nil {
		return x
	}
	return &Undefined{Object: v, Name: name}
}

// Slice is v[start:stop:step]; nil is an omitted bound.
func (m *Machine) Slice(v, start, stop, step Value) Value {
	m.Step(1)
	Fail(v)
	n := m.indexable(v)
	if n < 0 {
		if _, ok := v.(*Dict); ok {
			typeError("unhashable type: 'slice'")
		}
		typeError("'%s' object is not subscriptable", TypeName(v))
	}
	from, to, by := sliceBounds(n, start, stop, step)
	switch v := v.(type) {
	case string:
		return m.sliceText(v, from, to, by)
	case Markup:
		return Markup(m.sliceText(string(v), from, to, by))
	case *Range:
		return NewRange(v.Start+int64(from)*v.Step, v.Start+int64(to)*v.Step, v.Step*int64(by))
	}
	items := make([]Value, 0, sliceLen(from, to, by))
	m.Alloc(slotBytes * cap(items))
	for i := from; by > 0 && i < to || by < 0 && i > to; i += by {
		items = append(items, at1(v, i))
	}
	switch v.(type) {
	case *Tuple:
		return &Tuple{Items: items}
	case Bytes:
		b := make([]byte, len(items))
		for i, x := range items {
			b[i] = byte(x.(int64))
		}
		return Bytes(b)
	}
	return &List{items}
}

// SoftSlice is Slice where jinja folds it: of what has no slices it is Undefined.
func (m *Machine) SoftSlice(v, start, stop, step Value) (part Value) {
	defer func() {
		if r := recover(); r != nil {
			if e, ok := r.(*Error); !ok || e.Type != "TypeError" {
				panic(r)
			}
			part = &Undefined{Object: v, Name: "slice"}
		}
	}()
	return m.Slice(v, start, stop, step)
}

func sliceLen(from, to, by int) int {
	if by < 0 {
		from, to, by = to, from, -by
	}
	return max(0, (to-from+by-1)/by)
}

func (m *Machine) sliceText(s string, from, to, by int) string {
	m.Alloc(len(s))
	if by == 1 {
		if from >= to {
			return ""
		}
		at := runeOffset(s, from)
		return s[at : at+runeOffset(s[at:], to-from)]
	}
	all := []rune(s)
	out := make([]rune, 0, sliceLen(from, to, by))
	for i := from; by > 0 && i < to || by < 0 && i > to; i += by {
		out = append(out, all[i])
	}
	return string(out)
}

// sliceBounds is PySlice_AdjustIndices.
func sliceBounds(n int, start, stop, step Value) (from, to, by int) {
	by = clampIndex(step, 1)
	if by == 0 {
		valueError("slice step cannot be zero")
	}
	low, high := 0, n
	if by < 0 {
		low, high = -1, n-1
	}
	adjust := func(v Value, absent int) int {
		if v == nil || v == Value(None) {
			return absent
		}
		i := clampIndex(v, 0)
		if i < 0 {
			i += n
		}
		return min(max(i, low), high)
	}
	if by > 0 {
		return adjust(start, low), adjust(stop, high), min(by, n+1)
	}
	return adjust(start, high), adjust(stop, low), max(by, -n-1)
}

// clampIndex converts an index, bounded far outside of any sequence.
func clampIndex(v Value, absent int) int {
	if v == nil || v == Value(None) {
		return absent
	}
	i, ok := asInt(v)
	if !ok {
		Throw("TypeError", "slice indices must be integers or None or have an __index__ method")
	}
	const far = 1 << 40
	if i.CmpAbs(big.NewInt(far)) > 0 {
		return i.Sign() * far
	}
	return int(i.Int64())
}

// Call calls f.
func (m *Machine) Call(f Value, a Args) Value {
	m.Enter()
	defer m.Leave()
	Fail(f)
	switch f := f.(type) {
	case *Func:
		return f.Fn(m, a)
	case Callable:
		return f.Call(m, a)
	}
	typeError("'%s' object is not callable", TypeName(f))
	return nil
}

// IsCallable is callable(v).
func IsCallable(v Value) bool {
	switch v.(type) {
	case *Func, Callable, *Undefined:
		return true
	}
	return false
}
