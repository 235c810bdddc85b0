package constrain

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/runtime/json"
)

// object is a JSON object that keeps the order of its keys. Its values are
// *object, []any, string, json.Number, bool and nil.
type object struct {
	keys   []string
	values map[string]any
}

func (o *object) has(key string) bool { _, ok := o.values[key]; return ok }

// set adds or replaces a value.
func (o *object) set(key string, v any) {
	if !o.has(key) {
		o.keys = append(o.keys, key)
	}
	if o.values == nil {
		o.values = map[string]any{}
	}
	o.values[key] = v
}

// clone copies an object without its values.
func (o *object) clone() *object {
	c := &object{keys: slices.Clone(o.keys), values: map[string]any{}}
	for k, v := range o.values {
		c.values[k] = v
	}
	return c
}

// document reads one JSON value.
func document(text []byte) (any, error) {
	r := json.NewReader(text)
	v, err := value(r, 0)
	if err != nil {
		return nil, err
	}
	return v, r.End()
}

// value reads the next value.
func value(r *json.Reader, depth int) (any, error) {
	if depth > 200 {
		return nil, errors.New("the schema nests too deeply")
	}
	switch r.Kind() {
	case json.Object:
		o := &object{values: map[string]any{}}
		err := r.Object(func(key string) error {
			v, err := value(r, depth+1)
			if err == nil && o.has(key) {
				err = fmt.Errorf("the key %q stands twice in an object", key)
			}
			o.set(key, v)
			return err
		})
		return o, err
	case json.List:
		list := []any{}
		err := r.List(func() error {
			v, err := value(r, depth+1)
			list = append(list, v)
			return err
		})
		return list, err
	case json.Digits:
		return r.Number()
	case json.True, json.False:
		return r.Bool()
	case json.Null:
		return nil, r.Skip()
	}
	return r.Text()
}

// constant is the expression of exactly one value, without white space.
func constant(v any) node {
	switch v := v.(type) {
	case *object:
		list := seq{literal("{")}
		for i, k := range v.keys {
			if i > 0 {
				list = append(list, literal(","))
			}
			list = append(list, quoted(escaped(literal(k))), literal(":"), constant(v.values[k]))
		}
		return append(list, literal("}"))
	case []any:
		list := seq{literal("[")}
		for i, x := range v {
			if i > 0 {
				list = append(list, literal(","))
			}
			list = append(list, constant(x))
		}
		return append(list, literal("]"))
	case string:
		return quoted(escaped(literal(v)))
	case json.Number:
		return literal(v.String())
	case bool:
		return literal(fmt.Sprint(v))
	}
	return literal("null")
}

// canonical writes a value so that equal ones are written alike.
func canonical(v any) string {
	switch v := v.(type) {
	case *object:
		keys := slices.Sorted(slices.Values(v.keys))
		var b strings.Builder
		for _, k := range keys {
			fmt.Fprintf(&b, "%q:%s,", k, canonical(v.values[k]))
		}
		return "{" + b.String() + "}"
	case []any:
		var b strings.Builder
		for _, x := range v {
			b.WriteString(canonical(x) + ",")
		}
		return "[" + b.String() + "]"
	case json.Number:
		if r, ok := rational(v); ok {
			return r.RatString()
		}
		return v.String()
	case string:
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprint(v)
}

// kindOf is the JSON Schema type of a value.
func kindOf(v any) string {
	switch v := v.(type) {
	case *object:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case json.Number:
		if r, ok := rational(v); ok && r.IsInt() {
			return "integer"
		}
		return "number"
	}
	return "null"
}
