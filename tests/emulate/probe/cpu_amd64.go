//go:build linux

package main

// bits are the instruction sets that features names: bit of EBX, ECX or EDX of CPUID leaf 7 (subleaf 0 or 1).
// Source: Intel SDM volume 2, CPUID.
var bits = []struct {
	name               string
	subleaf, word, bit int
}{
	{"AVX2", 0, 1, 5}, {"AVX512F", 0, 1, 16}, {"AVX512DQ", 0, 1, 17}, {"AVX512IFMA", 0, 1, 21},
	{"AVX512CD", 0, 1, 28}, {"AVX512BW", 0, 1, 30}, {"AVX512VL", 0, 1, 31},
	{"AVX512VBMI", 0, 2, 1}, {"AVX512VBMI2", 0, 2, 6}, {"GFNI", 0, 2, 8}, {"AVX512VNNI", 0, 2, 11},
	{"AVX512BITALG", 0, 2, 12}, {"AVX512VPOPCNTDQ", 0, 2, 14},
	{"AVX512FP16", 0, 3, 23}, {"AMXBF16", 0, 3, 22}, {"AMXTILE", 0, 3, 24}, {"AMXINT8", 0, 3, 25},
	{"AVXVNNI", 1, 0, 4}, {"AVX512BF16", 1, 0, 5},
}

// features lists what the CPU has; those that the system saves and restores are marked by the states at the end.
func features() []string {
	var out []string
	_, _, c, _ := cpuid(1, 0)
	for _, b := range bits {
		var r [4]uint32
		r[0], r[1], r[2], r[3] = cpuid(7, uint32(b.subleaf))
		if r[b.word]>>b.bit&1 != 0 {
			out = append(out, b.name)
		}
	}
	if c>>27&1 == 0 {
		return append(out, "(no XGETBV)")
	}
	if hasAVX512() {
		out = append(out, "(ZMM and mask registers enabled)")
	}
	return out
}

// hasAVX512 reports whether CPU and system support AVX-512 F: CPUID 7, and XCR0 bits SSE, AVX, opmask, ZMM.
func hasAVX512() bool {
	_, _, c, _ := cpuid(1, 0)
	_, b, _, _ := cpuid(7, 0)
	return c>>27&1 != 0 && b>>16&1 != 0 && xgetbv()&0xE6 == 0xE6
}

func add(sum *[16]float32, x *float32, y *[16]float32, n int) string {
	if !hasAVX512() {
		addGo(sum, x, y, n)
		return "plain Go, no AVX-512 here"
	}
	addAVX512(sum, x, y, n)
	return "AVX-512"
}

// cpuid executes CPUID.
func cpuid(leaf, subleaf uint32) (a, b, c, d uint32)

// xgetbv returns the low half of XCR0.
func xgetbv() uint32

// addAVX512 is addGo with a zero-masked load.
//
//go:noescape
func addAVX512(sum *[16]float32, x *float32, y *[16]float32, n int)

// undefined executes UD2.
func undefined()
