package template

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/tfgen/tfgen/runtime/template"
	"github.com/tfgen/tfgen/runtime/template/py"
	"github.com/tfgen/tfgen/runtime/template/syntax"
)

// fits bounds the size of templates that are compiled: nodes of their trees.
const fits = 6000

// Compile returns a template as Go: the body of a func(t *template.State), and the variables of the filters that it uses. The
// code is "" for templates that are left to the interpreter: large ones, and those with blocks, autoescape or what fails anyway.
func Compile(src string) (code string, filters []string) {
	tree, err := template.Tree(src)
	if err != nil || tree.Nodes > fits || len(tree.Blocks) > 0 || tree.Self != nil {
		return "", nil
	}
	e := &emitter{filters: map[string]bool{}, names: map[*syntax.Var]string{}, taken: map[string]bool{}, loopVars: map[*syntax.Var]bool{}, read: map[*syntax.Var]bool{}, set: map[*syntax.Var]bool{}}
	for _, name := range []string{"t", "template", "args", "v", "u", "depth", "caller", "item", "nil", "true", "false", "string", "bool", "any", "len", "append", "int64", "float64", "init", "main", "chat", "sync"} {
		e.taken[name] = true
	}
	tree.Body = prune(tree.Body)
	for _, s := range tree.Body {
		e.scan(s)
	}
	if e.unfit {
		return "", nil
	}
	if e.settle(tree); e.unfit {
		return "", nil
	}
	e.declare(tree.Func)
	e.enter(tree.Scope)
	e.body(tree.Body)
	if code := e.b.String(); compiles(code) {
		return code, e.filterVars()
	}
	return "", nil
}

// compiles reports whether code is Go that uses all of its variables. Types are not looked at: they are all the same.
func compiles(code string) bool {
	text := "package p\n\nimport \"template\"\n\nfunc f(t *template.State) {\n" + code + "}\n"
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "p.go", text, 0)
	if err != nil {
		return false
	}
	ok := true
	conf := types.Config{Importer: noImports{}, Error: func(err error) {
		if e, is := err.(types.Error); is && e.Soft {
			ok = false
		}
	}}
	_, _ = conf.Check("p", set, []*ast.File{file}, nil) // errors went to conf.Error; the package template is not found, on purpose
	return ok
}

// noImports finds no package.
type noImports struct{}

func (noImports) Import(path string) (*types.Package, error) {
	return nil, errors.New("no imports")
}

// emitter writes one template.
type emitter struct {
	b     strings.Builder
	names map[*syntax.Var]string
	taken map[string]bool
	read  map[*syntax.Var]bool // is used; others are not kept
	set   map[*syntax.Var]bool // always has a value when it is read
	loops []loopMarks

	loopVars map[*syntax.Var]bool // declared by their loops
	count    int
	unfit    bool

	filters   map[string]bool // that are called
	anyFilter bool            // the name of one is known only when it is called
}

type loopMarks struct {
	mark     string // the variable with the number of open captures
	captures int    // open inside of the loop
}

func (e *emitter) line(format string, args ...any) { fmt.Fprintf(&e.b, format+"\n", args...) }

func (e *emitter) fresh(base string) string {
	for {
		e.count++
		name := fmt.Sprint(base, e.count)
		if !e.taken[name] {
			e.taken[name] = true
			return name
		}
	}
}

// name is the Go name of a variable.
func (e *emitter) name(v *syntax.Var) string {
	if n, ok := e.names[v]; ok {
		return n
	}
	n := goName(v.Name)
	for i := 2; e.taken[n]; i++ {
		n = goName(v.Name) + strconv.Itoa(i)
	}
	e.names[v], e.taken[n] = n, true
	return n
}

// goName makes a Go identifier of a name: add_generation_prompt becomes addGenerationPrompt.
func goName(s string) string {
	var b strings.Builder
	up := false
	for _, r := range s {
		switch {
		case r == '_':
			up = b.Len() > 0
		case up:
			b.WriteString(strings.ToUpper(string(r)))
			up = false
		default:
			b.WriteRune(r)
		}
	}
	n := b.String()
	if n == "" || n[0] >= '0' && n[0] <= '9' {
		n = "x" + n
	}
	if token.IsKeyword(n) || !token.IsIdentifier(n) || token.IsExported(n) {
		n = "var" + strings.Map(func(r rune) rune {
			if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
				return r
			}
			return 'x'
		}, n)
	}
	return n
}

