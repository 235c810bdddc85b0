package limits

import "github.com/tfgen/tfgen/runtime/cpu"

// unitOf returns the functions of the widest instructions of a level.
func unitOf(level cpu.Level) unit {
	switch {
	case level >= cpu.AVX512:
		return unit{24 * 16 * 2, fmaPeakAVX512, 1024, readBandwidthAVX512}
	case level >= cpu.AVX2:
		return unit{12 * 8 * 2, fmaPeakAVX2, 1024, readBandwidthAVX2}
	}
	return plain
}
