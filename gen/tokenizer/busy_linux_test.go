package tokenizer

import (
	"syscall"
	"time"
)

// busy is the processor time of this thread, which does not count what other programs do meanwhile.
func busy() time.Duration {
	const thread = 1 // RUSAGE_THREAD
	var r syscall.Rusage
	if err := syscall.Getrusage(thread, &r); err != nil {
		panic(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
