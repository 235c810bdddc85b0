//go:build !linux

package arena

// Huge does nothing on this system.
func Huge(block []float32) {}