// declare declares the variables of a function that are used and not declared by what sets them.
func (e *emitter) declare(f *syntax.Func) {
	var names []string
	for _, v := range f.Vars {
		if e.read[v] && !e.loopVars[v] {
			names = append(names, e.name(v))
		}
	}
	if len(names) > 0 {
		e.line("var %s template.Value", strings.Join(names, ", "))
	}
}

// enter emits how the variables of a scope begin.
func (e *emitter) enter(s syntax.Scope) {
	for _, l := range s.Enter {
		if !e.read[l.Var] {
			continue
		}
		switch {
		case l.Alias != nil:
			e.line("%s = %s", e.name(l.Var), e.name(l.Alias))
		case l.Resolve == "":
			e.line("%s = nil", e.name(l.Var))
		case e.set[l.Var]:
			e.line("%s = t.Lookup(%q)", e.name(l.Var), l.Resolve)
		default:
			e.line("%s = t.Resolve(%q)", e.name(l.Var), l.Resolve)
		}
	}
}

func (e *emitter) body(list []syntax.Stmt) {
	for _, s := range list {
		e.stmt(s)
		switch s.(type) {
		case *syntax.Break, *syntax.Continue:
			return // what follows is not reached
		}
	}
}

func (e *emitter) stmt(s syntax.Stmt) {
	switch s := s.(type) {
	case *syntax.Output:
		e.output(s)
	case *syntax.Set:
		for _, v := range s.Checks {
			e.line("t.NeedNamespace(%s)", e.name(v))
		}
		e.assign(s.Target, e.expr(s.Value))
	case *syntax.SetBlock:
		e.capture(s.Body, s.Scope)
		e.assign(s.Target, e.filtered(s.Filter))
	case *syntax.FilterBlock:
		e.capture(s.Body, s.Scope)
		e.line("t.WriteValue(%s)", e.filtered(s.Filter))
	case *syntax.If:
		e.ifStmt(s)
	case *syntax.For:
		e.forStmt(s)
	case *syntax.Macro:
		m := e.macro(s.Name, &s.Body)
		if e.read[s.Var] {
			e.line("%s = %s", e.name(s.Var), m)
		}
	case *syntax.CallBlock:
		e.callBlock(s)
	case *syntax.With:
		e.enter(s.Scope)
		for i, target := range s.Targets {
			e.assign(target, e.expr(s.Values[i]))
		}
		e.body(s.Body)
	case *syntax.Break:
		e.leaveLoop("break")
	case *syntax.Continue:
		e.leaveLoop("continue")
	}
}

// leaveLoop ends a pass of the innermost loop, with the captures that are open in it.
func (e *emitter) leaveLoop(word string) {
	if l := e.loops[len(e.loops)-1]; l.captures > 0 {
		e.line("t.DropTo(%s)", l.mark)
	}
	e.line("%s", word)
}

func (e *emitter) capture(body []syntax.Stmt, s syntax.Scope) {
	e.enter(s)
	e.line("t.Begin()")
	if n := len(e.loops) - 1; n >= 0 {
		e.loops[n].captures++
		defer func() { e.loops[n].captures-- }()
	}
	e.body(body)
}

// filtered is the text of a capture after its filters.
func (e *emitter) filtered(f *syntax.Filter) string {
	if f == nil {
		return "t.End()"
	}
	x := "t.End()"
	if inner, ok := f.X.(*syntax.Filter); ok {
		x = e.filtered(inner)
	}
	return e.filter(f, x)
}

func (e *emitter) output(s *syntax.Output) {
	text := ""
	flush := func() {
		if text != "" {
			e.line("t.Write(%s)", strconv.Quote(text))
			text = ""
		}
	}
	for _, x := range s.Items {
		switch x := x.(type) {
		case *syntax.Data:
			text += x.Text
			continue
		case *syntax.Const:
			if c, ok := x.Value.(string); ok {
				text += c
				continue
			}
		}
		flush()
		e.line("t.Print(%s)", e.expr(x))
	}
	flush()
}

