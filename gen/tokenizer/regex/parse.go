// Package regex compiles regular expressions in the syntax of Oniguruma, which the Hugging Face tokenizers library
// matches with, to programs of runtime/tokenizer. It knows what a tokenizer can ask for: classes, properties, POSIX
// brackets, greedy, lazy and possessive repetition, atomic groups, lookaround, options, case folding with its
// foldings to several characters, and grapheme clusters. Back-references, subexpression calls, conditions and absent
// groups are errors.
package regex

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// maxLength bounds an expression in bytes, maxDepth the groups inside each other.
const (
	maxLength = 1 << 14
	maxDepth  = 64
)

// Compile compiles an expression.
func Compile(expr string) (p *tokenizer.Program, err error) {
	if len(expr) > maxLength || !utf8.ValidString(expr) {
		return nil, fmt.Errorf("a regular expression of %d bytes, at most %d of UTF-8 are supported", len(expr), maxLength)
	}
	n, err := parse(expr)
	if err != nil {
		return nil, fmt.Errorf("regular expression %q: %w", expr, err)
	}
	if p, err = generate(n); err != nil {
		return nil, fmt.Errorf("regular expression %q: %w", expr, err)
	}
	return p, nil
}

// options are what (?imx) switches.
type options struct{ fold, dotAll, extended bool }

// failure is how the parser's functions give up; parse turns it into an error.
type failure struct{ error }

type parser struct {
	src   string
	at    int
	opt   options
	depth int
}

func parse(expr string) (n *node, err error) {
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(failure)
			if !ok {
				panic(r)
			}
			n, err = nil, f.error
		}
	}()
	p := &parser{src: expr}
	n = p.alternatives()
	if p.at < len(p.src) {
		p.fail("a closing bracket without an opening one")
	}
	return n, nil
}

func (p *parser) fail(format string, args ...any) {
	panic(failure{fmt.Errorf("at byte %d: %s", p.at, fmt.Sprintf(format, args...))})
}

func (p *parser) more() bool { return p.at < len(p.src) }

// accept takes s if it comes next.
func (p *parser) accept(s string) bool {
	if !strings.HasPrefix(p.src[p.at:], s) {
		return false
	}
	p.at += len(s)
	return true
}

func (p *parser) next() rune {
	if !p.more() {
		p.fail("the expression ends too early")
	}
	r, n := utf8.DecodeRuneInString(p.src[p.at:])
	p.at += n
	return r
}

func (p *parser) alternatives() *node {
	if p.depth++; p.depth > maxDepth {
		p.fail("more than %d groups inside each other", maxDepth)
	}
	opt := p.opt
	alt := &node{kind: alternation}
	for {
		alt.list = append(alt.list, p.sequence())
		if !p.accept("|") {
			break
		}
	}
	p.opt = opt
	p.depth--
	if len(alt.list) == 1 {
		return alt.list[0]
	}
	return alt
}

func (p *parser) sequence() *node {
	seq := &node{kind: sequence}
	for p.more() && p.src[p.at] != '|' && p.src[p.at] != ')' {
		if p.opt.extended && p.space() {
			continue
		}
		n := p.atom()
		if n == nil {
			continue
		}
		for {
			q := p.quantifier(n)
			if q == nil {
				break
			}
			n = q
		}
		seq.list = append(seq.list, n)
	}
	return seq
}

// space skips white space and comments, which (?x) allows.
func (p *parser) space() bool {
	c := p.src[p.at]
	if c == '#' {
		for p.more() && p.src[p.at] != '\n' {
			p.at++
		}
		return true
	}
	if strings.IndexByte(" \t\n\r\f\v", c) >= 0 {
		p.at++
		return true
	}
	return false
}

// quantifier reads what repeats n, nil if nothing does.
func (p *parser) quantifier(n *node) *node {
	low, high, interval, ok := p.bounds()
	if !ok {
		return nil
	}
	if n.kind == assertion || n.kind == look {
		if interval && low == high && low == 0 {
			return &node{kind: sequence}
		}
	}
	r := &node{kind: repeat, list: []*node{n}, low: low, high: high, greedy: true}
	switch {
	case interval && low == high: // {n}? is an option, {n}+ a repetition
	case p.accept("?"):
		r.greedy = false
	case !interval && p.accept("+"):
		return &node{kind: atomic, list: []*node{r}}
	}
	return r
}

