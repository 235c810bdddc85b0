package config

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"sort"
	"strings"

	"github.com/tfgen/tfgen/gen/spec"
)

// maxSize bounds every size of a configuration; the product of two fits an int64.
const maxSize = 1 << 30

// Normal converts the numbers and lists of a decoded file to int, float64 and []any. Infinity, which transformers
// writes as {"__float__": "Infinity"}, becomes a float64.
func Normal(x any) any {
	switch v := x.(type) {
	case nil, bool, string, int, float64:
		return v
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return Normal(i)
		}
		f, err := v.Float64()
		if err != nil {
			return math.Inf(1)
		}
		return f
	case map[string]any:
		return normalMap(v)
	}
	r := reflect.ValueOf(x)
	switch {
	case r.CanInt():
		return fromInt(float64(r.Int()), int(r.Int()))
	case r.CanUint():
		return fromInt(float64(r.Uint()), int(r.Uint()))
	case r.CanFloat():
		return r.Float()
	case r.Kind() == reflect.Slice:
		out := make([]any, r.Len())
		for i := range out {
			out[i] = Normal(r.Index(i).Interface())
		}
		return out
	}
	return x
}

func fromInt(f float64, i int) any {
	if math.Abs(f) > 1<<53 {
		return f
	}
	return i
}

func normalMap(m map[string]any) any {
	if s, ok := m["__float__"].(string); ok && len(m) == 1 {
		switch s {
		case "Infinity":
			return math.Inf(1)
		case "-Infinity":
			return math.Inf(-1)
		}
	}
	out := make(map[string]any, len(m))
	for k, x := range m {
		out[k] = Normal(x)
	}
	return out
}

// typed checks a value against the type of its field and against the allowed values and length.
func typed(f *spec.Field, key string, x any, in Input, env *spec.Env) (any, error) {
	y, problem := byType(f.Type, x, in.Keys)
	if problem != "" {
		return nil, spec.Errorf(f.Pos, "%s: %s in %s is %s, expected %s", f.Name, key, in.Name, spec.Describe(shown(x)), problem)
	}
	if f.Values != nil {
		z, bad := allowed(f.Values, y)
		if bad != nil {
			return nil, spec.Errorf(f.Pos, "%s: %s in %s is %s, which is not supported; supported: %s%s", f.Name, key, in.Name,
				spec.Describe(bad), strings.Join(keysOf(f.Values), ", "), spec.Suggest(text(bad), keysOf(f.Values)))
		}
		y = z
	}
	l, ok := y.([]any)
	if (ok || f.Type == "sizes") && f.Len != nil {
		want, err := f.Len.Int(env)
		if err != nil {
			return nil, err
		}
		if !ok {
			return slices.Repeat([]any{y}, max(want, 0)), nil
		}
		if len(l) != want {
			return nil, spec.Errorf(f.Pos, "%s: %s in %s has %d elements, expected %d", f.Name, key, in.Name, len(l), want)
		}
	}
	return y, nil
}

// shown avoids converting a long array only to name it in a message.
func shown(x any) any {
	if r := reflect.ValueOf(x); r.IsValid() && r.Kind() == reflect.Slice {
		return make([]any, r.Len())
	}
	return Normal(x)
}

// byType converts a value to a row of the language's field types. The second result says what was expected.
func byType(kind string, x any, all map[string]any) (any, string) {
	if kind == "count" {
		r := reflect.ValueOf(x)
		if _, text := x.(string); text || r.IsValid() && (r.Kind() == reflect.Slice || r.Kind() == reflect.Map) {
			return r.Len(), ""
		}
	}
	x = Normal(x)
	switch kind {
	case "int", "size", "count", "auto":
		return integer(kind, x)
	case "float":
		if f, ok := number(x); ok && !math.IsInf(f, 0) && !math.IsNaN(f) {
			return f, ""
		}
		return nil, "a finite number"
	case "bool":
		if b, ok := x.(bool); ok {
			return b, ""
		}
		return nil, "true or false"
	case "string":
		if s, ok := x.(string); ok && len(s) <= 1000 {
			return s, ""
		}
		return nil, "a short text"
	case "list":
		if l, ok := x.([]any); ok {
			return l, ""
		}
		return nil, "a list"
	case "sizes":
		return sizes(x)
	case "words":
		return words(x)
	case "ids":
		return tokenIDs(x)
	}
	m, ok := x.(map[string]any)
	if !ok {
		return nil, "a map"
	}
	if kind == "rope" {
		return rope(m, all)
	}
	return m, ""
}

func number(x any) (float64, bool) {
	switch v := x.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func integer(kind string, x any) (any, string) {
	f, ok := number(x)
	low := -float64(maxSize)
	want := "an integer"
	switch kind {
	case "size":
		low, want = 1, "an integer from 1"
	case "auto":
		low, want = 1, `an integer from 1, or "auto"`
	}
	if !ok || f != math.Trunc(f) || f < low || f > maxSize {
		return nil, want
	}
	return int(f), ""
}

// sizes checks one size or a list of them.
func sizes(x any) (any, string) {
	items, ok := x.([]any)
	if !ok {
		return integer("size", x)
	}
	for i := range items {
		n, problem := integer("size", items[i])
		if problem != "" {
			return nil, "an integer from 1 or a list of them"
		}
		items[i] = n
	}
	return items, ""
}

// words splits a text at "|"; blanks around words and their case do not count.
func words(x any) (any, string) {
	items, ok := x.([]any)
	if s, text := x.(string); text && len(s) <= 1000 {
		for _, w := range strings.Split(s, "|") {
			items = append(items, w)
		}
		ok = true
	}
	for i := range items {
		s, text := items[i].(string)
		items[i] = strings.ToLower(strings.TrimSpace(s))
		ok = ok && text
	}
	if !ok {
		return nil, "a list of short texts, or one text with | between them"
	}
	return items, ""
}

func tokenIDs(x any) (any, string) {
	items, ok := x.([]any)
	if !ok {
		items = []any{x}
	}
	for i := range items {
		id, problem := integer("int", items[i])
		if problem != "" || id.(int) < 0 {
			return nil, "a token id or a list of token ids"
		}
		items[i] = id
	}
	return items, ""
}

// allowed maps a value, or each element of a list, through a table. The second result is a value that is not in it.
func allowed(table map[string]any, x any) (any, any) {
	if l, ok := x.([]any); ok {
		out := make([]any, len(l))
		for i := range l {
			y, bad := allowed(table, l[i])
			if bad != nil {
				return nil, bad
			}
			out[i] = y
		}
		return out, nil
	}
	if y, ok := table[text(x)]; ok {
		return y, nil
	}
	return nil, x
}

func text(x any) string { s, _ := x.(string); return s }

func keysOf(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
