package generation

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/tfgen/tfgen/runtime/generate"
)

// Compiled returns the options that a generated package begins with as a Go expression, from the text of its
// generation_config.json, which may be nil, the tokens that end a text by config.json, and the early layers that the
// package is compiled with, which are the file's own if it has any. It returns the options too, and the keys of the file
// that have no meaning for tfgen.
func Compiled(text []byte, eos []int32, early []int) (literal string, o generate.Options, unknown []string, err error) {
	if text != nil {
		c, more, err := Parse(text)
		if err != nil {
			return "", o, nil, err
		}
		c.Defaults()
		c.MaxLength = nil // of prompt and text together: an old default, not what the model needs
		if o, err = c.Options(); err != nil {
			return "", o, nil, fmt.Errorf("generation_config.json: %w", err)
		}
		o.Ends, unknown = nil, more
		if len(c.DoLa) > 0 && string(c.DoLa) != "null" {
			o.DoLa = early
		}
	}
	if o.EOS == nil {
		o.EOS = eos
	}
	return expression(reflect.ValueOf(o)), o, unknown, nil
}

// expression writes a value as Go; what is zero is left out of structures.
func expression(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Pointer:
		return "&" + expression(v.Elem())
	case reflect.Struct:
		return v.Type().String() + "{" + structure(v) + "}"
	case reflect.Slice:
		var parts []string
		for i := range v.Len() {
			parts = append(parts, strings.TrimPrefix(expression(v.Index(i)), v.Type().Elem().String()))
		}
		return v.Type().String() + "{" + strings.Join(parts, ", ") + "}"
	case reflect.Map:
		var parts []string
		for _, k := range v.MapKeys() {
			parts = append(parts, expression(k)+": "+expression(v.MapIndex(k)))
		}
		slices.Sort(parts)
		return v.Type().String() + "{" + strings.Join(parts, ", ") + "}"
	case reflect.Float64:
		if f := v.Float(); math.IsInf(f, 0) {
			return fmt.Sprintf("math.Inf(%d)", int(math.Copysign(1, f)))
		}
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case reflect.String:
		return strconv.Quote(v.String())
	}
	return fmt.Sprint(v.Interface())
}

// structure writes the fields that are not zero.
func structure(v reflect.Value) string {
	var parts []string
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if v.Field(i).IsZero() || !f.IsExported() || f.Type.Kind() == reflect.Func || f.Type.Kind() == reflect.Interface {
			continue
		}
		value := expression(v.Field(i))
		if f.Type.Kind() == reflect.Int64 { // time.Duration, or a key
			value = strconv.FormatInt(v.Field(i).Int(), 10)
		}
		if f.Type.Kind() == reflect.Int && f.Type.Name() != "int" { // a named constant
			value = strconv.FormatInt(v.Field(i).Int(), 10)
		}
		parts = append(parts, f.Name+": "+value)
	}
	return strings.Join(parts, ", ")
}
