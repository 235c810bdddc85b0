// Package strictjson reads untrusted JSON with bounded memory: names may not repeat, nesting and the number of values
// are limited, and text that needs no unescaping is not copied.
package strictjson

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxDepth is how deep objects and arrays may nest.
const MaxDepth = 64

// Scanner reads a JSON text from start to end. Strings it returns share the memory of the text.
type Scanner struct {
	text   string
	at     int
	depth  int
	values int // how many Value may still make
}

// New returns a scanner at the start of text; Value may make at most values values, members of objects and elements of
// arrays included.
func New(text string, values int) *Scanner { return &Scanner{text: text, values: values} }

// Errorf returns an error that begins with the place reached.
func (s *Scanner) Errorf(format string, args ...any) error {
	return fmt.Errorf("byte %d: %s", s.at, fmt.Sprintf(format, args...))
}

// expected reports what is at the place reached.
func (s *Scanner) expected(what string) error {
	if s.at >= len(s.text) {
		return s.Errorf("expected %s, found the end", what)
	}
	r, _ := utf8.DecodeRuneInString(s.text[s.at:])
	return s.Errorf("expected %s, found %q", what, r)
}

// Peek skips white space and returns the next byte, 0 at the end.
func (s *Scanner) Peek() byte {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return c
		}
	}
	return 0
}

// End checks that only white space is left.
func (s *Scanner) End() error {
	if s.Peek(); s.at < len(s.text) {
		return s.expected("the end")
	}
	return nil
}

// take skips white space and consumes c.
func (s *Scanner) take(c byte) bool {
	if s.Peek() != c || s.at >= len(s.text) {
		return false
	}
	s.at++
	return true
}

// list reads items between open and close, separated by commas.
func (s *Scanner) list(open, close byte, item func() error) error {
	if !s.take(open) {
		return s.expected(fmt.Sprintf("%q", open))
	}
	if s.depth++; s.depth > MaxDepth {
		return s.Errorf("objects and arrays nest deeper than %d", MaxDepth)
	}
	defer func() { s.depth-- }()
	if s.take(close) {
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if s.take(close) {
			return nil
		}
		if !s.take(',') {
			return s.expected(fmt.Sprintf("',' or %q", close))
		}
	}
}

// Object reads an object; member must read the value of the name it is given.
func (s *Scanner) Object(member func(name string) error) error {
	return s.list('{', '}', func() error {
		name, err := s.String()
		if err != nil {
			return err
		}
		if !s.take(':') {
			return s.expected("':'")
		}
		return member(name)
	})
}

// Array reads an array; element must read one value.
func (s *Scanner) Array(element func() error) error { return s.list('[', ']', element) }

// String reads a string.
func (s *Scanner) String() (string, error) {
	if !s.take('"') {
		return "", s.expected("a string")
	}
	start, escaped := s.at, false
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '"':
			raw := s.text[start:s.at]
			s.at++
			if !utf8.ValidString(raw) {
				return "", s.Errorf("a string is not UTF-8")
			}
			if escaped {
				return s.unescape(raw)
			}
			return raw, nil
		case c == '\\':
			escaped = true
			s.at++
		case c < ' ':
			return "", s.Errorf("a string contains the control character %q", c)
		}
	}
	s.at = len(s.text)
	return "", s.expected("'\"'")
}

// number reads the text of a number by the grammar of RFC 8259.
func (s *Scanner) number() (string, error) {
	s.Peek()
	start := s.at
	digits := func() bool {
		from := s.at
		for s.at < len(s.text) && s.text[s.at]-'0' <= 9 {
			s.at++
		}
		return s.at > from
	}
	next := func(set string) bool {
		if s.at < len(s.text) && strings.IndexByte(set, s.text[s.at]) >= 0 {
			s.at++
			return true
		}
		return false
	}
	next("-")
	if !next("0") && !digits() {
		return "", s.expected("a digit")
	}
	if next(".") && !digits() {
		return "", s.expected("a digit")
	}
	if next("eE") {
		next("+-")
		if !digits() {
			return "", s.expected("a digit")
		}
	}
	return s.text[start:s.at], nil
}

// Uint reads a whole number from 0 to max, written without fraction or exponent.
func (s *Scanner) Uint(max uint64) (uint64, error) {
	s.Peek()
	start := s.at
	text, err := s.number()
	if err != nil {
		return 0, err
	}
	n := uint64(0)
	for _, c := range []byte(text) {
		digit := uint64(c - '0')
		if c < '0' || c > '9' {
			s.at = start
			return 0, s.Errorf("expected a whole number from 0 to %d, found %.40s", max, text)
		}
		if n > (max-digit)/10 || digit > max {
			s.at = start
			return 0, s.Errorf("%.40s is more than %d", text, max)
		}
		n = n*10 + digit
	}
	return n, nil
}
