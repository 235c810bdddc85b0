package tokenizer

import (
	"fmt"
	"math"
	"reflect"
)

const ggufPrefix = "tokenizer.ggml."

func (v *ggufVocab) text(key, absent string) (string, error) {
	x, ok := v.meta[ggufPrefix+key]
	if !ok {
		return absent, nil
	}
	s, ok := x.(string)
	if !ok {
		return "", fmt.Errorf("gguf: %s%s is a %T, expected a string", ggufPrefix, key, x)
	}
	return s, nil
}

func (v *ggufVocab) flag(key string, absent bool) (bool, error) {
	x, ok := v.meta[ggufPrefix+key]
	if !ok {
		return absent, nil
	}
	b, ok := x.(bool)
	if !ok {
		return false, fmt.Errorf("gguf: %s%s is a %T, expected a bool", ggufPrefix, key, x)
	}
	return b, nil
}

// id reads a token's id, −1 if the key is absent.
func (v *ggufVocab) id(key string) (int32, error) {
	x, ok := v.meta[ggufPrefix+key]
	if !ok {
		return -1, nil
	}
	n, ok := integer(x)
	if !ok || n < 0 || n >= int64(len(v.tokens)) {
		return 0, fmt.Errorf("gguf: %s%s is %v, expected an id below %d", ggufPrefix, key, x, len(v.tokens))
	}
	return int32(n), nil
}

func integer(x any) (int64, bool) {
	v := reflect.ValueOf(x)
	switch {
	case v.IsValid() && v.CanInt():
		return v.Int(), true
	case v.IsValid() && v.CanUint() && v.Uint() <= math.MaxInt64:
		return int64(v.Uint()), true
	}
	return 0, false
}

// float reads a number that orders: NaN does not.
func float(x any) (float64, bool) {
	v := reflect.ValueOf(x)
	if v.IsValid() && v.CanFloat() {
		return v.Float(), !math.IsNaN(v.Float())
	}
	return 0, false
}

// listOf reads an array, whatever its element type; nil if the key is absent.
func listOf[T any](meta map[string]any, key string, element func(any) (T, bool)) ([]T, error) {
	x, ok := meta[ggufPrefix+key]
	if !ok {
		return nil, nil
	}
	v := reflect.ValueOf(x)
	if v.Kind() != reflect.Slice {
		return nil, fmt.Errorf("gguf: %s%s is a %T, expected an array", ggufPrefix, key, x)
	}
	if v.Len() > maxTokens {
		return nil, fmt.Errorf("gguf: %s%s has %d elements, at most %d are supported", ggufPrefix, key, v.Len(), maxTokens)
	}
	out := make([]T, v.Len())
	for i := range out {
		e := v.Index(i).Interface()
		if out[i], ok = element(e); !ok {
			return nil, fmt.Errorf("gguf: element %d of %s%s is %v (%T), which does not belong there", i, ggufPrefix, key, e, e)
		}
	}
	return out, nil
}
