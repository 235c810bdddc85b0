package template

import (
	"time"
	"unicode/utf8"

	"github.com/tfgen/tfgen/runtime/template/py"
)

// State is one rendering. Compiled templates are written in terms of its methods.
type State struct {
	py.Machine
	ctx    *scope
	out    []byte
	marks  []int // where captures began
	escape bool  // autoescape, as the context has it now
	now    time.Time
	spans  []Span
	line   int // of the statement that runs
	blocks map[string]func(*scope)

	filters map[string]*Filter // that the template may use

	folding bool // evaluates constants while a template is read
}

// scope is jinja's context: the variables of a template.
type scope struct {
	vars   map[string]Value // set by the template
	given  *py.Dict
	locals map[string]Value // of a scoped block
	clock  Value            // strftime_now
}

// resolve returns the value of a name, nil if it has none.
func (c *scope) resolve(name string) Value {
	if v, ok := c.vars[name]; ok {
		return v
	}
	if v, ok := c.locals[name]; ok {
		return v
	}
	if v, ok := c.given.Get(name); ok {
		return v
	}
	if name == "strftime_now" {
		return c.clock
	}
	if v, ok := globals[name]; ok {
		return v
	}
	return nil
}

// derive returns the context of a scoped block.
func (c *scope) derive(locals map[string]Value) *scope {
	d := &scope{vars: map[string]Value{}, given: c.given, clock: c.clock, locals: map[string]Value{}}
	for _, m := range []map[string]Value{c.locals, c.vars, locals} {
		for name, v := range m {
			if v != nil {
				d.locals[name] = v
			}
		}
	}
	return d
}

// Resolve returns the variable of the context with that name, nil if there is none.
func (s *State) Resolve(name string) Value { return s.ctx.resolve(name) }

// Export sets a variable of the context: what blocks see.
func (s *State) Export(name string, v Value) { s.ctx.vars[name] = v }

// Get returns the value of a variable: Undefined if it is not set.
func Get(v Value, name string) Value {
	if v == nil {
		return py.NewUndefined(name)
	}
	return v
}

// At says which line of the template runs, for errors.
func (s *State) At(line int) { s.line = line }

// Write prints text of the template.
func (s *State) Write(text string) {
	s.Alloc(len(text))
	s.out = append(s.out, text...)
}

// Print prints a value.
func (s *State) Print(v Value) {
	if text, ok := v.(string); ok {
		s.Write(text)
		return
	}
	s.Write(s.Str(v))
}

// WriteValue prints what a block made, which must be text.
func (s *State) WriteValue(v Value) {
	text, ok := py.Text(v)
	if !ok {
		py.Throw("TypeError", "sequence item 0: expected str instance, %s found", py.TypeName(v))
	}
	s.Write(text)
}

// PrintEscaped prints a value with its HTML escaped.
func (s *State) PrintEscaped(v Value) { s.Write(string(s.EscapeValue(v))) }

// PrintDynamic prints a value, escaped if the context says so.
func (s *State) PrintDynamic(v Value) {
	if s.escape {
		s.PrintEscaped(v)
	} else {
		s.Print(v)
	}
}

// Begin starts to capture what is printed.
func (s *State) Begin() { s.marks = append(s.marks, len(s.out)) }

// End ends the last capture and returns its text.
func (s *State) End() string {
	n := len(s.marks) - 1
	text := string(s.out[s.marks[n]:])
	s.out, s.marks = s.out[:s.marks[n]], s.marks[:n]
	s.Alloc(len(text))
	return text
}

// Captures is the number of captures that are open; DropTo ends those beyond it without a result.
func (s *State) Captures() int { return len(s.marks) }

// DropTo ends captures until n are open.
func (s *State) DropTo(n int) {
	if n < len(s.marks) {
		s.out, s.marks = s.out[:s.marks[n]], s.marks[:n]
	}
}

// printed is the number of code points outside of captures.
func (s *State) printed() int {
	n := len(s.out)
	if len(s.marks) > 0 {
		n = s.marks[0]
	}
	return utf8.RuneCount(s.out[:n])
}

// Marked returns text as Markup if the context escapes.
func (s *State) Marked(text string) Value {
	if s.escape {
		return py.Markup(text)
	}
	return text
}

// Generation prints the text of a generation block and records where it is.
func (s *State) Generation(body *Macro) {
	start := s.printed()
	text := s.Str(s.Call(body, py.Args{}))
	s.spans = append(s.spans, Span{start, start + utf8.RuneCountInString(text)})
	s.Write(text)
}

// SetEscape sets autoescape and returns what it was.
func (s *State) SetEscape(v Value) Value {
	old := s.escape
	if b, ok := v.(bool); ok {
		s.escape = b
	} else {
		s.escape = s.Truth(v)
	}
	return old
}

// Concat is a ~ b.
func (s *State) Concat(items ...Value) Value {
	n := 0
	texts := make([]string, len(items))
	for i, x := range items {
		texts[i] = s.Str(x)
		n += len(texts[i])
	}
	s.Alloc(n)
	out := make([]byte, 0, n)
	for _, t := range texts {
		out = append(out, t...)
	}
	return string(out)
}

// ConcatMarkup is a ~ b where values are escaped: Markup if one of them is.
func (s *State) ConcatMarkup(items ...Value) Value {
	marked := false
	for _, x := range items {
		_, is := x.(py.Markup)
		marked = marked || is
	}
	if !marked {
		return s.Concat(items...)
	}
	safe := make([]Value, len(items))
	for i, x := range items {
		safe[i] = x
		if _, is := x.(py.Markup); !is {
			safe[i] = string(s.EscapeValue(s.Str(x)))
		}
	}
	return py.Markup(s.Concat(safe...).(string))
}

// Cond is the value of "a if test" without else.
func (s *State) NoElse(line int) Value {
	return &py.Undefined{Hint: "the inline if-expression on line " + s.Str(int64(line)) + " evaluated to false and no else section was defined."}
}

// SetAttr sets an attribute of a namespace; the value of a set block also an item of a dict, as in jinja.
func (s *State) SetAttr(v Value, name string, x Value) {
	switch v := v.(type) {
	case py.Settable:
		v.SetItem(&s.Machine, name, x)
	case *py.Dict:
		v.Set(name, x)
	default:
		py.Throw("TypeError", "'%s' object does not support item assignment", py.TypeName(v))
	}
}

// NeedNamespace throws unless v is a namespace.
func (s *State) NeedNamespace(v Value) {
	if _, ok := v.(*Namespace); !ok {
		py.Throw("TemplateRuntimeError", "cannot assign attribute on non-namespace object")
	}
}

// Spread appends the arguments *v.
func (s *State) Spread(a *py.Args, v Value) {
	a.Pos = append(a.Pos, s.Items(v)...)
}

// SpreadNamed appends the arguments **v.
func (s *State) SpreadNamed(a *py.Args, v Value) {
	d, ok := v.(*py.Dict)
	if !ok {
		py.Fail(v)
		py.Throw("TypeError", "argument after ** must be a mapping, not %s", py.TypeName(v))
	}
	for i := range d.Len() {
		k, x := d.At(i)
		name, ok := py.Text(k)
		if !ok {
			py.Throw("TypeError", "keywords must be strings")
		}
		for _, n := range a.Names {
			if n == name {
				py.Throw("TypeError", "got multiple values for keyword argument '%s'", name)
			}
		}
		a.Names, a.Named = append(a.Names, name), append(a.Named, x)
	}
}

// NoTemplate throws: there is nowhere to load templates from.
func (s *State) NoTemplate() { py.Throw("TypeError", "no loader for this environment specified") }
