package pool

import (
	"syscall"
	"time"
	"unsafe"
)

// clockThread is CLOCK_THREAD_CPUTIME_ID of clock_gettime(2).
const clockThread = 3

// processorTime returns the thread that calls and how long processors have run it. It returns thread 0 when the system does not
// tell.
func processorTime() (thread int, used time.Duration) {
	var t syscall.Timespec
	if _, _, e := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockThread, uintptr(unsafe.Pointer(&t)), 0); e != 0 {
		return 0, 0
	}
	id, _, _ := syscall.RawSyscall(syscall.SYS_GETTID, 0, 0, 0)
	return int(id), time.Duration(t.Nano())
}
