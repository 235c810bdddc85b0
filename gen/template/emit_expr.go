package template

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tfgen/tfgen/runtime/template"
	"github.com/tfgen/tfgen/runtime/template/syntax"
)

// expr is an expression as a Go expression of type template.Value.
func (e *emitter) expr(x syntax.Expr) string {
	switch x := x.(type) {
	case *syntax.Const:
		return goConst(x.Value)
	case *syntax.Name:
		if e.set[x.Var] {
			return e.name(x.Var)
		}
		return fmt.Sprintf("template.Get(%s, %q)", e.name(x.Var), x.Name)
	case *syntax.GetAttr:
		return fmt.Sprintf("t.GetAttr(%s, %q)", e.expr(x.X), x.Name)
	case *syntax.GetItem:
		return e.item(x)
	case *syntax.Binary:
		return e.binary(x)
	case *syntax.Unary:
		switch c, _ := x.X.(*syntax.Const); x.Op {
		case "-":
			if c != nil {
				if n, ok := c.Value.(int64); ok {
					return goConst(-n)
				}
			}
			return "t.Neg(" + e.expr(x.X) + ")"
		case "+":
			return "t.Pos(" + e.expr(x.X) + ")"
		}
		return "template.Value(" + e.cond(x) + ")"
	case *syntax.Compare:
		return "template.Value(" + e.cond(x) + ")"
	case *syntax.Test:
		if plain(&x.Args) {
			return fmt.Sprintf("t.CallTest(%q, %s, template.Args{%s})", x.Name, e.expr(x.X), e.positional(&x.Args))
		}
		return fmt.Sprintf("t.CallTest(%q, %s, %s)", x.Name, e.expr(x.X), e.args(&x.Args))
	case *syntax.Call:
		return e.call(x)
	case *syntax.Filter:
		return e.filter(x, e.expr(x.X))
	case *syntax.Cond:
		other := fmt.Sprintf("t.NoElse(%d)", syntax.LineOf(x))
		if x.Else != nil {
			other = e.expr(x.Else)
		}
		return "template.Choose(" + e.cond(x.Test) + ", " + thunk(e.expr(x.Then)) + ", " + thunk(other) + ")"
	case *syntax.Concat:
		return "t.Concat(" + e.list(x.Items) + ")"
	case *syntax.List:
		return "t.List(" + e.list(x.Items) + ")"
	case *syntax.Tuple:
		return "t.Tuple(" + e.list(x.Items) + ")"
	case *syntax.Dict:
		var items []syntax.Expr
		for i, k := range x.Keys {
			items = append(items, k, x.Values[i])
		}
		return "t.Dict(" + e.list(items) + ")"
	}
	return "nil"
}

func thunk(x string) string { return "func() template.Value { return " + x + " }" }

func (e *emitter) list(items []syntax.Expr) string {
	var out []string
	for _, x := range items {
		out = append(out, e.expr(x))
	}
	return strings.Join(out, ", ")
}

func (e *emitter) item(x *syntax.GetItem) string {
	s, ok := x.Key.(*syntax.Slice)
	if !ok {
		return "t.GetItem(" + e.expr(x.X) + ", " + e.expr(x.Key) + ")"
	}
	out := "t." + map[bool]string{true: "SoftSlice", false: "Slice"}[x.Soft] + "(" + e.expr(x.X)
	for _, bound := range []syntax.Expr{s.Start, s.Stop, s.Step} {
		if bound == nil {
			out += ", nil"
		} else {
			out += ", " + e.expr(bound)
		}
	}
	return out + ")"
}

var arithmetic = map[string]string{"+": "Add", "-": "Sub", "*": "Mul", "/": "Div", "//": "FloorDiv", "%": "Mod", "**": "Pow"}

func (e *emitter) binary(x *syntax.Binary) string {
	l, r := e.expr(x.Left), e.expr(x.Right)
	switch {
	case x.Op == "and":
		return "t.And(" + l + ", " + thunk(r) + ")"
	case x.Op == "or":
		return "t.Or(" + l + ", " + thunk(r) + ")"
	case x.Negate:
		return "t.Neg(t.Pow(t.Neg(" + l + "), " + r + "))"
	}
	return "t." + arithmetic[x.Op] + "(" + l + ", " + r + ")"
}

// plain reports whether arguments are positional only.
func plain(a *syntax.Arguments) bool { return len(a.Names) == 0 && a.Star == nil && a.Double == nil }

func (e *emitter) positional(a *syntax.Arguments) string {
	if len(a.Pos) == 0 {
		return ""
	}
	return "Pos: []template.Value{" + e.list(a.Pos) + "}"
}

// args are arguments of any kind as a template.Args.
func (e *emitter) args(a *syntax.Arguments) string {
	if plain(a) {
		return "template.Args{" + e.positional(a) + "}"
	}
	pos, names, named, star, double := "nil", "nil", "nil", "nil", "nil"
	if len(a.Pos) > 0 {
		pos = "[]template.Value{" + e.list(a.Pos) + "}"
	}
	if len(a.Names) > 0 {
		var quoted []string
		for _, n := range a.Names {
			quoted = append(quoted, strconv.Quote(n))
		}
		names, named = "[]string{"+strings.Join(quoted, ", ")+"}", "[]template.Value{"+e.list(a.Named)+"}"
	}
	if a.Star != nil {
		star = e.expr(a.Star)
	}
	if a.Double != nil {
		double = e.expr(a.Double)
	}
	return "t.Args(" + strings.Join([]string{pos, names, named, star, double}, ", ") + ")"
}

