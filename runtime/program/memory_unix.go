//go:build linux || darwin

package program

import (
	"runtime"
	"syscall"
)

// peakMemory returns the largest resident memory of the process in bytes, the
// touched part of mapped weights included.
func peakMemory() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" { // bytes there, kilobytes on Linux
		return int64(u.Maxrss)
	}
	return int64(u.Maxrss) << 10
}
