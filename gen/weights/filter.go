package weights

import (
	"fmt"
	"math"
)

// Steps of implicit filters, which a small network makes from positions (Poli et al. 2023, Hyena).

// whole reads all elements of another tensor, of which there must be n.
func (p *part) whole(name string, n int) ([]float32, error) {
	t, ok := p.src.Tensor(name)
	if !ok {
		return nil, fmt.Errorf("the checkpoint has no tensor %s", name)
	}
	rows, cols := t.Row()
	if rows*cols != n {
		return nil, fmt.Errorf("tensor %s has shape %v, expected %d elements", name, t.Shape, n)
	}
	dst := make([]float32, n)
	return dst, p.src.ReadF32(name, 0, rows, dst)
}

// readSin reads a block of sin(w ⊙ x), w a frequency for each column.
func readSin(p *part, s int, r rect, dst []float32) error {
	w, err := p.whole(p.spec.Steps[s].W, p.dims[s][1])
	if err != nil {
		return err
	}
	if err := p.read(s, r, dst); err != nil {
		return err
	}
	for i, v := range dst[:r.rows*r.cols] {
		dst[i] = float32(math.Sin(float64(w[r.col+i%r.cols]) * float64(v)))
	}
	return nil
}

// readWindow reads a block of x · (e^(-t·|rate|) + shift), t the time of the row and rate that of the column.
func readWindow(p *part, s int, r rect, dst []float32) error {
	st := p.spec.Steps[s]
	times, err := p.whole(st.W, p.dims[s][0])
	if err != nil {
		return err
	}
	rates, err := p.whole(st.B, p.dims[s][1])
	if err != nil {
		return err
	}
	if err := p.read(s, r, dst); err != nil {
		return err
	}
	for i, v := range dst[:r.rows*r.cols] {
		t, rate := float64(times[r.row+i/r.cols]), math.Abs(float64(rates[r.col+i%r.cols]))
		dst[i] = float32(float64(v) * (math.Exp(-t*rate) + st.C))
	}
	return nil
}
