package capi

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// callAbort asks an abort callback of the caller's. It is a variable because only files with cgo can call C.
var callAbort func(function, user uintptr) bool

// call is the context of one call from C: it ends when the abort callback says so or when done is closed.
type call struct {
	context.Context // values and deadline
	abort, user     uintptr
	done            chan struct{}
	ended           bool
}

// newCall returns the context of a call that only its callback can end.
func newCall(abort, user uintptr) *call {
	return &call{Context: context.Background(), abort: abort, user: user}
}

// Done is closed by tfgen_session_cancel.
func (c *call) Done() <-chan struct{} { return c.done }

// Err asks the callback. It is called on the thread of the call.
func (c *call) Err() error {
	if c.ended {
		return errAborted
	}
	select {
	case <-c.done:
		c.ended = true
	default:
		c.ended = c.abort != 0 && callAbort(c.abort, c.user)
	}
	if c.ended {
		return errAborted
	}
	return nil
}

// polled runs work, which may ask its context on any goroutine, and asks the abort callback from time to time on this one.
func polled(abort, user uintptr, work func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	result := make(chan error, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				result <- panicked(r)
			}
		}()
		result <- work(ctx)
	}()
	const every = 10 * time.Millisecond
	for {
		select {
		case err := <-result:
			return err
		case <-time.After(every):
			if abort != 0 && callAbort(abort, user) {
				cancel()
				abort = 0
			}
		}
	}
}

// owner lets one thread at a time use a session.
type owner struct {
	state atomic.Uint32
	mu    sync.Mutex // held while a call is cancelled
	call
}

// States of an owner.
const (
	idle uint32 = iota
	inUse
	cancelled // in use, and the call is to end
	gone
)

// begin takes the session for a call.
func (o *owner) begin(abort, user uintptr) (*call, error) {
	if !o.state.CompareAndSwap(idle, inUse) {
		if o.state.Load() == gone {
			return nil, errHandle
		}
		return nil, errBusy
	}
	o.abort, o.user, o.ended = abort, user, false
	return &o.call, nil
}

// end gives the session back.
func (o *owner) end() {
	if o.state.CompareAndSwap(inUse, idle) {
		return
	}
	o.mu.Lock() // cancel has closed done
	defer o.mu.Unlock()
	o.done = make(chan struct{})
	o.state.CompareAndSwap(cancelled, idle)
}

// cancel ends the call that is running.
func (o *owner) cancel() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.state.CompareAndSwap(inUse, cancelled) {
		close(o.done)
	}
}
