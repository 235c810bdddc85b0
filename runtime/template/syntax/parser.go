package syntax

import (
	"fmt"
	"strings"
)

// deepest bounds nesting of expressions and statements.
const deepest = 200

// MaxSource bounds templates, in bytes; the others what they may hold.
const (
	MaxSource = 1 << 20
	maxTokens = 200_000
	maxNodes  = 100_000
	maxWork   = 3_000_000 // of resolving names: nodes times nesting, names times branches
)

type parser struct {
	tokens  []token
	at      int
	depth   int
	most    int // the greatest depth
	nodes   int
	endTags [][]string
	open    []string // tags
	tags    map[string]func(*parser, Line) Stmt
}

func (p *parser) cur() token { return p.tokens[p.at] }

func (p *parser) look() token { return p.tokens[min(p.at+1, len(p.tokens)-1)] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if p.at+1 < len(p.tokens) {
		p.at++
	}
	return t
}

func (p *parser) skipName(name string) bool {
	if p.cur().is("name", name) {
		p.next()
		return true
	}
	return false
}

func (p *parser) skipKind(kind string) bool {
	if p.cur().kind == kind {
		p.next()
		return true
	}
	return false
}

func (p *parser) expect(kind string) token {
	t := p.cur()
	if t.kind != kind {
		if t.kind == "eof" {
			fail(t.line, "unexpected end of template, expected '%s'.", describeKind(kind))
		}
		fail(t.line, "expected token '%s', got '%s'", describeKind(kind), t.describe())
	}
	return p.next()
}

func (p *parser) expectName(name string) token {
	if t := p.cur(); !t.is("name", name) {
		if t.kind == "eof" {
			fail(t.line, "unexpected end of template, expected '%s'.", name)
		}
		fail(t.line, "expected token '%s', got '%s'", name, t.describe())
	}
	return p.next()
}

// enter counts a level of nesting and a node.
func (p *parser) enter() {
	if p.nodes++; p.nodes > maxNodes {
		fail(p.cur().line, "the template has more than %d nodes", maxNodes)
	}
	if p.depth++; p.depth > deepest {
		fail(p.cur().line, "nested deeper than %d", deepest)
	}
}

func (p *parser) leave() { p.depth-- }

// chain counts the links of a chain like a + b + c, whose tree is as deep as the chain is long.
func (p *parser) chain(n *int) {
	p.nodes++
	if *n++; *n > 5*deepest {
		fail(p.cur().line, "a chain of more than %d operators", 5*deepest)
	}
}

// subparse reads statements up to a tag of the given names, which it leaves; all of them for none.
func (p *parser) subparse(end ...string) []Stmt {
	p.enter()
	defer p.leave()
	if end != nil {
		p.endTags = append(p.endTags, end)
		p.most = max(p.most, len(p.endTags))
		defer func() { p.endTags = p.endTags[:len(p.endTags)-1] }()
	}
	var body []Stmt
	var out *Output
	add := func(x Expr) {
		if out == nil {
			out = &Output{Line: Line(x.line())}
			body = append(body, out)
		}
		out.Items = append(out.Items, x)
	}
	for {
		switch t := p.cur(); t.kind {
		case "eof":
			return body
		case "data":
			p.next()
			add(&Data{Line(t.line), t.text})
		case "variable_begin":
			p.next()
			add(p.tuple(true))
			p.expect("variable_end")
		case "block_begin":
			out = nil
			p.next()
			for _, name := range end {
				if p.cur().is("name", name) {
					return body
				}
			}
			if s := p.statement(); s != nil {
				body = append(body, s)
			}
			p.expect("block_end")
		default:
			fail(t.line, "internal parsing error")
		}
	}
}

// statements reads the body of a tag: up to a tag of the given names.
func (p *parser) statements(end ...string) []Stmt {
	p.skipKind("colon")
	p.expect("block_end")
	body := p.subparse(end...)
	if p.cur().kind == "eof" {
		p.endTags = append(p.endTags, end)
		p.failTag("")
	}
	return body
}

// body is statements whose end tag is taken as well.
func (p *parser) body(end string) []Stmt {
	b := p.statements(end)
	p.next()
	return b
}

