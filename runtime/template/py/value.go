// Package py has Python's values and operations as templates see them: text of numbers, the order of dictionaries, slices,
// formatting, comparison, the methods of str, list and dict. It follows CPython 3.11; where that raises, an *Error is
// thrown (a panic that Catch turns into an error), so that code reads like the expressions it stands for.
package py

import (
	"math/big"
)

// Value is a Python value: None, bool, int64, *big.Int (only outside the range of int64), float64, string, Markup, Bytes,
// *List, *Tuple, *Dict, *Range, *View, *Generator, *Undefined, *Func, or an Object. A nil Value is no value at all: an
// argument that was not passed, a variable that was not set.
type Value = any

// NoneType is the type of None.
type NoneType struct{}

// None is Python's None.
var None = NoneType{}

// List is a list.
type List struct{ Items []Value }

// Tuple is a tuple. Names are the fields of a named one.
type Tuple struct {
	Items []Value
	Names []string
}

// Markup is text that is safe in HTML: markupsafe's str.
type Markup string

// Bytes is a bytes object.
type Bytes string

// Iterator returns the next value, false after the last.
type Iterator func() (Value, bool)

// Generator is an iterator as a value: it can be passed through once.
type Generator struct {
	Type string // "generator", "list_reverseiterator"
	Next Iterator
}

// Generate makes a generator whose body starts when its first value is wanted, as Python's do.
func Generate(body func() Iterator) *Generator {
	var next Iterator
	return &Generator{"generator", func() (Value, bool) {
		if next == nil {
			next = body()
		}
		return next()
	}}
}

// Undefined is what a variable or attribute that does not exist gives: it prints as nothing, is empty and false; any other
// use throws.
type Undefined struct {
	Hint     string // the whole message, or "" for one made of Object and Name
	Object   Value  // nil for a variable
	Name     Value
	Security bool // throws SecurityError
}

// NewUndefined is the value of a variable that does not exist.
func NewUndefined(name string) *Undefined { return &Undefined{Name: name} }

// Func is a function or a bound method.
type Func struct {
	Name string
	Text string // its repr
	Fn   func(m *Machine, a Args) Value
}

// Args are the arguments of a call.
type Args struct {
	Pos   []Value
	Names []string // of Named
	Named []Value
}

// Take removes the named argument and returns it, or nil.
func (a *Args) Take(name string) Value {
	for i, n := range a.Names {
		if n == name {
			v := a.Named[i]
			a.Names = append(append([]string{}, a.Names[:i]...), a.Names[i+1:]...)
			a.Named = append(append([]Value{}, a.Named[:i]...), a.Named[i+1:]...)
			return v
		}
	}
	return nil
}

// Object is a value of a type that is not Python's own, for example a namespace.
type Object interface {
	Type() string // as type(x).__name__
	Repr(m *Machine) string
	Attr(m *Machine, name string) (Value, bool) // a public attribute
}

// Callable is an Object that can be called.
type Callable interface {
	Call(m *Machine, a Args) Value
}

// Indexable is an Object with items.
type Indexable interface {
	Item(m *Machine, key Value) (Value, bool)
}

// Settable is an Object whose items can be set.
type Settable interface {
	SetItem(m *Machine, name string, v Value)
}

// Sized is an Object with a length.
type Sized interface {
	Len(m *Machine) int
}

// Iterable is an Object that can be iterated.
type Iterable interface {
	Iter(m *Machine) Iterator
}

// Int returns an integer as the Value it is: int64 if it fits.
func Int(x *big.Int) Value {
	if x.IsInt64() {
		return x.Int64()
	}
	return x
}

// TypeName is type(v).__name__.
func TypeName(v Value) string {
	switch v := v.(type) {
	case NoneType:
		return "NoneType"
	case bool:
		return "bool"
	case int64, *big.Int:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case Markup:
		return "Markup"
	case Bytes:
		return "bytes"
	case *List:
		return "list"
	case *Tuple:
		if v.Names != nil {
			return "_GroupTuple"
		}
		return "tuple"
	case *Dict:
		return "dict"
	case *Set:
		return "set"
	case *Range:
		return "range"
	case *View:
		return v.typeName()
	case *Generator:
		return v.Type
	case *Undefined:
		return "Undefined"
	case *Func:
		return "builtin_function_or_method"
	case Object:
		return v.Type()
	}
	return "object"
}

// describe is jinja2's object_type_repr.
func describe(v Value) string {
	switch v := v.(type) {
	case NoneType:
		return "None"
	case Markup:
		return "markupsafe.Markup object"
	case Object:
		return "jinja2.runtime." + v.Type() + " object"
	}
	return TypeName(v) + " object"
}

// Text returns the string of a str or Markup.
func Text(v Value) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case Markup:
		return string(v), true
	}
	return "", false
}

// IsUndefined reports whether v is Undefined.
func IsUndefined(v Value) bool {
	_, ok := v.(*Undefined)
	return ok
}
