package weights

import (
	"fmt"
	"math"

	"github.com/tfgen/tfgen/gen/ir"
)

func dimsSame(_ ir.Step, rows, cols int) (int, int, error) { return rows, cols, nil }

func readAdd(p *part, s int, r rect, dst []float32) error {
	c := p.spec.Steps[s].C
	return p.each(s, r, dst, func(x float64) float64 { return x + c })
}

func readMul(p *part, s int, r rect, dst []float32) error {
	c := p.spec.Steps[s].C
	return p.each(s, r, dst, func(x float64) float64 { return x * c })
}

func readExp(p *part, s int, r rect, dst []float32) error { return p.each(s, r, dst, math.Exp) }

// readSoftplus applies ln(1 + e^x).
func readSoftplus(p *part, s int, r rect, dst []float32) error {
	return p.each(s, r, dst, func(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) })
}

func readSame(p *part, s int, r rect, dst []float32) error { return p.read(s, r, dst) }

func dimsFlatten(_ ir.Step, rows, cols int) (int, int, error) { return rows * cols, 1, nil }

func dimsReshape(s ir.Step, rows, cols int) (int, int, error) {
	if s.From < 1 || s.To < 1 || rows*cols/s.From != s.To || rows*cols%s.From != 0 {
		return 0, 0, fmt.Errorf("%d × %d elements cannot be %d × %d", rows, cols, s.From, s.To)
	}
	return s.From, s.To, nil
}

// readReshape reads a block whose rows are other stretches of the same elements in row-major order.
func readReshape(p *part, s int, r rect, dst []float32) error {
	cols := p.dims[s+1][1]
	if r.cols == cols {
		return p.elements(s, r.row*cols, r.rows*cols, dst)
	}
	for i := range r.rows {
		if err := p.elements(s, (r.row+i)*cols+r.col, r.cols, dst[i*r.cols:][:r.cols]); err != nil {
			return err
		}
	}
	return nil
}

// elementSource is a source that can read from the middle of a row.
type elementSource interface {
	ReadElements(name string, first, count int, dst []float32) error
}

// elements reads a stretch of elements, in row-major order, of the part after its first n steps.
func (p *part) elements(n, first, count int, dst []float32) error {
	if src, ok := p.src.(elementSource); ok && n == 0 {
		return src.ReadElements(p.spec.Tensor, first, count, dst[:count])
	}
	cols := p.dims[n][1]
	for count > 0 {
		row, col := first/cols, first%cols
		block := rect{row, 1, col, min(cols-col, count)}
		if col == 0 && count >= cols {
			block = rect{row, count / cols, 0, cols}
		}
		size := block.rows * block.cols
		if err := p.read(n, block, dst[:size]); err != nil {
			return err
		}
		first, count, dst = first+size, count-size, dst[size:]
	}
	return nil
}

// each reads a block before step s and applies f to its elements in float64.
func (p *part) each(s int, r rect, dst []float32, f func(float64) float64) error {
	if err := p.read(s, r, dst); err != nil {
		return err
	}
	for i, v := range dst[:r.rows*r.cols] {
		dst[i] = float32(f(float64(v)))
	}
	return nil
}

func dimsRows(s ir.Step, rows, cols int) (int, int, error) {
	if s.From < 0 || s.To <= s.From || s.To > rows {
		return 0, 0, fmt.Errorf("rows %d to %d of %d", s.From, s.To, rows)
	}
	return s.To - s.From, cols, nil
}

func readRows(p *part, s int, r rect, dst []float32) error {
	r.row += p.spec.Steps[s].From
	return p.read(s, r, dst)
}

func dimsTake(s ir.Step, rows, cols int) (int, int, error) {
	if s.N <= 0 || rows%s.N != 0 || s.From < 0 || s.To <= s.From || s.To > s.N {
		return 0, 0, fmt.Errorf("rows %d to %d of every %d of %d", s.From, s.To, s.N, rows)
	}
	return rows / s.N * (s.To - s.From), cols, nil
}

// readTake reads the rows of each period at once.
func readTake(p *part, s int, r rect, dst []float32) error {
	st := p.spec.Steps[s]
	span := st.To - st.From
	for i := 0; i < r.rows; {
		at := (r.row + i) % span
		n := min(span-at, r.rows-i)
		from := rect{(r.row+i)/span*st.N + st.From + at, n, r.col, r.cols}
		if err := p.read(s, from, dst[i*r.cols:(i+n)*r.cols]); err != nil {
			return err
		}
		i += n
	}
	return nil
}

func dimsTranspose(_ ir.Step, rows, cols int) (int, int, error) { return cols, rows, nil }

// readTranspose reads the transposed block and turns it round, in squares that fit the first-level cache.
func readTranspose(p *part, s int, r rect, dst []float32) error {
	tmp := make([]float32, r.rows*r.cols)
	if err := p.read(s, rect{r.col, r.cols, r.row, r.rows}, tmp); err != nil {
		return err
	}
	const square = 16
	for i0 := 0; i0 < r.rows; i0 += square {
		for j0 := 0; j0 < r.cols; j0 += square {
			for j := j0; j < min(j0+square, r.cols); j++ {
				for i := i0; i < min(i0+square, r.rows); i++ {
					dst[i*r.cols+j] = tmp[j*r.rows+i]
				}
			}
		}
	}
	return nil
}

func dimsUnpermute(s ir.Step, rows, cols int) (int, int, error) {
	if s.N <= 0 || rows%(2*s.N) != 0 {
		return 0, 0, fmt.Errorf("%d rows cannot be %d heads of an even width", rows, s.N)
	}
	return rows, cols, nil
}

// readUnpermute is the inverse of permute in llama.cpp's convert_hf_to_gguf.py, which stores the rows of each head of
// width d in pairs (0, d/2, 1, d/2+1, …) so that rotation acts on neighbours: row s·d/2 + j of a head is its stored
// row 2j + s.
func readUnpermute(p *part, s int, r rect, dst []float32) error {
	for i := range r.rows {
		if err := p.read(s, rect{storedRow(p, s, r.row+i), 1, r.col, r.cols}, dst[i*r.cols:(i+1)*r.cols]); err != nil {
			return err
		}
	}
	return nil
}

// storedRow is where readUnpermute finds a row.
func storedRow(p *part, s, row int) int {
	width := p.dims[s][0] / p.spec.Steps[s].N
	head, at := row/width, row%width
	return head*width + at%(width/2)*2 + at/(width/2)
}

// chosenRow is where readRows finds a row.
func chosenRow(p *part, s, row int) int { return row + p.spec.Steps[s].From }

// takenRow is where readTake finds a row.
func takenRow(p *part, s, row int) int {
	st := p.spec.Steps[s]
	span := st.To - st.From
	return row/span*st.N + st.From + row%span
}

// originRow makes the origin of a step from that of its rows.
func originRow(row func(p *part, s, row int) int) func(p *part, s, element int) int {
	return func(p *part, s, element int) int {
		cols := p.dims[s][1]
		return row(p, s, element/cols)*cols + element%cols
	}
}

// sameElement is the origin of steps that only change how elements are counted.
func sameElement(_ *part, _, element int) int { return element }
