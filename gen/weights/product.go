package weights

import (
	"fmt"
	"math"

	"github.com/tfgen/tfgen/gen/ir"
)

// Steps that apply a layer to every row of a tensor, such as the projections of a table of positions that every pass
// would compute alike. Sums are in float64.

func dimsLinear(s ir.Step, rows, _ int) (int, int, error) {
	if s.N <= 0 {
		return 0, 0, fmt.Errorf("%s has no outputs", s.W)
	}
	return rows, s.N, nil
}

// other reads rows of another tensor, whose rows must have cols elements.
func (p *part) other(name string, first, count, cols int) ([]float32, error) {
	t, ok := p.src.Tensor(name)
	if !ok {
		return nil, fmt.Errorf("the checkpoint has no tensor %s", name)
	}
	if r, c := t.Row(); c != cols || first+count > r {
		return nil, fmt.Errorf("tensor %s has shape %v, expected %d columns and at least %d rows", name, t.Shape, cols, first+count)
	}
	dst := make([]float32, count*cols)
	return dst, p.src.ReadF32(name, first, count, dst)
}

// readLinear reads a block of x·wᵀ + b.
func readLinear(p *part, s int, r rect, dst []float32) error {
	st, k := p.spec.Steps[s], p.dims[s][1]
	x := make([]float32, r.rows*k)
	if err := p.read(s, rect{r.row, r.rows, 0, k}, x); err != nil {
		return err
	}
	w, err := p.other(st.W, r.col, r.cols, k)
	if err != nil {
		return err
	}
	b := make([]float32, r.cols)
	if st.B != "" {
		if b, err = p.other(st.B, r.col, r.cols, 1); err != nil {
			return err
		}
	}
	for i := range r.rows {
		for j := range r.cols {
			dst[i*r.cols+j] = float32(float64(b[j]) + dot(x[i*k:][:k], w[j*k:][:k]))
		}
	}
	return nil
}

// dot is the inner product of two vectors of the same length, in four partial sums.
func dot(a, b []float32) float64 {
	b = b[:len(a)]
	var s [4]float64
	k := 0
	for ; k+4 <= len(a); k += 4 {
		s[0] += float64(a[k]) * float64(b[k])
		s[1] += float64(a[k+1]) * float64(b[k+1])
		s[2] += float64(a[k+2]) * float64(b[k+2])
		s[3] += float64(a[k+3]) * float64(b[k+3])
	}
	for ; k < len(a); k++ {
		s[0] += float64(a[k]) * float64(b[k])
	}
	return s[0] + s[1] + s[2] + s[3]
}

// readLayerNorm reads a block of rows that are normalised as a whole.
func readLayerNorm(p *part, s int, r rect, dst []float32) error {
	st, k := p.spec.Steps[s], p.dims[s][1]
	w, err := p.other(st.W, 0, k, 1)
	if err != nil {
		return err
	}
	b := make([]float32, k)
	if st.B != "" {
		if b, err = p.other(st.B, 0, k, 1); err != nil {
			return err
		}
	}
	x := make([]float32, r.rows*k)
	if err := p.read(s, rect{r.row, r.rows, 0, k}, x); err != nil {
		return err
	}
	for i := range r.rows {
		row := x[i*k:][:k]
		mean, factor := moments(row, st.C)
		for j := range r.cols {
			c := r.col + j
			dst[i*r.cols+j] = float32((float64(row[c])-mean)*factor*float64(w[c]) + float64(b[c]))
		}
	}
	return nil
}

// moments returns the mean of a row and 1/√(variance + eps).
func moments(row []float32, eps float64) (mean, factor float64) {
	n := float64(len(row))
	for _, v := range row {
		mean += float64(v) / n
	}
	square := 0.0
	for _, v := range row {
		square += (float64(v) - mean) * (float64(v) - mean) / n
	}
	return mean, 1 / math.Sqrt(square+eps)
}
