package terminal

import (
	"syscall"
	"unsafe"
)

// state is what makeRaw has changed.
type state = uint32

var (
	kernel  = syscall.NewLazyDLL("kernel32.dll")
	setMode = kernel.NewProc("SetConsoleMode")
	getInfo = kernel.NewProc("GetConsoleScreenBufferInfo")
)

// Modes of a console's input.
const (
	processedInput = 0x1
	lineInput      = 0x2
	echoInput      = 0x4
	virtualInput   = 0x200
)

func isTerminal(fd uintptr) bool {
	var mode uint32
	return syscall.GetConsoleMode(syscall.Handle(fd), &mode) == nil
}

func makeRaw(fd uintptr) (*state, error) {
	var old uint32
	if err := syscall.GetConsoleMode(syscall.Handle(fd), &old); err != nil {
		return nil, err
	}
	raw := old&^(echoInput|processedInput|lineInput) | virtualInput
	return &old, restore(fd, &raw)
}

func restore(fd uintptr, mode *state) error {
	if ok, _, err := setMode.Call(fd, uintptr(*mode)); ok == 0 {
		return err
	}
	return nil
}

// size returns the columns and rows of a console.
func size(fd uintptr) (width, height int, ok bool) {
	var info struct {
		width, height, x, y      int16
		attributes               uint16
		left, top, right, bottom int16
		maxWidth, maxHeight      int16
	}
	if ok, _, _ := getInfo.Call(fd, uintptr(unsafe.Pointer(&info))); ok == 0 {
		return 0, 0, false
	}
	return int(info.right-info.left) + 1, int(info.bottom-info.top) + 1, true
}
