package syntax

import (
	"math"
	"math/big"

	"github.com/tfgen/tfgen/runtime/template/py"
)

// Options are what the parser needs to know about the environment.
type Options struct {
	HasFilter func(name string) bool
	HasTest   func(name string) bool
	// Constant returns the value of an expression that is folded when the template is compiled. Filters in it that do not
	// exist do not matter then.
	Constant func(Expr) (value any, ok bool)
}

// frame is jinja2.compiler.Frame: where a piece of code stands.
type frame struct {
	symbols  *symbols
	fn       *Func
	toplevel bool
	soft     bool // in a condition: an unknown filter fails only when it runs
	folded   bool // in an expression that jinja tries to fold
	constant bool // in one that it has folded
	loop     int  // loops of this function around it
	escape   Escaping
}

func (f frame) inner() frame {
	return frame{symbols: newSymbols(f.symbols), fn: f.fn, loop: f.loop, escape: f.escape}
}

// softly returns the frame of a condition's branches.
func (f frame) softly() frame {
	f.symbols = f.symbols.copy()
	f.soft = true
	return f
}

type resolver struct {
	Options
	blocks map[string]*Block
	order  []*Block
}

// Parse reads a template and resolves its names.
func Parse(src string, o Options) (t *Template, err error) {
	defer py.Catch(&err)
	if len(src) > MaxSource {
		fail(1, "the template has %d bytes, at most %d are supported", len(src), MaxSource)
	}
	p := &parser{tokens: lex(src), tags: tagNames()}
	t = &Template{Body: p.subparse(), Func: newFunc(nil)}
	r := &resolver{Options: o, blocks: map[string]*Block{}}
	if p.nodes*p.most > maxWork {
		fail(1, "the template is too large and too deeply nested")
	}
	each(t.Body, r.findBlocks)
	t.Blocks = r.blocks
	r.template(t)
	for _, b := range r.order {
		r.block(b)
	}
	t.Nodes = p.nodes
	return t, nil
}

func newFunc(parent *Func) *Func { return &Func{Parent: parent, byName: map[string]*Var{}} }

// local returns the variable of the function with that identifier, a new one if need be.
func (f *Func) local(id, name string) *Var {
	v, ok := f.byName[id]
	if !ok {
		v = &Var{Name: name, Ident: id, Func: f, Index: len(f.Vars)}
		f.byName[id] = v
		f.Vars = append(f.Vars, v)
	}
	return v
}

// lookup finds a variable in the function or those around it.
func (f *Func) lookup(id, name string) *Var {
	for g := f; g != nil; g = g.Parent {
		if v, ok := g.byName[id]; ok {
			return v
		}
	}
	return f.local(id, name)
}

func (f frame) ref(name string) *Var { return f.fn.lookup(f.symbols.ref(name), name) }

// scope makes the variables of the frame's symbols and says how they begin.
func (f frame) scope() (s Scope) {
	for _, id := range f.symbols.order {
		l := f.symbols.loads[id]
		v := f.fn.local(id, nameOf(id))
		s.Leave = append(s.Leave, v)
		switch l.kind {
		case "resolve":
			s.Enter = append(s.Enter, Load{Var: v, Resolve: l.from})
		case "alias":
			s.Enter = append(s.Enter, Load{Var: v, Alias: f.fn.lookup(l.from, nameOf(l.from))})
		case "undefined":
			s.Enter = append(s.Enter, Load{Var: v})
		}
	}
	return s
}

// nameOf is the name in an identifier l_<level>_<name>.
func nameOf(id string) string {
	for i := 2; ; i++ {
		if id[i] == '_' {
			return id[i+1:]
		}
	}
}

func (r *resolver) findBlocks(n Node) {
	if n == nil {
		return
	}
	if b, ok := n.(*Block); ok {
		if r.blocks[b.Name] != nil {
			fail(b.line(), "block '%s' defined twice", b.Name)
		}
		r.blocks[b.Name] = b
		r.order = append(r.order, b)
	}
	children(n, r.findBlocks)
}

func (r *resolver) template(t *Template) {
	f := frame{symbols: newSymbols(nil), fn: t.Func, toplevel: true}
	if undeclared(t.Body, "self")["self"] {
		t.Self = f.fn.local(f.symbols.param("self"), "self")
	}
	f.symbols.visitBody(t.Body)
	t.Scope = f.scope()
	r.body(t.Body, f)
}