func (e *emitter) assign(target syntax.Expr, value string) {
	switch t := target.(type) {
	case *syntax.Name:
		if e.read[t.Var] {
			e.line("%s = %s", e.name(t.Var), value)
		} else {
			e.line("_ = %s", value)
		}
	case *syntax.NSRef:
		e.line("t.SetAttr(%s, %q, %s)", e.name(t.Var), t.Attr, value)
	case *syntax.Tuple:
		u := e.fresh("u")
		used := "_ = " + u
		if len(t.Items) == 0 {
			e.line("t.Unpack(%s, 0)", value)
			return
		}
		e.line("%s := t.Unpack(%s, %d)", u, value, len(t.Items))
		for i, x := range t.Items {
			e.assign(x, fmt.Sprintf("%s[%d]", u, i))
			used = ""
		}
		if used != "" {
			e.line("%s", used)
		}
	}
}

func (e *emitter) ifStmt(s *syntax.If) {
	e.line("if %s {", e.cond(s.Test))
	e.body(s.Body)
	for _, x := range s.Elifs {
		e.line("} else if %s {", e.cond(x.Test))
		e.body(x.Body)
	}
	if len(s.Else) > 0 {
		e.line("} else {")
		e.body(s.Else)
	}
	e.line("}")
}

func (e *emitter) forStmt(s *syntax.For) {
	if !s.Recursive {
		e.loop(s, "t.NewLoop("+e.iterated(s, e.expr(s.Iter))+")")
		return
	}
	f := e.fresh("render")
	e.line("var %s func(v template.Value, depth int) template.Value", f)
	e.line("%s = func(v template.Value, depth int) template.Value {", f)
	e.line("t.Enter()\ndefer t.Leave()")
	outer := e.loops
	e.loops = nil
	e.declare(s.Func)
	e.line("t.Begin()")
	e.loop(s, "t.NewRecursiveLoop("+e.iterated(s, "v")+", depth, "+f+")")
	e.loops = outer
	e.line("return t.End()\n}")
	e.line("t.Print(%s(%s, 0))", f, e.expr(s.Iter))
}

// iterated is what a loop goes through: all values or those that meet its condition.
func (e *emitter) iterated(s *syntax.For, iter string) string {
	if s.Test == nil {
		return iter
	}
	outer := e.b
	e.b = strings.Builder{}
	e.declare(s.TestFunc)
	e.enter(s.TestScope)
	e.assign(s.TestItem, "item")
	e.line("return %s", e.cond(s.Test))
	text := e.b.String()
	e.b = outer
	return "t.Where(" + iter + ", func(item template.Value) bool {\n" + text + "})"
}

func (e *emitter) loop(s *syntax.For, start string) {
	v := ""
	if s.Loop != nil && e.read[s.Loop] {
		v = e.name(s.Loop)
	} else {
		v = e.fresh("loop")
	}
	empty := ""
	if s.Else != nil {
		empty = e.fresh("empty")
		e.line("%s := true", empty)
	}
	m := loopMarks{}
	if leavesCapture(s.Body, false) {
		m.mark = e.fresh("open")
		e.line("%s := t.Captures()", m.mark)
	}
	e.loops = append(e.loops, m)
	e.line("for %s := %s; %s.Advance(); {", v, start, v)
	e.assign(s.Target, v+".Value()")
	e.enter(s.Scope)
	e.body(s.Body)
	if empty != "" && !ends(s.Body) {
		e.line("%s = false", empty)
	}
	e.line("}")
	e.loops = e.loops[:len(e.loops)-1]
	if empty != "" {
		e.line("if %s {", empty)
		e.enter(s.ElseScope)
		e.body(s.Else)
		e.line("}")
	}
}

// ends reports whether a body ends with a break or continue of its own.
func ends(list []syntax.Stmt) bool {
	for _, s := range list {
		switch s.(type) {
		case *syntax.Break, *syntax.Continue:
			return true
		}
	}
	return false
}

