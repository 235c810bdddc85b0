package constrain

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// This file parses regular expressions in Go's syntax, that of regexp/syntax with the flags Perl, whose parser is too large for
// libraries that are linked to be small.

// operation is what an expression of a pattern is.
type operation byte

const (
	isSet operation = iota // one character of a set
	isBegin
	isEnd
	isOther // an anchor that has no place in a grammar: text tells which
	isSeq
	isChoice
	isRepeat
	isGroup
)

// pattern is a parsed regular expression.
type pattern struct {
	op       operation
	set      chars
	text     string // of anchors and repetition operators
	subs     []*pattern
	min, max int // max −1 is without end
}

// Limits of patterns, as in regexp/syntax.
const (
	mostRepeats  = 1000
	deepestGroup = 1000
)

// patternParser reads a pattern.
type patternParser struct {
	whole, rest string
	fold        bool // i
	lines       bool // m
	dotNewline  bool // s
	depth       int
}

// parsePattern parses a pattern and bounds its size.
func parsePattern(text string) (*pattern, error) {
	if !utf8.ValidString(text) {
		return nil, patternError("invalid UTF-8", text)
	}
	p := &patternParser{whole: text, rest: text}
	re, err := p.choice()
	if err == nil && p.rest != "" {
		err = patternError("unexpected )", text)
	}
	return re, err
}

func patternError(what, text string) error {
	return fmt.Errorf("regular expression: %s: `%s`", what, text)
}

// next takes a character.
func (p *patternParser) next() rune {
	r, n := utf8.DecodeRuneInString(p.rest)
	p.rest = p.rest[n:]
	return r
}

// skip takes a text if it is next.
func (p *patternParser) skip(text string) bool {
	rest, found := strings.CutPrefix(p.rest, text)
	p.rest = rest
	return found
}

// choice reads alternatives up to a closing parenthesis or the end.
func (p *patternParser) choice() (*pattern, error) {
	if p.depth++; p.depth > deepestGroup {
		return nil, patternError("expression nests too deeply", p.whole)
	}
	defer func() { p.depth-- }()
	var list []*pattern
	for {
		re, err := p.sequence()
		if err != nil {
			return nil, err
		}
		if list = append(list, re); !p.skip("|") {
			break
		}
	}
	if len(list) == 1 {
		return list[0], nil
	}
	return &pattern{op: isChoice, subs: list}, nil
}

// sequence reads what stands one after the other.
func (p *patternParser) sequence() (*pattern, error) {
	re := &pattern{op: isSeq}
	repeated := ""
	for p.rest != "" && p.rest[0] != '|' && p.rest[0] != ')' {
		before := p.rest
		count, is, err := p.repeat()
		switch {
		case err != nil:
		case is:
			err = re.repeatLast(count, repeated, before[:len(before)-len(p.rest)])
			repeated = before[:len(before)-len(p.rest)]
			if err != nil {
				return nil, err
			}
			continue
		default:
			err = p.atom(re)
		}
		if err != nil {
			return nil, err
		}
		repeated = ""
	}
	if len(re.subs) == 1 {
		return re.subs[0], nil
	}
	return re, nil
}

// add appends a part to a sequence; sequences in groups that capture nothing are part of it.
func (re *pattern) add(part *pattern) {
	if part.op == isSeq {
		re.subs = append(re.subs, part.subs...)
		return
	}
	re.subs = append(re.subs, part)
}

// repeatLast repeats the last part of a sequence.
func (re *pattern) repeatLast(count [2]int, before, text string) error {
	if before != "" {
		return patternError("invalid nested repetition operator", before+text)
	}
	n := len(re.subs) - 1
	if n < 0 {
		return patternError("missing argument to repetition operator", text)
	}
	re.subs[n] = &pattern{op: isRepeat, text: text, subs: []*pattern{re.subs[n]}, min: count[0], max: count[1]}
	if text[0] == '{' && max(count[0], count[1]) >= 2 && !re.subs[n].repeatsWithin(mostRepeats) {
		return patternError("invalid repeat count", text)
	}
	return nil
}

// repeatsWithin bounds what counted repeats in each other come to.
func (re *pattern) repeatsWithin(n int) bool {
	if re.op == isRepeat && re.text[0] == '{' {
		switch most := max(re.max, re.min); {
		case re.max == 0:
			return true
		case most > n:
			return false
		case most > 0:
			n /= most
		}
	}
	for _, sub := range re.subs {
		if !sub.repeatsWithin(n) {
			return false
		}
	}
	return true
}