// failTag explains an unknown tag, or the end of the template inside of one.
func (p *parser) failTag(name string) {
	msg := "Unexpected end of template."
	if name != "" {
		msg = fmt.Sprintf("Encountered unknown tag '%s'.", name)
	}
	if n := len(p.endTags); n > 0 {
		looking := "'" + strings.Join(p.endTags[n-1], "' or '") + "'"
		nested := false
		for _, tags := range p.endTags {
			for _, t := range tags {
				nested = nested || t == name
			}
		}
		if nested {
			msg += " You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for " + looking + "."
		} else {
			msg += " Jinja was looking for the following tags: " + looking + "."
		}
	}
	if n := len(p.open); n > 0 {
		msg += fmt.Sprintf(" The innermost block that needs to be closed is '%s'.", p.open[n-1])
	}
	fail(p.cur().line, "%s", msg)
}

// statement reads one tag with its body.
func (p *parser) statement() Stmt {
	t := p.cur()
	if t.kind != "name" {
		fail(t.line, "tag name expected")
	}
	f, ok := p.tags[t.text]
	if !ok {
		p.failTag(t.text)
	}
	p.next()
	p.open = append(p.open, t.text)
	s := f(p, Line(t.line))
	p.open = p.open[:len(p.open)-1]
	p.nodes++
	return s
}

// tagNames are the tags. They are made for each parser: a variable would link the parser always.
func tagNames() map[string]func(*parser, Line) Stmt {
	return map[string]func(*parser, Line) Stmt{
		"for": (*parser).forTag, "if": (*parser).ifTag, "block": (*parser).blockTag, "print": (*parser).printTag,
		"macro": (*parser).macroTag, "set": (*parser).setTag, "with": (*parser).withTag, "autoescape": (*parser).autoescapeTag,
		"call": (*parser).callTag, "filter": (*parser).filterTag, "generation": (*parser).generationTag,
		"extends": (*parser).extendsTag, "include": (*parser).includeTag, "import": (*parser).importTag, "from": (*parser).fromTag,
		"break":    func(_ *parser, l Line) Stmt { return &Break{l} },
		"continue": func(_ *parser, l Line) Stmt { return &Continue{l} },
	}
}

func (p *parser) setTag(l Line) Stmt {
	target := p.target(true)
	if p.skipKind("assign") {
		return &Set{Line: l, Target: target, Value: p.tuple(true)}
	}
	f, _ := p.filters(nil).(*Filter)
	return &SetBlock{Line: l, Target: target, Filter: f, Body: p.body("endset")}
}

func (p *parser) forTag(l Line) Stmt {
	s := &For{Line: l, Target: p.target(false)}
	p.expectName("in")
	s.Iter = p.tuple(false)
	if p.skipName("if") {
		s.Test = p.expr()
	}
	s.Recursive = p.skipName("recursive")
	s.Body = p.statements("endfor", "else")
	if p.next().text == "else" {
		s.Else = p.body("endfor")
	}
	return s
}

func (p *parser) ifTag(l Line) Stmt {
	first := &If{Line: l}
	for s := first; ; {
		s.Test = p.tuple(false)
		s.Body = p.statements("elif", "else", "endif")
		switch t := p.next(); t.text {
		case "elif":
			s = &If{Line: Line(p.cur().line)}
			first.Elifs = append(first.Elifs, s)
			continue
		case "else":
			first.Else = p.body("endif")
		}
		return first
	}
}

func (p *parser) withTag(l Line) Stmt {
	s := &With{Line: l}
	for p.cur().kind != "block_end" {
		if s.Targets != nil {
			p.expect("comma")
		}
		t := p.target(false)
		asParam(t)
		s.Targets = append(s.Targets, t)
		p.expect("assign")
		s.Values = append(s.Values, p.expr())
	}
	s.Body = p.body("endwith")
	return s
}

func (p *parser) autoescapeTag(l Line) Stmt {
	s := &Autoescape{Line: l, Value: p.expr()}
	s.Body = p.body("endautoescape")
	return s
}

