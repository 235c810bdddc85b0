package template

import (
	"github.com/tfgen/tfgen/runtime/template/py"
	"github.com/tfgen/tfgen/runtime/template/syntax"
)

// activation holds the variables of one call of a function.
type activation struct {
	fn     *syntax.Func
	vars   []Value
	parent *activation
	ctx    *scope
}

func (a *activation) call(fn *syntax.Func) *activation {
	return &activation{fn: fn, vars: make([]Value, len(fn.Vars)), parent: a, ctx: a.ctx}
}

func (a *activation) at(v *syntax.Var) *Value {
	for a.fn != v.Func {
		a = a.parent
	}
	return &a.vars[v.Index]
}

// signal is how a statement ends.
type signal int

const (
	flow signal = iota
	breaking
	continuing
)

// interpret renders a tree.
func (s *State) interpret(t *syntax.Template) {
	s.blocks = map[string]func(*scope){}
	for name, b := range t.Blocks {
		s.blocks[name] = func(ctx *scope) { s.block(b, ctx) }
	}
	a := &activation{fn: t.Func, vars: make([]Value, len(t.Func.Vars)), ctx: s.ctx}
	if t.Self != nil {
		*a.at(t.Self) = &self{s, s.ctx}
	}
	s.enter(&t.Scope, a)
	s.exec(t.Body, a)
}

func (s *State) block(b *syntax.Block, ctx *scope) {
	s.Enter()
	a := &activation{fn: b.Func, vars: make([]Value, len(b.Func.Vars)), ctx: ctx}
	if b.Self != nil {
		*a.at(b.Self) = &self{s, ctx}
	}
	if b.Super != nil {
		*a.at(b.Super) = noSuper(b.Name)
	}
	s.enter(&b.Scope, a)
	s.exec(b.Body, a)
	s.Leave()
}

func (s *State) enter(sc *syntax.Scope, a *activation) {
	for i := range sc.Enter {
		l := &sc.Enter[i]
		var v Value
		switch {
		case l.Alias != nil:
			v = *a.at(l.Alias)
		case l.Resolve != "":
			v = a.ctx.resolve(l.Resolve)
		}
		*a.at(l.Var) = v
	}
}

func (s *State) leave(sc *syntax.Scope, a *activation) {
	for _, v := range sc.Leave {
		*a.at(v) = nil
	}
}

// exec runs statements.
func (s *State) exec(list []syntax.Stmt, a *activation) signal {
	for _, n := range list {
		s.line = syntax.LineOf(n)
		s.Step(1)
		if sig := s.stmt(n, a); sig != flow {
			return sig
		}
	}
	return flow
}

func (s *State) stmt(n syntax.Stmt, a *activation) signal {
	switch n := n.(type) {
	case *syntax.Output:
		for _, x := range n.Items {
			s.output(x, n.Escape, a)
		}
	case *syntax.Set:
		for _, v := range n.Checks {
			s.NeedNamespace(*a.at(v))
		}
		s.assign(n.Target, s.eval(n.Value, a), a)
		s.export(n.Export, a)
	case *syntax.If:
		return s.ifStmt(n, a)
	case *syntax.For:
		return s.forStmt(n, a)
	case *syntax.Macro:
		m := s.macro(n.Name, &n.Body, a)
		*a.at(n.Var) = m
		if n.Export {
			a.ctx.vars[n.Name] = m
		}
	case *syntax.CallBlock:
		s.callBlock(n, a)
	case *syntax.Break:
		return breaking
	case *syntax.Continue:
		return continuing
	default:
		return s.scoped(n, a)
	}
	return flow
}

