//go:build linux || darwin

package program

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// peakMemory returns the largest resident memory of the process in bytes, the
// touched part of mapped weights included.
func peakMemory() int64 {
	if n, ok := highWater(); ok {
		return n
	}
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" { // bytes there, kilobytes on Linux
		return int64(u.Maxrss)
	}
	return int64(u.Maxrss) << 10
}

// highWater reads what Linux says of the process itself: its resource usage
// begins with that of the process that started it.
func highWater() (int64, bool) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, false
	}
	_, text, _ := strings.Cut(string(status), "\nVmHWM:")
	kilobytes, _, _ := strings.Cut(text, " kB\n")
	n, err := strconv.ParseInt(strings.TrimSpace(kilobytes), 10, 64)
	return n << 10, err == nil
}
