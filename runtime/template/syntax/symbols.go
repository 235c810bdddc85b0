package syntax

import (
	"fmt"
	"sort"

	"github.com/tfgen/tfgen/runtime/template/py"
)

// symbols is jinja2.idtracking.Symbols: the names of a scope and what stands for them.
type symbols struct {
	level  int
	parent *symbols
	refs   map[string]string // name → identifier
	loads  map[string]load   // identifier → how it begins
	order  []string          // identifiers in the order of their loads
	stores map[string]bool
	work   *int // of copies, in all scopes of a template
}

type load struct {
	kind string // "param", "resolve", "alias", "undefined"
	from string // the name to resolve, or the identifier
}

func newSymbols(parent *symbols) *symbols {
	s := &symbols{parent: parent, refs: map[string]string{}, loads: map[string]load{}, stores: map[string]bool{}}
	if parent != nil {
		s.level, s.work = parent.level+1, parent.work
	} else {
		s.work = new(int)
	}
	return s
}

func (s *symbols) copy() *symbols {
	if *s.work += 1 + len(s.loads); *s.work > maxWork {
		fail(1, "the template has too many names and branches")
	}
	c := &symbols{level: s.level, parent: s.parent, work: s.work, refs: map[string]string{}, loads: map[string]load{}, stores: map[string]bool{}}
	c.update(s)
	return c
}

func (s *symbols) update(from *symbols) {
	for k, v := range from.refs {
		s.refs[k] = v
	}
	for _, id := range from.order {
		s.setLoad(id, from.loads[id])
	}
	for k := range from.stores {
		s.stores[k] = true
	}
}

func (s *symbols) setLoad(id string, l load) {
	if _, ok := s.loads[id]; !ok {
		s.order = append(s.order, id)
	}
	s.loads[id] = l
}

func (s *symbols) define(name string, l load) string {
	id := fmt.Sprintf("l_%d_%s", s.level, name)
	s.refs[name] = id
	s.setLoad(id, l)
	return id
}

func (s *symbols) find(name string) string {
	for ; s != nil; s = s.parent {
		if id, ok := s.refs[name]; ok {
			return id
		}
	}
	return ""
}

// ref returns the identifier of a name. Names in the filter of a set block may have none: jinja fails on them.
func (s *symbols) ref(name string) string {
	id := s.find(name)
	if id == "" {
		py.Throw("AssertionError", "Tried to resolve a name to a reference that was unknown to the frame ('%s')", name)
	}
	return id
}

func (s *symbols) store(name string) {
	s.stores[name] = true
	if _, ok := s.refs[name]; ok {
		return
	}
	if s.parent != nil {
		if outer := s.parent.find(name); outer != "" {
			s.define(name, load{"alias", outer})
			return
		}
	}
	s.define(name, load{"undefined", ""})
}

func (s *symbols) param(name string) string {
	s.stores[name] = true
	return s.define(name, load{"param", ""})
}

func (s *symbols) load(name string) {
	if s.find(name) == "" {
		s.define(name, load{"resolve", name})
	}
}

// branches merges what the branches of a condition know.
func (s *symbols) branches(all ...*symbols) {
	stored := map[string]bool{}
	for _, b := range all {
		for name := range b.stores {
			if !s.stores[name] {
				stored[name] = true
			}
		}
	}
	for _, b := range all {
		s.update(b)
	}
	for _, name := range sorted(stored) {
		id := s.find(name)
		l := load{"resolve", name}
		if s.parent != nil {
			if outer := s.parent.find(name); outer != "" {
				l = load{"alias", outer}
			}
		}
		s.setLoad(id, l)
	}
}

// visit records the names of a node in the scope of s: FrameSymbolVisitor.
func (s *symbols) visit(n Node) {
	switch n := n.(type) {
	case nil:
	case *Name:
		s.name(n)
	case *NSRef:
		s.load(n.Name)
	case *If:
		s.visitIf(n)
	case *Macro:
		s.store(n.Name)
	case *LoadTemplate:
		s.visit(n.Template)
		for _, name := range n.names {
			s.store(name)
		}
	case *Set:
		s.visit(n.Value)
		s.visit(n.Target)
	case *For:
		s.visit(n.Iter)
	case *CallBlock:
		if n.Call != nil {
			s.visit(n.Call)
		}
	case *FilterBlock:
		s.visit(n.Filter)
	case *With:
		s.visitAll(n.Values)
	case *SetBlock:
		s.visit(n.Target)
	case *Block, *Autoescape:
	default:
		children(n, s.visit)
	}
}

func (s *symbols) name(n *Name) {
	switch {
	case n.param:
		s.param(n.Name)
	case n.Store:
		s.store(n.Name)
	default:
		s.load(n.Name)
	}
}

