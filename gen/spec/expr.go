package spec

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Bounds of an expression, so that no specification can make the compiler slow.
const (
	maxExprLength = 2000
	maxExprDepth  = 50
)

// node is an expression's syntax tree.
type node interface {
	eval(e *Env) (any, error)
}

type (
	literal  struct{ v any }
	variable struct{ name string } // $name: a configuration value or a macro parameter
	local    struct{ name string } // name: the counter of a repeat
	unary    struct {
		op string
		x  node
	}
	binary struct {
		op   string
		x, y node
	}
	choice struct{ then, cond, other node }
	index  struct{ x, i node }
	call   struct {
		fn   string
		args []node
	}
	list     struct{ items []node }
	mapping  struct{ keys, values []node }
	template struct{ parts []node }
)

// ParseExpr parses an expression.
func ParseExpr(src string) (node, error) {
	if len(src) > maxExprLength {
		return nil, fmt.Errorf("the expression is longer than %d characters", maxExprLength)
	}
	tokens, err := lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	n, err := p.expr()
	if err != nil {
		return nil, fmt.Errorf("in %q: %w", src, err)
	}
	if t := p.peek(); t != "" {
		return nil, fmt.Errorf("in %q: unexpected %q", src, t)
	}
	return n, nil
}

// lex splits an expression into tokens. Strings keep their opening quote.
func lex(src string) ([]string, error) {
	var tokens []string
	for i := 0; i < len(src); {
		c := src[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n':
			i++
		case c == '\'' || c == '"':
			end := strings.IndexByte(src[i+1:], c)
			if end < 0 {
				return nil, fmt.Errorf("in %q: the string that starts at character %d has no end", src, i+1)
			}
			tokens = append(tokens, src[i:i+1+end])
			i += end + 2
		case c == '$' || isLetter(c):
			j := i + 1
			for j < len(src) && (isLetter(src[j]) || isDigit(src[j])) {
				j++
			}
			tokens = append(tokens, src[i:j])
			i = j
		case isDigit(c):
			j := scanNumber(src, i)
			tokens = append(tokens, src[i:j])
			i = j
		default:
			op := operatorAt(src[i:])
			if op == "" {
				return nil, fmt.Errorf("in %q: unexpected %q", src, string([]rune(src[i:])[0]))
			}
			tokens = append(tokens, op)
			i += len(op)
		}
	}
	return tokens, nil
}

func operatorAt(s string) string {
	for _, op := range []string{"**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "<", ">", "(", ")", "[", "]", ",", "."} {
		if strings.HasPrefix(s, op) {
			return op
		}
	}
	return ""
}

func scanNumber(s string, i int) int {
	j := i
	for j < len(s) && (isDigit(s[j]) || s[j] == '.') {
		j++
	}
	if j < len(s) && (s[j] == 'e' || s[j] == 'E') {
		k := j + 1
		if k < len(s) && (s[k] == '+' || s[k] == '-') {
			k++
		}
		if k < len(s) && isDigit(s[k]) {
			for j = k; j < len(s) && isDigit(s[j]); j++ {
			}
		}
	}
	return j
}

func isLetter(c byte) bool { return c == '_' || c < 128 && unicode.IsLetter(rune(c)) }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// parser is a recursive-descent parser; each method is one level of precedence.
type parser struct {
	tokens []string
	at     int
	depth  int
}

func (p *parser) peek() string {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return ""
}

func (p *parser) accept(tokens ...string) string {
	for _, t := range tokens {
		if p.peek() == t {
			p.at++
			return t
		}
	}
	return ""
}

func (p *parser) expect(t string) error {
	if p.accept(t) == "" {
		return fmt.Errorf("expected %q, found %s", t, orEnd(p.peek()))
	}
	return nil
}

func orEnd(t string) string {
	if t == "" {
		return "the end"
	}
	return strconv.Quote(t)
}

// expr parses `a if c else b` and everything that binds tighter.
func (p *parser) expr() (node, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxExprDepth {
		return nil, fmt.Errorf("nested more than %d deep", maxExprDepth)
	}
	x, err := p.chain(0)
	if err != nil || p.accept("if") == "" {
		return x, err
	}
	c, err := p.chain(0)
	if err != nil {
		return nil, err
	}
	if err := p.expect("else"); err != nil {
		return nil, err
	}
	y, err := p.expr()
	return choice{x, c, y}, err
}

// levels are the left-associative binary operators, loosest first.
var levels = [][]string{
	{"or"},
	{"and"},
	{"==", "!=", "<=", ">=", "<", ">", "in"},
	{"+", "-"},
	{"*", "//", "/", "%"},
}