func (r *resolver) block(b *Block) {
	b.Func = newFunc(nil)
	f := frame{symbols: newSymbols(nil), fn: b.Func}
	used := undeclared(b.Body, "self", "super")
	if used["self"] {
		b.Self = f.fn.local(f.symbols.param("self"), "self")
	}
	if used["super"] {
		b.Super = f.fn.local(f.symbols.param("super"), "super")
	}
	f.symbols.visitBody(b.Body)
	b.Scope = f.scope()
	r.body(b.Body, f)
}

func (r *resolver) body(list []Stmt, f frame) {
	for _, s := range list {
		r.stmt(s, f)
	}
}

func (r *resolver) stmt(s Stmt, f frame) {
	switch s := s.(type) {
	case *Output:
		s.Escape = f.escape
		r.output(s.Items, f)
	case *Set:
		r.set(s, f)
	case *SetBlock:
		r.setBlock(s, f)
	case *If:
		r.ifStmt(s, f)
	case *For:
		r.forStmt(s, f)
	case *Macro:
		r.callee(&s.Body, f)
		s.Var, s.Export = f.ref(s.Name), f.toplevel
	case *CallBlock:
		r.callee(&s.Body, f)
		if s.Call != nil {
			r.expr(s.Call, f)
		}
	case *FilterBlock:
		in := f.inner()
		in.symbols.visitBody(s.Body)
		in.symbols.visit(s.Filter)
		s.Scope = in.scope()
		r.body(s.Body, in)
		r.expr(s.Filter, in)
	case *With:
		in := f.inner()
		in.symbols.visitAll(s.Targets)
		in.symbols.visitBody(s.Body)
		s.Scope = in.scope()
		for i, t := range s.Targets {
			r.target(t, in)
			r.expr(s.Values[i], f)
		}
		r.body(s.Body, in)
	case *Block:
		if s.Scoped {
			for _, name := range sorted(f.symbols.allStores()) {
				s.Locals = append(s.Locals, f.ref(name))
			}
		}
	case *Autoescape:
		r.autoescape(s, f)
	case *LoadTemplate:
		r.loadTemplate(s, f)
	case *Break, *Continue:
		if f.loop == 0 {
			fail(s.line(), "'break' or 'continue' outside loop")
		}
	}
}

func (s *symbols) allStores() map[string]bool {
	out := map[string]bool{}
	for ; s != nil; s = s.parent {
		for name := range s.stores {
			out[name] = true
		}
	}
	return out
}

func (r *resolver) set(s *Set, f frame) {
	seen := map[string]bool{}
	var refs func(Expr)
	refs = func(e Expr) {
		switch e := e.(type) {
		case *NSRef:
			if !seen[e.Name] {
				seen[e.Name] = true
				s.Checks = append(s.Checks, f.ref(e.Name))
			}
		case *Tuple:
			each(e.Items, func(n Node) { refs(n) })
		}
	}
	refs(s.Target)
	r.target(s.Target, f)
	r.expr(s.Value, f)
	if f.toplevel {
		s.Export = f.exports(s.Target)
	}
}

// exports are the variables of a target that become the context's.
func (f frame) exports(target Expr) (out []*Var) {
	switch t := target.(type) {
	case *Name:
		out = append(out, f.ref(t.Name))
	case *Tuple:
		for _, x := range t.Items {
			out = append(out, f.exports(x)...)
		}
	}
	return out
}

func (r *resolver) setBlock(s *SetBlock, f frame) {
	in := f.inner()
	in.symbols.visitBody(s.Body)
	s.Scope = in.scope()
	r.body(s.Body, in)
	r.target(s.Target, f)
	if s.Filter != nil {
		r.expr(s.Filter, in)
		s.Filter.Escape = f.escape
	}
	if f.toplevel {
		s.Export = f.exports(s.Target)
	}
}

func (r *resolver) ifStmt(s *If, f frame) {
	soft := f.softly()
	r.expr(s.Test, soft)
	r.body(s.Body, soft)
	for _, e := range s.Elifs {
		r.expr(e.Test, soft)
		r.body(e.Body, soft)
	}
	r.body(s.Else, soft)
}

