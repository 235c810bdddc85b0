package json

import (
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Text reads a text. What is not UTF-8, and halves of surrogate pairs, become U+FFFD.
func (r *Reader) Text() (string, error) {
	if r.Kind() != Text {
		return "", r.wrong("a text")
	}
	body, err := r.quoted()
	if err != nil {
		return "", err
	}
	out := make([]byte, 0, len(body))
	for len(body) > 0 {
		if body[0] == '\\' {
			var c rune
			c, body = escape(body)
			out = utf8.AppendRune(out, c)
			continue
		}
		c, n := utf8.DecodeRune(body)
		out, body = utf8.AppendRune(out, c), body[n:]
	}
	return string(out), nil
}

// quoted reads a text and returns what stands between the quotes; its escapes are right.
func (r *Reader) quoted() ([]byte, error) {
	r.at++
	begin := r.at
	for r.at < len(r.data) {
		switch c := r.data[r.at]; {
		case c == '"':
			r.at++
			return r.data[begin : r.at-1], nil
		case c < ' ':
			return nil, fmt.Errorf("a control character in a text at byte %d", r.at)
		case c == '\\':
			n := escapeSize(r.data[r.at:])
			if n == 0 {
				return nil, fmt.Errorf("an invalid escape in a text at byte %d", r.at)
			}
			r.at += n
		default:
			r.at++
		}
	}
	return nil, fmt.Errorf("a text that begins at byte %d has no end", begin-1)
}

// simple are the characters of escapes of one letter.
var simple = map[byte]rune{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escapeSize is the number of bytes of the escape that b begins with, 0 if it is none.
func escapeSize(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	if b[1] != 'u' {
		if _, ok := simple[b[1]]; ok {
			return 2
		}
		return 0
	}
	if len(b) < 6 || unit(b) < 0 {
		return 0
	}
	return 6
}

// unit is the UTF-16 unit of \uXXXX at the beginning of b, −1 if there is none.
func unit(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return rune(n)
}

// escape returns the character of the escape that b begins with, and what follows it.
func escape(b []byte) (rune, []byte) {
	if b[1] != 'u' {
		return simple[b[1]], b[2:]
	}
	c, rest := unit(b), b[6:]
	if utf16.IsSurrogate(c) {
		if both := utf16.DecodeRune(c, unit(rest)); both != utf8.RuneError {
			return both, rest[6:]
		}
		return utf8.RuneError, rest
	}
	return c, rest
}

// Quote returns a text in JSON, as an Encoder of encoding/json that does not escape HTML writes it.
func Quote(s string) string {
	const hex = "0123456789abcdef"
	out := []byte{'"'}
	for len(s) > 0 {
		c, n := utf8.DecodeRuneInString(s)
		switch {
		case c == '"' || c == '\\':
			out = append(out, '\\', byte(c))
		case c < ' ' || c == '\u2028' || c == '\u2029' || c == utf8.RuneError && n == 1:
			if letter := letters[c]; letter != 0 {
				out = append(out, '\\', letter)
			} else {
				out = append(out, '\\', 'u', hex[c>>12&15], hex[c>>8&15], hex[c>>4&15], hex[c&15])
			}
		default:
			out = append(out, s[:n]...)
		}
		s = s[n:]
	}
	return string(append(out, '"'))
}

// letters are the control characters that have an escape of one letter.
var letters = map[rune]byte{'\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't'}
