//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly || windows)

package terminal

import "errors"

// state is what makeRaw has changed.
type state struct{}

func isTerminal(uintptr) bool { return false }

func makeRaw(uintptr) (*state, error) { return nil, errors.ErrUnsupported }

func restore(uintptr, *state) error { return nil }

func size(uintptr) (width, height int, ok bool) { return 0, 0, false }
