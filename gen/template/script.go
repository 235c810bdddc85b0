package template

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tfgen/tfgen/runtime/template"
	"github.com/tfgen/tfgen/runtime/template/py"
	"github.com/tfgen/tfgen/runtime/template/syntax"
)

// Script returns a template as JavaScript: an arrow function of the rendering t, whose methods are those of
// targets/wasm/js/template/runtime.js, and whether it needs rare.js beside it. What is wrong with the template is an error.
func Script(src string) (code string, rare bool, err error) {
	tree, err := template.Tree(src)
	if err != nil {
		return "", false, err
	}
	w := &scriptWriter{names: map[*syntax.Var]string{}, taken: map[string]bool{}, escapes: strings.Contains(src, "autoescape"), context: "t"}
	for _, name := range strings.Fields(scriptWords) {
		w.taken[name] = true
	}
	body := w.function(tree.Func, func() {
		if len(tree.Blocks) > 0 || tree.Self != nil {
			w.line("const c = t.scope();")
			w.context, w.exports = "c", true
		}
		w.blocks(tree.Blocks)
		if tree.Self != nil {
			w.line("%s = t.self(c);", w.name(tree.Self))
		}
		w.enter(tree.Scope)
		w.body(tree.Body)
	})
	rare = slices.ContainsFunc(rareNames, func(name string) bool { return strings.Contains(src, name) })
	return "(t) => {\n" + body + "}", rare, w.err
}

// rareNames are the names of what rare.js has.
var rareNames = []string{"lipsum", "pprint", "urlize"}

// scriptWords cannot be names of variables.
const scriptWords = `t c args item v depth arguments await break case catch class const continue debugger default delete do else enum eval export
extends false finally for function if implements import in instanceof interface let new null package private protected public return
static super switch this throw true try typeof undefined var void while with yield NaN Infinity`

// scriptWriter writes one template.
type scriptWriter struct {
	b     strings.Builder
	names map[*syntax.Var]string
	taken map[string]bool
	used  []*syntax.Var // by the function that is being written
	loops []loopMarks
	count int
	err   error

	context string // what resolves names: the rendering, or where there are blocks the context of one
	exports bool   // variables of the template are those of its blocks
	escapes bool   // values may be escaped
}

func (w *scriptWriter) line(format string, args ...any) { fmt.Fprintf(&w.b, format+"\n", args...) }

func (w *scriptWriter) unsupported(n syntax.Node, what string) {
	if w.err == nil {
		w.err = fmt.Errorf("line %d: %s is not supported in JavaScript", syntax.LineOf(n), what)
	}
}

