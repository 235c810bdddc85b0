package py

import (
	"encoding"
	"encoding/base64"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/tfgen/tfgen/runtime/json"
)

// FromGo converts a Go value: maps (in the order of their keys), slices, pointers, numbers, texts, and what writes itself as
// JSON or as text. Structs are converted as encoding/json does with the names of their json tags, and omitempty.
func FromGo(v any) (Value, error) {
	switch v := v.(type) {
	case nil:
		return None, nil
	case bool, int64, float64, *List, *Dict, *Tuple, NoneType:
		return v, nil
	case string:
		return strings.ToValidUTF8(v, "\uFFFD"), nil
	case json.RawMessage:
		return Decode(v)
	case json.Number:
		return jsonNumber(string(v))
	case []byte:
		if v == nil {
			return None, nil
		}
		return base64.StdEncoding.EncodeToString(v), nil
	case interface{ MarshalJSON() ([]byte, error) }:
		data, err := v.MarshalJSON()
		if err != nil {
			return nil, err
		}
		return Decode(data)
	case encoding.TextMarshaler:
		text, err := v.MarshalText()
		return strings.ToValidUTF8(string(text), "\uFFFD"), err
	}
	return fromKind(reflect.ValueOf(v), 0)
}

// fromKind converts a value by its kind.
func fromKind(v reflect.Value, depth int) (Value, error) {
	if depth > Deepest-10 {
		return nil, fmt.Errorf("nested deeper than %d", Deepest-10)
	}
	switch v.Kind() {
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return jsonNumber(fmt.Sprint(v.Uint()))
	case reflect.Float32, reflect.Float64:
		return fromFloat(v.Float(), v.Type().Bits())
	case reflect.String:
		return FromGo(v.String())
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return None, nil
		}
		return fromElement(v.Elem(), depth)
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.IsNil() {
			return None, nil
		}
		l := &List{Items: make([]Value, v.Len())}
		for i := range l.Items {
			var err error
			if l.Items[i], err = fromElement(v.Index(i), depth); err != nil {
				return nil, err
			}
		}
		return l, nil
	case reflect.Map:
		return fromMap(v, depth)
	case reflect.Struct:
		d := new(Dict)
		return d, addFields(d, v, depth)
	}
	return nil, fmt.Errorf("a %s has no JSON", v.Type())
}

// fromFloat converts a number as JSON has it: one that is whole is an integer.
func fromFloat(f float64, bits int) (Value, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("%v has no JSON", f)
	}
	format := byte('f')
	if a := math.Abs(f); a >= 1e21 || a < 1e-6 && a > 0 {
		format = 'e'
	}
	return jsonNumber(strconv.FormatFloat(f, format, -1, bits))
}

// fromElement converts a part of a value.
func fromElement(v reflect.Value, depth int) (Value, error) {
	if v.CanInterface() {
		switch x := v.Interface().(type) {
		case nil, json.RawMessage, json.Number, []byte, interface{ MarshalJSON() ([]byte, error) }, encoding.TextMarshaler, *List, *Dict, *Tuple, NoneType:
			return FromGo(x)
		}
	}
	return fromKind(v, depth+1)
}

// fromMap converts a map; its keys are texts or integers.
func fromMap(v reflect.Value, depth int) (Value, error) {
	if v.IsNil() {
		return None, nil
	}
	values := map[string]reflect.Value{}
	var names []string
	for _, key := range v.MapKeys() {
		if kind := key.Kind(); kind != reflect.String && !key.CanInt() && !key.CanUint() {
			return nil, fmt.Errorf("a %s has no JSON: its keys are no texts", v.Type())
		}
		name := fmt.Sprint(key)
		names, values[name] = append(names, name), v.MapIndex(key)
	}
	slices.Sort(names)
	d := new(Dict)
	for _, name := range names {
		x, err := fromElement(values[name], depth)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		d.Set(strings.ToValidUTF8(name, "\uFFFD"), x)
	}
	return d, nil
}

// addFields adds the fields of a struct, those of embedded structs among them.
func addFields(d *Dict, v reflect.Value, depth int) error {
	for i := range v.NumField() {
		field, x := v.Type().Field(i), v.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous && name == "" && x.Kind() == reflect.Struct {
			if err := addFields(d, x, depth); err != nil {
				return err
			}
			continue
		}
		if !field.IsExported() || name == "-" && options == "" || strings.Contains(options, "omitempty") && isEmpty(x) || strings.Contains(options, "omitzero") && x.IsZero() {
			continue
		}
		if name == "" {
			name = field.Name
		}
		value, err := fromElement(x, depth)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		d.Set(name, value)
	}
	return nil
}

// isEmpty reports what omitempty leaves out.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Array, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}
