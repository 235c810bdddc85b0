package constrain

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// GBNF returns the grammar of a text in llama.cpp's GBNF: rules name ::= …, of
// "texts" with escapes, [classes], names, (groups), alternatives with |, and
// *, +, ?, {n}, {n,}, {n,m} behind any of them; # begins a comment. Beyond that
// it takes what other EBNF writes: = and := for ::=, 'texts', characters as
// #x41, rules that end with ; and go on in the next line with |. The grammar
// begins with the rule root, or the first one if there is none. Left recursion
// is an error.
func GBNF(text string) (*Grammar, error) {
	p := &gbnf{text: text, numbers: map[string]int{}, lines: map[string]int{}}
	if err := p.parse(); err != nil {
		return nil, fmt.Errorf("grammar, line %d: %w", p.line(), err)
	}
	for name, n := range p.numbers {
		if p.rules[n] == nil {
			return nil, fmt.Errorf("grammar, line %d: rule %s is not defined", p.lines[name], name)
		}
	}
	if len(p.rules) == 0 {
		return nil, fmt.Errorf("grammar: no rules")
	}
	root, ok := p.numbers["root"]
	if !ok {
		root = p.first
	}
	g, err := compile(p.rules, p.names, root)
	if err != nil {
		return nil, fmt.Errorf("grammar: %w", err)
	}
	return g, nil
}

// gbnf parses a grammar.
type gbnf struct {
	text    string
	at      int
	depth   int
	numbers map[string]int // of rules
	lines   map[string]int // where a name was first used
	names   []string
	rules   []node
	first   int
}

func (p *gbnf) line() int { return 1 + strings.Count(p.text[:min(p.at, len(p.text))], "\n") }

// rule returns the number of a rule.
func (p *gbnf) rule(name string) int {
	n, ok := p.numbers[name]
	if !ok {
		n = len(p.rules)
		p.numbers[name], p.lines[name] = n, p.line()
		p.rules, p.names = append(p.rules, nil), append(p.names, name)
	}
	return n
}

// space skips white space and comments, newlines only if wanted.
func (p *gbnf) space(newlines bool) {
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == ' ' || c == '\t' || c == '\r' || newlines && c == '\n':
			p.at++
		case c == '#' && !strings.HasPrefix(p.text[p.at:], "#x"):
			for p.at < len(p.text) && p.text[p.at] != '\n' {
				p.at++
			}
		default:
			return
		}
	}
}

// take skips s if it comes next.
func (p *gbnf) take(s string) bool {
	if strings.HasPrefix(p.text[p.at:], s) {
		p.at += len(s)
		return true
	}
	return false
}

func (p *gbnf) parse() error {
	for p.space(true); p.at < len(p.text); p.space(true) {
		name := p.name()
		if name == "" {
			return fmt.Errorf("expected the name of a rule, found %q", p.here())
		}
		p.space(false)
		if !p.take("::=") && !p.take(":=") && !p.take("=") {
			return fmt.Errorf("expected ::= behind %s, found %q", name, p.here())
		}
		n := p.rule(name)
		if p.rules[n] != nil {
			return fmt.Errorf("rule %s is defined twice", name)
		}
		if len(p.names) > maxRules {
			return errTooLarge
		}
		if p.first = p.numbers[p.names[0]]; len(p.names) == 1 {
			p.first = n
		}
		p.space(true)
		body, err := p.alternatives(false)
		if err != nil {
			return err
		}
		p.rules[n] = body
		p.space(false)
		if !p.take(";") && p.at < len(p.text) && !p.take("\n") {
			return fmt.Errorf("unexpected %q in rule %s", p.here(), name)
		}
	}
	return nil
}

// here is the next few characters, for messages.
func (p *gbnf) here() string {
	rest := p.text[min(p.at, len(p.text)):]
	if i := strings.IndexByte(rest, '\n'); i > 0 {
		rest = rest[:i]
	}
	return rest[:min(len(rest), 20)]
}

// name reads the name of a rule.
func (p *gbnf) name() string {
	from := p.at
	for p.at < len(p.text) {
		c := p.text[p.at]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			break
		}
		p.at++
	}
	return p.text[from:p.at]
}

// alternatives reads sequences separated by |.
func (p *gbnf) alternatives(nested bool) (node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, fmt.Errorf("groups nest too deeply")
	}
	defer func() { p.depth-- }()
	var list choice
	for {
		n, err := p.sequence(nested)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
		before := p.at
		p.space(true) // a | in the next line goes on
		if !p.take("|") {
			p.at = before
			break
		}
		p.space(true)
	}
	if len(list) == 1 {
		return list[0], nil
	}
	return list, nil
}

// sequence reads elements one after the other.
func (p *gbnf) sequence(nested bool) (node, error) {
	list := seq{}
	for {
		p.space(nested)
		n, err := p.element()
		if err != nil {
			return nil, err
		}
		if n == nil {
			return list, nil
		}
		if n, err = p.repetition(n); err != nil {
			return nil, err
		}
		list = append(list, n)
	}
}

