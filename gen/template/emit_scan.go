package template

import (
	"github.com/tfgen/tfgen/runtime/template/syntax"
)

// scan notes which variables are read, which always have a value, and what does not fit.
func (e *emitter) scan(n syntax.Node) {
	switch n := n.(type) {
	case nil:
		return
	case *syntax.Name:
		if n.Loads() {
			e.read[n.Var] = true
		}
	case *syntax.NSRef:
		e.read[n.Var] = true
	case *syntax.Set:
		for _, v := range n.Checks {
			e.read[v] = true
		}
	case *syntax.For:
		if n.Loop != nil {
			e.set[n.Loop], e.loopVars[n.Loop] = true, true
		}
		e.targets(n.Target)
		if n.Test != nil {
			e.targets(n.TestItem)
		}
	case *syntax.With:
		for _, t := range n.Targets {
			e.targets(t)
		}
	case *syntax.Macro:
		e.callee(&n.Body)
	case *syntax.CallBlock:
		e.callee(&n.Body)
	case *syntax.Block, *syntax.Autoescape, *syntax.LoadTemplate:
		e.unfit = true
	}
	syntax.Children(n, e.scan)
}

// targets are set before anything can read them.
func (e *emitter) targets(t syntax.Expr) {
	switch t := t.(type) {
	case *syntax.Name:
		e.set[t.Var] = true
	case *syntax.Tuple:
		for _, x := range t.Items {
			e.targets(x)
		}
	}
}

func (e *emitter) callee(c *syntax.Callee) {
	sure := append([]*syntax.Var{}, c.Caller, c.Kwargs, c.Varargs)
	constant := true
	for _, d := range c.Defaults {
		_, is := d.(*syntax.Const)
		constant = constant && is
	}
	if constant {
		sure = append(sure, c.Params...)
	}
	for _, v := range sure {
		if v != nil {
			e.set[v] = true
		}
	}
}

// settle decides which further variables always have a value: those that begin as a variable of the context, or as another
// that has one.
func (e *emitter) settle(t *syntax.Template) {
	var loads []syntax.Load
	var collect func(n syntax.Node)
	add := func(scopes ...syntax.Scope) {
		for _, s := range scopes {
			loads = append(loads, s.Enter...)
		}
	}
	collect = func(n syntax.Node) {
		switch n := n.(type) {
		case nil:
			return
		case *syntax.For:
			add(n.Scope, n.ElseScope, n.TestScope)
		case *syntax.SetBlock:
			add(n.Scope)
		case *syntax.FilterBlock:
			add(n.Scope)
		case *syntax.With:
			add(n.Scope)
		case *syntax.Macro:
			add(n.Body.Scope)
		case *syntax.CallBlock:
			add(n.Body.Scope)
		}
		syntax.Children(n, collect)
	}
	add(t.Scope)
	for _, s := range t.Body {
		collect(s)
	}
	for changed := true; changed; { // what a variable that is read begins as is read
		changed = false
		for _, l := range loads {
			if l.Alias != nil && e.read[l.Var] && !e.read[l.Alias] {
				e.read[l.Alias], changed = true, true
			}
		}
	}
	unset := map[*syntax.Var]bool{}
	for _, l := range loads {
		e.unfit = e.unfit || e.loopVars[l.Var]
		if l.Resolve == "" && l.Alias == nil {
			unset[l.Var] = true
		}
	}
	for changed := true; changed; {
		changed = false
		for _, l := range loads {
			if l.Alias != nil && (unset[l.Alias] || !e.begins(l.Alias, loads)) && !unset[l.Var] {
				unset[l.Var], changed = true, true
			}
		}
	}
	for _, l := range loads {
		if unset[l.Var] {
			delete(e.set, l.Var)
		} else {
			e.set[l.Var] = true
		}
	}
}

// begins reports whether a variable has a value from the start.
func (e *emitter) begins(v *syntax.Var, loads []syntax.Load) bool {
	if e.set[v] {
		return true
	}
	for _, l := range loads {
		if l.Var == v {
			return true
		}
	}
	return false
}

// prune drops what follows a break or continue and is never reached.
func prune(list []syntax.Stmt) []syntax.Stmt {
	for i, s := range list {
		switch s := s.(type) {
		case *syntax.Break, *syntax.Continue:
			return list[:i+1]
		case *syntax.If:
			s.Body, s.Else = prune(s.Body), prune(s.Else)
			for _, x := range s.Elifs {
				x.Body = prune(x.Body)
			}
		case *syntax.For:
			s.Body, s.Else = prune(s.Body), prune(s.Else)
		case *syntax.SetBlock:
			s.Body = prune(s.Body)
		case *syntax.FilterBlock:
			s.Body = prune(s.Body)
		case *syntax.With:
			s.Body = prune(s.Body)
		case *syntax.Macro:
			s.Body.Body = prune(s.Body.Body)
		case *syntax.CallBlock:
			s.Body.Body = prune(s.Body.Body)
		}
	}
	return list
}