func (p *parser) chain(level int) (node, error) {
	if level == len(levels) {
		return p.unary()
	}
	if level == 2 && p.peek() == "not" {
		return p.prefix("not", func() (node, error) { return p.chain(2) })
	}
	x, err := p.chain(level + 1)
	for err == nil {
		op := p.accept(levels[level]...)
		if op == "" {
			break
		}
		var y node
		y, err = p.chain(level + 1)
		x = binary{op, x, y}
	}
	return x, err
}

func (p *parser) prefix(op string, next func() (node, error)) (node, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxExprDepth {
		return nil, fmt.Errorf("nested more than %d deep", maxExprDepth)
	}
	p.at++
	x, err := next()
	return unary{op, x}, err
}

func (p *parser) unary() (node, error) {
	if p.peek() == "-" {
		return p.prefix("-", p.unary)
	}
	x, err := p.postfix()
	if err != nil || p.accept("**") == "" {
		return x, err
	}
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxExprDepth {
		return nil, fmt.Errorf("nested more than %d deep", maxExprDepth)
	}
	y, err := p.unary()
	return binary{"**", x, y}, err
}

func (p *parser) postfix() (node, error) {
	x, err := p.primary()
	for err == nil {
		switch {
		case p.accept("[") != "":
			var i node
			if i, err = p.expr(); err == nil {
				err = p.expect("]")
			}
			x = index{x, i}
		case p.accept(".") != "":
			name := p.peek()
			if name == "" || !isLetter(name[0]) {
				return nil, fmt.Errorf("expected a name behind the dot, found %s", orEnd(name))
			}
			p.at++
			x = index{x, literal{name}}
		default:
			return x, nil
		}
	}
	return nil, err
}

func (p *parser) primary() (node, error) {
	t := p.peek()
	p.at++
	switch {
	case t == "(":
		x, err := p.expr()
		if err == nil {
			err = p.expect(")")
		}
		return x, err
	case t == "[":
		items, err := p.items("]")
		return list{items}, err
	case t == "":
		return nil, fmt.Errorf("expected a value, found the end")
	case t[0] == '\'' || t[0] == '"':
		return literal{t[1:]}, nil
	case isDigit(t[0]):
		return number(t)
	case t[0] == '$':
		if len(t) == 1 {
			return nil, fmt.Errorf("expected a name behind $")
		}
		return variable{t[1:]}, nil
	case isLetter(t[0]):
		return p.word(t)
	}
	return nil, fmt.Errorf("expected a value, found %q", t)
}

// word parses a constant, a function call, or the counter of a repeat.
func (p *parser) word(t string) (node, error) {
	switch t {
	case "true":
		return literal{true}, nil
	case "false":
		return literal{false}, nil
	case "null":
		return literal{nil}, nil
	case "if", "else", "and", "or", "not", "in":
		return nil, fmt.Errorf("expected a value, found %q", t)
	}
	if p.peek() != "(" {
		return local{t}, nil
	}
	fn, ok := functions[t]
	if !ok {
		return nil, fmt.Errorf("no function is called %q%s", t, Suggest(t, sortedKeys(functions)))
	}
	p.at++
	args, err := p.items(")")
	if err == nil && (fn.args >= 0 && len(args) != fn.args || len(args) == 0) {
		err = fmt.Errorf("%s takes %d arguments, found %d: %s", t, max(fn.args, 1), len(args), fn.use)
	}
	return call{t, args}, err
}

func (p *parser) items(end string) ([]node, error) {
	var items []node
	for p.accept(end) == "" {
		if len(items) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		x, err := p.expr()
		if err != nil {
			return nil, err
		}
		items = append(items, x)
	}
	return items, nil
}

func number(t string) (node, error) {
	if i, err := strconv.Atoi(t); err == nil {
		return literal{i}, nil
	}
	f, err := strconv.ParseFloat(t, 64)
	if err != nil {
		return nil, fmt.Errorf("%q is not a number", t)
	}
	return literal{f}, nil
}

// parseTemplate parses a string with expressions in braces, such as "layers.{i}.".
func parseTemplate(s string) (node, error) {
	if !strings.ContainsAny(s, "{}") {
		return literal{s}, nil
	}
	var t template
	for s != "" {
		open := strings.IndexByte(s, '{')
		if open < 0 {
			t.parts = append(t.parts, literal{s})
			break
		}
		end := strings.IndexByte(s[open:], '}')
		if end < 0 {
			return nil, fmt.Errorf("in %q: { without }", s)
		}
		if open > 0 {
			t.parts = append(t.parts, literal{s[:open]})
		}
		x, err := ParseExpr(s[open+1 : open+end])
		if err != nil {
			return nil, err
		}
		t.parts = append(t.parts, x)
		s = s[open+end+1:]
	}
	return t, nil
}
