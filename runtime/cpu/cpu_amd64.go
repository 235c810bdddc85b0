package cpu

// cpuid executes CPUID with the given EAX and ECX.
//
//go:noescape
func cpuid(eaxIn, ecxIn uint32) (eax, ebx, ecx, edx uint32)

// xgetbv returns the low half of XCR0. It faults when OSXSAVE is off.
//
//go:noescape
func xgetbv() uint32

// Pause tells the processor that the caller spins (PAUSE).
//
//go:noescape
func Pause()

// detect reads the processor's features. It asks the system for tiles when the caller could use them.
func detect(tiles bool) features {
	var f features
	last, _, _, _ := cpuid(0, 0)
	if last < 7 {
		return f
	}
	_, _, f.leaf1ECX, _ = cpuid(1, 0)
	_, f.leaf7EBX, f.leaf7ECX, f.leaf7EDX = cpuid(7, 0)
	if f.leaf1ECX&leaf1OSXSAVE != 0 {
		f.xcr0 = xgetbv()
	}
	f.tiles = tiles && f.tileState() && requestTiles()
	return f
}
