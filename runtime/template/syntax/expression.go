package syntax

import (
	"math/big"
	"strconv"

	"github.com/tfgen/tfgen/runtime/template/py"
)

// target reads what can be assigned to: names, tuples of them, attributes of namespaces if those are allowed.
func (p *parser) target(namespaces bool) Expr {
	t := p.tupleOf(func() Expr { return p.primary(namespaces) }, false)
	asStore(t)
	if !assignable(t) {
		fail(t.line(), "can't assign to '%s'", nodeName(t))
	}
	return t
}

func (p *parser) nameTarget() *Name {
	t := p.expect("name")
	n := &Name{Line: Line(t.line), Name: t.text, Store: true}
	if !assignable(n) {
		fail(t.line, "can't assign to 'name'")
	}
	return n
}

func assignable(e Expr) bool {
	switch e := e.(type) {
	case *Name:
		switch e.Name {
		case "true", "false", "none", "True", "False", "None":
			return false
		}
		return true
	case *NSRef:
		return true
	case *Tuple:
		for _, x := range e.Items {
			if !assignable(x) {
				return false
			}
		}
		return true
	}
	return false
}

// nodeName is what jinja calls a node.
func nodeName(e Expr) string {
	switch e.(type) {
	case *Const:
		return "const"
	case *Tuple:
		return "tuple"
	case *List:
		return "list"
	case *Dict:
		return "dict"
	}
	return "expression"
}

func asStore(e Expr) {
	switch e := e.(type) {
	case *Name:
		e.Store = true
	case *Tuple:
		for _, x := range e.Items {
			asStore(x)
		}
	}
}

func asParam(e Expr) {
	switch e := e.(type) {
	case *Name:
		e.Store, e.param = false, true
	case *Tuple:
		for _, x := range e.Items {
			asParam(x)
		}
	}
}

// tuple reads an expression, or several with commas between them. Without cond, a conditional expression needs parentheses.
func (p *parser) tuple(cond bool) Expr {
	if cond {
		return p.tupleOf(p.expr, false)
	}
	return p.tupleOf(p.or, false)
}

func (p *parser) tupleOf(item func() Expr, parens bool) Expr {
	line := Line(p.cur().line)
	var items []Expr
	comma := false
	for {
		if items != nil {
			p.expect("comma")
		}
		if k := p.cur().kind; k == "variable_end" || k == "block_end" || k == "rparen" {
			break
		}
		items = append(items, item())
		if p.cur().kind != "comma" {
			break
		}
		comma = true
	}
	if !comma {
		if items != nil {
			return items[0]
		}
		if !parens {
			fail(p.cur().line, "Expected an expression, got '%s'", p.cur().describe())
		}
	}
	return &Tuple{line, items}
}

// expr reads an expression.
func (p *parser) expr() Expr {
	p.enter()
	defer p.leave()
	line := Line(p.cur().line)
	x := p.or()
	for p.skipName("if") {
		c := &Cond{Line: line, Test: p.or(), Then: x}
		if p.skipName("else") {
			c.Else = p.expr()
		}
		x, line = c, Line(p.cur().line)
	}
	return x
}

func (p *parser) or() Expr {
	x, n := p.and(), 0
	for p.skipName("or") {
		p.chain(&n)
		x = &Binary{Line: Line(x.line()), Op: "or", Left: x, Right: p.and()}
	}
	return x
}

func (p *parser) and() Expr {
	x, n := p.not(), 0
	for p.skipName("and") {
		p.chain(&n)
		x = &Binary{Line: Line(x.line()), Op: "and", Left: x, Right: p.not()}
	}
	return x
}

func (p *parser) not() Expr {
	if t := p.cur(); p.skipName("not") {
		p.enter()
		defer p.leave()
		return &Unary{Line(t.line), "not", p.not()}
	}
	return p.compare()
}

