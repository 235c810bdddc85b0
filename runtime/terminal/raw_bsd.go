//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package terminal

import "syscall"

const (
	readTermios  = syscall.TIOCGETA
	writeTermios = syscall.TIOCSETA
)