// leavesCapture reports whether a break or continue of this loop stands in a capture.
func leavesCapture(list []syntax.Stmt, inside bool) bool {
	for _, s := range list {
		found := false
		switch s := s.(type) {
		case *syntax.Break, *syntax.Continue:
			found = inside
		case *syntax.If:
			found = leavesCapture(s.Body, inside) || leavesCapture(s.Else, inside)
			for _, x := range s.Elifs {
				found = found || leavesCapture(x.Body, inside)
			}
		case *syntax.For:
			found = leavesCapture(s.Else, inside)
		case *syntax.SetBlock:
			found = leavesCapture(s.Body, true)
		case *syntax.FilterBlock:
			found = leavesCapture(s.Body, true)
		case *syntax.With:
			found = leavesCapture(s.Body, inside)
		case *syntax.Autoescape:
			found = leavesCapture(s.Body, inside)
		}
		if found {
			return true
		}
	}
	return false
}

// macro is a template.Macro as a Go expression.
func (e *emitter) macro(name string, c *syntax.Callee) string {
	outer, loops := e.b, e.loops
	e.b, e.loops = strings.Builder{}, nil
	e.macroBody(c)
	body := e.b.String()
	e.b, e.loops = outer, loops
	var args []string
	for _, a := range c.Args {
		args = append(args, strconv.Quote(a.Name))
	}
	fields := ""
	if name != "" {
		fields += fmt.Sprintf("Name: %q, ", name)
	}
	if len(args) > 0 {
		fields += "Args: []string{" + strings.Join(args, ", ") + "}, "
	}
	for _, f := range []struct {
		name string
		on   bool
	}{{"Caller", c.UsesCaller}, {"Kwargs", c.Kwargs != nil}, {"Varargs", c.Varargs != nil}, {"ExplicitCaller", c.ExplicitCaller}} {
		if f.on {
			fields += f.name + ": true, "
		}
	}
	return "t.NewMacro(template.Macro{" + fields + "Body: func(args []template.Value) string {\n" + body + "}})"
}

func (e *emitter) macroBody(c *syntax.Callee) {
	params := append([]*syntax.Var{}, c.Params...)
	for _, v := range []*syntax.Var{c.Caller, c.Kwargs, c.Varargs} {
		if v != nil {
			params = append(params, v)
		}
	}
	e.declare(c.Func)
	if c.ExplicitCaller {
		e.line("template.NoMoreThan(args, %d)", len(params))
	}
	for i, v := range params {
		if e.read[v] {
			e.line("%s = args[%d]", e.name(v), i)
		}
	}
	e.line("t.Begin()")
	e.enter(c.Scope)
	for i, v := range c.Params {
		k := i - (len(c.Params) - len(c.Defaults))
		value := "template.NotProvided(" + strconv.Quote(v.Name) + ")"
		if k >= 0 {
			value = e.expr(c.Defaults[k])
		}
		switch {
		case e.read[v]:
			e.line("if %s == nil {\n%s = %s\n}", e.name(v), e.name(v), value)
		case k >= 0:
			e.line("if args[%d] == nil {\n_ = %s\n}", i, value)
		}
	}
	e.body(c.Body)
	e.line("return t.End()")
}

func (e *emitter) callBlock(s *syntax.CallBlock) {
	m := e.macro("", &s.Body)
	if s.Call == nil {
		e.line("t.Generation(%s)", m)
		return
	}
	c := e.fresh("caller")
	e.line("%s := %s", c, m)
	e.line("t.CallBlock(%s, %s, %s)", e.expr(s.Call.F), e.args(&s.Call.Args), c)
}

func goConst(v any) string {
	switch v := v.(type) {
	case string:
		return strconv.Quote(v)
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return fmt.Sprintf("int64(%d)", v)
	case *big.Int:
		return fmt.Sprintf("template.Big(%q)", v.String())
	case float64:
		if math.IsInf(v, 0) {
			return `t.Apply("float", "inf")`
		}
		return "float64(" + strconv.FormatFloat(v, 'g', -1, 64) + ")"
	case py.NoneType:
		return "template.None"
	}
	return "nil"
}
