// Package kernel is the table of compute kernels that generated models call:
// one row per operation, one Kernel value per operation with literal
// dimensions. The table says what a kernel is called, which parameters it
// takes, which function of runtime/portable is its plain Go twin and how far a
// vector implementation may be from that twin. It knows no instruction set:
// asm/amd64 lowers the same values to assembly.
//
// Layouts. Activations are float32 rows with an explicit stride ld, counted in
// elements. Weights are packed in tiles of 16 outputs: float32 as
// [N/16][K][16], bfloat16 as [N/16][⌈K/2⌉][16][2], float16 and int8 as [N/16][K][16], quantised formats as
// runtime/quant describes them.
package kernel

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tfgen/tfgen/runtime/quant"
)

// Tile is the number of outputs in one tile of packed weights.
const Tile = 16

// BlockKeys is the number of keys in one block of the attention caches, and
// the width of the score rows that softmaxBlock works on.
const BlockKeys = 64

// maxDim bounds every literal dimension, so that offsets inside a row fit the
// displacement of an instruction.
const maxDim = 1 << 20

// Kernel is one operation with its literal dimensions: a row of the table made
// concrete. Two kernels are the same when their Keys are equal.
type Kernel struct {
	Op      string    // row of the table, as "gemm" or "rmsNorm"
	D       []int     // literal dimensions, in the order of the row
	S       string    // weight type, activation kind or rotation style; "" when the row has none
	F       []float64 // literal floats: eps, scale, cap
	Variant int       // set by Distinct when kernels differ only in F; 0 is the plain name
}

// Param is one Go parameter of a kernel.
type Param struct {
	Name string
	Type string // "[]float32", "[]uint16", "[]uint8", "[]int8", "[]int32" or "int"
}

// Tolerance bounds a vector kernel against its portable twin, element by
// element: |vector − portable| ≤ C · 2⁻²⁴ · Of. Every twin rounds differently
// (fused multiply-add, another order of a sum), none is the reference.
type Tolerance struct {
	C  float64 // for gemm C counts roundings and is multiplied by the number of terms K + 1
	Of string  // the magnitude the error is relative to, in words
}

// Ops returns the names of all operations, sorted.
func Ops() []string {
	names := make([]string, 0, len(table))
	for name := range table {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// ToleranceOf returns the tolerance of an operation and whether the table has
// that operation.
func ToleranceOf(op string) (Tolerance, bool) {
	r, ok := table[op]
	return r.tolerance, ok
}

// Key identifies the kernel: equal keys mean equal code.
func (k Kernel) Key() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s|%s|", k.Op, k.S)
	for _, d := range k.D {
		fmt.Fprintf(&b, "%08d,", d)
	}
	b.WriteByte('|')
	for _, f := range k.F {
		b.WriteString(formatFloat(f) + ",")
	}
	return b.String()
}

// Name returns the Go identifier of the kernel without its instruction set,
// such as gemmF32K640, rmsNorm640 or gluSiLU768. Kernels that differ only in
// literal floats share a name until Distinct gives them a Variant.
func (k Kernel) Name() string {
	name := table[k.Op].name(k)
	if k.Variant > 0 {
		name += "V" + strconv.Itoa(k.Variant+1)
	}
	return name
}

// Params returns the Go parameters of the kernel in order. An assembly stub
// takes *T for every slice []T, in the same order.
func (k Kernel) Params() []Param { return slices.Clone(table[k.Op].params(k)) }

// Portable returns the function of runtime/portable that computes this kernel
// and the literal arguments that follow the parameters in a call.
func (k Kernel) Portable() (fn string, literals []string) {
	r := table[k.Op]
	for _, d := range k.D[:r.portableDims(k)] {
		literals = append(literals, strconv.Itoa(d))
	}
	for _, f := range k.F {
		literals = append(literals, formatFloat(f))
	}
	if f, err := quant.Lookup(k.S); err == nil {
		literals = append(literals, "quant."+f.Ident())
	}
	return r.portable(k), literals
}

// Doc returns the comment of the kernel without comment markers: the formula,
// shapes, layout and source, in one to four lines.
func (k Kernel) Doc() string { return k.Name() + " " + table[k.Op].doc(k) }

// Tolerance returns the bound of the kernel's row.
func (k Kernel) Tolerance() Tolerance { return table[k.Op].tolerance }

// Validate reports why a kernel cannot exist: an unknown operation or variant,
// a wrong number of literals, or a literal out of range.
func (k Kernel) Validate() error {
	r, ok := table[k.Op]
	if !ok {
		return fmt.Errorf("kernel: unknown operation %q; known are %s", k.Op, strings.Join(Ops(), ", "))
	}
	if len(k.D) != r.dims {
		return fmt.Errorf("kernel: %s takes %d dimensions, got %d", k.Op, r.dims, len(k.D))
	}
	for _, d := range k.D {
		if d < 1 || d > maxDim {
			return fmt.Errorf("kernel: %s: dimension %d is outside 1..%d", k.Op, d, maxDim)
		}
	}
	if len(k.F) != r.floats {
		return fmt.Errorf("kernel: %s takes %d literal floats, got %d", k.Op, r.floats, len(k.F))
	}
	for _, f := range k.F {
		if math.IsNaN(f) || math.Abs(f) > math.MaxFloat32 {
			return fmt.Errorf("kernel: %s: literal %v is not a finite float32", k.Op, f)
		}
	}
	if known := r.variants(); !slices.Contains(known, k.S) {
		return fmt.Errorf("kernel: %s: unknown variant %q; known are %q", k.Op, k.S, known)
	}
	if r.check != nil {
		return r.check(k)
	}
	return nil
}

// Distinct sorts kernels by key, drops duplicates and numbers those that share
// a name, so that every name in the result is unique and does not depend on
// the order of the input.
func Distinct(ks []Kernel) []Kernel {
	out := make([]Kernel, len(ks))
	for i, k := range ks {
		k.Variant = 0
		out[i] = k
	}
	slices.SortFunc(out, func(a, b Kernel) int { return strings.Compare(a.Key(), b.Key()) })
	out = slices.CompactFunc(out, func(a, b Kernel) bool { return a.Key() == b.Key() })
	used := map[string]int{}
	for i := range out {
		name := out[i].Name()
		out[i].Variant = used[name]
		used[name]++
	}
	return out
}

// formatFloat prints a literal float so that Go reads back the same value.
func formatFloat(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
