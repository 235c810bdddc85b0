package strictjson

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// escapes are the characters after a backslash that stand for one byte.
var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unescape replaces the escape sequences of raw. Half a surrogate pair is an error: no file has a reason for one.
func (s *Scanner) unescape(raw string) (string, error) {
	var b strings.Builder
	b.Grow(len(raw))
	for raw != "" {
		i := strings.IndexByte(raw, '\\')
		if i < 0 {
			b.WriteString(raw)
			break
		}
		b.WriteString(raw[:i])
		raw = raw[i+1:]
		if c, ok := escapes[raw[0]]; ok {
			b.WriteByte(c)
			raw = raw[1:]
			continue
		}
		r, rest := unicode(raw)
		if r == utf8.RuneError && !strings.EqualFold(raw[:min(5, len(raw))], "ufffd") {
			return "", s.Errorf("a string contains the invalid escape sequence \\%.10s", raw)
		}
		b.WriteRune(r)
		raw = rest
	}
	return b.String(), nil
}

// unicode decodes uXXXX or a surrogate pair uXXXX\uXXXX, whose first backslash has been read, and returns what is left.
func unicode(raw string) (rune, string) {
	r := hex(raw)
	if !utf16.IsSurrogate(r) {
		return r, raw[min(5, len(raw)):]
	}
	if len(raw) < 11 || raw[5] != '\\' {
		return utf8.RuneError, raw
	}
	return utf16.DecodeRune(r, hex(raw[6:])), raw[11:]
}

// hex decodes uXXXX.
func hex(raw string) rune {
	if len(raw) < 5 || raw[0] != 'u' {
		return utf8.RuneError
	}
	n, err := strconv.ParseUint(raw[1:5], 16, 16)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}
