package regex

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tfgen/tfgen/runtime/tokenizer"
)

var assertions = map[rune]int{
	'A': tokenizer.AssertTextStart, 'z': tokenizer.AssertTextEnd, 'Z': tokenizer.AssertLastLine,
	'b': tokenizer.AssertWord, 'B': tokenizer.AssertNotWord,
}

var controls = map[rune]rune{'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f', 'v': '\v', 'a': 7, 'e': 0x1b}

// classes are the classes with a letter; the capital is what is not in it.
var classes = map[rune]string{'w': "[:word:]", 'd': "Nd", 's': "[:space:]", 'h': "ASCII_Hex_Digit"}

// escape reads what follows a backslash outside of brackets.
func (p *parser) escape() *node {
	c := p.next()
	if kind, ok := assertions[c]; ok {
		return &node{kind: assertion, low: kind}
	}
	switch c {
	case 'X':
		return &node{kind: grapheme}
	case 'R':
		return &node{kind: atomic, list: []*node{{kind: alternation, list: []*node{
			{kind: sequence, list: []*node{{kind: character, char: '\r'}, {kind: character, char: '\n'}}},
			single(set{'\n', '\r', 0x85, 0x85, 0x2028, 0x2029}),
		}}}}
	case 'N':
		return single(invert(set{'\n', '\n'}))
	case 'O':
		return single(anySet)
	case 'K', 'G', 'y', 'Y', 'k', 'g':
		p.fail(`\%c is not supported`, c)
	}
	if c >= '1' && c <= '9' {
		p.fail("a back-reference is not supported")
	}
	at := p.at
	if s, ok := p.classEscape(c); ok {
		if c|0x20 == 'w' || plain(strings.Trim(p.src[at:p.at], "{^}")) == "word" {
			s = looseWord(s)
		}
		return single(s) // in any case only inside brackets
	}
	return p.opt.char(p.charEscape(c))
}

// latinNumbers are word characters outside of brackets only: there Oniguruma asks its table of ISO 8859-1.
var latinNumbers = set{0xb2, 0xb3, 0xb9, 0xb9, 0xbc, 0xbe}

// looseWord makes \w of the word characters, or \W of the others.
func looseWord(s set) set {
	if s.has('a') {
		return union(s, latinNumbers)
	}
	return intersect(s, invert(latinNumbers))
}

// classEscape reads \w, \p{…} and the like.
func (p *parser) classEscape(c rune) (set, bool) {
	if name, ok := classes[c|0x20]; ok && c < utf8.RuneSelf {
		s := p.property(name)
		if c&0x20 == 0 {
			s = invert(s)
		}
		return s, true
	}
	if c != 'p' && c != 'P' {
		return nil, false
	}
	if !p.accept("{") {
		p.fail(`\%c without a name in braces`, c)
	}
	end := strings.IndexByte(p.src[p.at:], '}')
	if end < 0 {
		p.fail("a property without a closing brace")
	}
	name, not := strings.CutPrefix(p.src[p.at:p.at+end], "^")
	s := p.property(name)
	p.at += end + 1
	if not != (c == 'P') {
		s = invert(s)
	}
	return s, true
}

func (p *parser) property(name string) set {
	s, err := property(name)
	if err != nil {
		p.fail("%v", err)
	}
	return s
}

// charEscape reads an escape that stands for one character; an unknown one stands for itself.
func (p *parser) charEscape(c rune) rune {
	if r, ok := controls[c]; ok {
		return r
	}
	switch c {
	case 'x':
		if p.accept("{") {
			end := strings.IndexByte(p.src[p.at:], '}')
			if end < 0 {
				p.fail(`\x{ without a closing brace`)
			}
			r := p.number(p.src[p.at:p.at+end], 16)
			p.at += end + 1
			return r
		}
		return p.number(p.digits("0123456789abcdefABCDEF", 2), 16)
	case 'u':
		return p.number(p.digits("0123456789abcdefABCDEF", 4), 16)
	case '0':
		return p.number("0"+p.digits("01234567", 2), 8)
	case 'c':
		return p.next() & 0x1f
	}
	return c
}

func (p *parser) digits(set string, most int) string {
	n := 0
	for n < most && p.at+n < len(p.src) && strings.IndexByte(set, p.src[p.at+n]) >= 0 {
		n++
	}
	s := p.src[p.at : p.at+n]
	p.at += n
	return s
}

func (p *parser) number(s string, base int) rune {
	n, err := strconv.ParseInt(s, base, 32)
	if err != nil || !utf8.ValidRune(rune(n)) {
		p.fail("%q is not a character's number", s)
	}
	return rune(n)
}

// brackets reads a bracket expression behind its opening bracket.
func (p *parser) brackets() *node {
	not := strings.HasPrefix(p.src[p.at:], "^")
	s := p.class()
	if p.opt.fold && !not {
		return foldSet(s)
	}
	return single(s)
}

// class reads the same as a set.
func (p *parser) class() set {
	if p.depth++; p.depth > maxDepth {
		p.fail("more than %d brackets inside each other", maxDepth)
	}
	not := p.accept("^")
	var all, part set
	first, met := true, false
	for ; ; first = false {
		if p.accept("&&") {
			if met {
				all = intersect(all, part)
			} else {
				all = part
			}
			part, met = nil, true
			continue
		}
		if !first && p.accept("]") {
			break
		}
		part = union(part, p.member())
	}
	if met {
		part = intersect(all, part)
	}
	p.depth--
	if p.opt.fold {
		part = closeFold(part)
	}
	if not {
		return invert(part)
	}
	return part
}

// member reads a character, range or class inside brackets.
func (p *parser) member() set {
	if p.accept("[:") {
		if end := strings.Index(p.src[p.at:], ":]"); end >= 0 {
			name, not := strings.CutPrefix(p.src[p.at:p.at+end], "^")
			if s, err := property("[:" + name + ":]"); err == nil {
				p.at += end + 2
				if not {
					return invert(s)
				}
				return s
			}
		}
		p.at -= 2
	}
	lo, s := p.bound()
	if s != nil {
		return s
	}
	if at := p.at; p.accept("-") && p.more() && p.src[p.at] != ']' {
		hi, class := p.bound()
		if class != nil { // a hyphen before a class stands for itself
			return union(union(set{lo, lo}, set{'-', '-'}), class)
		}
		if hi < lo {
			p.fail("the range %q to %q is empty", lo, hi)
		}
		return set{lo, hi}
	} else if p.at != at {
		p.at = at
	}
	return set{lo, lo}
}

// bound reads a character, or a class, inside brackets.
func (p *parser) bound() (rune, set) {
	switch c := p.next(); c {
	case '[':
		return 0, orEmpty(p.class())
	case '\\':
		c = p.next()
		if s, ok := p.classEscape(c); ok {
			return 0, orEmpty(s)
		}
		if c == 'b' {
			return 8, nil
		}
		return p.charEscape(c), nil
	default:
		return c, nil
	}
}

func orEmpty(s set) set {
	if s == nil {
		return set{}
	}
	return s
}
