package kerneltest

import (
	"slices"

	"github.com/tfgen/tfgen/runtime/cpu"
)

// cpuid executes the CPUID instruction.
func cpuid(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32)

// xgetbv returns the lower half of extended control register 0: the register
// files that the operating system saves. It exists when cpuid leaf 1 says so.
func xgetbv() (eax uint32)

// levels returns the instruction sets that this machine can execute, by the
// suffix of their functions.
func levels() []string {
	const (
		fma, osxsave, avx = 1 << 12, 1 << 27, 1 << 28 // leaf 1, ecx
		avx2              = 1 << 5                    // leaf 7, ebx
		avx512            = 1<<16 | 1<<17 | 1<<30 | 1<<31
		saveYMM, saveZMM  = 0x6, 0xe6
		leaf1Bits         = fma | osxsave | avx
	)
	if highest, _, _, _ := cpuid(0, 0); highest < 7 {
		return nil
	}
	_, _, ecx, _ := cpuid(1, 0)
	if ecx&leaf1Bits != leaf1Bits || xgetbv()&saveYMM != saveYMM {
		return nil
	}
	_, ebx, _, _ := cpuid(7, 0)
	var names []string
	if ebx&avx2 != 0 {
		names = append(names, "AVX2")
	}
	if ebx&avx512 == avx512 && xgetbv()&saveZMM == saveZMM {
		names = append(names, "AVX512")
	}
	return names
}

// quantLevels returns the instruction sets with kernels for quantised weights.
func quantLevels() []string {
	names := levels()
	const vnni = 1 << 11 // leaf 7, ecx
	if _, _, ecx, _ := cpuid(7, 0); len(names) == 2 && ecx&vnni != 0 {
		names = append(names, "AVX512VNNI")
	}
	if slices.Contains(cpu.Available(), cpu.AMXInt8) {
		names = append(names, "AMXInt8")
	}
	return names
}
