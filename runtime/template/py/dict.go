package py

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Dict is a dictionary in the order of insertion.
type Dict struct {
	keys  []Value
	vals  []Value
	index map[any]int // of hashed keys, from indexFrom keys on
}

const indexFrom = 8

// NewDict returns a dictionary of string keys and their values, alternating.
func NewDict(pairs ...Value) *Dict {
	d := new(Dict)
	for i := 0; i+1 < len(pairs); i += 2 {
		d.Set(pairs[i], pairs[i+1])
	}
	return d
}

// Len is the number of keys.
func (d *Dict) Len() int { return len(d.keys) }

// At returns key and value number i.
func (d *Dict) At(i int) (key, value Value) { return d.keys[i], d.vals[i] }

type (
	bigKey   string
	tupleKey string
	typeKey  string
)

// hash returns a comparable that is equal for equal keys; it throws for values that cannot be keys.
func hash(v Value) any {
	switch v := v.(type) {
	case string:
		return v
	case Markup:
		return string(v)
	case bool:
		if v {
			return int64(1)
		}
		return int64(0)
	case int64:
		return v
	case *big.Int:
		return bigKey(v.String())
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<62 {
			return int64(v)
		} else if v == math.Trunc(v) && !math.IsInf(v, 0) {
			b, _ := big.NewFloat(v).Int(nil)
			return bigKey(b.String())
		}
		return v
	case *Tuple:
		return hashTuple(v)
	case *Undefined:
		return typeKey("Undefined")
	case *View:
		if v.Kind != "values" {
			typeError("unhashable type: '%s'", TypeName(v))
		}
	case *List, *Dict, *Set:
		typeError("unhashable type: '%s'", TypeName(v))
	case *Range:
		return v.key()
	}
	return v
}

func hashTuple(t *Tuple) any {
	var b strings.Builder
	for _, x := range t.Items {
		switch h := hash(x).(type) {
		case string:
			b.WriteString("s" + strconv.Itoa(len(h)) + ":" + h)
		case int64:
			b.WriteString("i" + strconv.FormatInt(h, 10))
		case float64:
			b.WriteString("f" + strconv.FormatFloat(h, 'g', -1, 64))
		case bigKey:
			b.WriteString("i" + string(h))
		case tupleKey:
			b.WriteString("t" + strconv.Itoa(len(h)) + ":" + string(h))
		case NoneType:
			b.WriteString("n")
		default:
			fmt.Fprintf(&b, "o%p", x)
		}
		b.WriteByte(';')
	}
	return tupleKey(b.String())
}

// key is equal for ranges of the same numbers.
func (r *Range) key() any {
	k := strconv.FormatInt(r.Len, 10)
	if r.Len > 0 {
		k += "r" + strconv.FormatInt(r.Start, 10)
	}
	if r.Len > 1 {
		k += "r" + strconv.FormatInt(r.Step, 10)
	}
	return tupleKey(k)
}

// find returns the position of a key, or −1.
func (d *Dict) find(key Value) int {
	if d.index == nil {
		if s, ok := key.(string); ok {
			for i, k := range d.keys {
				if t, ok := k.(string); ok && t == s {
					return i
				}
			}
			return d.findMarkup(s)
		}
		h := hash(key)
		for i, k := range d.keys {
			if hash(k) == h {
				return i
			}
		}
		return -1
	}
	if i, ok := d.index[hash(key)]; ok {
		return i
	}
	return -1
}

func (d *Dict) findMarkup(s string) int {
	for i, k := range d.keys {
		if t, ok := k.(Markup); ok && string(t) == s {
			return i
		}
	}
	return -1
}

// Get returns the value of a key. A key that cannot be one throws TypeError.
func (d *Dict) Get(key Value) (Value, bool) {
	if i := d.find(key); i >= 0 {
		return d.vals[i], true
	}
	return nil, false
}

// Set sets the value of a key; a new key is the last.
func (d *Dict) Set(key, value Value) {
	if i := d.find(key); i >= 0 {
		d.vals[i] = value
		return
	}
	h := hash(key)
	if d.index == nil && len(d.keys) >= indexFrom {
		d.index = make(map[any]int, 2*indexFrom)
		for i, k := range d.keys {
			d.index[hash(k)] = i
		}
	}
	if d.index != nil {
		d.index[h] = len(d.keys)
	}
	d.keys, d.vals = append(d.keys, key), append(d.vals, value)
}

// Delete removes a key.
func (d *Dict) Delete(key Value) {
	i := d.find(key)
	if i < 0 {
		return
	}
	keys, vals := append(append([]Value{}, d.keys[:i]...), d.keys[i+1:]...), append(append([]Value{}, d.vals[:i]...), d.vals[i+1:]...)
	*d = Dict{}
	for i, k := range keys {
		d.Set(k, vals[i])
	}
}

// Copy returns a dictionary with the same keys and values.
func (d *Dict) Copy() *Dict {
	c := &Dict{keys: append([]Value{}, d.keys...), vals: append([]Value{}, d.vals...)}
	if d.index != nil {
		c.index = make(map[any]int, len(d.index))
		for k, i := range d.index {
			c.index[k] = i
		}
	}
	return c
}

// View is what keys, values and items return.
type View struct {
	Dict *Dict
	Kind string // "keys", "values", "items"
}

func (v *View) typeName() string { return "dict_" + v.Kind }

func (v *View) at(i int) Value {
	switch v.Kind {
	case "keys":
		return v.Dict.keys[i]
	case "values":
		return v.Dict.vals[i]
	}
	return &Tuple{Items: []Value{v.Dict.keys[i], v.Dict.vals[i]}}
}

// Range is a range object.
type Range struct{ Start, Stop, Step, Len int64 }

// NewRange returns the range of start, stop and a step that is not 0.
func NewRange(start, stop, step int64) *Range {
	r := &Range{start, stop, step, 0}
	lo, hi, by := new(big.Int).SetInt64(start), new(big.Int).SetInt64(stop), new(big.Int).SetInt64(step)
	if step < 0 {
		lo, hi, by = hi, lo, by.Neg(by)
	}
	if n := hi.Sub(hi, lo); n.Sign() > 0 {
		n.Add(n, by).Sub(n, big.NewInt(1)).Quo(n, by)
		r.Len = math.MaxInt64
		if n.IsInt64() {
			r.Len = n.Int64()
		}
	}
	return r
}