// repeat reads a repetition operator, if one is next.
func (p *patternParser) repeat() (count [2]int, is bool, err error) {
	switch before := p.rest; before[0] {
	case '*':
		count = [2]int{0, -1}
	case '+':
		count = [2]int{1, -1}
	case '?':
		count = [2]int{0, 1}
	case '{':
		count, rest, ok := repeatCount(before[1:])
		if !ok {
			return count, false, nil
		}
		if count[0] > mostRepeats || count[1] > mostRepeats || count[1] >= 0 && count[0] > count[1] {
			return count, false, patternError("invalid repeat count", before[:len(before)-len(rest)])
		}
		p.rest = rest
		p.skip("?")
		return count, true, nil
	default:
		return count, false, nil
	}
	p.rest = p.rest[1:]
	p.skip("?")
	return count, true, nil
}

// repeatCount reads n}, n,} or n,m}.
func repeatCount(s string) (count [2]int, rest string, ok bool) {
	count[0], rest, ok = repeatNumber(s)
	if !ok {
		return count, s, false
	}
	count[1] = count[0]
	if after, comma := strings.CutPrefix(rest, ","); comma {
		rest = after
		if count[1] = -1; !strings.HasPrefix(rest, "}") {
			if count[1], rest, ok = repeatNumber(rest); !ok {
				return count, s, false
			}
		}
	}
	rest, ok = strings.CutPrefix(rest, "}")
	return count, rest, ok
}

// repeatNumber reads digits without leading zeros; large numbers are cut.
func repeatNumber(s string) (n int, rest string, ok bool) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		n = min(10*n+int(s[i]-'0'), mostRepeats+1)
		i++
	}
	return n, s[i:], i == 1 || i > 1 && s[0] != '0'
}

// atom reads one part of a sequence.
func (p *patternParser) atom(re *pattern) error {
	switch p.rest[0] {
	case '(':
		return p.group(re)
	case '[':
		return p.class(re)
	case '\\':
		return p.escaped(re)
	case '^', '$':
		p.anchor(re)
	case '.':
		p.rest = p.rest[1:]
		if p.dotNewline {
			re.add(&pattern{set: anyChar})
		} else {
			re.add(&pattern{set: chars{{'\n', '\n'}}.not()})
		}
	default:
		p.character(re, p.next())
	}
	return nil
}

// character adds a character, or all that equal it but for case.
func (p *patternParser) character(re *pattern, r rune) { re.add(&pattern{set: folded(r, p.fold)}) }

// anchor reads ^ or $.
func (p *patternParser) anchor(re *pattern) {
	text := string(p.next())
	switch {
	case p.lines:
		re.add(&pattern{op: isOther, text: "(?m)" + text})
	case text == "^":
		re.add(&pattern{op: isBegin, text: text})
	default:
		re.add(&pattern{op: isEnd, text: text})
	}
}

// group reads what begins with a parenthesis: a group, or flags.
func (p *patternParser) group(re *pattern) error {
	was := *p
	captures := true
	switch {
	case !strings.HasPrefix(p.rest, "(?"):
		p.rest = p.rest[1:]
	case strings.HasPrefix(p.rest, "(?P<") && len(p.rest) > 4, strings.HasPrefix(p.rest, "(?<") && len(p.rest) > 3:
		if err := p.groupName(); err != nil {
			return err
		}
	default:
		opens, err := p.flags()
		if err != nil || !opens {
			return err
		}
		captures = false
	}
	sub, err := p.choice()
	if err != nil {
		return err
	}
	if !p.skip(")") {
		return patternError("missing closing )", p.whole)
	}
	p.fold, p.lines, p.dotNewline = was.fold, was.lines, was.dotNewline
	if captures {
		sub = &pattern{op: isGroup, subs: []*pattern{sub}}
	} else if p.rest != "" && strings.Contains("*+?{", p.rest[:1]) {
		re.subs = append(re.subs, sub) // a repetition is of all of it
		return nil
	}
	re.add(sub)
	return nil
}

// groupName reads (?P<name> or (?<name>.
func (p *patternParser) groupName() error {
	begin := p.rest
	head, rest, ok := strings.Cut(p.rest, ">")
	_, name, _ := strings.Cut(head, "<")
	if strings.Trim(name, "_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != "" || name == "" || !ok {
		return patternError("invalid named capture", begin)
	}
	p.rest = rest
	return nil
}

// flags reads (?flags) or (?flags:, which opens a group.
func (p *patternParser) flags() (opens bool, err error) {
	begin := p.rest
	p.rest = p.rest[2:]
	on, any := true, false
	was := *p
	for p.rest != "" {
		switch c := p.next(); {
		case c == 'i':
			p.fold, any = on, true
		case c == 'm':
			p.lines, any = on, true
		case c == 's':
			p.dotNewline, any = on, true
		case c == 'U': // what is taken first changes no match of the whole
			any = true
		case c == '-' && on:
			on, any = false, false
		case (c == ':' || c == ')') && (on || any):
			return c == ':', nil
		default:
			err := patternError("invalid or unsupported Perl syntax", begin[:len(begin)-len(p.rest)])
			*p = was
			return false, err
		}
	}
	return false, patternError("invalid or unsupported Perl syntax", begin)
}