var comparisons = map[string]string{"eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">="}

func (p *parser) compare() Expr {
	x := p.sum()
	c := &Compare{Line: Line(x.line()), X: x}
	for {
		t := p.cur()
		op := comparisons[t.kind]
		switch {
		case op != "":
			p.next()
		case t.is("name", "in"):
			p.next()
			op = "in"
		case t.is("name", "not") && p.look().is("name", "in"):
			p.next()
			p.next()
			op = "not in"
		case c.Ops == nil:
			return x
		default:
			return c
		}
		p.nodes++
		c.Ops = append(c.Ops, Operand{op, p.sum()})
	}
}

var arithmetic = map[string]string{"add": "+", "sub": "-", "mul": "*", "div": "/", "floordiv": "//", "mod": "%", "pow": "**"}

func (p *parser) sum() Expr {
	x, n := p.concat(), 0
	for k := p.cur().kind; k == "add" || k == "sub"; k = p.cur().kind {
		p.chain(&n)
		p.next()
		x = p.binary(k, x, p.concat())
	}
	return x
}

func (p *parser) binary(kind string, x, y Expr) Expr {
	return &Binary{Line: Line(x.line()), Op: arithmetic[kind], Left: x, Right: y}
}

func (p *parser) concat() Expr {
	x := p.product()
	if p.cur().kind != "tilde" {
		return x
	}
	c := &Concat{Line: Line(x.line()), Items: []Expr{x}}
	for p.skipKind("tilde") {
		c.Items = append(c.Items, p.product())
	}
	return c
}

func (p *parser) product() Expr {
	x, n := p.power(), 0
	for k := p.cur().kind; k == "mul" || k == "div" || k == "floordiv" || k == "mod"; k = p.cur().kind {
		p.chain(&n)
		p.next()
		x = p.binary(k, x, p.power())
	}
	return x
}

func (p *parser) power() Expr {
	x, n := p.unary(true), 0
	for p.skipKind("pow") {
		p.chain(&n)
		x = p.binary("pow", x, p.unary(true))
	}
	return x
}

func (p *parser) unary(filters bool) Expr {
	p.enter()
	defer p.leave()
	t := p.cur()
	var x Expr
	switch t.kind {
	case "sub":
		p.next()
		x = &Unary{Line(t.line), "-", p.unary(false)}
	case "add":
		p.next()
		x = &Unary{Line(t.line), "+", p.unary(false)}
	default:
		x = p.primary(false)
	}
	x = p.postfix(x)
	if filters {
		x = p.filterExpr(x)
	}
	return x
}

func (p *parser) primary(namespaces bool) Expr {
	t := p.cur()
	l := Line(t.line)
	switch t.kind {
	case "name":
		p.next()
		return p.name(t, namespaces)
	case "string":
		s := p.next().text
		for p.cur().kind == "string" {
			s += p.next().text
		}
		return &Const{l, s}
	case "integer":
		p.next()
		return &Const{l, integer(t)}
	case "float":
		p.next()
		f, _ := strconv.ParseFloat(t.text, 64)
		return &Const{l, f}
	case "lparen":
		p.next()
		x := p.tupleOf(p.expr, true)
		p.expect("rparen")
		return x
	case "lbracket":
		return p.list()
	case "lbrace":
		return p.dict()
	}
	fail(t.line, "unexpected '%s'", t.describe())
	return nil
}

func integer(t token) any {
	x, ok := new(big.Int).SetString(t.text, 0)
	if !ok || len(t.text) > 4300 {
		fail(t.line, "invalid integer")
	}
	return py.Int(x)
}

func (p *parser) name(t token, namespaces bool) Expr {
	l := Line(t.line)
	switch t.text {
	case "true", "True":
		return &Const{l, true}
	case "false", "False":
		return &Const{l, false}
	case "none", "None":
		return &Const{l, py.None}
	}
	if namespaces && p.skipKind("dot") {
		return &NSRef{Line: l, Name: t.text, Attr: p.expect("name").text}
	}
	return &Name{Line: l, Name: t.text}
}

func (p *parser) list() Expr {
	l := &List{Line: Line(p.next().line), Items: []Expr{}}
	for p.cur().kind != "rbracket" {
		if len(l.Items) > 0 {
			p.expect("comma")
		}
		if p.cur().kind == "rbracket" {
			break
		}
		l.Items = append(l.Items, p.expr())
	}
	p.expect("rbracket")
	return l
}

func (p *parser) dict() Expr {
	d := &Dict{Line: Line(p.next().line)}
	for p.cur().kind != "rbrace" {
		if d.Keys != nil {
			p.expect("comma")
		}
		if p.cur().kind == "rbrace" {
			break
		}
		d.Keys = append(d.Keys, p.expr())
		p.expect("colon")
		d.Values = append(d.Values, p.expr())
	}
	p.expect("rbrace")
	return d
}

// postfix reads attributes, items and calls after x.
func (p *parser) postfix(x Expr) Expr {
	for n := 0; ; p.chain(&n) {
		switch p.cur().kind {
		case "dot", "lbracket":
			x = p.subscript(x)
		case "lparen":
			x = p.call(x)
		default:
			return x
		}
	}
}

// filterExpr reads filters, tests and calls after x.
func (p *parser) filterExpr(x Expr) Expr {
	for n := 0; ; p.chain(&n) {
		switch t := p.cur(); {
		case t.kind == "pipe":
			x = p.filters(x)
		case t.is("name", "is"):
			x = p.test(x)
		case t.kind == "lparen":
			x = p.call(x)
		default:
			return x
		}
	}
}

func (p *parser) subscript(x Expr) Expr {
	t := p.next()
	l := Line(t.line)
	if t.kind == "dot" {
		switch a := p.next(); a.kind {
		case "name":
			return &GetAttr{l, x, a.text}
		case "integer":
			return &GetItem{Line: l, X: x, Key: &Const{l, integer(a)}}
		default:
			fail(a.line, "expected name or number")
		}
	}
	var args []Expr
	for p.cur().kind != "rbracket" {
		if args != nil {
			p.expect("comma")
		}
		args = append(args, p.key())
	}
	p.expect("rbracket")
	if len(args) == 1 {
		return &GetItem{Line: l, X: x, Key: args[0]}
	}
	for _, a := range args {
		if _, ok := a.(*Slice); ok {
			fail(t.line, "a slice among several subscripts")
		}
	}
	return &GetItem{Line: l, X: x, Key: &Tuple{l, args}}
}

// key reads what is in brackets: an expression or a slice.
func (p *parser) key() Expr {
	s := &Slice{Line: Line(p.cur().line)}
	if p.cur().kind != "colon" {
		x := p.expr()
		if p.cur().kind != "colon" {
			return x
		}
		s.Start = x
	}
	p.next()
	end := func() bool { k := p.cur().kind; return k == "rbracket" || k == "comma" }
	if p.cur().kind != "colon" && !end() {
		s.Stop = p.expr()
	}
	if p.skipKind("colon") && !end() {
		s.Step = p.expr()
	}
	return s
}

func (p *parser) arguments() (a Arguments) {
	line := p.expect("lparen").line
	ensure := func(ok bool) {
		if !ok {
			fail(line, "invalid syntax for function call expression")
		}
	}
	for first := true; p.cur().kind != "rparen"; first = false {
		if !first {
			if p.expect("comma"); p.cur().kind == "rparen" {
				break
			}
		}
		switch t := p.cur(); {
		case t.kind == "mul":
			ensure(a.Star == nil && a.Double == nil)
			p.next()
			a.Star = p.expr()
		case t.kind == "pow":
			ensure(a.Double == nil)
			p.next()
			a.Double = p.expr()
		case t.kind == "name" && p.look().kind == "assign":
			ensure(a.Double == nil)
			p.next()
			p.next()
			for _, n := range a.Names {
				if n == t.text {
					fail(t.line, "keyword argument repeated: %s", t.text)
				}
			}
			a.Names = append(a.Names, t.text)
			a.Named = append(a.Named, p.expr())
		default:
			ensure(a.Star == nil && a.Double == nil && a.Names == nil)
			a.Pos = append(a.Pos, p.expr())
		}
	}
	p.expect("rparen")
	return a
}

func (p *parser) call(f Expr) Expr {
	l := Line(p.cur().line)
	return &Call{l, f, p.arguments()}
}

// filters reads a chain of filters after x, which may be nil.
func (p *parser) filters(x Expr) Expr {
	for n := 0; p.skipKind("pipe"); p.chain(&n) {
		x = p.filter(x)
	}
	return x
}

func (p *parser) filter(x Expr) Expr {
	t := p.expect("name")
	p.nodes++
	f := &Filter{Line: Line(t.line), X: x, Name: t.text + p.dotted()}
	if p.cur().kind == "lparen" {
		f.Args = p.arguments()
	}
	return f
}

func (p *parser) dotted() (s string) {
	for p.skipKind("dot") {
		s += "." + p.expect("name").text
	}
	return s
}

func (p *parser) test(x Expr) Expr {
	line := Line(p.next().line)
	negated := p.skipName("not")
	t := &Test{Line: line, X: x}
	t.Name = p.expect("name").text + p.dotted()
	switch c := p.cur(); c.kind {
	case "lparen":
		t.Args = p.arguments()
	case "name", "string", "integer", "float", "lbracket", "lbrace":
		if c.kind == "name" && (c.text == "else" || c.text == "or" || c.text == "and") {
			break
		}
		if c.is("name", "is") {
			fail(c.line, "You cannot chain multiple tests with is")
		}
		t.Args.Pos = []Expr{p.postfix(p.primary(false))}
	}
	if negated {
		return &Unary{line, "not", t}
	}
	return t
}
