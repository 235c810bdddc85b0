package template

import (
	"github.com/tfgen/tfgen/runtime/template/py"
)

// maxRange is the sandbox's bound for ranges.
const maxRange = 100_000

// globals are the variables that every template has; strftime_now is the state's.
var globals map[string]Value

func init() {
	globals = map[string]Value{
		"range":           &py.Func{Name: "range", Text: "<function safe_range>", Fn: safeRange},
		"dict":            dictClass{},
		"lipsum":          &py.Func{Name: "lipsum", Text: "<function generate_lorem_ipsum>", Fn: lipsum},
		"cycler":          &class{"type", "<class 'jinja2.utils.Cycler'>", newCycler},
		"joiner":          &class{"type", "<class 'jinja2.utils.Joiner'>", newJoiner},
		"namespace":       &class{"type", namespaceText, newNamespace},
		"raise_exception": &py.Func{Name: "raise_exception", Text: "<function raise_exception>", Fn: raiseException},
	}
}

const namespaceText = "<class 'transformers.utils.chat_template_utils._cached_compile_jinja_template.<locals>.TemplateNamespace'>"

func newNamespace(m *py.Machine, a py.Args) Value {
	d := py.MakeDict(m, a)
	for i := range d.Len() {
		k, _ := d.At(i)
		checkPublic(k)
	}
	return &Namespace{d}
}

func safeRange(m *py.Machine, a py.Args) Value {
	noNames("safe_range", a)
	var n [3]int64
	if len(a.Pos) == 0 || len(a.Pos) > 3 {
		py.Throw("TypeError", "range expected at least 1 argument and at most 3, got %d", len(a.Pos))
	}
	for i, v := range a.Pos {
		n[i] = int64(py.WantInt(v, 0))
	}
	switch len(a.Pos) {
	case 1:
		n = [3]int64{0, n[0], 1}
	case 2:
		n[2] = 1
	}
	if n[2] == 0 {
		py.Throw("ValueError", "range() arg 3 must not be zero")
	}
	r := py.NewRange(n[0], n[1], n[2])
	if r.Len > maxRange {
		py.Throw("OverflowError", "Range too big. The sandbox blocks ranges larger than MAX_RANGE (%d).", maxRange)
	}
	return r
}

var raiseArgs = py.NewSignature("raise_exception", "message")

func raiseException(m *py.Machine, a py.Args) Value {
	py.Throw("TemplateError", "%s", m.Str(raiseArgs.Bind(a)[0]))
	return nil
}

var strftimeArgs = py.NewSignature("strftime_now", "format")

// strftimeNow is the global function of that name.
func (s *State) strftimeNow() Value {
	return &py.Func{Name: "strftime_now", Text: "<function strftime_now>", Fn: func(m *py.Machine, a py.Args) Value {
		format := textOf(strftimeArgs.Bind(a)[0])
		m.Alloc(len(format))
		text := py.Strftime(s.now, format)
		m.Alloc(len(text))
		return text
	}}
}