// element reads an element, nil if there is none.
func (p *gbnf) element() (node, error) {
	if p.at >= len(p.text) {
		return nil, nil
	}
	switch c := p.text[p.at]; c {
	case '"', '\'':
		return p.quoted(c)
	case '[':
		return p.class()
	case '.':
		p.at++
		return anyChar, nil
	case '#':
		r, err := p.char()
		return chars{{r, r}}, err
	case '(':
		p.at++
		n, err := p.alternatives(true)
		if err != nil {
			return nil, err
		}
		if p.space(true); !p.take(")") {
			return nil, fmt.Errorf("expected ), found %q", p.here())
		}
		return n, nil
	case '<':
		return nil, fmt.Errorf("tokens in grammars (%q) are not supported: write their text", p.here())
	}
	if name := p.name(); name != "" {
		return ref(p.rule(name)), nil
	}
	return nil, nil
}

// quoted reads a text in quotes.
func (p *gbnf) quoted(quote byte) (node, error) {
	p.at++
	list := seq{}
	for !p.take(string(quote)) {
		r, err := p.char()
		if err != nil {
			return nil, err
		}
		list = append(list, set(span{r, r}))
	}
	return list, nil
}

// class reads a set of characters.
func (p *gbnf) class() (node, error) {
	p.at++
	not := p.take("^")
	var spans []span
	for !p.take("]") {
		lo, err := p.char()
		if err != nil {
			return nil, err
		}
		hi := lo
		if strings.HasPrefix(p.text[p.at:], "-") && !strings.HasPrefix(p.text[p.at:], "-]") {
			p.at++
			if hi, err = p.char(); err != nil {
				return nil, err
			}
			if hi < lo {
				return nil, fmt.Errorf("the range %q-%q is the wrong way round", lo, hi)
			}
		}
		spans = append(spans, span{lo, hi})
	}
	if not {
		return set(spans...).not(), nil
	}
	return set(spans...), nil
}

// escapes are the characters that stand for others behind a backslash.
var escapes = map[byte]rune{'n': '\n', 'r': '\r', 't': '\t', '\\': '\\', '"': '"', '\'': '\'', '[': '[', ']': ']', '-': '-', '^': '^', '/': '/'}

// char reads a character of a text or a class.
func (p *gbnf) char() (rune, error) {
	if p.at >= len(p.text) || p.text[p.at] == '\n' {
		return 0, fmt.Errorf("a text or a class does not end")
	}
	if p.take("#x") {
		n := 0
		for n < 8 && p.at+n < len(p.text) && strings.IndexByte("0123456789abcdefABCDEF", p.text[p.at+n]) >= 0 {
			n++
		}
		return p.hex(n)
	}
	if !p.take(`\`) {
		r, n := utf8.DecodeRuneInString(p.text[p.at:])
		if r == utf8.RuneError && n == 1 {
			return 0, fmt.Errorf("the grammar is not UTF-8")
		}
		p.at += n
		return r, nil
	}
	if p.at >= len(p.text) {
		return 0, fmt.Errorf("nothing behind a backslash")
	}
	c := p.text[p.at]
	p.at++
	if n := strings.IndexByte("x u   U", c); n >= 0 && c != ' ' {
		return p.hex(n + 2)
	}
	if r, ok := escapes[c]; ok {
		return r, nil
	}
	return 0, fmt.Errorf(`no such escape: \%c`, c)
}

// hex reads n hexadecimal digits.
func (p *gbnf) hex(n int) (rune, error) {
	if n == 0 || p.at+n > len(p.text) {
		return 0, fmt.Errorf("hexadecimal digits are missing")
	}
	v, err := strconv.ParseUint(p.text[p.at:p.at+n], 16, 32)
	if err != nil || v > utf8.MaxRune {
		return 0, fmt.Errorf("%q is no character", p.text[p.at:p.at+n])
	}
	p.at += n
	return rune(v), nil
}

// repetition reads what may stand behind an element.
func (p *gbnf) repetition(n node) (node, error) {
	for {
		switch {
		case p.take("*"):
			n = repeat{n, 0, -1}
		case p.take("+"):
			n = repeat{n, 1, -1}
		case p.take("?"):
			n = repeat{n, 0, 1}
		case p.take("{"):
			r := repeat{node: n}
			var err error
			if r.min, r.max, err = p.bounds(); err != nil {
				return nil, err
			}
			n = r
		default:
			return n, nil
		}
	}
}

// bounds reads n}, n,} or n,m}.
func (p *gbnf) bounds() (lo, hi int, err error) {
	number := func() (int, bool) {
		p.space(false)
		from := p.at
		for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
			p.at++
		}
		n, err := strconv.Atoi(p.text[from:p.at])
		p.space(false)
		return n, err == nil
	}
	lo, ok := number()
	if hi = lo; p.take(",") {
		var bounded bool
		if hi, bounded = number(); !bounded {
			hi = -1
		}
	}
	if !ok || !p.take("}") || hi >= 0 && hi < lo {
		return 0, 0, fmt.Errorf("expected {n}, {n,} or {n,m}, found %q", p.here())
	}
	return lo, hi, nil
}
