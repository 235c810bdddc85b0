//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package terminal

import (
	"syscall"
	"unsafe"
)

// state is what makeRaw has changed.
type state = syscall.Termios

// control calls ioctl.
func control(fd, request uintptr, arg unsafe.Pointer) error {
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(arg)); e != 0 {
		return e
	}
	return nil
}

func isTerminal(fd uintptr) bool {
	var t state
	return control(fd, readTermios, unsafe.Pointer(&t)) == nil
}

// makeRaw lets every key through as it is pressed, as cfmakeraw of termios(3).
func makeRaw(fd uintptr) (*state, error) {
	var t state
	if err := control(fd, readTermios, unsafe.Pointer(&t)); err != nil {
		return nil, err
	}
	old := t
	t.Iflag &^= syscall.IGNBRK | syscall.BRKINT | syscall.PARMRK | syscall.ISTRIP | syscall.INLCR | syscall.IGNCR | syscall.ICRNL | syscall.IXON
	t.Oflag &^= syscall.OPOST
	t.Lflag &^= syscall.ECHO | syscall.ECHONL | syscall.ICANON | syscall.ISIG | syscall.IEXTEN
	t.Cflag &^= syscall.CSIZE | syscall.PARENB
	t.Cflag |= syscall.CS8
	t.Cc[syscall.VMIN], t.Cc[syscall.VTIME] = 1, 0
	return &old, control(fd, writeTermios, unsafe.Pointer(&t))
}

func restore(fd uintptr, old *state) error { return control(fd, writeTermios, unsafe.Pointer(old)) }

// size returns the columns and rows of a terminal.
func size(fd uintptr) (width, height int, ok bool) {
	var w struct{ rows, columns, x, y uint16 }
	if err := control(fd, syscall.TIOCGWINSZ, unsafe.Pointer(&w)); err != nil || w.columns == 0 || w.rows == 0 {
		return 0, 0, false
	}
	return int(w.columns), int(w.rows), true
}
