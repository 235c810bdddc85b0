package cpu

// features holds the registers that say what an amd64 processor can do. The
// zero value is a processor with nothing but plain Go. Bit numbers: Intel SDM
// volume 2A, CPUID, tables 3-8 and 3-10; volume 1, 13.3 for XCR0.
type features struct {
	leaf1ECX uint32 // CPUID.1:ECX
	leaf7EBX uint32 // CPUID.(7,0):EBX
	leaf7ECX uint32 // CPUID.(7,0):ECX
	xcr0     uint32 // low half of XCR0, 0 when OSXSAVE is off
}

const (
	leaf1FMA     = 1 << 12
	leaf1OSXSAVE = 1 << 27
	leaf1AVX     = 1 << 28
	leaf1F16C    = 1 << 29

	leaf7BMI1     = 1 << 3
	leaf7AVX2     = 1 << 5
	leaf7BMI2     = 1 << 8
	leaf7AVX512F  = 1 << 16
	leaf7AVX512DQ = 1 << 17
	leaf7AVX512BW = 1 << 30
	leaf7AVX512VL = 1 << 31

	leaf7VNNI = 1 << 11

	xcr0YMM = 1<<1 | 1<<2                  // XMM and YMM state
	xcr0ZMM = xcr0YMM | 1<<5 | 1<<6 | 1<<7 // mask registers, both parts of ZMM
)

// avx2 reports whether the processor has AVX2, FMA, F16C, BMI1 and BMI2, and
// the operating system saves YMM registers.
func (f features) avx2() bool {
	const leaf1 = leaf1OSXSAVE | leaf1AVX | leaf1FMA | leaf1F16C
	const leaf7 = leaf7AVX2 | leaf7BMI1 | leaf7BMI2
	return f.leaf1ECX&leaf1 == leaf1 && f.leaf7EBX&leaf7 == leaf7 && f.xcr0&xcr0YMM == xcr0YMM
}

// avx512 reports whether the processor has AVX-512 F, BW, DQ and VL beside
// what avx2 asks, and the operating system saves ZMM registers. macOS grants
// ZMM state only to threads that have used it, so AVX-512 is not found there.
func (f features) avx512() bool {
	const leaf7 = leaf7AVX512F | leaf7AVX512BW | leaf7AVX512DQ | leaf7AVX512VL
	return f.avx2() && f.leaf7EBX&leaf7 == leaf7 && f.xcr0&xcr0ZMM == xcr0ZMM
}

// avx512vnni reports whether the processor has VNNI beside what avx512 asks.
func (f features) avx512vnni() bool { return f.avx512() && f.leaf7ECX&leaf7VNNI != 0 }
