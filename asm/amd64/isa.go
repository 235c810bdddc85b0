// Package amd64 lowers the kernels of asm/kernel to x86-64 assembly with avo:
// one Go assembly file and one file of stubs for exactly the kernels that a
// generated model calls, for every instruction set below. The caller chooses
// an instruction set at run time; nothing here looks at the processor.
package amd64

import (
	"fmt"
	"slices"

	"github.com/tfgen/tfgen/asm/kernel"
)

// ISA is an instruction set that kernels are lowered to.
type ISA int

const (
	AVX2       ISA = iota // AVX2 and FMA: Haswell, Zen and later; 16 registers of 8 float32
	AVX512                // AVX-512 F, BW, DQ and VL: Skylake-X, Zen 4 and later; 32 registers of 16 float32
	AVX512VNNI            // and VNNI: Cascade Lake, Zen 4 and later; only operations that gain by it have a lowering
	AMX                   // and AMX tiles: Sapphire Rapids and later; matrix products with bfloat16 weights
)

// ISAs lists the instruction sets, the smallest first.
var ISAs = []ISA{AVX2, AVX512, AVX512VNNI, AMX}

// Vectors lists the instruction sets with registers of their own: all but those that only add instructions.
func Vectors() []ISA { return []ISA{AVX2, AVX512} }

// vector is the instruction set that a lowering writes: registers and vocabulary.
func (isa ISA) vector() ISA { return min(isa, AVX512) }

// String returns the suffix of functions for the instruction set.
func (isa ISA) String() string {
	switch isa {
	case AVX2:
		return "AVX2"
	case AVX512:
		return "AVX512"
	case AVX512VNNI:
		return "AVX512VNNI"
	case AMX:
		return "AMX"
	}
	return fmt.Sprintf("ISA(%d)", int(isa))
}

// lowerings has the function that writes the body of each operation.
var lowerings = map[string]func(f *function, k kernel.Kernel){
	"gemm":         gemm,
	"rmsNorm":      rmsNorm,
	"addRMSNorm":   rmsNorm,
	"layerNorm":    layerNorm,
	"addLayerNorm": layerNorm,
	"add":          addRows,
	"mul":          mulRows,
	"scale":        scale,
	"scaleRows":    scaleRows,
	"scanState":    scanState,
	"scanHead":     scanHead,
	"act":          act,
	"glu":          glu,
	"rope":         rope,
	"softmaxBlock": softmaxBlock,
	"expandBF16":   expandBF16,
	"qgemm":        qgemm,
	"quantize":     quantize,
}

// gains says which kernels have a lowering of their own for an instruction set that extends a smaller one.
var gains = map[ISA]func(k kernel.Kernel) bool{
	AVX512VNNI: func(k kernel.Kernel) bool { return k.Op == "qgemm" },
	AMX:        func(k kernel.Kernel) bool { return k.Op == "gemm" && k.S == "bf16" },
}

// lowering is the function that writes the body of a kernel for an instruction set.
func lowering(isa ISA, k kernel.Kernel) func(f *function, k kernel.Kernel) {
	if isa == AMX {
		return tiles
	}
	return lowerings[k.Op]
}

// Supports reports whether Emit can lower the kernel to the instruction set.
func Supports(isa ISA, k kernel.Kernel) bool {
	_, ok := lowerings[k.Op]
	if gain, extends := gains[isa]; extends && !gain(k) {
		return false
	}
	return ok && slices.Contains(ISAs, isa) && k.Validate() == nil
}
