package pool

import (
	"fmt"
	"runtime/debug"
)

// PanicError is the first panic of a run. It unwraps to the panic's value when
// that is an error.
type PanicError struct {
	Worker int
	Value  any    // what was given to panic; nil after runtime.Goexit
	Stack  []byte // of the worker, as by debug.Stack
}

// Error returns the value and the stack of the panic.
func (e *PanicError) Error() string {
	if e.Value == nil {
		return fmt.Sprintf("worker %d left its job by runtime.Goexit\n%s", e.Worker, e.Stack)
	}
	return fmt.Sprintf("worker %d panicked: %v\n%s", e.Worker, e.Value, e.Stack)
}

// Unwrap returns the panic's value if it is an error, else nil.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// released is the panic that takes a worker out of a barrier that can no
// longer be completed.
type released struct{}

// fail records the value of worker i's panic, unless it is the consequence of
// another, and releases the workers that wait at a barrier.
func (p *Pool) fail(i int, value any) {
	if _, ok := value.(released); ok {
		return
	}
	p.failure.CompareAndSwap(nil, &PanicError{Worker: i, Value: value, Stack: debug.Stack()})
	p.broken.Store(true)
	p.wakeAll()
}
