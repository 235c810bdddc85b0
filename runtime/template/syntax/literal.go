package syntax

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tfgen/tfgen/runtime/template/py"
)

// digitsLen is the length of digits at the start of s, with single underscores between them.
func digitsLen(s string) int {
	n := 0
	for n < len(s) && (isDigit(s[n]) || s[n] == '_' && n > 0 && s[n-1] != '_' && n+1 < len(s) && isDigit(s[n+1])) {
		n++
	}
	return n
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// floatLen is the length of a float at the start of s, or 0: it has a fraction, an exponent or both.
func floatLen(s string) int {
	n := digitsLen(s)
	if n == 0 {
		return 0
	}
	end := 0
	if strings.HasPrefix(s[n:], ".") {
		if f := digitsLen(s[n+1:]); f > 0 {
			n += 1 + f
			end = n
		}
	}
	if n < len(s) && (s[n] == 'e' || s[n] == 'E') {
		e := n + 1
		if e < len(s) && (s[e] == '+' || s[e] == '-') {
			e++
		}
		if d := digitsLen(s[e:]); d > 0 {
			return e + d
		}
	}
	return end
}

// integerLen is the length of an integer at the start of s, or 0.
func integerLen(s string) int {
	if s == "" || !isDigit(s[0]) {
		return 0
	}
	if s[0] != '0' {
		return digitsLen(s)
	}
	if len(s) > 1 {
		sets := map[byte]string{'b': "01", 'o': "01234567", 'x': "0123456789abcdefABCDEF"}
		if set, ok := sets[s[1]|0x20]; ok {
			if n := runLen(s[2:], set); n > 0 {
				return 2 + n
			}
		}
	}
	return 1 + runLen(s[1:], "0")
}

// runLen is the length of characters of a set, each with an underscore in front or none.
func runLen(s, set string) int {
	n := 0
	for {
		switch {
		case n < len(s) && strings.IndexByte(set, s[n]) >= 0:
			n++
		case n+1 < len(s) && s[n] == '_' && strings.IndexByte(set, s[n+1]) >= 0:
			n += 2
		default:
			return n
		}
	}
}

func nameLen(s string) int {
	for i, r := range s {
		if r != '_' && !py.IsAlnum(r) && !(r >= utf8.RuneSelf && py.IsIdentifierPart(r)) {
			return i
		}
	}
	return len(s)
}

func stringLen(s string) int {
	if s[0] != '\'' && s[0] != '"' {
		return 0
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			return i + 1
		}
	}
	return 0
}

var escapes = map[byte]string{
	'\n': "", '\\': `\`, '\'': "'", '"': `"`, 'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v",
}

// unescape is what jinja makes of the text in quotes: encode("ascii", "backslashreplace").decode("unicode-escape").
func unescape(s string, line int) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 || i+1 == len(s) {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		c := s[i+1]
		out, known := escapes[c]
		n := 2
		switch {
		case known:
		case c >= '0' && c <= '7':
			for n < 4 && i+n < len(s) && s[i+n] >= '0' && s[i+n] <= '7' {
				n++
			}
			v, _ := strconv.ParseUint(s[i+1:i+n], 8, 32)
			out = string(rune(v))
		case c == 'x' || c == 'u' || c == 'U':
			out, n = hexEscape(s[i:], line)
		case c == 'N':
			fail(line, "names of characters (\\N) are not supported; write \\u and the code point")
		case c >= utf8.RuneSelf:
			out, n = rawEscape(s[i+1:])
		default:
			out = s[i : i+2]
		}
		b.WriteString(out)
		s = s[i+n:]
	}
}

func hexEscape(s string, line int) (string, int) {
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[1]]
	if len(s) < 2+digits {
		fail(line, "truncated \\%c escape", s[1])
	}
	v, err := strconv.ParseUint(s[2:2+digits], 16, 32)
	if err != nil {
		fail(line, "truncated \\%c escape", s[1])
	}
	if v > utf8.MaxRune {
		fail(line, "illegal Unicode character")
	}
	return string(rune(v)), 2 + digits
}

// rawEscape is a backslash before a character outside ASCII: it is read as a backslash and the character's escape.
func rawEscape(s string) (string, int) {
	r, n := utf8.DecodeRuneInString(s)
	q := strconv.FormatInt(int64(r), 16)
	switch {
	case r < 0x100:
		q = "x" + q
	case r < 0x10000:
		q = "u" + strings.Repeat("0", 4-len(q)) + q
	default:
		q = "U" + strings.Repeat("0", 8-len(q)) + q
	}
	return `\` + q, 1 + n
}
