package cpu

// features holds the registers that say what an amd64 processor can do. The
// zero value is a processor with nothing but plain Go. Bit numbers: Intel SDM
// volume 2A, CPUID, tables 3-8 and 3-10; volume 1, 13.3 for XCR0.
type features struct {
	leaf1ECX uint32 // CPUID.1:ECX
	leaf7EBX uint32 // CPUID.(7,0):EBX
	leaf7ECX uint32 // CPUID.(7,0):ECX
	leaf7EDX uint32 // CPUID.(7,0):EDX
	xcr0     uint32 // low half of XCR0, 0 when OSXSAVE is off
	tiles    bool   // the operating system lets this process use tile data
}

const (
	leaf1SSSE3   = 1 << 9
	leaf1FMA     = 1 << 12
	leaf1SSE41   = 1 << 19
	leaf1OSXSAVE = 1 << 27
	leaf1AVX     = 1 << 28
	leaf1F16C    = 1 << 29

	leaf7BMI1     = 1 << 3
	leaf7AVX2     = 1 << 5
	leaf7BMI2     = 1 << 8
	leaf7SHA      = 1 << 29
	leaf7AVX512F  = 1 << 16
	leaf7AVX512DQ = 1 << 17
	leaf7AVX512BW = 1 << 30
	leaf7AVX512VL = 1 << 31

	leaf7VNNI = 1 << 11

	leaf7AMXBF16 = 1 << 22
	leaf7AMXTile = 1 << 24
	leaf7AMXInt8 = 1 << 25

	xcr0YMM  = 1<<1 | 1<<2                  // XMM and YMM state
	xcr0ZMM  = xcr0YMM | 1<<5 | 1<<6 | 1<<7 // mask registers, both parts of ZMM
	xcr0Tile = 1<<17 | 1<<18                // tile configuration and data
)

// avx2 reports whether the processor has AVX2, FMA, F16C, BMI1 and BMI2, and
// the operating system saves YMM registers.
func (f features) avx2() bool {
	const leaf1 = leaf1OSXSAVE | leaf1AVX | leaf1FMA | leaf1F16C
	const leaf7 = leaf7AVX2 | leaf7BMI1 | leaf7BMI2
	return f.leaf1ECX&leaf1 == leaf1 && f.leaf7EBX&leaf7 == leaf7 && f.xcr0&xcr0YMM == xcr0YMM
}

// sha reports whether the processor has the SHA extensions, AVX's forms of moves, SSSE3 and SSE4.1.
func (f features) sha() bool {
	const leaf1 = leaf1OSXSAVE | leaf1AVX | leaf1SSSE3 | leaf1SSE41
	return f.leaf1ECX&leaf1 == leaf1 && f.leaf7EBX&leaf7SHA != 0 && f.xcr0&xcr0YMM == xcr0YMM
}

// SHA reports whether the processor computes SHA-256 itself. Levels do not matter to it: the result is the same bits.
func SHA() bool { return detected.sha() }

// avx512 reports whether the processor has AVX-512 F, BW, DQ and VL beside
// what avx2 asks, and the operating system saves ZMM registers. macOS grants
// ZMM state only to threads that have used it, so AVX-512 is not found there.
func (f features) avx512() bool {
	const leaf7 = leaf7AVX512F | leaf7AVX512BW | leaf7AVX512DQ | leaf7AVX512VL
	return f.avx2() && f.leaf7EBX&leaf7 == leaf7 && f.xcr0&xcr0ZMM == xcr0ZMM
}

// avx512vnni reports whether the processor has VNNI beside what avx512 asks.
func (f features) avx512vnni() bool { return f.avx512() && f.leaf7ECX&leaf7VNNI != 0 }

// tileState reports whether the processor has AMX tiles with products of int8, beside what avx512vnni asks, and the
// operating system saves them. Linux also asks for a permission: see requestTiles.
func (f features) tileState() bool {
	const leaf7 = leaf7AMXTile | leaf7AMXInt8
	return f.avx512vnni() && f.leaf7EDX&leaf7 == leaf7 && f.xcr0&xcr0Tile == xcr0Tile
}

// amxInt8 reports whether the process may use AMX tiles of integers.
func (f features) amxInt8() bool { return f.tileState() && f.tiles }

// amx reports whether the process may use tiles of bfloat16 too.
func (f features) amx() bool { return f.amxInt8() && f.leaf7EDX&leaf7AMXBF16 != 0 }