func (r *resolver) forStmt(s *For, f frame) {
	loop, test, other := f.inner(), f.inner(), f.inner()
	s.Escape = f.escape
	s.Extended = s.Recursive || undeclared(s.Body, "loop")["loop"] || hasScopedBlock(s)
	if s.Recursive {
		s.Func = newFunc(f.fn)
		loop.fn, other.fn = s.Func, s.Func
		loop.loop, other.loop = 0, 0
	}
	loopID := ""
	if s.Extended {
		loopID = loop.symbols.param("loop")
	}
	loop.symbols.params(s.Target)
	loop.symbols.visitBody(s.Body)
	if s.Else != nil {
		other.symbols.visitBody(s.Else)
	}
	if s.Test != nil {
		r.loopTest(s, f, test, loop)
	}
	noLoopTarget(s)
	if s.Extended {
		s.Loop = loop.fn.local(loopID, "loop")
	}
	s.Scope = loop.scope()
	r.target(s.Target, loop)
	r.expr(s.Iter, f)
	loop.loop++
	r.body(s.Body, loop)
	if s.Else != nil {
		s.ElseScope = other.scope()
		r.body(s.Else, other)
	}
}

// loopTest resolves the condition of a loop, which is a function of its own.
func (r *resolver) loopTest(s *For, f, test, loop frame) {
	s.TestFunc = newFunc(test.fn)
	test.fn, test.loop = s.TestFunc, 0
	test.symbols.params(s.Target)
	test.symbols.visit(s.Test)
	s.TestScope = test.scope()
	s.TestItem = copyTarget(s.Target)
	r.target(s.TestItem, frame{symbols: loop.symbols, fn: s.TestFunc})
	r.expr(s.Test, test)
}

func copyTarget(e Expr) Expr {
	switch e := e.(type) {
	case *Name:
		c := *e
		return &c
	case *Tuple:
		c := &Tuple{Line: e.Line}
		for _, x := range e.Items {
			c.Items = append(c.Items, copyTarget(x))
		}
		return c
	}
	return e
}

// noLoopTarget fails if anything in a loop assigns to loop.
func noLoopTarget(n Node) {
	switch n := n.(type) {
	case nil:
	case *Name:
		if n.Store && n.Name == "loop" {
			fail(n.line(), "Can't assign to special loop variable in for-loop target")
		}
	default:
		children(n, noLoopTarget)
	}
}

func hasScopedBlock(n Node) (found bool) {
	children(n, func(c Node) {
		if c != nil {
			b, ok := c.(*Block)
			found = found || ok && b.Scoped || hasScopedBlock(c)
		}
	})
	return found
}

func (r *resolver) callee(c *Callee, f frame) {
	in := f.inner()
	c.Func = newFunc(f.fn)
	in.fn, in.loop = c.Func, 0
	in.symbols.callee(c)
	given := map[string]bool{}
	for i, a := range c.Args {
		given[a.Name] = true
		c.Params = append(c.Params, c.Func.local(in.symbols.ref(a.Name), a.Name))
		if a.Name == "caller" {
			c.ExplicitCaller = true
			if i < len(c.Args)-len(c.Defaults) && undeclared(c.Body, "caller")["caller"] {
				fail(a.line(), "When defining macros or call blocks the special \"caller\" argument must be omitted or be given a default.")
			}
		}
	}
	used := undeclared(c.Body, "caller", "kwargs", "varargs")
	c.UsesCaller = used["caller"]
	special := func(name string) *Var {
		if !used[name] || given[name] {
			return nil
		}
		return c.Func.local(in.symbols.param(name), name)
	}
	c.Caller, c.Kwargs, c.Varargs = special("caller"), special("kwargs"), special("varargs")
	in.symbols.callee(c)
	c.Scope = in.scope()
	for _, a := range c.Args {
		a.Var = in.ref(a.Name)
	}
	r.exprs(c.Defaults, in)
	r.body(c.Body, in)
}

func (r *resolver) autoescape(s *Autoescape, f frame) {
	in := f.inner()
	in.symbols.visit(s.Value)
	in.symbols.visitBody(s.Body)
	s.Scope = in.scope()
	in.escape = EscapeDynamic
	if c, ok := s.Value.(*Const); ok {
		in.escape = EscapeNever
		if new(py.Machine).Truth(c.Value) {
			in.escape = EscapeAlways
		}
	}
	r.expr(s.Value, in)
	r.body(s.Body, in)
}