var scriptName = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*$`)

// name is the name of a variable in JavaScript.
func (w *scriptWriter) name(v *syntax.Var) string {
	n, ok := w.names[v]
	if !ok {
		base := v.Name
		if !scriptName.MatchString(base) {
			base = "x"
		}
		n = base
		for i := 2; w.taken[n]; i++ {
			n = base + "_" + strconv.Itoa(i)
		}
		w.names[v], w.taken[n] = n, true
	}
	if !slices.Contains(w.used, v) {
		w.used = append(w.used, v)
	}
	return n
}

func (w *scriptWriter) fresh(base string) string {
	for {
		w.count++
		if n := fmt.Sprint(base, w.count); !w.taken[n] {
			w.taken[n] = true
			return n
		}
	}
}

// function returns the text that write makes, with the variables of a function declared before it.
func (w *scriptWriter) function(f *syntax.Func, write func()) string {
	outer := w.b
	w.b = strings.Builder{}
	write()
	text := w.b.String()
	w.b = outer
	var names []string
	rest := w.used[:0]
	for _, v := range w.used {
		if v.Func == f {
			names = append(names, w.names[v])
		} else {
			rest = append(rest, v)
		}
	}
	w.used = rest
	if len(names) > 0 {
		return "let " + strings.Join(names, ", ") + ";\n" + text
	}
	return text
}

func (w *scriptWriter) enter(s syntax.Scope) {
	for _, l := range s.Enter {
		switch {
		case l.Alias != nil:
			w.line("%s = %s;", w.name(l.Var), w.name(l.Alias))
		case l.Resolve != "":
			w.line("%s = %s.resolve(%s);", w.name(l.Var), w.context, quote(l.Resolve))
		default:
			w.line("%s = undefined;", w.name(l.Var))
		}
	}
}

func (w *scriptWriter) body(list []syntax.Stmt) {
	for _, s := range list {
		w.stmt(s)
		switch s.(type) {
		case *syntax.Break, *syntax.Continue:
			return // what follows is not reached
		}
	}
}

func (w *scriptWriter) stmt(s syntax.Stmt) {
	switch s := s.(type) {
	case *syntax.Output:
		w.output(s)
	case *syntax.Set:
		for _, v := range s.Checks {
			w.line("t.needNamespace(%s);", w.name(v))
		}
		w.assign(s.Target, w.expr(s.Value))
		w.export(s.Export)
	case *syntax.SetBlock:
		w.capture(s.Body, s.Scope)
		w.assign(s.Target, w.blockValue(s.Filter))
		w.export(s.Export)
	case *syntax.FilterBlock:
		w.capture(s.Body, s.Scope)
		w.line("t.printText(%s);", w.filtered(s.Filter))
	case *syntax.If:
		w.ifStmt(s)
	case *syntax.For:
		w.forStmt(s)
	case *syntax.Macro:
		w.line("%s = %s;", w.name(s.Var), w.macro(s.Name, &s.Body))
		if s.Export {
			w.export([]*syntax.Var{s.Var})
		}
	case *syntax.CallBlock:
		m := w.macro("", &s.Body)
		if s.Call == nil { // a generation block
			w.line("t.print(t.call(%s));", m)
			return
		}
		w.line("t.callBlock(%s, %s, %s);", w.expr(s.Call.F), w.args(&s.Call.Args), m)
	case *syntax.With:
		w.enter(s.Scope)
		for i, target := range s.Targets {
			w.assign(target, w.expr(s.Values[i]))
		}
		w.body(s.Body)
	case *syntax.Break:
		w.leaveLoop("break")
	case *syntax.Continue:
		w.leaveLoop("continue")
	default:
		w.rareStmt(s)
	}
}

// rareStmt writes the statements that chat templates hardly have.
func (w *scriptWriter) rareStmt(s syntax.Stmt) {
	switch s := s.(type) {
	case *syntax.Block:
		w.callNamedBlock(s)
	case *syntax.Autoescape:
		w.enter(s.Scope)
		old := w.fresh("escape")
		w.line("const %s = t.setEscape(%s);", old, w.expr(s.Value))
		w.body(s.Body)
		if !ends(s.Body) {
			w.line("t.setEscape(%s);", old)
		}
	case *syntax.LoadTemplate:
		if s.Template != nil {
			w.line("%s;", w.expr(s.Template))
		}
		w.line("t.noTemplate();")
	}
}

// export makes variables those of the context, where blocks see them.
func (w *scriptWriter) export(vars []*syntax.Var) {
	if !w.exports {
		return
	}
	for _, v := range vars {
		w.line("c.export(%s, %s);", quote(v.Name), w.name(v))
	}
}

// blocks writes the named blocks of a template, functions of the context that they run in.
func (w *scriptWriter) blocks(all map[string]*syntax.Block) {
	if len(all) == 0 {
		return
	}
	w.line("t.blocks = { __proto__: null,")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b := all[name]
		body := w.function(b.Func, func() {
			if b.Self != nil {
				w.line("%s = t.self(c);", w.name(b.Self))
			}
			if b.Super != nil {
				w.line("%s = t.noSuper(%s);", w.name(b.Super), quote(name))
			}
			w.enter(b.Scope)
			w.body(b.Body)
		})
		w.line("[%s]: (c) => {\n%s},", quote(name), body)
	}
	w.line("};")
}

// callNamedBlock prints a block where it stands.
func (w *scriptWriter) callNamedBlock(b *syntax.Block) {
	if b.Required {
		w.line("t.requiredBlock(%s);", quote(b.Name))
		return
	}
	if !b.Scoped {
		w.line("t.block(%s, c);", quote(b.Name))
		return
	}
	var locals []string
	for _, v := range b.Locals {
		locals = append(locals, fmt.Sprintf("[%s, %s]", quote(v.Name), w.name(v)))
	}
	w.line("t.block(%s, c.derive([%s]));", quote(b.Name), strings.Join(locals, ", "))
}

// escaped is text as a value where it may be Markup.
func (w *scriptWriter) escaped(text string, mode syntax.Escaping) string {
	switch mode {
	case syntax.EscapeAlways:
		return "t.markup(" + text + ")"
	case syntax.EscapeDynamic:
		return "t.marked(" + text + ")"
	}
	return text
}

// blockValue is the value of a set block.
func (w *scriptWriter) blockValue(f *syntax.Filter) string {
	if !w.escapes {
		return w.filtered(f)
	}
	return "t.marked(" + w.filtered(f) + ")"
}

// leaveLoop ends a pass of the innermost loop, with the captures that are open in it.
func (w *scriptWriter) leaveLoop(word string) {
	if l := w.loops[len(w.loops)-1]; l.captures > 0 {
		w.line("t.drop(%s);", l.mark)
	}
	w.line("%s;", word)
}

func (w *scriptWriter) capture(body []syntax.Stmt, s syntax.Scope) {
	w.enter(s)
	w.line("t.begin();")
	if n := len(w.loops) - 1; n >= 0 {
		w.loops[n].captures++
		defer func() { w.loops[n].captures-- }()
	}
	w.body(body)
}

// filtered is the text of a capture after its filters.
func (w *scriptWriter) filtered(f *syntax.Filter) string {
	if f == nil {
		return "t.end()"
	}
	x := w.escaped("t.end()", f.Escape)
	if inner, ok := f.X.(*syntax.Filter); ok {
		x = w.filtered(inner)
	}
	return w.filter(f, x)
}

func (w *scriptWriter) output(s *syntax.Output) {
	text := ""
	flush := func() {
		if text != "" {
			w.line("t.write(%s);", quote(text))
			text = ""
		}
	}
	for _, x := range s.Items {
		switch x := x.(type) {
		case *syntax.Data:
			text += x.Text
			continue
		case *syntax.Const:
			if c, ok := x.Value.(string); ok && s.Escape == syntax.EscapeNever {
				text += c
				continue
			}
		}
		flush()
		w.line("t.%s(%s);", printers[s.Escape], w.expr(x))
	}
	flush()
}

// printers are the methods that print a value.
var printers = map[syntax.Escaping]string{syntax.EscapeNever: "print", syntax.EscapeAlways: "printEscaped", syntax.EscapeDynamic: "printDynamic"}

func (w *scriptWriter) assign(target syntax.Expr, value string) {
	switch x := target.(type) {
	case *syntax.Name:
		w.line("%s = %s;", w.name(x.Var), value)
	case *syntax.NSRef:
		w.line("t.setAttr(%s, %s, %s);", w.name(x.Var), quote(x.Attr), value)
	case *syntax.Tuple:
		u := w.fresh("u")
		w.line("const %s = t.unpack(%s, %d);", u, value, len(x.Items))
		for i, item := range x.Items {
			w.assign(item, fmt.Sprintf("%s[%d]", u, i))
		}
	}
}

func (w *scriptWriter) ifStmt(s *syntax.If) {
	w.line("if (%s) {", w.cond(s.Test))
	w.body(s.Body)
	for _, x := range s.Elifs {
		w.line("} else if (%s) {", w.cond(x.Test))
		w.body(x.Body)
	}
	if len(s.Else) > 0 {
		w.line("} else {")
		w.body(s.Else)
	}
	w.line("}")
}

func (w *scriptWriter) forStmt(s *syntax.For) {
	if !s.Recursive {
		w.loop(s, "t.loop("+w.iterated(s, w.expr(s.Iter))+")")
		return
	}
	f := w.fresh("render")
	outer := w.loops
	w.loops = nil
	body := w.function(s.Func, func() {
		w.line("t.begin();")
		w.loop(s, "t.loop("+w.iterated(s, "v")+", depth, "+f+")")
		w.line("return %s;", w.escaped("t.end()", s.Escape))
	})
	w.loops = outer
	w.line("const %s = (v, depth) => t.nested(() => {\n%s});", f, body)
	w.line("t.print(%s(%s, 0));", f, w.expr(s.Iter))
}

// iterated is what a loop goes through: all values or those that meet its condition.
func (w *scriptWriter) iterated(s *syntax.For, iter string) string {
	if s.Test == nil {
		return iter
	}
	body := w.function(s.TestFunc, func() {
		w.enter(s.TestScope)
		w.assign(s.TestItem, "item")
		w.line("return %s;", w.cond(s.Test))
	})
	return "t.generator(t.where(" + iter + ", (item) => {\n" + body + "}))"
}

func (w *scriptWriter) loop(s *syntax.For, start string) {
	l, empty := w.fresh("loop"), ""
	if s.Else != nil {
		empty = w.fresh("empty")
		w.line("let %s = true;", empty)
	}
	m := loopMarks{}
	if leavesCapture(s.Body, false) {
		m.mark = w.fresh("open")
		w.line("const %s = t.marks.length;", m.mark)
	}
	w.loops = append(w.loops, m)
	w.line("for (const %s = %s; %s.next(); ) {", l, start, l)
	if s.Loop != nil {
		w.line("%s = %s;", w.name(s.Loop), l)
	}
	w.assign(s.Target, l+".value")
	w.enter(s.Scope)
	w.body(s.Body)
	if empty != "" && !ends(s.Body) {
		w.line("%s = false;", empty)
	}
	w.line("}")
	w.loops = w.loops[:len(w.loops)-1]
	if empty != "" {
		w.line("if (%s) {", empty)
		w.enter(s.ElseScope)
		w.body(s.Else)
		w.line("}")
	}
}

// macro is a macro as an expression.
func (w *scriptWriter) macro(name string, c *syntax.Callee) string {
	loops := w.loops
	w.loops = nil
	body := w.function(c.Func, func() { w.macroBody(c) })
	w.loops = loops
	var fields []string
	if name != "" {
		fields = append(fields, "name: "+quote(name))
	}
	if len(c.Args) > 0 {
		var args []string
		for _, a := range c.Args {
			args = append(args, quote(a.Name))
		}
		fields = append(fields, "args: ["+strings.Join(args, ", ")+"]")
	}
	for _, f := range []struct {
		name string
		on   bool
	}{{"caller", c.UsesCaller}, {"kwargs", c.Kwargs != nil}, {"varargs", c.Varargs != nil}, {"explicit", c.ExplicitCaller}} {
		if f.on {
			fields = append(fields, f.name+": true")
		}
	}
	return "t.macro({ " + strings.Join(fields, ", ") + " }, (args) => {\n" + body + "})"
}

func (w *scriptWriter) macroBody(c *syntax.Callee) {
	params := slices.Clone(c.Params)
	for _, v := range []*syntax.Var{c.Caller, c.Kwargs, c.Varargs} {
		if v != nil {
			params = append(params, v)
		}
	}
	if c.ExplicitCaller {
		w.line("t.noMoreThan(args, %d);", len(params))
	}
	for i, v := range params {
		w.line("%s = args[%d];", w.name(v), i)
	}
	w.line("t.begin();")
	w.enter(c.Scope)
	for i, v := range c.Params {
		value := "t.get(undefined, " + quote(v.Name) + ")"
		if k := i - (len(c.Params) - len(c.Defaults)); k >= 0 {
			value = w.expr(c.Defaults[k])
		}
		w.line("if (%s === undefined) %s = %s;", w.name(v), w.name(v), value)
	}
	w.body(c.Body)
	w.line("return t.end();")
}

// quote is a text as a literal of JavaScript.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string has JSON
	return strings.TrimSuffix(b.String(), "\n")
}

// scriptConst is a constant as a literal.
func scriptConst(v any) string {
	switch v := v.(type) {
	case string:
		return quote(v)
	case bool:
		return strconv.FormatBool(v)
	case int64:
		if v > 1<<53 || v < -1<<53 {
			return fmt.Sprintf("%dn", v)
		}
		return strconv.FormatInt(v, 10)
	case *big.Int:
		return v.String() + "n"
	case float64:
		if math.IsInf(v, 0) {
			return "t.float(Infinity)"
		}
		return "t.float(" + strconv.FormatFloat(v, 'g', -1, 64) + ")"
	case py.NoneType:
		return "null"
	}
	return "undefined"
}
