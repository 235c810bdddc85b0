// Package json reads JSON in one pass and without reflection. Libraries for C link it in place of encoding/json, which is
// several times as large; what it takes and refuses is the same, except that the names of members are compared exactly.
package json

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// RawMessage is a JSON value as text; it is the type of encoding/json, so that values go from one to the other.
type RawMessage = json.RawMessage

// Number is the text of a number, of the type of encoding/json.
type Number = json.Number

// Valid reports whether data is one JSON value.
func Valid(data []byte) bool {
	r := NewReader(data)
	return r.Skip() == nil && r.End() == nil
}

// Unmarshal reads one value into what v points to: a text, a number, a truth value, a RawMessage, and those lists and objects of
// such that Value names. As in encoding/json null empties lists and objects and leaves anything else alone.
func Unmarshal(data []byte, v any) error {
	r := NewReader(data)
	if err := r.Value(v); err != nil {
		return err
	}
	return r.End()
}

// Value reads the next value into what v points to; see Unmarshal. Values that read themselves are for Each: an interface with
// their method here would link that of time.Time, and the parser of times with it.
func (r *Reader) Value(v any) error {
	switch v := v.(type) {
	case *RawMessage:
		raw, err := r.Raw()
		*v = raw
		return err
	case *map[string]RawMessage:
		return members(r, v)
	case *[]RawMessage:
		return list(r, v)
	case *[]string:
		return list(r, v)
	case *[]int32:
		return list(r, v)
	case *[][]int32:
		return list(r, v)
	}
	if r.Kind() == Null {
		return r.Skip()
	}
	return r.scalar(v)
}

// scalar reads a value that is no list and no object.
func (r *Reader) scalar(v any) (err error) {
	switch v := v.(type) {
	case *string:
		*v, err = r.Text()
	case *bool:
		*v, err = r.Bool()
	case **bool:
		*v = new(bool)
		**v, err = r.Bool()
	case *float64:
		var n Number
		if n, err = r.Number(); err == nil {
			*v, err = strconv.ParseFloat(string(n), 64)
		}
	case *int:
		err = integer(r, func(s string) (err error) { *v, err = strconv.Atoi(s); return err })
	case *int32:
		err = integer(r, func(s string) error { n, err := strconv.ParseInt(s, 10, 32); *v = int32(n); return err })
	case *int64:
		err = integer(r, func(s string) (err error) { *v, err = strconv.ParseInt(s, 10, 64); return err })
	case *uint64:
		err = integer(r, func(s string) (err error) { *v, err = strconv.ParseUint(s, 10, 64); return err })
	default:
		err = fmt.Errorf("JSON cannot be read into a %T", v)
	}
	return err
}

// integer reads a number that set takes.
func integer(r *Reader, set func(s string) error) error {
	n, err := r.Number()
	if err != nil {
		return err
	}
	if set(string(n)) != nil {
		return fmt.Errorf("%s is not an integer of the range that is expected", n)
	}
	return nil
}

// list reads a list of values that Value reads.
func list[T any](r *Reader, v *[]T) error {
	*v = nil
	if r.Kind() == Null {
		return r.Skip()
	}
	*v = []T{}
	return r.List(func() error {
		var item T
		err := r.Value(&item)
		*v = append(*v, item)
		return err
	})
}

// members reads an object whose members are of any kind.
func members(r *Reader, v *map[string]RawMessage) error {
	*v = nil
	if r.Kind() == Null {
		return r.Skip()
	}
	*v = map[string]RawMessage{}
	return r.Object(func(name string) error {
		raw, err := r.Raw()
		(*v)[name] = raw
		return err
	})
}

// Each reads a list of values that read themselves by the method unmarshal; null is an empty list.
func Each[T any](r *Reader, unmarshal func(*T, []byte) error) ([]T, error) {
	if r.Kind() == Null {
		return nil, r.Skip()
	}
	list := []T{}
	err := r.List(func() error {
		raw, err := r.Raw()
		if err != nil {
			return err
		}
		var item T
		err = unmarshal(&item, raw)
		list = append(list, item)
		return err
	})
	return list, err
}