func (r *resolver) loadTemplate(s *LoadTemplate, f frame) {
	if s.Tag == "extends" && !f.toplevel {
		fail(s.line(), "cannot use extend from a non top-level scope")
	}
	r.expr(s.Template, f)
	for _, name := range s.names {
		s.Vars = append(s.Vars, f.ref(name))
	}
}

func (r *resolver) target(e Expr, f frame) {
	switch e := e.(type) {
	case *Name:
		e.Var = f.ref(e.Name)
	case *NSRef:
		e.Var = f.ref(e.Name)
	case *Tuple:
		each(e.Items, func(n Node) { r.target(n, f) })
	}
}

func (r *resolver) exprs(list []Expr, f frame) {
	for _, e := range list {
		r.expr(e, f)
	}
}

// expr resolves the names of an expression and checks its filters and tests.
func (r *resolver) expr(e Expr, f frame) {
	switch e := e.(type) {
	case nil:
		return
	case *Name:
		e.Var = f.ref(e.Name)
		return
	case *Filter:
		e.Escape = f.escape
		if e.Missing = !r.HasFilter(e.Name); e.Missing && !f.soft {
			fail(e.line(), "No filter named '%s'.", e.Name)
		}
	case *Test:
		if e.Missing = !r.HasTest(e.Name); e.Missing && !f.soft {
			fail(e.line(), "No test named '%s'.", e.Name)
		}
	case *Concat:
		e.Escape = f.escape
	case *Cond:
		f.soft = true
	case *GetItem:
		_, slice := e.Key.(*Slice)
		e.Soft = slice && f.constant
	case *Dict:
		if f.folded {
			r.foldDict(e)
		}
	}
	if !f.constant && f.escape != EscapeDynamic && optimized(e) && sliced(e) {
		_, f.constant = r.Constant(e)
	}
	f.folded = f.folded || f.escape != EscapeDynamic && optimized(e)
	if !f.soft && f.escape != EscapeDynamic && folds(e) {
		_, f.soft = r.Constant(e)
	}
	if b, ok := e.(*Binary); ok && b.Op == "**" && f.escape != EscapeDynamic {
		b.Negate = r.negates(b)
	}
	children(e, func(n Node) { r.expr(n, f) })
}

// negates reports whether the base of a power is a negative constant, and the power is not one. Jinja writes −2 ** x into the
// code that it makes, where the sign applies to the whole.
func (r *resolver) negates(b *Binary) bool {
	if _, ok := r.Constant(b); ok {
		return false
	}
	switch x, _ := r.Constant(b.Left); x := x.(type) {
	case int64:
		return x < 0
	case float64:
		return math.Signbit(x)
	case *big.Int:
		return x.Sign() < 0
	}
	return false
}

// optimized reports whether jinja tries to fold an expression and all in it.
func optimized(e Expr) bool {
	switch e.(type) {
	case *Binary, *Unary, *Compare, *Concat, *Filter, *Test, *GetAttr, *GetItem, *Call, *Cond:
		return true
	}
	return false
}

// output resolves what is printed; a constant is printed whatever it is, and was folded.
func (r *resolver) output(items []Expr, f frame) {
	for _, e := range items {
		g := f
		if f.escape != EscapeDynamic && sliced(e) {
			v, _ := r.Constant(e)
			g.constant = v != nil
		}
		r.expr(e, g)
	}
}

// sliced reports whether there is a slice in an expression.
func sliced(e Node) (found bool) {
	if _, found = e.(*Slice); !found && e != nil {
		children(e, func(n Node) { found = found || sliced(n) })
	}
	return found
}

// foldDict throws what folding a dictionary throws: keys that cannot be keys are an error even where it is not used.
func (r *resolver) foldDict(d *Dict) {
	for i, k := range d.Keys {
		key, ok := r.Constant(k)
		_, both := r.Constant(d.Values[i])
		if !ok || !both {
			return
		}
		py.NeedHashable(key)
	}
}

// folds reports whether folding an expression may skip a part of it.
func folds(e Expr) bool {
	switch e := e.(type) {
	case *Binary:
		return e.Op == "and" || e.Op == "or"
	case *Compare:
		return len(e.Ops) > 1
	}
	return false
}
