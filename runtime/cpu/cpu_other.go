//go:build !amd64 && !arm64

package cpu

// Pause does nothing: this processor has no hint for spinning.
func Pause() {}

// detect finds no features: the kernels of this architecture are portable Go.
func detect(bool) features { return features{} }
