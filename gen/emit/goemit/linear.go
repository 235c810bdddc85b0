package goemit

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/gen/plan"
)

// Blocking of matrix products. Rows are taken in blocks whose inputs fit half a second-level cache, weights in blocks
// that stay in the third level while the row blocks pass.
const (
	rowBlockBytes  = 192 << 10
	tileBlockBytes = 2 << 20
	maxTileBlock   = 64
)

// rowBlock is the number of rows of k elements in a block: a multiple of 24, which the kernels' register tiles divide.
func rowBlock(k int) int { return min(max(rowBlockBytes/(4*k)/24*24, 24), 480) }

// tileBlock is the number of weight tiles in a block.
func tileBlock(k, elemBytes int) int {
	return min(max(tileBlockBytes/(16*k*elemBytes), 1), maxTileBlock)
}

// linear emits a matrix product. Workers share the output tiles; how they share never changes an output's sum.
func (e *emitter) linear(s plan.Step) (string, error) {
	o := s.Op
	p := e.Place[o.Weights[0]]
	format := map[string]string{"tile16_f32": "f32", "tile16_bf16": "bf16"}[p.Layout]
	if format == "" {
		return "", fmt.Errorf("%s: no matrix product reads the layout %s of %s", o.Pos, p.Layout, p.Name)
	}
	k, dim := o.In[0].Type.Width(), o.Attrs.Int("dim")
	name := fmt.Sprintf("linear%sx%dx%d", strings.ToUpper(format), k, dim)
	args := []string{e.ref(o.Out[0]), e.ref(o.In[0]), e.weightRef(o.Weights[0], o.Region)}
	params, start, formula := "y, x view, w []"+elem(p.Layout), "zeros[:], 0", "x·wᵀ"
	switch {
	case o.Weights[1] != nil && len(o.In) > 1:
		return "", fmt.Errorf("%s: a linear with bias and residual is not supported by the Go backend", o.Pos)
	case o.Weights[1] != nil:
		name, params, formula = name+"Bias", params+", b []float32", "x·wᵀ + b"
		start = "b[i*16:], 0"
		args = append(args, e.weightRef(o.Weights[1], o.Region))
	case len(o.In) > 1:
		name, params, formula = name+"Add", params+", c view", "c + x·wᵀ"
		start = "t.at(c, r)[i*16:], c.ld"
		args = append(args, e.ref(o.In[1]))
	}
	e.linearMethod(name, params, start, formula, format, k, dim)
	return fmt.Sprintf("t.%s(%s, %s)", name, strings.Join(args, ", "), count(o.Out[0].Type.Rows)), nil
}

func (e *emitter) linearMethod(name, params, start, formula, format string, k, dim int) {
	gemm := e.kernel(kernel.Kernel{Op: "gemm", S: format, D: []int{k}})
	tiles, stride, bytes := (dim+15)/16, k*16, 4
	if format == "bf16" {
		stride, bytes = (k+1)/2*32, 2
	}
	block := tileBlock(k, bytes)
	e.needZeros(block * 16)
	doc := fmt.Sprintf("computes y = %s, [n, %d] → [n, %d]: %d tiles of 16 outputs, shared by the workers.", formula, k, dim, tiles)
	e.method(name, doc, params+", n int", fmt.Sprintf(`from, to := t.share(%[1]d)
	for i := from; i < to; i += %[2]d {
		tiles := min(%[2]d, to-i)
		for r := 0; r < n; r += %[3]d {
			%[4]s(t.at(y, r)[i*16:], y.ld, t.at(x, r), x.ld, w[i*%[5]d:], tiles, %[6]s, min(%[3]d, n-r))
		}
	}`, tiles, block, rowBlock(k), gemm, stride, start))
}

// needZeros asks for at least n zeros: the start of sums without bias.
func (e *emitter) needZeros(n int) { e.zeros = max(e.zeros, n) }
