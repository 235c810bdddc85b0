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
	AMX                   // and AMX tiles of bfloat16: products with bfloat16 weights by two, and with float32 weights by three products
	AMXStrict             // the same by three and six products
)

// ISAs lists the instruction sets, the smallest first.
var ISAs = []ISA{AVX2, AVX512, AVX512VNNI, AMXInt8, AMX, AMXStrict}

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
	case AMXStrict:
		return "AMXStrict"
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
	notes map[string]string                  // what the comment of a function adds to that of the kernel, by type of weights; "": all others
	loss  map[string]float64                 // what a product x·w may lose beside rounding, as a part of it, by type of weights
}

// Rows says for how many rows a function may be called: multiples of a number, and from which number on it is worth it. The
// next smaller instruction set computes the others.
type Rows struct{ Multiple, Least int }

var extensions = map[ISA]extension{
	AVX512VNNI: {gains: quantised},
	AMXInt8: {gains: quantised, lower: integerTiles, rows: integerTileRows,
		notes: map[string]string{"": "rows is a multiple of 16."}},
	AMX: {gains: floats("f32", "bf16"), lower: floatTiles(2, threeProducts), loss: map[string]float64{"f32": 3 * 0x1p-16, "bf16": 0x1p-17},
		notes: map[string]string{
			"bf16": "x is split into two terms of bfloat16, which are wrong by up to 2⁻¹⁷. " + bf16Sums,
			"f32":  "x and w are split into high and low bfloat16. For 32 k after another, high·low, high·high and low·high each add their sum over even k and that over odd k.",
		}},
	AMXStrict: {gains: floats("f32", "bf16"), lower: floatTiles(3, sixProducts), loss: map[string]float64{"f32": 0x1p-22},
		notes: map[string]string{
			"bf16": "x is split into three terms of bfloat16. " + bf16Sums,
			"f32":  "x and w are split into three terms of bfloat16. For 32 k after another, six products, the smaller first, each add their sum over even k and that over odd k.",
		}},
}

const bf16Sums = "For 32 k after another, each adds its sum over even k and that over odd k, the smallest first."

// Loss returns what a product x·w of a kernel may lose on an instruction set, beside the rounding that its tolerance is for,
// as a part of it: of float32 that are sums of bfloat16 the smallest products are left out.
func Loss(isa ISA, k kernel.Kernel) float64 { return extensions[isa].loss[k.S] }

// note returns what the comment of a function adds to that of its kernel.
func note(isa ISA, k kernel.Kernel) string {
	notes := extensions[isa].notes
	if n, ok := notes[k.S]; ok {
		return n
	}
	return notes[""]
}

// floats reports whether a kernel is a product with weights of one of these types.
func floats(types ...string) func(k kernel.Kernel) bool {
	return func(k kernel.Kernel) bool { return k.Op == "gemm" && slices.Contains(types, k.S) }
}

// floatTiles returns the lowering of products by tiles of bfloat16: of float32 inputs split into so many parts with bfloat16
// weights, and of float32 weights by a splitting.
func floatTiles(parts int, s splitting) func(f *function, k kernel.Kernel) {
	return func(f *function, k kernel.Kernel) {
		if k.S == "bf16" {
			tilesOf(parts)(f, k)
		} else {
			splitTo(s)(f, k)
		}
	}
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
