package template

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/runtime/template/syntax"
)

// expr is an expression whose value is one of the template.
func (w *scriptWriter) expr(x syntax.Expr) string {
	switch x := x.(type) {
	case *syntax.Const:
		return scriptConst(x.Value)
	case *syntax.Name:
		return fmt.Sprintf("t.get(%s, %s)", w.name(x.Var), quote(x.Name))
	case *syntax.GetAttr:
		return fmt.Sprintf("t.attr(%s, %s)", w.expr(x.X), quote(x.Name))
	case *syntax.GetItem:
		return w.item(x)
	case *syntax.Binary:
		return w.binary(x)
	case *syntax.Unary:
		switch x.Op {
		case "-":
			return "t.negative(" + w.expr(x.X) + ")"
		case "+":
			return "t.positive(" + w.expr(x.X) + ")"
		}
		return w.cond(x)
	case *syntax.Compare:
		return w.cond(x)
	case *syntax.Test:
		return fmt.Sprintf("t.test(%s, %s%s)", quote(x.Name), w.expr(x.X), w.more(&x.Args))
	case *syntax.Call:
		return "t.call(" + w.expr(x.F) + w.more(&x.Args) + ")"
	case *syntax.Filter:
		return w.filter(x, w.expr(x.X))
	case *syntax.Cond:
		other := fmt.Sprintf("t.noElse(%d)", syntax.LineOf(x))
		if x.Else != nil {
			other = w.expr(x.Else)
		}
		return "(" + w.cond(x.Test) + " ? " + w.expr(x.Then) + " : " + other + ")"
	}
	return w.composed(x)
}

// composed is an expression of several.
func (w *scriptWriter) composed(x syntax.Expr) string {
	switch x := x.(type) {
	case *syntax.Concat:
		if x.Escape == syntax.EscapeAlways {
			return "t.concatMarkup(" + w.list(x.Items) + ")"
		}
		return "t.concat(" + w.list(x.Items) + ")"
	case *syntax.List:
		return "[" + w.list(x.Items) + "]"
	case *syntax.Tuple:
		return "t.tuple(" + w.list(x.Items) + ")"
	case *syntax.Dict:
		var items []syntax.Expr
		for i, k := range x.Keys {
			items = append(items, k, x.Values[i])
		}
		return "t.dict(" + w.list(items) + ")"
	}
	w.unsupported(x, fmt.Sprintf("%T", x))
	return "undefined"
}

func (w *scriptWriter) list(items []syntax.Expr) string {
	var out []string
	for _, x := range items {
		out = append(out, w.expr(x))
	}
	return strings.Join(out, ", ")
}

func (w *scriptWriter) item(x *syntax.GetItem) string {
	s, ok := x.Key.(*syntax.Slice)
	if !ok {
		return "t.item(" + w.expr(x.X) + ", " + w.expr(x.Key) + ")"
	}
	out := "t." + map[bool]string{true: "softSlice", false: "slice"}[x.Soft] + "(" + w.expr(x.X)
	for _, bound := range []syntax.Expr{s.Start, s.Stop, s.Step} {
		if bound == nil {
			out += ", undefined"
		} else {
			out += ", " + w.expr(bound)
		}
	}
	return out + ")"
}

func (w *scriptWriter) binary(x *syntax.Binary) string {
	l, r := w.expr(x.Left), w.expr(x.Right)
	switch {
	case x.Op == "and" || x.Op == "or":
		return "t." + x.Op + "(" + l + ", () => " + r + ")"
	case x.Negate:
		return `t.negative(t.arith("**", t.negative(` + l + "), " + r + "))"
	}
	return "t.arith(" + quote(x.Op) + ", " + l + ", " + r + ")"
}

// more are arguments of a call behind others: positional and named ones, or what *star and **double make of them.
func (w *scriptWriter) more(a *syntax.Arguments) string {
	switch {
	case a.Star != nil || a.Double != nil:
		return ", ..." + w.spread(a)
	case len(a.Names) > 0:
		return ", " + w.args(a)
	case len(a.Pos) > 0:
		return ", [" + w.list(a.Pos) + "]"
	}
	return ""
}

// args are positional and named arguments.
func (w *scriptWriter) args(a *syntax.Arguments) string {
	if a.Star != nil || a.Double != nil {
		return "..." + w.spread(a)
	}
	named := "null"
	if len(a.Names) > 0 {
		named = "{ " + w.named(a) + " }"
	}
	return "[" + w.list(a.Pos) + "], " + named
}

func (w *scriptWriter) named(a *syntax.Arguments) string {
	var out []string
	for i, n := range a.Names {
		out = append(out, "["+quote(n)+"]: "+w.expr(a.Named[i])) // computed, so that __proto__ is a name like others
	}
	return strings.Join(out, ", ")
}

func (w *scriptWriter) spread(a *syntax.Arguments) string {
	star, double := "undefined", "undefined"
	if a.Star != nil {
		star = w.expr(a.Star)
	}
	if a.Double != nil {
		double = w.expr(a.Double)
	}
	return "t.args([" + w.list(a.Pos) + "], { " + w.named(a) + " }, " + star + ", " + double + ")"
}

func (w *scriptWriter) filter(f *syntax.Filter, x string) string {
	return fmt.Sprintf("t.filter(%s, %s%s)", quote(f.Name), x, w.more(&f.Args))
}

// cond is an expression as a condition of JavaScript, true or false.
func (w *scriptWriter) cond(x syntax.Expr) string {
	switch x := x.(type) {
	case *syntax.Unary:
		if x.Op == "not" {
			return "!(" + w.cond(x.X) + ")"
		}
	case *syntax.Binary:
		switch x.Op {
		case "and":
			return "(" + w.cond(x.Left) + " && " + w.cond(x.Right) + ")"
		case "or":
			return "(" + w.cond(x.Left) + " || " + w.cond(x.Right) + ")"
		}
	case *syntax.Compare:
		return w.compare(x)
	}
	return "t.truth(" + w.expr(x) + ")"
}

func (w *scriptWriter) compare(x *syntax.Compare) string {
	if len(x.Ops) == 1 {
		return fmt.Sprintf("t.compare(%s, %s, %s)", quote(x.Ops[0].Op), w.expr(x.X), w.expr(x.Ops[0].X))
	}
	out := "t.chain(" + w.expr(x.X)
	for _, o := range x.Ops {
		out += fmt.Sprintf(", [%s, () => %s]", quote(o.Op), w.expr(o.X))
	}
	return out + ")"
}