func (s *symbols) visitAll(list []Expr) {
	for _, x := range list {
		s.visit(x)
	}
}

func (s *symbols) visitBody(list []Stmt) {
	for _, x := range list {
		s.visit(x)
	}
}

func (s *symbols) visitIf(n *If) {
	s.visit(n.Test)
	body, elifs, other := s.copy(), s.copy(), s.copy()
	body.visitBody(n.Body)
	for _, e := range n.Elifs {
		elifs.visit(e)
	}
	other.visitBody(n.Else)
	s.branches(body, elifs, other)
}

// params records the targets of a loop as parameters.
func (s *symbols) params(target Expr) {
	switch t := target.(type) {
	case *Name:
		s.param(t.Name)
	case *Tuple:
		for _, x := range t.Items {
			s.params(x)
		}
	}
}

// callee records the names of a macro.
func (s *symbols) callee(c *Callee) {
	for _, a := range c.Args {
		s.name(a)
	}
	s.visitAll(c.Defaults)
	s.visitBody(c.Body)
}

// Children calls f for the nodes directly below n; f gets nil for what is absent.
func Children(n Node, f func(Node)) { children(n, f) }

// children calls f for the nodes below n, in jinja's order.
func children(n Node, f func(Node)) {
	switch n := n.(type) {
	case *Output:
		each(n.Items, f)
	case *For:
		f(n.Target)
		f(n.Iter)
		each(n.Body, f)
		each(n.Else, f)
		f(n.Test)
	case *If:
		f(n.Test)
		each(n.Body, f)
		for _, e := range n.Elifs {
			f(e)
		}
		each(n.Else, f)
	case *Set:
		f(n.Target)
		f(n.Value)
	case *SetBlock:
		f(n.Target)
		if n.Filter != nil {
			f(n.Filter)
		}
		each(n.Body, f)
	case *Macro:
		calleeChildren(&n.Body, f)
	case *CallBlock:
		if n.Call != nil {
			f(n.Call)
		}
		calleeChildren(&n.Body, f)
	case *FilterBlock:
		each(n.Body, f)
		f(n.Filter)
	case *With:
		each(n.Targets, f)
		each(n.Values, f)
		each(n.Body, f)
	case *Block:
		each(n.Body, f)
	case *Autoescape:
		f(n.Value)
		each(n.Body, f)
	case *LoadTemplate:
		f(n.Template)
	default:
		exprChildren(n, f)
	}
}

func calleeChildren(c *Callee, f func(Node)) {
	for _, a := range c.Args {
		f(a)
	}
	each(c.Defaults, f)
	each(c.Body, f)
}

func exprChildren(n Node, f func(Node)) {
	switch n := n.(type) {
	case *Tuple:
		each(n.Items, f)
	case *List:
		each(n.Items, f)
	case *Dict:
		for i, k := range n.Keys {
			f(k)
			f(n.Values[i])
		}
	case *Binary:
		f(n.Left)
		f(n.Right)
	case *Unary:
		f(n.X)
	case *Compare:
		f(n.X)
		for _, o := range n.Ops {
			f(o.X)
		}
	case *Concat:
		each(n.Items, f)
	case *Cond:
		f(n.Test)
		f(n.Then)
		f(n.Else)
	case *Filter:
		f(n.X)
		n.Args.children(f)
	case *Test:
		f(n.X)
		n.Args.children(f)
	case *Call:
		f(n.F)
		n.Args.children(f)
	case *GetAttr:
		f(n.X)
	case *GetItem:
		f(n.X)
		f(n.Key)
	case *Slice:
		f(n.Start)
		f(n.Stop)
		f(n.Step)
	}
}

func (a *Arguments) children(f func(Node)) {
	each(a.Pos, f)
	each(a.Named, f)
	f(a.Star)
	f(a.Double)
}

func each[N Node](list []N, f func(Node)) {
	for _, x := range list {
		f(x)
	}
}

// undeclared returns which of the names are read before they are set: find_undeclared.
func undeclared(body []Stmt, names ...string) map[string]bool {
	watched := map[string]bool{}
	for _, n := range names {
		watched[n] = true
	}
	found := map[string]bool{}
	var visit func(Node)
	visit = func(n Node) {
		switch n := n.(type) {
		case nil, *Block:
		case *Name:
			if n.Store || n.param {
				delete(watched, n.Name)
			} else if watched[n.Name] {
				found[n.Name] = true
			}
		default:
			children(n, visit)
		}
	}
	each(body, visit)
	return found
}

func sorted(set map[string]bool) []string {
	var out []string
	for name := range set {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}