// scoped runs statements that have a scope of their own.
func (s *State) scoped(n syntax.Stmt, a *activation) signal {
	open := s.Captures()
	sig := flow
	switch n := n.(type) {
	case *syntax.SetBlock:
		if sig = s.capture(n.Body, &n.Scope, a); sig == flow {
			s.assign(n.Target, s.blockValue(n.Filter, a), a)
			s.export(n.Export, a)
			s.leave(&n.Scope, a)
		}
	case *syntax.FilterBlock:
		if sig = s.capture(n.Body, &n.Scope, a); sig == flow {
			s.WriteValue(s.filtered(n.Filter, a))
			s.leave(&n.Scope, a)
		}
	case *syntax.With:
		s.enter(&n.Scope, a)
		for i, t := range n.Targets {
			s.assign(t, s.eval(n.Values[i], a), a)
		}
		sig = s.exec(n.Body, a)
		s.leave(&n.Scope, a)
	case *syntax.Autoescape:
		s.enter(&n.Scope, a)
		old := s.SetEscape(s.eval(n.Value, a))
		sig = s.exec(n.Body, a)
		if sig == flow {
			s.SetEscape(old)
		}
		s.leave(&n.Scope, a)
	case *syntax.Block:
		s.callNamedBlock(n, a)
	case *syntax.LoadTemplate:
		if n.Template != nil {
			s.eval(n.Template, a)
		}
		s.NoTemplate()
	}
	if sig != flow {
		s.DropTo(open)
	}
	return sig
}

// capture runs a body in its scope and leaves what it prints in a capture, unless it ends a loop.
func (s *State) capture(body []syntax.Stmt, sc *syntax.Scope, a *activation) signal {
	s.enter(sc, a)
	s.Begin()
	return s.exec(body, a)
}

// blockValue ends the capture of a set block.
func (s *State) blockValue(f *syntax.Filter, a *activation) Value {
	if f == nil {
		return s.Marked(s.End())
	}
	v := s.filtered(f, a)
	if s.escape {
		return s.MarkupOf(v)
	}
	return v
}

// MarkupOf is Markup(v).
func (s *State) MarkupOf(v Value) Value {
	if m, ok := v.(py.Markup); ok {
		return m
	}
	return py.Markup(s.Str(v))
}

// filtered ends a capture and applies a filter, or a chain of them, to it.
func (s *State) filtered(f *syntax.Filter, a *activation) Value {
	var in Value
	if inner, ok := f.X.(*syntax.Filter); ok {
		in = s.filtered(inner, a)
	} else {
		text := s.End()
		in = text
		if escapes(f.Escape, s) {
			in = py.Markup(text)
		}
	}
	return s.applyFilter(f, in, a)
}

func escapes(mode syntax.Escaping, s *State) bool {
	return mode == syntax.EscapeAlways || mode == syntax.EscapeDynamic && s.escape
}

func (s *State) callNamedBlock(n *syntax.Block, a *activation) {
	if n.Required {
		py.Throw("TemplateRuntimeError", "Required block '%s' not found", n.Name)
	}
	ctx := a.ctx
	if n.Scoped {
		locals := map[string]Value{}
		for _, v := range n.Locals {
			locals[v.Name] = *a.at(v)
		}
		ctx = ctx.derive(locals)
	}
	s.blocks[n.Name](ctx)
}

func (s *State) output(x syntax.Expr, mode syntax.Escaping, a *activation) {
	if d, ok := x.(*syntax.Data); ok {
		s.Write(d.Text)
		return
	}
	s.line = syntax.LineOf(x)
	v := s.eval(x, a)
	switch mode {
	case syntax.EscapeNever:
		s.Print(v)
	case syntax.EscapeAlways:
		s.PrintEscaped(v)
	default:
		s.PrintDynamic(v)
	}
}

func (s *State) export(vars []*syntax.Var, a *activation) {
	for _, v := range vars {
		a.ctx.vars[v.Name] = *a.at(v)
	}
}

func (s *State) assign(target syntax.Expr, v Value, a *activation) {
	switch t := target.(type) {
	case *syntax.Name:
		*a.at(t.Var) = v
	case *syntax.NSRef:
		ns := *a.at(t.Var)
		if ns == nil {
			py.Throw("TypeError", "the variable '%s' is not set", t.Name)
		}
		s.SetAttr(ns, t.Attr, v)
	case *syntax.Tuple:
		for i, x := range s.Unpack(v, len(t.Items)) {
			s.assign(t.Items[i], x, a)
		}
	}
}

func (s *State) ifStmt(n *syntax.If, a *activation) signal {
	if s.Truth(s.eval(n.Test, a)) {
		return s.exec(n.Body, a)
	}
	for _, e := range n.Elifs {
		s.line = syntax.LineOf(e)
		if s.Truth(s.eval(e.Test, a)) {
			return s.exec(e.Body, a)
		}
	}
	return s.exec(n.Else, a)
}

