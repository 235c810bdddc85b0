package capi

import (
	"context"
	"sync"
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
	mu     sync.Mutex
	busy   bool
	closed bool
	call
}

// begin takes the session for a call.
func (o *owner) begin(abort, user uintptr) (*call, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil, errHandle
	}
	if o.busy {
		return nil, errBusy
	}
	o.busy = true
	o.abort, o.user, o.ended = abort, user, false
	if o.done == nil {
		o.done = make(chan struct{})
		o.Context = context.Background()
	}
	return &o.call, nil
}

// end gives the session back.
func (o *owner) end() {
	o.mu.Lock()
	select {
	case <-o.done:
		o.done = nil
	default:
	}
	o.busy = false
	o.mu.Unlock()
}

// cancel ends the call that is running.
func (o *owner) cancel() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.busy {
		return
	}
	select {
	case <-o.done:
	default:
		close(o.done)
	}
}
