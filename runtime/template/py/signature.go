package py

import (
	"strings"
)

// Signature is the parameter list of a function.
type Signature struct {
	Name     string
	params   []string
	required int
	keywords bool
}

// NewSignature reads parameters separated by spaces; "?" ends an optional one, a first "/" says that none has a name.
func NewSignature(name, params string) Signature {
	s := Signature{Name: name, keywords: true}
	for _, p := range strings.Fields(params) {
		switch {
		case p == "/":
			s.keywords = false
		case strings.HasSuffix(p, "?"):
			s.params = append(s.params, strings.TrimSuffix(p, "?"))
		default:
			s.params = append(s.params, p)
			s.required = len(s.params)
		}
	}
	return s
}

// Bind returns the values of the parameters in their order, nil for those that were not passed.
func (s *Signature) Bind(a Args) []Value {
	if len(a.Pos) > len(s.params) {
		typeError("%s() takes at most %d arguments (%d given)", s.Name, len(s.params), len(a.Pos))
	}
	out := make([]Value, len(s.params))
	copy(out, a.Pos)
	for i, name := range a.Names {
		at := s.index(name)
		if at < 0 || !s.keywords {
			typeError("%s() got an unexpected keyword argument %s", s.Name, quote(name))
		}
		if out[at] != nil {
			typeError("%s() got multiple values for argument %s", s.Name, quote(name))
		}
		out[at] = a.Named[i]
	}
	for i := range s.required {
		if out[i] == nil {
			typeError("%s() missing required argument: %s", s.Name, quote(s.params[i]))
		}
	}
	return out
}

func (s *Signature) index(name string) int {
	for i, p := range s.params {
		if p == name {
			return i
		}
	}
	return -1
}

// wantText returns an argument that must be a str.
func wantText(what string, v Value) string {
	s, ok := Text(v)
	if !ok {
		typeError("%s must be str, not %s", what, TypeName(v))
	}
	return s
}

// wantInt returns an argument that must be an integer; integers outside ±2⁴⁰ become those bounds.
func wantInt(v Value, absent int) int {
	if v == nil {
		return absent
	}
	i, ok := asInt(v)
	if !ok {
		Fail(v)
		typeError("'%s' object cannot be interpreted as an integer", TypeName(v))
	}
	return clampIndex(Int(i), absent)
}

// WantInt is wantInt for filters.
func WantInt(v Value, absent int) int { return wantInt(v, absent) }
