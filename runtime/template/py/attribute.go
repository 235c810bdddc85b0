package py

import (
	"fmt"
	"math/big"
	"strings"
)

// method is one row of the table of methods.
type method struct {
	sig Signature
	fn  func(m *Machine, self Value, a []Value) Value
}

type methods map[string]method

func table(rows ...struct {
	name, params string
	fn           func(m *Machine, self Value, a []Value) Value
}) methods {
	t := methods{}
	for _, r := range rows {
		t[r.name] = method{NewSignature(r.name, r.params), r.fn}
	}
	return t
}

type row = struct {
	name, params string
	fn           func(m *Machine, self Value, a []Value) Value
}

// mutating are the methods that the sandbox keeps away from templates.
var mutating = map[string]string{
	"list": " append clear pop reverse insert sort extend remove ",
	"dict": " clear pop popitem setdefault update ",
}

// dictAttributes are the attributes of a dict: as names they come before its keys.
var dictAttributes = func() map[string]bool {
	all := map[string]bool{}
	for _, n := range strings.Fields("clear copy fromkeys get items keys pop popitem setdefault update values") {
		all[n] = true
	}
	return all
}()

// common are the underscored attributes that every value has; further ones are of values with certain abilities.
const (
	common    = " __class__ __delattr__ __dir__ __doc__ __eq__ __format__ __ge__ __getattribute__ __getstate__ __gt__ __hash__ __init__ __init_subclass__ __le__ __lt__ __ne__ __new__ __reduce__ __reduce_ex__ __repr__ __setattr__ __sizeof__ __str__ __subclasshook__ "
	container = " __len__ __contains__ __iter__ __getitem__ "
	undefined = " __add__ __bool__ __call__ __float__ __getitem__ __int__ __iter__ __len__ __module__ __mul__ __neg__ __pos__ __pow__ __sub__ "
)

// attribute returns the Python attribute of a value, nil if it has none of that name. One that the sandbox keeps from
// templates is an Undefined that throws SecurityError.
func (m *Machine) attribute(v Value, name string) Value {
	if u, ok := v.(*Undefined); ok && !(strings.HasPrefix(name, "__") && strings.HasSuffix(name, "__")) {
		u.fail()
	}
	if strings.HasPrefix(name, "_") {
		if hidden(v, name) {
			return unsafe(v, name)
		}
		if _, ok := v.(Object); !ok {
			return nil
		}
	}
	kind := TypeName(v)
	if strings.Contains(mutating[kind], " "+name+" ") {
		return unsafe(v, name)
	}
	if f, ok := methodsOf(v)[name]; ok {
		return bind(v, name, f)
	}
	return m.property(v, name)
}

func hidden(v Value, name string) bool {
	if strings.Contains(common, " "+name+" ") {
		_, isObject := v.(Object)
		return !isObject || name == "__class__"
	}
	switch v.(type) {
	case *Undefined:
		return strings.Contains(undefined, " "+name+" ")
	case string, Markup, Bytes, *List, *Tuple, *Dict, *Range:
		return strings.Contains(container, " "+name+" ")
	}
	return false
}

func unsafe(v Value, name string) Value {
	return &Undefined{Object: v, Name: name, Security: true,
		Hint: fmt.Sprintf("access to attribute %s of %s object is unsafe.", quote(name), quote(TypeName(v)))}
}

func bind(self Value, name string, f method) Value {
	return &Func{
		Name: name,
		Text: methodText(self, name),
		Fn: func(m *Machine, a Args) Value {
			if f.sig.Name == "format" {
				return m.formatMethod(self, a)
			}
			return f.fn(m, self, f.sig.Bind(a))
		},
	}
}

// methodText is the repr of a bound method, as far as it is the same in every run.
func methodText(self Value, name string) string {
	if s, ok := self.(Markup); ok {
		return "<bound method Markup." + name + " of Markup(" + quote(string(s)) + ")>"
	}
	return fmt.Sprintf("<built-in method %s of %s object>", name, TypeName(self))
}

func methodsOf(v Value) methods {
	switch v := v.(type) {
	case string:
		return strMethods
	case Markup:
		return markupMethods
	case *List:
		return listMethods
	case *Tuple:
		return tupleMethods
	case *Dict:
		return dictMethods
	case *Range:
		return rangeMethods
	case *Set:
		return setMethods
	case bool, int64, *big.Int:
		return intMethods
	case float64:
		return floatMethods
	case Bytes:
		return bytesMethods
	case *View:
		if v.Kind != "values" {
			return viewMethods
		}
	}
	return nil
}

// property returns attributes that are not methods.
func (m *Machine) property(v Value, name string) Value {
	switch v := v.(type) {
	case Object:
		if x, ok := v.Attr(m, name); ok {
			return x
		}
	case *Tuple:
		for i, n := range v.Names {
			if n == name {
				return v.Items[i]
			}
		}
	case *Range:
		return map[string]Value{"start": v.Start, "stop": v.Stop, "step": v.Step}[name]
	case bool, int64, *big.Int:
		x, _ := asInt(v)
		return map[string]Value{"real": Int(x), "numerator": Int(x), "imag": int64(0), "denominator": int64(1)}[name]
	case float64:
		return map[string]Value{"real": v, "imag": 0.0}[name]
	case *View:
		if name == "mapping" {
			return v.Dict
		}
	}
	return nil
}
