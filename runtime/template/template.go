// Package template renders jinja templates as transformers' apply_chat_template does: the language of jinja2 3.1.6 in an
// immutable sandbox with trim_blocks, lstrip_blocks, loop controls and generation blocks. What jinja refuses is an error here
// too. Templates are untrusted: time, memory and depth are bounded.
package template

import (
	"time"

	"github.com/tfgen/tfgen/runtime/template/py"
	"github.com/tfgen/tfgen/runtime/template/syntax"
)

// Value is a value that templates work with; see package py.
type Value = py.Value

// Error is what a template threw, or what is wrong with it. Its Type is the name of Python's or jinja's class; TemplateError
// comes from raise_exception.
type Error = py.Error

// Template is a parsed template, safe for concurrent use.
type Template struct {
	run     func(*State) // interprets it, or is what a compiler made of it
	filters map[string]*Filter
}

// Parse reads a template.
func Parse(src string) (*Template, error) {
	tree, err := Tree(src)
	if err != nil {
		return nil, err
	}
	return &Template{run: func(s *State) { s.interpret(tree) }, filters: every()}, nil
}

// Tree reads a template and resolves its names, for compilers.
func Tree(src string) (*syntax.Template, error) {
	return syntax.Parse(src, syntax.Options{
		HasFilter: func(name string) bool { return FindFilter(name) != nil },
		HasTest:   func(name string) bool { _, ok := tests[name]; return ok },
		Constant:  constant,
	})
}

// Compiled makes a template of the function that a compiler wrote for it, and of the filters that it uses.
func Compiled(run func(*State), filters ...*Filter) *Template {
	return &Template{run: run, filters: byName(filters)}
}

// Options are how a template is rendered. The zero value is right for most programs.
type Options struct {
	Now    time.Time // of strftime_now; zero is the current local time
	Limits py.Limits // zero values are DefaultLimits
}

// DefaultLimits allow templates about a second of work and 256 MiB of values, and more for long conversations.
var DefaultLimits = py.Limits{Steps: 20_000_000, Bytes: 256 << 20}

// Span is a part of a rendered text that a generation block wrote, in code points.
type Span struct{ Start, End int }

// Result is a rendered template.
type Result struct {
	Text  string
	Spans []Span
}

// Render renders the template with the given variables.
func (t *Template) Render(vars *py.Dict, o Options) (r Result, err error) {
	s := newState(vars, o, t.filters)
	defer func() {
		if e, ok := err.(*Error); ok && e.Line == 0 {
			e.Line = s.line
		}
	}()
	defer py.Catch(&err)
	t.run(s)
	return Result{string(s.out), s.spans}, nil
}

func newState(vars *py.Dict, o Options, filters map[string]*Filter) *State {
	if o.Limits.Steps == 0 {
		o.Limits.Steps = DefaultLimits.Steps
	}
	if o.Limits.Bytes == 0 {
		o.Limits.Bytes = DefaultLimits.Bytes
	}
	size := weigh(vars)
	o.Limits.Steps += 64 * int64(size)
	o.Limits.Bytes += 256 * int64(size)
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	s := &State{Machine: py.NewMachine(o.Limits), filters: filters, now: o.Now, ctx: &scope{vars: map[string]Value{}}}
	s.ctx.given, s.ctx.clock = vars, s.strftimeNow()
	return s
}

// weigh is about the size of a value in bytes.
func weigh(v Value) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case *py.List:
		n := 8
		for _, x := range v.Items {
			n += weigh(x)
		}
		return n
	case *py.Dict:
		n := 8
		for i := range v.Len() {
			k, x := v.At(i)
			n += weigh(k) + weigh(x)
		}
		return n
	}
	return 8
}
