package terminal

import "syscall"

const (
	readTermios  = syscall.TCGETS
	writeTermios = syscall.TCSETS
)
