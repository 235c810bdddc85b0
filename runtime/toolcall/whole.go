package toolcall

import (
	"errors"
	"strings"

	"github.com/tfgen/tfgen/runtime/template/py"
	"github.com/tfgen/tfgen/runtime/template/syntax"
)

// whole reads calls that are read when they are complete: a list of calls in Python, or calls in loose notation.
func (p *Parser) whole() bool {
	text, ok := "", false
	if p.calls.End != "" {
		if i := strings.Index(p.buf, p.calls.End); i >= 0 {
			text, ok = p.take(i), true
			p.consume(len(p.calls.End))
		}
	} else if n := pythonLen(p.buf); n > 0 {
		text, ok = p.take(n), true
	}
	if !ok {
		if !p.eof && len(p.buf) <= maxPending {
			return false
		}
		text = p.take(len(p.buf))
	}
	var calls []parsed
	var err error
	if p.calls.Loose != nil {
		calls, err = looseCalls(text, p.calls.Loose)
	} else {
		calls, err = pythonCalls(text)
	}
	if err != nil {
		if p.calls == p.format.Bare {
			raw := p.raw.String()
			p.raw.Reset()
			p.leave()
			p.trim = false
			p.text(raw)
			return true
		}
		p.giveUp()
		return p.leave()
	}
	for _, c := range calls {
		p.start(c.name, "")
		p.add(c.args)
		p.finish()
	}
	return p.leave()
}

type parsed struct{ name, args string }

// pythonLen is the length of a list or call at the start of s, 0 if it is not whole.
func pythonLen(s string) int {
	depth, quote := 0, byte(0)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '[' || c == '(' || c == '{':
			depth++
		case c == ']' || c == ')' || c == '}':
			if depth--; depth <= 0 {
				return i + 1
			}
		}
	}
	return 0
}

var errCall = errors.New("no call")

// pythonCalls reads f(a=1) or [f(a=1), g(b="x")]: their expressions are those of templates.
func pythonCalls(text string) (calls []parsed, err error) {
	defer py.Catch(&err)
	yes := func(string) bool { return true }
	t, err := syntax.Parse("{{"+strings.TrimSpace(text)+"}}", syntax.Options{HasFilter: yes, HasTest: yes, Constant: func(syntax.Expr) (any, bool) { return nil, false }})
	if err != nil {
		return nil, err
	}
	out, ok := single(t.Body)
	if !ok {
		return nil, errCall
	}
	items := []syntax.Expr{out}
	if l, ok := out.(*syntax.List); ok {
		items = l.Items
	}
	for _, x := range items {
		c, ok := x.(*syntax.Call)
		if !ok || len(c.Args.Pos) > 0 || c.Args.Star != nil || c.Args.Double != nil {
			return nil, errCall
		}
		name := dotted(c.F)
		if name == "" {
			return nil, errCall
		}
		args := new(py.Dict)
		for i, key := range c.Args.Names {
			v, ok := literal(c.Args.Named[i])
			if !ok {
				return nil, errCall
			}
			args.Set(key, v)
		}
		calls = append(calls, parsed{strings.TrimSuffix(name, ".call"), dumps(args)})
	}
	return calls, nil
}

// pythonLiteral is a literal of Python in JSON.
func pythonLiteral(text string) (string, error) {
	calls, err := pythonCalls("f(v=" + text + ")")
	if err != nil || len(calls) != 1 {
		return "", errCall
	}
	return strings.TrimSuffix(strings.TrimPrefix(calls[0].args, `{"v": `), "}"), nil
}

func dumps(v py.Value) string { return new(py.Machine).Dumps(v, py.JSON{Item: ", ", Key: ": "}) }

func single(body []syntax.Stmt) (syntax.Expr, bool) {
	if len(body) != 1 {
		return nil, false
	}
	out, ok := body[0].(*syntax.Output)
	if !ok || len(out.Items) != 1 {
		return nil, false
	}
	return out.Items[0], true
}

