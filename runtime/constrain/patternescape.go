package constrain

import (
	"strconv"
	"strings"
	"unicode"
)

// escaped reads what begins with a backslash outside of classes.
func (p *patternParser) escaped(re *pattern) error {
	switch {
	case p.skip(`\A`):
		re.add(&pattern{op: isBegin, text: `\A`})
	case p.skip(`\z`):
		re.add(&pattern{op: isEnd, text: `\z`})
	case p.skip(`\b`):
		re.add(&pattern{op: isOther, text: `\b`})
	case p.skip(`\B`):
		re.add(&pattern{op: isOther, text: `\B`})
	case p.skip(`\Q`):
		var literal string
		literal, p.rest, _ = strings.Cut(p.rest, `\E`)
		for _, r := range literal {
			p.character(re, r)
		}
	default:
		c, is, err := p.namedClass()
		if err != nil {
			return err
		}
		if is {
			re.add(&pattern{set: c})
			return nil
		}
		r, err := p.escape()
		if err != nil {
			return err
		}
		p.character(re, r)
	}
	return nil
}

// letterEscapes are the control characters that have an escape of one letter.
var letterEscapes = map[rune]rune{'a': '\a', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}

// escape reads an escape that stands for one character.
func (p *patternParser) escape() (rune, error) {
	before := p.rest
	p.rest = p.rest[1:]
	if p.rest == "" {
		return 0, patternError("trailing backslash at end of expression", "")
	}
	c := p.next()
	if r, ok := letterEscapes[c]; ok {
		return r, nil
	}
	switch {
	case c == 'x':
		if r, ok := p.hexadecimal(); ok {
			return r, nil
		}
	case c == '0' || c >= '1' && c <= '7' && p.rest != "" && p.rest[0] >= '0' && p.rest[0] <= '7':
		r := c - '0'
		for n := 1; n < 3 && p.rest != "" && p.rest[0] >= '0' && p.rest[0] <= '7'; n++ {
			r = 8*r + p.next() - '0'
		}
		return r, nil
	case c < 0x80 && !strings.ContainsRune("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", c):
		return c, nil
	}
	return 0, patternError("invalid escape sequence", before[:len(before)-len(p.rest)])
}

// hexadecimal reads two digits, or any number of them in braces.
func (p *patternParser) hexadecimal() (rune, bool) {
	digits, rest := p.rest, ""
	if braced, is := strings.CutPrefix(p.rest, "{"); is {
		if digits, rest, is = strings.Cut(braced, "}"); !is {
			return 0, false
		}
	} else if len(digits) >= 2 {
		digits, rest = digits[:2], digits[2:]
	} else {
		return 0, false
	}
	if strings.Trim(digits, "0123456789abcdefABCDEF") != "" {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 16, 64)
	if err != nil && strings.Trim(digits, "0") != "" || err == nil && n > unicode.MaxRune || digits == "" {
		return 0, false
	}
	p.rest = rest
	return rune(n), true
}
