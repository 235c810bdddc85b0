//go:build !linux && !darwin

package program

// peakMemory returns 0: this system does not tell the standard library.
func peakMemory() int64 { return 0 }
