package py

import (
	"errors"
	"fmt"
	"runtime"
)

// Error is an exception.
type Error struct {
	Type    string // the Python class: "TypeError", "UndefinedError", …
	Message string
	Line    int // of the template, 0 if unknown
}

func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("line %d: %s: %s", e.Line, e.Type, e.Message)
	}
	return e.Type + ": " + e.Message
}

// Throw raises an exception; Catch ends it.
func Throw(class, format string, args ...any) {
	panic(&Error{Type: class, Message: fmt.Sprintf(format, args...)})
}

// Catch turns a thrown Error into *err; it is deferred. Any other panic passes.
func Catch(err *error) {
	switch r := recover().(type) {
	case nil:
	case *Error:
		*err = r
	default:
		if re, ok := r.(runtime.Error); ok && errors.As(re, new(*Error)) {
			return
		}
		panic(r)
	}
}

func typeError(format string, args ...any)  { Throw("TypeError", format, args...) }
func valueError(format string, args ...any) { Throw("ValueError", format, args...) }

// fail throws what the use of an Undefined throws.
func (u *Undefined) fail() {
	class := "UndefinedError"
	if u.Security {
		class = "SecurityError"
	}
	panic(&Error{Type: class, Message: u.Message()})
}

// Message says what is not defined.
func (u *Undefined) Message() string {
	switch name, isText := Text(u.Name); {
	case u.Hint != "":
		return u.Hint
	case u.Object == nil && isText:
		return quote(name) + " is undefined"
	case isText:
		return quote(describe(u.Object)) + " has no attribute " + quote(name)
	default:
		return describe(u.Object) + " has no element " + new(Machine).safeRepr(u.Name)
	}
}

// Fail throws if v is Undefined.
func Fail(v Value) {
	if u, ok := v.(*Undefined); ok {
		u.fail()
	}
}
