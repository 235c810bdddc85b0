package py

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// IsSpace is str.isspace of a character, and \s of re.
func IsSpace(r rune) bool {
	switch {
	case r < 0x80:
		return r == ' ' || r >= '\t' && r <= '\r' || r >= 0x1c && r <= 0x1f
	case r == 0x85, r == 0xa0, r == 0x1680, r >= 0x2000 && r <= 0x200a, r == 0x2028, r == 0x2029, r == 0x202f, r == 0x205f, r == 0x3000:
		return true
	}
	return false
}

func isDigit(r rune) bool   { return unicode.Is(digits, r) }
func isNumeric(r rune) bool { return unicode.Is(numerics, r) }
func isDecimal(r rune) bool { return unicode.Is(unicode.Nd, r) }

// IsAlnum is str.isalnum of a character.
func IsAlnum(r rune) bool {
	return unicode.IsLetter(r) || isDecimal(r) || isDigit(r) || isNumeric(r)
}

func isLower(r rune) bool {
	return unicode.Is(unicode.Ll, r) || unicode.Is(unicode.Other_Lowercase, r)
}

func isUpper(r rune) bool {
	return unicode.Is(unicode.Lu, r) || unicode.Is(unicode.Other_Uppercase, r)
}

func isTitle(r rune) bool { return unicode.Is(unicode.Lt, r) }
func isCased(r rune) bool { return isLower(r) || isUpper(r) || isTitle(r) }

func identifierStart(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.Is(unicode.Nl, r) || unicode.Is(unicode.Other_ID_Start, r)
}

// IsIdentifierPart reports whether r may be in an identifier after its first character.
func IsIdentifierPart(r rune) bool {
	return identifierStart(r) || unicode.In(r, unicode.Mn, unicode.Mc, unicode.Nd, unicode.Pc, unicode.Other_ID_Continue)
}

// IsIdentifier is str.isidentifier.
func IsIdentifier(s string) bool {
	for i, r := range s {
		if i == 0 && !identifierStart(r) || !IsIdentifierPart(r) {
			return false
		}
	}
	return s != ""
}

func mapCase(b *strings.Builder, r rune, full map[rune]string, simple func(rune) rune) {
	if r < utf8.RuneSelf {
		b.WriteRune(simple(r))
	} else if s, ok := full[r]; ok {
		b.WriteString(s)
	} else {
		b.WriteRune(simple(r))
	}
}

// Upper is str.upper.
func Upper(s string) string {
	var b strings.Builder
	for _, r := range s {
		mapCase(&b, r, fullUpper, unicode.ToUpper)
	}
	return b.String()
}

// Lower is str.lower.
func Lower(s string) string {
	var b strings.Builder
	for i, r := range s {
		lowerAt(&b, s, i, r)
	}
	return b.String()
}

// lowerAt writes the lower case of the character r at byte i of s: a sigma at the end of a word has a form of its own.
func lowerAt(b *strings.Builder, s string, i int, r rune) {
	if r != 'Σ' {
		mapCase(b, r, fullLower, unicode.ToLower)
		return
	}
	if finalSigma(s, i) {
		b.WriteRune('ς')
	} else {
		b.WriteRune('σ')
	}
}

func finalSigma(s string, i int) bool {
	before := s[:i]
	for before != "" {
		r, n := utf8.DecodeLastRuneInString(before)
		before = before[:len(before)-n]
		if !unicode.Is(ignorables, r) {
			if !isCased(r) {
				return false
			}
			for _, r := range s[i+len("Σ"):] {
				if !unicode.Is(ignorables, r) {
					return !isCased(r)
				}
			}
			return true
		}
	}
	return false
}

// CaseFold is str.casefold.
func CaseFold(s string) string {
	var b strings.Builder
	for _, r := range s {
		mapCase(&b, r, fullFold, unicode.ToLower)
	}
	return b.String()
}

// Title is str.title.
func Title(s string) string {
	var b strings.Builder
	cased := false
	for i, r := range s {
		if cased {
			lowerAt(&b, s, i, r)
		} else {
			mapCase(&b, r, fullTitle, unicode.ToTitle)
		}
		cased = isCased(r)
	}
	return b.String()
}

// Capitalize is str.capitalize.
func Capitalize(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i == 0 {
			mapCase(&b, r, fullTitle, unicode.ToTitle)
		} else {
			lowerAt(&b, s, i, r)
		}
	}
	return b.String()
}

func swapCase(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case isUpper(r):
			lowerAt(&b, s, i, r)
		case isLower(r):
			mapCase(&b, r, fullUpper, unicode.ToUpper)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isLowerText is str.islower, IsUpperText str.isupper.
func isCaseText(s string, want, other func(rune) bool) bool {
	found := false
	for _, r := range s {
		if other(r) || isTitle(r) {
			return false
		}
		found = found || want(r)
	}
	return found
}

// IsLowerText is str.islower.
func IsLowerText(s string) bool { return isCaseText(s, isLower, isUpper) }

// IsUpperText is str.isupper.
func IsUpperText(s string) bool { return isCaseText(s, isUpper, isLower) }

func isTitleText(s string) bool {
	found, previous := false, false
	for _, r := range s {
		switch {
		case isUpper(r) || isTitle(r):
			if previous {
				return false
			}
			found, previous = true, true
		case isLower(r):
			if !previous {
				return false
			}
			found = true
		default:
			previous = false
		}
	}
	return found
}

func all(s string, is func(rune) bool) bool {
	for _, r := range s {
		if !is(r) {
			return false
		}
	}
	return s != ""
}

// Fields is str.split with no separator.
func Fields(s string, most int) []string {
	var out []string
	for {
		s = strings.TrimLeftFunc(s, IsSpace)
		if s == "" {
			return out
		}
		if most == 0 {
			return append(out, s)
		}
		end := strings.IndexFunc(s, IsSpace)
		if end < 0 {
			return append(out, s)
		}
		out = append(out, s[:end])
		s = s[end:]
		most--
	}
}

func fieldsRight(s string, most int) []string {
	var out []string
	for {
		s = strings.TrimRightFunc(s, IsSpace)
		if s == "" {
			break
		}
		start := strings.LastIndexFunc(s, IsSpace)
		if most == 0 || start < 0 {
			out = append(out, s)
			break
		}
		_, n := utf8.DecodeRuneInString(s[start:])
		out = append(out, s[start+n:])
		s = s[:start]
		most--
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// SplitLines is str.splitlines.
func SplitLines(s string, keep bool) []string {
	var out []string
	for s != "" {
		i := strings.IndexFunc(s, isLineEnd)
		if i < 0 {
			return append(out, s)
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		if strings.HasPrefix(s[i:], "\r\n") {
			n = 2
		}
		end := i
		if keep {
			end = i + n
		}
		out = append(out, s[:end])
		s = s[i+n:]
	}
	return out
}

func isLineEnd(r rune) bool {
	return r >= '\n' && r <= '\r' || r >= 0x1c && r <= 0x1e || r == 0x85 || r == 0x2028 || r == 0x2029
}

func cut(s, sep string) (before, after string, found bool) { return strings.Cut(s, sep) }
