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
	AMXInt8               // and AMX tiles of integers: Sapphire Rapids and later; several rows times quantised weights
	AMX                   // and AMX tiles of bfloat16; matrix products with bfloat16 weights
)

// ISAs lists the instruction sets, the smallest first.
var ISAs = []ISA{AVX2, AVX512, AVX512VNNI, AMXInt8, AMX}

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
	case AMXInt8:
		return "AMXInt8"
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

// An extension is an instruction set without registers of its own: kernels that gain by its instructions have a lowering,
// the others run as on the next smaller set.
type extension struct {
	gains func(k kernel.Kernel) bool
	lower func(f *function, k kernel.Kernel) // nil: the lowering of the smaller set, which asks what there is
	rows  func(k kernel.Kernel) Rows         // nil: any number
}

// Rows says for how many rows a function may be called: multiples of a number, and from which number on it is worth it. The
// next smaller instruction set computes the others.
type Rows struct{ Multiple, Least int }

var extensions = map[ISA]extension{
	AVX512VNNI: {gains: quantised},
	AMXInt8:    {gains: quantised, lower: integerTiles, rows: integerTileRows},
	AMX:        {gains: func(k kernel.Kernel) bool { return k.Op == "gemm" && k.S == "bf16" }, lower: tiles},
}

func quantised(k kernel.Kernel) bool { return k.Op == "qgemm" }

// lowering is the function that writes the body of a kernel for an instruction set.
func lowering(isa ISA, k kernel.Kernel) func(f *function, k kernel.Kernel) {
	if lower := extensions[isa].lower; lower != nil {
		return lower
	}
	return lowerings[k.Op]
}

// Supports reports whether Emit can lower the kernel to the instruction set.
func Supports(isa ISA, k kernel.Kernel) bool {
	_, ok := lowerings[k.Op]
	if e, extends := extensions[isa]; extends && !e.gains(k) {
		return false
	}
	return ok && slices.Contains(ISAs, isa) && k.Validate() == nil
}

// RowsOf returns for how many rows the function of a kernel for an instruction set may be called.
func RowsOf(isa ISA, k kernel.Kernel) Rows {
	if rows := extensions[isa].rows; rows != nil {
		return rows(k)
	}
	return Rows{1, 1}
}