// bounds reads ?, *, + or an interval.
func (p *parser) bounds() (low, high int, interval, ok bool) {
	switch {
	case p.accept("?"):
		return 0, 1, false, true
	case p.accept("*"):
		return 0, -1, false, true
	case p.accept("+"):
		return 1, -1, false, true
	}
	rest := p.src[p.at:]
	end := strings.IndexByte(rest, '}')
	if end < 0 || rest[0] != '{' {
		return 0, 0, false, false
	}
	from, to, comma := strings.Cut(rest[1:end], ",")
	low, errLow := strconv.Atoi(from)
	high, errHigh := strconv.Atoi(to)
	switch {
	case from == "" && comma && errHigh == nil:
		low = 0
	case errLow != nil || comma && to != "" && errHigh != nil || low < 0 || high < 0:
		return 0, 0, false, false // a brace that stands for itself
	case !comma:
		high = low
	case to == "":
		high = -1
	}
	if low > 1000 || high > 1000 {
		p.fail("a repetition of more than 1000 is not supported")
	}
	p.at += end + 1
	if high >= 0 && low > high {
		p.fail("a repetition of at least %d and at most %d", low, high)
	}
	return low, high, true, true
}

// atom reads a character, class, group or assertion; nil if it only switches options.
func (p *parser) atom() *node {
	switch c := p.next(); c {
	case '(':
		return p.group()
	case '[':
		return p.brackets()
	case '.':
		if p.opt.dotAll {
			return single(anySet)
		}
		return single(invert(set{'\n', '\n'}))
	case '^':
		return &node{kind: assertion, low: tokenizer.AssertLineStart}
	case '$':
		return &node{kind: assertion, low: tokenizer.AssertLineEnd}
	case '\\':
		return p.escape()
	case '*', '+', '?':
		p.at--
		p.fail("nothing to repeat")
		return nil
	default:
		return p.opt.char(c)
	}
}

// char is a character, with its other cases if they are folded.
func (o options) char(r rune) *node {
	return &node{kind: character, char: r, fold: o.fold}
}

// group reads what follows an opening bracket.
func (p *parser) group() *node {
	if !p.accept("?") {
		return p.rest(p.alternatives)
	}
	for prefix, n := range map[string]node{
		"=": {kind: look}, "!": {kind: look, negative: true}, "<=": {kind: look, behind: true},
		"<!": {kind: look, behind: true, negative: true}, ">": {kind: atomic}, ":": {kind: sequence},
	} {
		if p.accept(prefix) {
			n.list = []*node{p.rest(p.alternatives)}
			return &n
		}
	}
	switch {
	case p.accept("#"):
		for p.next() != ')' {
		}
		return nil
	case p.accept("<"), p.accept("P<"):
		for r := p.next(); r != '>'; r = p.next() {
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' {
				p.fail("a group's name holds %q", r)
			}
		}
		return p.rest(p.alternatives)
	}
	return p.switches()
}

// rest reads a body and the closing bracket.
func (p *parser) rest(body func() *node) *node {
	n := body()
	if !p.accept(")") {
		p.fail("a group without its closing bracket")
	}
	return n
}

// switches reads (?imx-imx) and (?imx-imx:…).
func (p *parser) switches() *node {
	outer, opt, on := p.opt, p.opt, true
	for {
		switch c := p.next(); c {
		case '-':
			on = false
		case 'i':
			opt.fold = on
		case 'm':
			opt.dotAll = on
		case 'x':
			opt.extended = on
		case ':':
			p.opt = opt
			n := p.rest(p.alternatives)
			p.opt = outer
			return n
		case ')': // up to the end of the group, alternatives included
			p.opt = opt
			n := p.alternatives()
			return n
		default:
			p.fail("(?%c is not supported; supported are (?:, (?=, (?!, (?<=, (?<!, (?>, (?#, names and the options i, m and x", c)
		}
	}
}
