package constrain

import (
	"fmt"
	"slices"

	"github.com/tfgen/tfgen/runtime/json"
)

// maxMerge bounds how deep allOf and $ref may lead to each other.
const maxMerge = 64

// allOf returns one schema in place of $ref and allOf with other keywords beside
// them.
func (s *schemas) allOf(o *object, path string, depth int) (*object, error) {
	if depth > maxMerge {
		return nil, fmt.Errorf("%s: $ref and allOf lead in a circle", path)
	}
	rest := o.clone()
	for _, key := range []string{"$ref", "allOf"} {
		delete(rest.values, key)
		rest.keys = slices.DeleteFunc(rest.keys, func(k string) bool { return k == key })
	}
	var parts []any
	if o.has("$ref") {
		target, _, err := s.resolve(o.values["$ref"], path)
		if err != nil {
			return nil, err
		}
		parts = append(parts, target)
	}
	if o.has("allOf") {
		list, ok := o.values["allOf"].([]any)
		if !ok || len(list) == 0 {
			return nil, fmt.Errorf("%s: allOf is a list of schemas", path)
		}
		parts = append(parts, list...)
	}
	for _, part := range parts {
		var err error
		if rest, err = s.merge(rest, part, path, depth+1); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// merge returns a schema of the values that a and b both allow.
func (s *schemas) merge(a *object, b any, path string, depth int) (*object, error) {
	if v, ok := b.(bool); ok {
		if v {
			return a, nil
		}
		return nil, fmt.Errorf("%s: %w", path, errEmpty)
	}
	o, ok := b.(*object)
	if !ok {
		return nil, fmt.Errorf("%s: a schema is an object or a boolean", path)
	}
	if err := known(o, path); err != nil {
		return nil, err
	}
	if o.has("$ref") || o.has("allOf") {
		var err error
		if o, err = s.allOf(o, path, depth+1); err != nil {
			return nil, err
		}
	}
	out := a.clone()
	for _, k := range o.keys {
		if slices.Contains(annotations, k) {
			continue
		}
		v := o.values[k]
		if out.has(k) {
			var err error
			if v, err = s.both(k, out.values[k], v, path); err != nil {
				return nil, err
			}
		}
		out.set(k, v)
	}
	return out, nil
}

// both returns the value of a keyword that means both of two values.
func (s *schemas) both(key string, a, b any, path string) (any, error) {
	if canonical(a) == canonical(b) {
		return a, nil
	}
	switch key {
	case "properties":
		x, ok := a.(*object)
		y, ok2 := b.(*object)
		if !ok || !ok2 {
			return nil, fmt.Errorf("%s: properties is an object", path)
		}
		out := x.clone()
		for _, k := range y.keys {
			v := y.values[k]
			if out.has(k) {
				v = &object{keys: []string{"allOf"}, values: map[string]any{"allOf": []any{out.values[k], v}}}
			}
			out.set(k, v)
		}
		return out, nil
	case "required":
		x, _ := a.([]any)
		y, _ := b.([]any)
		return append(slices.Clone(x), y...), nil
	case "type", "enum":
		return common(list(a), list(b)), nil
	case "minimum", "exclusiveMinimum", "minLength", "minItems":
		return extreme(a, b, 1), nil
	case "maximum", "exclusiveMaximum", "maxLength", "maxItems":
		return extreme(a, b, -1), nil
	}
	return nil, fmt.Errorf("%s: %s stands in several schemas that must all hold, with different values: that is not supported", path, key)
}

// list returns a value as a list.
func list(v any) []any {
	if l, ok := v.([]any); ok {
		return l
	}
	return []any{v}
}

// common returns what is in both lists; integers are numbers.
func common(a, b []any) []any {
	out := []any{}
	for _, x := range a {
		for _, y := range b {
			switch {
			case canonical(x) == canonical(y), x == "integer" && y == "number":
				out = append(out, x)
			case x == "number" && y == "integer":
				out = append(out, y)
			}
		}
	}
	return out
}

// extreme returns the larger of two numbers, or the smaller if sign is −1.
func extreme(a, b any, sign int) any {
	x, _ := a.(json.Number)
	y, _ := b.(json.Number)
	p, ok := rational(x)
	q, ok2 := rational(y)
	if ok && ok2 && p.Cmp(q)*sign < 0 {
		return b
	}
	return a
}

// disjoint reports that no value is valid by both of two schemas, as far as types
// and constants show it.
func (s *schemas) disjoint(a, b any, depth int) bool {
	x, y := s.flat(a), s.flat(b)
	if x == nil || y == nil || depth > 8 {
		return a == false || b == false
	}
	kx, ky := possible(x), possible(y)
	if kx != nil && ky != nil && len(common(kx, ky)) == 0 {
		return true
	}
	cx, cy := constants(x), constants(y)
	if cx != nil && cy != nil {
		return len(common(cx, cy)) == 0
	}
	rx, _ := x.values["required"].([]any)
	ry, _ := y.values["required"].([]any)
	px, _ := x.values["properties"].(*object)
	py, _ := y.values["properties"].(*object)
	if px == nil || py == nil || len(kx) != 1 || len(ky) != 1 || kx[0] != "object" || ky[0] != "object" {
		return false
	}
	for _, k := range common(rx, ry) {
		if name, ok := k.(string); ok && px.has(name) && py.has(name) && s.disjoint(px.values[name], py.values[name], depth+1) {
			return true
		}
	}
	return false
}

// flat returns a schema with its $ref and allOf in their place, nil if it is none.
func (s *schemas) flat(v any) *object {
	o, ok := v.(*object)
	if ok && (o.has("$ref") || o.has("allOf")) {
		o, err := s.allOf(o, "", 0)
		if err != nil {
			return nil
		}
		return o
	}
	return o
}

// possible returns the types of a schema's values, nil if they may be any.
func possible(o *object) []any {
	if o.has("type") {
		return list(o.values["type"])
	}
	if values := constants(o); values != nil {
		out := []any{}
		for _, v := range values {
			out = append(out, kindOf(v))
		}
		return out
	}
	return nil
}

// constants returns the values of const or enum, nil if there are none.
func constants(o *object) []any {
	if o.has("const") {
		return []any{o.values["const"]}
	}
	values, _ := o.values["enum"].([]any)
	return values
}
