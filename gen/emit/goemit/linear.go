package goemit

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/asm/tuning"
	"github.com/tfgen/tfgen/gen/plan"
	"github.com/tfgen/tfgen/gen/weights"
)

// linear emits a matrix product. Workers share the output tiles; how they share never changes an output's sum.
func (e *emitter) linear(s plan.Step) (string, error) {
	o := s.Op
	p := e.Place[o.Weights[0]]
	m, ok := matrixOf(p.Layout, o.In[0].Type.Width())
	if !ok {
		return "", fmt.Errorf("%s: no matrix product reads the layout %s of %s", o.Pos, p.Layout, p.Name)
	}
	k, dim := o.In[0].Type.Width(), o.Attrs.Int("dim")
	name := fmt.Sprintf("linear%sx%dx%d", strings.ToUpper(m.Kernel.S), k, dim)
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
	e.linearMethod(name, params, start, formula, m, k, dim)
	return fmt.Sprintf("t.%s(%s, %s)", name, strings.Join(args, ", "), count(o.Out[0].Type.Rows)), nil
}

// matrixOf returns the matrix of a layout for k columns.
func matrixOf(layout string, k int) (kernel.Matrix, bool) {
	if f := weights.Quantised(layout); f != nil {
		return kernel.MatrixOf(f.Name, k)
	}
	format, ok := strings.CutPrefix(layout, "tile16_")
	m, known := kernel.MatrixOf(format, k)
	return m, ok && known
}

func (e *emitter) linearMethod(name, params, start, formula string, m kernel.Matrix, k, dim int) {
	gemm, tiles := e.kernel(m.Kernel), (dim+15)/16
	cut := e.Tuning.Sweep(m.Kernel.S, k, dim).Over(tuning.SweepRule(m.Input, m.Bytes))
	e.needZeros(cut.Tiles * 16)
	doc := fmt.Sprintf("computes y = %s, [n, %d] → [n, %d]: %d tiles of 16 outputs, shared by the workers.", formula, k, dim, tiles)
	e.method(name, doc, params+", n int", fmt.Sprintf(`from, to := t.share(%[1]d)
	for i := from; i < to; i += %[2]d {
		tiles := min(%[2]d, to-i)
		for r := 0; r < n; r += %[3]d {
			%[4]s(t.at(y, r)[i*16:], y.ld, t.at(x, r), x.ld, w[i*%[5]d:], tiles, %[6]s, min(%[3]d, n-r))
		}
	}`, tiles, cut.Tiles, cut.Rows, gemm, m.Stride, start))
}

// needZeros asks for at least n zeros: the start of sums without bias.
func (e *emitter) needZeros(n int) { e.zeros = max(e.zeros, n) }