func dotted(e syntax.Expr) string {
	switch e := e.(type) {
	case *syntax.Name:
		return e.Name
	case *syntax.GetAttr:
		if x := dotted(e.X); x != "" {
			return x + "." + e.Name
		}
	}
	return ""
}

// literal is the value of an expression of literals.
func literal(e syntax.Expr) (py.Value, bool) {
	switch e := e.(type) {
	case *syntax.Const:
		return e.Value, true
	case *syntax.Name: // null of JSON
		return py.None, e.Name == "null"
	case *syntax.Unary:
		v, ok := literal(e.X)
		switch v.(type) {
		case int64, float64:
			return new(py.Machine).Neg(v), ok && e.Op == "-"
		}
	case *syntax.List:
		return literals(e.Items)
	case *syntax.Tuple:
		return literals(e.Items)
	case *syntax.Dict:
		d := new(py.Dict)
		for i, k := range e.Keys {
			key, ok := literal(k)
			v, ok2 := literal(e.Values[i])
			if _, isText := key.(string); !ok || !ok2 || !isText {
				return nil, false
			}
			d.Set(key, v)
		}
		return d, true
	}
	return nil, false
}

func literals(items []syntax.Expr) (py.Value, bool) {
	l := &py.List{Items: []py.Value{}}
	for _, x := range items {
		v, ok := literal(x)
		if !ok {
			return nil, false
		}
		l.Items = append(l.Items, v)
	}
	return l, true
}

// looseCalls reads call:name{key:value,…}; keys are bare, strings stand between marks.
func looseCalls(text string, l *Loose) (calls []parsed, err error) {
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		if !strings.HasPrefix(text, l.Open) {
			return nil, errCall
		}
		at := strings.IndexByte(text, '{')
		if at < 0 {
			return nil, errCall
		}
		r := &looseReader{s: text[at:], quote: l.Quote}
		v, ok := r.value(0)
		if !ok {
			return nil, errCall
		}
		calls = append(calls, parsed{strings.TrimSpace(text[len(l.Open):at]), dumps(v)})
		text = r.s
	}
	if calls == nil {
		return nil, errCall
	}
	return calls, nil
}

type looseReader struct{ s, quote string }

func (r *looseReader) skip(text string) bool {
	r.s = strings.TrimLeft(r.s, " \n\r\t")
	if strings.HasPrefix(r.s, text) {
		r.s = r.s[len(text):]
		return true
	}
	return false
}

// word reads up to a delimiter, or a text between marks.
func (r *looseReader) word(delimiters string) (s string, isText, ok bool) {
	if r.skip(r.quote) {
		s, r.s, ok = strings.Cut(r.s, r.quote)
		return s, true, ok
	}
	i := strings.IndexAny(r.s, delimiters)
	if i < 0 {
		return "", false, false
	}
	s, r.s = r.s[:i], r.s[i:]
	return strings.TrimSpace(s), false, true
}

func (r *looseReader) value(depth int) (py.Value, bool) {
	if depth > 64 {
		return nil, false
	}
	switch {
	case r.skip("{"):
		d := new(py.Dict)
		for !r.skip("}") {
			key, _, ok := r.word(":")
			if !ok || !r.skip(":") {
				return nil, false
			}
			v, ok := r.value(depth + 1)
			if !ok {
				return nil, false
			}
			d.Set(key, v)
			r.skip(",")
		}
		return d, true
	case r.skip("["):
		l := &py.List{Items: []py.Value{}}
		for !r.skip("]") {
			v, ok := r.value(depth + 1)
			if !ok {
				return nil, false
			}
			l.Items = append(l.Items, v)
			r.skip(",")
		}
		return l, true
	}
	s, isText, ok := r.word(",}]")
	if !ok || isText {
		return s, ok
	}
	if v, err := py.Decode([]byte(s)); err == nil {
		return v, true
	}
	return s, s != ""
}
