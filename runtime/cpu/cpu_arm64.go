package cpu

// Pause tells the processor that the caller spins (YIELD).
//
//go:noescape
func Pause()

// detect finds no features: the kernels of this architecture are portable Go.
func detect(bool) features { return features{} }