func (s *State) forStmt(n *syntax.For, a *activation) signal {
	v := s.eval(n.Iter, a)
	if !n.Recursive {
		return s.loop(n, v, a, a, 0)
	}
	s.Print(s.recurse(n, v, a, 0))
	return flow
}

// recurse runs a recursive loop, a function of its own.
func (s *State) recurse(n *syntax.For, v Value, a *activation, depth int) Value {
	s.Enter()
	defer s.Leave()
	s.Begin()
	s.loop(n, v, a.call(n.Func), a, depth)
	text := s.End()
	if escapes(n.Escape, s) {
		return py.Markup(text)
	}
	return text
}

// loop runs a loop with its variables in a; outer is where it stands.
func (s *State) loop(n *syntax.For, v Value, a, outer *activation, depth int) signal {
	if n.Test != nil {
		v = s.filterLoop(n, v, outer)
	}
	var l *Loop
	if n.Recursive {
		l = s.NewRecursiveLoop(v, depth, func(v Value, depth int) Value { return s.recurse(n, v, outer, depth) })
	} else {
		l = s.NewLoop(v)
	}
	empty := true
	for x, ok := l.Next(); ok; x, ok = l.Next() {
		s.assign(n.Target, x, a)
		if n.Loop != nil {
			*a.at(n.Loop) = l
		}
		s.enter(&n.Scope, a)
		sig := s.exec(n.Body, a)
		if sig == breaking {
			break
		}
		if sig == flow {
			empty = false
		}
	}
	s.leave(&n.Scope, a)
	if empty && n.Else != nil {
		s.enter(&n.ElseScope, a)
		sig := s.exec(n.Else, a)
		s.leave(&n.ElseScope, a)
		return sig
	}
	return flow
}

// filterLoop is the generator of a loop's values that meet its condition.
func (s *State) filterLoop(n *syntax.For, v Value, a *activation) Value {
	return py.Generate(func() py.Iterator {
		f := a.call(n.TestFunc)
		s.enter(&n.TestScope, f)
		next := s.Iter(v)
		return func() (Value, bool) {
			for {
				s.Step(1)
				x, ok := next()
				if !ok {
					return nil, false
				}
				s.assign(n.TestItem, x, f)
				if s.Truth(s.eval(n.Test, f)) {
					return s.eval(n.TestItem, f), true
				}
			}
		}
	})
}

// macro makes the macro of a body.
func (s *State) macro(name string, c *syntax.Callee, a *activation) *Macro {
	m := Macro{Name: name, Caller: c.UsesCaller, Kwargs: c.Kwargs != nil, Varargs: c.Varargs != nil, ExplicitCaller: c.ExplicitCaller}
	for _, p := range c.Args {
		m.Args = append(m.Args, p.Name)
	}
	m.Body = func(args []Value) string { return s.runMacro(c, args, a.call(c.Func)) }
	return s.NewMacro(m)
}

func (s *State) runMacro(c *syntax.Callee, args []Value, a *activation) string {
	i := len(c.Params)
	NoMoreThan(args, len(c.Params)+c.Extra())
	for j, v := range c.Params {
		*a.at(v) = args[j]
	}
	for _, v := range []*syntax.Var{c.Caller, c.Kwargs, c.Varargs} {
		if v != nil {
			*a.at(v) = args[i]
			i++
		}
	}
	s.Begin()
	s.enter(&c.Scope, a)
	for j, v := range c.Params {
		if p := a.at(v); *p == nil {
			if k := j - (len(c.Params) - len(c.Defaults)); k >= 0 {
				*p = s.eval(c.Defaults[k], a)
			} else {
				*p = NotProvided(v.Name)
			}
		}
	}
	s.exec(c.Body, a)
	return s.End()
}

func (s *State) callBlock(n *syntax.CallBlock, a *activation) {
	caller := s.macro("", &n.Body, a)
	if n.Call == nil {
		s.Generation(caller)
		return
	}
	f := s.eval(n.Call.F, a)
	args := s.arguments(&n.Call.Args, a)
	for _, name := range args.Names {
		if name == "caller" {
			py.Throw("TypeError", "got multiple values for keyword argument 'caller'")
		}
	}
	args.Names, args.Named = append(args.Names, "caller"), append(args.Named, caller)
	s.WriteValue(s.Call(f, args))
}
