package template

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/runtime/template/py"
)

// Namespace is the namespace object of templates.
type Namespace struct{ attrs *py.Dict }

// Type is its class.
func (n *Namespace) Type() string { return "TemplateNamespace" }

// Repr prints it.
func (n *Namespace) Repr(m *py.Machine) string { return "<Namespace " + m.Repr(n.attrs) + ">" }

// Attr returns an attribute.
func (n *Namespace) Attr(_ *py.Machine, name string) (Value, bool) { return n.attrs.Get(name) }

// SetItem sets an attribute.
func (n *Namespace) SetItem(_ *py.Machine, name string, v Value) {
	checkPublic(name)
	n.attrs.Set(name, v)
}

func checkPublic(name Value) {
	if s, ok := py.Text(name); ok && strings.HasPrefix(s, "_") {
		py.Throw("SecurityError", "Chat templates cannot store underscore-prefixed attributes on a namespace, but got %s. Please rename the attribute.", new(py.Machine).Repr(s))
	}
}

// class is a type that templates can call.
type class struct {
	name, text string
	make       func(m *py.Machine, a py.Args) Value
}

func (c *class) Type() string                           { return c.name }
func (c *class) Repr(*py.Machine) string                { return c.text }
func (c *class) Call(m *py.Machine, a py.Args) Value    { return c.make(m, a) }
func (c *class) Attr(*py.Machine, string) (Value, bool) { return nil, false }

// dictClass is what templates know as dict.
type dictClass struct{}

func (dictClass) Type() string                        { return "TemplateDict" }
func (dictClass) Repr(*py.Machine) string             { return "<TemplateDict object>" }
func (dictClass) Call(m *py.Machine, a py.Args) Value { return py.MakeDict(m, a) }

var fromKeys = py.NewSignature("fromkeys", "/ iterable value?")

func (dictClass) Attr(_ *py.Machine, name string) (Value, bool) {
	if name != "fromkeys" {
		return nil, false
	}
	return &py.Func{Name: name, Text: "<bound method>", Fn: func(m *py.Machine, a py.Args) Value {
		b := fromKeys.Bind(a)
		return py.FromKeys(m, b[0], b[1])
	}}, true
}

// method makes a bound method.
func method(name, params string, f func(m *py.Machine, a []Value) Value) (Value, bool) {
	sig := py.NewSignature(name, params)
	return &py.Func{Name: name, Text: "<bound method " + name + ">", Fn: func(m *py.Machine, a py.Args) Value { return f(m, sig.Bind(a)) }}, true
}

// cycler goes through values again and again.
type cycler struct {
	items []Value
	at    int
}

func newCycler(_ *py.Machine, a py.Args) Value {
	if len(a.Names) > 0 {
		py.Throw("TypeError", "Cycler.__init__() got an unexpected keyword argument '%s'", a.Names[0])
	}
	if len(a.Pos) == 0 {
		py.Throw("RuntimeError", "at least one item has to be provided")
	}
	return &cycler{items: a.Pos}
}

func (c *cycler) Type() string            { return "Cycler" }
func (c *cycler) Repr(*py.Machine) string { return "<jinja2.utils.Cycler object>" }

func (c *cycler) Attr(_ *py.Machine, name string) (Value, bool) {
	switch name {
	case "items":
		return &py.Tuple{Items: c.items}, true
	case "pos":
		return int64(c.at), true
	case "current":
		return c.items[c.at], true
	case "reset":
		return method(name, "", func(*py.Machine, []Value) Value { c.at = 0; return py.None })
	case "next":
		return method(name, "", func(*py.Machine, []Value) Value {
			v := c.items[c.at]
			c.at = (c.at + 1) % len(c.items)
			return v
		})
	}
	return nil, false
}

// joiner is "" the first time it is called, then its separator.
type joiner struct {
	sep  Value
	used bool
}

var joinerArgs = py.NewSignature("Joiner.__init__", "sep?")

func newJoiner(_ *py.Machine, a py.Args) Value {
	sep := joinerArgs.Bind(a)[0]
	if sep == nil {
		sep = ", "
	}
	return &joiner{sep: sep}
}

func (j *joiner) Type() string            { return "Joiner" }
func (j *joiner) Repr(*py.Machine) string { return "<jinja2.utils.Joiner object>" }

func (j *joiner) Attr(_ *py.Machine, name string) (Value, bool) {
	switch name {
	case "sep":
		return j.sep, true
	case "used":
		return j.used, true
	}
	return nil, false
}

func (j *joiner) Call(_ *py.Machine, a py.Args) Value {
	if len(a.Pos)+len(a.Names) > 0 {
		py.Throw("TypeError", "Joiner.__call__() takes 1 positional argument but more were given")
	}
	if !j.used {
		j.used = true
		return ""
	}
	return j.sep
}

// self is the variable that knows the blocks of a template.
type self struct {
	s   *State
	ctx *scope
}

func (*self) Type() string                           { return "TemplateReference" }
func (*self) Repr(*py.Machine) string                { return "<TemplateReference None>" }
func (*self) Attr(*py.Machine, string) (Value, bool) { return nil, false }

func (r *self) Item(_ *py.Machine, key Value) (Value, bool) {
	name, _ := py.Text(key)
	f, ok := r.s.blocks[name]
	if !ok {
		return nil, false
	}
	return &blockRef{r.s, name, func() { f(r.ctx) }}, true
}

// blockRef is self.name: calling it renders the block.
type blockRef struct {
	s    *State
	name string
	run  func()
}

func (*blockRef) Type() string            { return "BlockReference" }
func (*blockRef) Repr(*py.Machine) string { return "<jinja2.runtime.BlockReference object>" }

func (b *blockRef) Attr(_ *py.Machine, name string) (Value, bool) {
	switch name {
	case "name":
		return b.name, true
	case "super":
		return noSuper(b.name), true
	}
	return nil, false
}

func (b *blockRef) Call(*py.Machine, py.Args) Value {
	b.s.Begin()
	b.run()
	return b.s.Marked(b.s.End())
}

func noSuper(block string) Value {
	return &py.Undefined{Hint: fmt.Sprintf("there is no parent block called '%s'.", block), Name: "super"}
}
