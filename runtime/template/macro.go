package template

import (
	"github.com/tfgen/tfgen/runtime/template/py"
)

// Macro is a macro, or the body of a call block. It follows jinja2.runtime.Macro.
type Macro struct {
	Name                    string // "" for the body of a call block
	Args                    []string
	Caller, Kwargs, Varargs bool // it takes these after its arguments
	ExplicitCaller          bool // caller is among its arguments

	// Body renders the macro. The arguments are those of Args (nil if not passed), then caller, kwargs and varargs as far as
	// it takes them.
	Body func(args []Value) string

	state *State
}

// NewMacro binds a macro to a rendering.
func (s *State) NewMacro(m Macro) *Macro {
	m.state = s
	return &m
}

// Type is its class.
func (m *Macro) Type() string { return "Macro" }

// Repr prints it.
func (m *Macro) Repr(*py.Machine) string {
	if m.Name == "" {
		return "<Macro anonymous>"
	}
	return "<Macro '" + m.Name + "'>"
}

// Attr returns what templates may know about it.
func (m *Macro) Attr(_ *py.Machine, name string) (Value, bool) {
	switch name {
	case "name":
		if m.Name == "" {
			return py.None, true
		}
		return m.Name, true
	case "arguments":
		t := &py.Tuple{Items: make([]Value, len(m.Args))}
		for i, a := range m.Args {
			t.Items[i] = a
		}
		return t, true
	case "caller":
		return m.Caller, true
	case "catch_kwargs":
		return m.Kwargs, true
	case "catch_varargs":
		return m.Varargs, true
	case "explicit_caller":
		return m.ExplicitCaller, true
	}
	return nil, false
}

// Call renders it.
func (m *Macro) Call(_ *py.Machine, a py.Args) Value {
	s := m.state
	given := a.Pos[:min(len(a.Pos), len(m.Args))]
	args := append(make([]Value, 0, len(m.Args)+3), given...)
	foundCaller := m.ExplicitCaller && len(given) == len(m.Args)
	for _, name := range m.Args[len(given):] {
		args = append(args, a.Take(name))
		foundCaller = foundCaller || name == "caller"
	}
	if m.Caller && !foundCaller {
		caller := a.Take("caller")
		if caller == nil || caller == Value(py.None) {
			caller = &py.Undefined{Hint: "No caller defined", Name: "caller"}
		}
		args = append(args, caller)
	}
	args = m.rest(args, a)
	return s.Marked(m.Body(args))
}

// rest adds the arguments that are left, or refuses them.
func (m *Macro) rest(args []Value, a py.Args) []Value {
	if m.Kwargs {
		d := new(py.Dict)
		for i, n := range a.Names {
			d.Set(n, a.Named[i])
		}
		args = append(args, d)
	} else if len(a.Names) > 0 {
		py.Throw("TypeError", "macro '%s' takes no keyword argument '%s'", m.Name, a.Names[0])
	}
	if m.Varargs {
		extra := append([]Value{}, a.Pos[min(len(a.Pos), len(m.Args)):]...)
		args = append(args, &py.Tuple{Items: extra})
	} else if len(a.Pos) > len(m.Args) {
		py.Throw("TypeError", "macro '%s' takes not more than %d argument(s)", m.Name, len(m.Args))
	}
	return args
}

// NotProvided is the value of a parameter that has no default and was not passed.
func NotProvided(name string) Value {
	return &py.Undefined{Hint: "parameter '" + name + "' was not provided", Name: name}
}

// NoMoreThan throws if a macro whose arguments include caller was given one too many.
func NoMoreThan(args []Value, n int) {
	if len(args) > n {
		py.Throw("TypeError", "macro() takes %d positional arguments but %d were given", n, len(args))
	}
}