// with appends positional arguments to a call.
func (e *emitter) with(call string, a *syntax.Arguments) string {
	if len(a.Pos) > 0 {
		call += ", " + e.list(a.Pos)
	}
	return call + ")"
}

func (e *emitter) call(x *syntax.Call) string {
	if !plain(&x.Args) {
		return "t.Call(" + e.expr(x.F) + ", " + e.args(&x.Args) + ")"
	}
	if m, ok := x.F.(*syntax.GetAttr); ok {
		return e.with(fmt.Sprintf("t.Method(%s, %q", e.expr(m.X), m.Name), &x.Args)
	}
	return e.with("t.Do("+e.expr(x.F), &x.Args)
}

func (e *emitter) filter(f *syntax.Filter, x string) string {
	e.uses(f)
	if plain(&f.Args) {
		return e.with(fmt.Sprintf("t.Apply(%q, %s", f.Name, x), &f.Args)
	}
	return fmt.Sprintf("t.Filter(%q, %s, %s)", f.Name, x, e.args(&f.Args))
}

// uses notes a filter, and the one that the filter map is told to call.
func (e *emitter) uses(f *syntax.Filter) {
	e.filters[f.Name] = true
	if f.Name != "map" {
		return
	}
	switch {
	case len(f.Args.Pos) > 0:
		c, _ := f.Args.Pos[0].(*syntax.Const)
		if c == nil {
			e.anyFilter = true
		} else if name, ok := c.Value.(string); ok {
			e.filters[name] = true
		}
	case f.Args.Star != nil:
		e.anyFilter = true
	}
}

// filterVars are the variables of the filters that the template may use.
func (e *emitter) filterVars() (vars []string) {
	if e.anyFilter {
		return []string{"template.Filters()..."}
	}
	for name := range e.filters {
		if f := template.FindFilter(name); f != nil {
			vars = append(vars, "template.Filter"+strings.ToUpper(f.Name()[:1])+f.Name()[1:])
		}
	}
	slices.Sort(vars)
	return slices.Compact(vars)
}

// cond is an expression as a Go condition.
func (e *emitter) cond(x syntax.Expr) string {
	switch x := x.(type) {
	case *syntax.Const:
		if b, ok := x.Value.(bool); ok {
			return strconv.FormatBool(b)
		}
	case *syntax.Unary:
		if x.Op == "not" {
			if c := e.operand(x.X); strings.HasPrefix(c, "!") {
				return c[1:]
			} else {
				return "!" + c
			}
		}
	case *syntax.Binary:
		switch x.Op {
		case "and":
			return e.within("and", x.Left) + " && " + e.within("and", x.Right)
		case "or":
			return e.within("or", x.Left) + " || " + e.within("or", x.Right)
		}
	case *syntax.Compare:
		return e.compare(x)
	case *syntax.Test:
		if plain(&x.Args) && (x.Name == "defined" || x.Name == "undefined") && len(x.Args.Pos) == 0 {
			return map[bool]string{true: "", false: "!"}[x.Name == "defined"] + "template.Defined(" + e.expr(x.X) + ")"
		}
		if plain(&x.Args) {
			return e.with(fmt.Sprintf("t.Is(%q, %s", x.Name, e.expr(x.X)), &x.Args)
		}
	}
	return "t.Truth(" + e.expr(x) + ")"
}

// operand is a condition in parentheses if it is one of several.
func (e *emitter) operand(x syntax.Expr) string {
	if b, ok := x.(*syntax.Binary); ok && (b.Op == "and" || b.Op == "or") {
		return "(" + e.cond(x) + ")"
	}
	return e.cond(x)
}

// within is the operand of a chain of one operator.
func (e *emitter) within(op string, x syntax.Expr) string {
	if b, ok := x.(*syntax.Binary); ok && b.Op == op {
		return e.cond(x)
	}
	return e.operand(x)
}

func (e *emitter) compare(x *syntax.Compare) string {
	if len(x.Ops) > 1 {
		out := "t.Chain(" + e.expr(x.X)
		for _, o := range x.Ops {
			out += fmt.Sprintf(", template.Link{Op: %q, Y: %s}", o.Op, thunk(e.expr(o.X)))
		}
		return out + ")"
	}
	l, r := e.expr(x.X), e.expr(x.Ops[0].X)
	switch op := x.Ops[0].Op; op {
	case "==":
		return "t.Eq(" + l + ", " + r + ")"
	case "!=":
		return "!t.Eq(" + l + ", " + r + ")"
	case "in":
		return "t.In(" + l + ", " + r + ")"
	case "not in":
		return "!t.In(" + l + ", " + r + ")"
	default:
		return fmt.Sprintf("t.Compare(%q, %s, %s)", op, l, r)
	}
}
