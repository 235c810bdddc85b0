package strictjson

import (
	"encoding/json"
	"math"
	"strings"
)

// Decode reads a whole text as Value does.
func Decode(text string, values int) (any, error) {
	s := New(text, values)
	v, err := s.Value()
	if err != nil {
		return nil, err
	}
	return v, s.End()
}

// words are the values written as a word; Python writes the last three where other languages refuse.
var words = []struct {
	text  string
	value any
}{
	{"true", true}, {"false", false}, {"null", nil},
	{"Infinity", math.Inf(1)}, {"-Infinity", math.Inf(-1)}, {"NaN", math.NaN()},
}

// Value reads any value: map[string]any, []any, string, json.Number, bool, nil, or float64 for Infinity, -Infinity and
// NaN. A name that appears twice in an object is an error.
func (s *Scanner) Value() (any, error) {
	if s.values--; s.values < 0 {
		return nil, s.Errorf("there are too many values")
	}
	switch c := s.Peek(); {
	case c == '{':
		return s.object()
	case c == '[':
		list := []any{}
		err := s.Array(func() error {
			v, err := s.Value()
			list = append(list, v)
			return err
		})
		return list, err
	case c == '"':
		return s.String()
	}
	for _, w := range words {
		if strings.HasPrefix(s.text[s.at:], w.text) {
			s.at += len(w.text)
			return w.value, nil
		}
	}
	if c := s.Peek(); c != '-' && (c < '0' || c > '9') {
		return nil, s.expected("a value")
	}
	n, err := s.number()
	return json.Number(n), err
}

func (s *Scanner) object() (any, error) {
	m := map[string]any{}
	err := s.Object(func(name string) error {
		if _, twice := m[name]; twice {
			return s.Errorf("the name %.200q appears twice", name)
		}
		v, err := s.Value()
		m[name] = v
		return err
	})
	return m, err
}
