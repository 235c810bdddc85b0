package capi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"syscall"

	"github.com/tfgen/tfgen/runtime/cpu"
	"github.com/tfgen/tfgen/runtime/generate"
	"github.com/tfgen/tfgen/runtime/pool"
	"github.com/tfgen/tfgen/runtime/snapshot"
	"github.com/tfgen/tfgen/runtime/weightfile"
)

// code is a TFGEN_ code of tfgen.h.
type code int32

// Codes as in tfgen.h; a test compares them.
const (
	codeOK code = iota
	codeInternal
	codeArgument
	codeHandle
	codeVersion
	codeNotInitialized
	codeUnsupported
	codeFile
	codeWeights
	codeMemory
	codeBuffer
	codeToken
	codeContext
	codeBusy
	codeClosed
	codeAborted
	codeCallback
	codeTemplate
	codeProcessor
	codeForked
)

// coded is an error with its code.
type coded struct {
	code
	text string
}

// Error returns the message.
func (e *coded) Error() string { return e.text }

func argument(format string, args ...any) error {
	return &coded{codeArgument, fmt.Sprintf(format, args...)}
}

func unsupported(format string, args ...any) error {
	return &coded{codeUnsupported, fmt.Sprintf(format, args...)}
}

var (
	errHandle   = &coded{codeHandle, "no such handle: it is NULL, was closed, or is of another kind"}
	errBusy     = &coded{codeBusy, "the session is in use: by another thread, a callback of its own call, or a stream that is open"}
	errAborted  = &coded{codeAborted, "aborted"}
	errCallback = &coded{codeCallback, "the stream callback ended the generation with an error"}
)

// panicked makes an error of a recovered panic.
func panicked(r any) error {
	return &coded{codeInternal, fmt.Sprintf("the library failed: %v\n%s", r, debug.Stack())}
}

// codeOf finds the code of an error of the model.
func codeOf(err error) code {
	var c *coded
	var p *pool.PanicError
	var path *fs.PathError
	var errno syscall.Errno
	switch {
	case err == nil:
		return codeOK
	case errors.As(err, &c):
		return c.code
	case errors.As(err, &p):
		return codeInternal
	case errors.Is(err, context.Canceled):
		return codeAborted
	case is(err, model.ErrClosed), errors.Is(err, weightfile.ErrClosed):
		return codeClosed
	case is(err, model.ErrContext), errors.Is(err, generate.ErrContextFull):
		return codeContext
	case is(err, model.ErrToken):
		return codeToken
	case errors.Is(err, snapshot.ErrForgotten):
		return codeUnsupported
	case errors.Is(err, weightfile.ErrMismatch):
		return codeWeights
	case errors.Is(err, syscall.ENOMEM):
		return codeMemory
	case errors.As(err, &path), errors.As(err, &errno):
		return codeFile
	case cpu.Err() != nil && err.Error() == cpu.Err().Error():
		return codeProcessor
	}
	return codeArgument
}

// is is errors.Is for a target that may not exist.
func is(err, target error) bool { return target != nil && errors.Is(err, target) }
