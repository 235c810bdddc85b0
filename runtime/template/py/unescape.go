package py

import (
	_ "embed"
	"strings"
	"sync"
)

// entityData holds the names of HTML's character references and their texts, in order: how many bytes a name shares with the one
// before, the number of its others, these, the length of the text, and the text. It is the table of
// https://html.spec.whatwg.org/entities.json, in half of the space that package html takes.
//
//go:embed entities.bin
var entityData string

// entities are the texts by name, once one is looked up.
var entities struct {
	once sync.Once
	text map[string]string
}

// entity returns the text of a name; some names end with a semicolon and some do not need to.
func entity(name string) (string, bool) {
	entities.once.Do(func() {
		entities.text = map[string]string{}
		name := ""
		for data := entityData; data != ""; {
			shared, more := int(data[0]), int(data[1])
			name = name[:shared] + data[2:2+more]
			data = data[2+more:]
			n := 1 + int(data[0])
			entities.text[name], data = data[1:n], data[n:]
		}
	})
	text, ok := entities.text[name]
	return text, ok
}

// windows are the characters that the numbers 0x80 to 0x9f stand for in old pages.
const windows = "\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f" +
	"\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178"

// unescape is html.unescape.
func unescape(s string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "&")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		text, n := reference(rest)
		if n == 0 {
			text = "&"
		}
		b.WriteString(text)
		s = rest[n:]
	}
}

// reference is the text of the reference that s, behind its "&", begins with, and its length; 0 if it begins with none.
func reference(s string) (text string, n int) {
	if strings.HasPrefix(s, "#") {
		return numbered(s)
	}
	end := 0 // 1 to 32 characters, and a semicolon
	for count := 0; end < len(s) && count < 32 && strings.IndexByte("\t\n\f <&#;", s[end]) < 0; count++ {
		for end++; end < len(s) && s[end]&0xc0 == 0x80; end++ {
		}
	}
	if end == 0 {
		return "", 0
	}
	if end < len(s) && s[end] == ';' {
		end++
	}
	for n := end; n > 1; n-- { // the longest name that there is
		if text, ok := entity(s[:n]); ok {
			return text, n
		}
	}
	return "", 0
}

// numbered is reference for #digits and #xdigits.
func numbered(s string) (text string, n int) {
	base, digits, n := 10, "0123456789", 1
	if len(s) > 1 && s[1]|0x20 == 'x' {
		base, digits, n = 16, "0123456789abcdefABCDEF", 2
	}
	begin, value := n, 0
	for ; n < len(s) && strings.IndexByte(digits, s[n]) >= 0; n++ {
		digit := strings.IndexByte(digits, s[n])
		if digit > 15 {
			digit -= 6
		}
		value = min(value*base+digit, 0x110000)
	}
	if n == begin {
		return "", 0
	}
	if n < len(s) && s[n] == ';' {
		n++
	}
	return numberedText(rune(value)), n
}

// numberedText is the text that the number of a character stands for; those that are no text are left out.
func numberedText(r rune) string {
	switch {
	case r >= 0x80 && r < 0xa0:
		return string([]rune(windows)[r-0x80])
	case r == 0 || r >= 0xd800 && r < 0xe000 || r > 0x10ffff:
		return "\ufffd"
	case r == '\r':
		return "\r"
	case r < 0x20 && r != '\t' && r != '\n' && r != '\f', r >= 0x7f && r < 0xa0, r >= 0xfdd0 && r < 0xfdf0, r&0xfffe == 0xfffe:
		return ""
	}
	return string(r)
}