func (p *parser) blockTag(l Line) Stmt {
	s := &Block{Line: l, Name: p.expect("name").text}
	s.Scoped = p.skipName("scoped")
	s.Required = p.skipName("required")
	if p.cur().kind == "sub" {
		fail(p.cur().line, "Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore instead.")
	}
	s.Body = p.body("endblock")
	if s.Required {
		for _, n := range s.Body {
			requireSpace(n)
		}
	}
	p.skipName(s.Name)
	return s
}

func requireSpace(n Stmt) {
	out, ok := n.(*Output)
	for i := 0; ok && i < len(out.Items); i++ {
		d, isData := out.Items[i].(*Data)
		ok = isData && spaces(d.Text) == len(d.Text)
	}
	if !ok {
		fail(n.line(), "Required blocks can only contain comments or whitespace")
	}
}

func (p *parser) printTag(l Line) Stmt {
	s := &Output{Line: l}
	for p.cur().kind != "block_end" {
		if s.Items != nil {
			p.expect("comma")
		}
		s.Items = append(s.Items, p.expr())
	}
	return s
}

func (p *parser) signature(c *Callee) {
	p.expect("lparen")
	for p.cur().kind != "rparen" {
		if c.Args != nil {
			p.expect("comma")
		}
		a := p.nameTarget()
		a.Store, a.param = false, true
		for _, other := range c.Args {
			if other.Name == a.Name {
				fail(a.line(), "duplicate argument '%s' in function definition", a.Name)
			}
		}
		if p.skipKind("assign") {
			c.Defaults = append(c.Defaults, p.expr())
		} else if c.Defaults != nil {
			fail(a.line(), "non-default argument follows default argument")
		}
		c.Args = append(c.Args, a)
	}
	p.expect("rparen")
}

func (p *parser) macroTag(l Line) Stmt {
	s := &Macro{Line: l, Name: p.nameTarget().Name}
	p.signature(&s.Body)
	s.Body.Body = p.body("endmacro")
	return s
}

func (p *parser) callTag(l Line) Stmt {
	s := &CallBlock{Line: l}
	if p.cur().kind == "lparen" {
		p.signature(&s.Body)
	}
	call, ok := p.expr().(*Call)
	if !ok {
		fail(int(l), "expected call")
	}
	s.Call = call
	s.Body.Body = p.body("endcall")
	return s
}

func (p *parser) generationTag(l Line) Stmt {
	s := &CallBlock{Line: l}
	s.Body.Body = p.body("endgeneration")
	return s
}

func (p *parser) filterTag(l Line) Stmt {
	s := &FilterBlock{Line: l}
	s.Filter = p.filters(p.filter(nil)).(*Filter)
	s.Body = p.body("endfilter")
	return s
}

func (p *parser) extendsTag(l Line) Stmt {
	return &LoadTemplate{Line: l, Tag: "extends", Template: p.expr()}
}

func (p *parser) withContext() bool {
	if c := p.cur(); (c.is("name", "with") || c.is("name", "without")) && p.look().is("name", "context") {
		p.next()
		p.next()
		return true
	}
	return false
}

func (p *parser) includeTag(l Line) Stmt {
	s := &LoadTemplate{Line: l, Tag: "include", Template: p.expr()}
	if p.cur().is("name", "ignore") && p.look().is("name", "missing") {
		p.next()
		p.next()
	}
	p.withContext()
	return s
}

func (p *parser) importTag(l Line) Stmt {
	s := &LoadTemplate{Line: l, Tag: "import", Template: p.expr()}
	p.expectName("as")
	s.names = []string{p.nameTarget().Name}
	p.withContext()
	return s
}

func (p *parser) fromTag(l Line) Stmt {
	s := &LoadTemplate{Line: l, Tag: "from", Template: p.expr()}
	p.expectName("import")
	for {
		if s.names != nil {
			p.expect("comma")
		}
		if p.cur().kind != "name" {
			p.expect("name")
		}
		if p.withContext() {
			return s
		}
		name := p.nameTarget().Name
		if strings.HasPrefix(name, "_") {
			fail(p.cur().line, "names starting with an underline can not be imported")
		}
		if p.skipName("as") {
			name = p.nameTarget().Name
		}
		s.names = append(s.names, name)
		if p.withContext() || p.cur().kind != "comma" {
			return s
		}
	}
}
