package weights

import "math"

// Loss is what packing does to a tensor: sums of squares over its elements.
type Loss struct {
	Error float64 // of the differences
	Size  float64 // of the values
}

// Relative is the norm of the error over the norm of the values.
func (l Loss) Relative() float64 {
	if l.Size == 0 {
		return 0
	}
	return math.Sqrt(l.Error / l.Size)
}

// Loss packs the tensor piece by piece and compares what comes back with the checkpoint's values.
func (p *Packed) Loss(src Source) (Loss, error) {
	l, err := Lookup(p.Layout)
	if err != nil {
		return Loss{}, err
	}
	step := min(p.step(), p.Rows)
	want, got := make([]float32, step*p.Cols), make([]float32, step*p.Cols)
	buf := make([]byte, l.Bytes(step, p.Cols))
	var sum Loss
	for first := 0; first < p.Rows; first += step {
		n := min(step, p.Rows-first)
		b := buf[:l.Bytes(n, p.Cols)]
		if err := p.packRows(src, l, first, n, want, b); err != nil {
			return sum, err
		}
		if err := p.read(src, first, n, want); err != nil {
			return sum, err
		}
		l.Unpack(got[:n*p.Cols], b, n, p.Cols)
		for i, v := range want[:n*p.Cols] {
			d := float64(v) - float64(got[i])
			sum.Error += d * d
			sum.Size += float64(v) * float64(v)
		}
	}
	return sum, nil
}
