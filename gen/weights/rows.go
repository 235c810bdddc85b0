// Package weights turns the parameters of a graph into bytes: rows of checkpoint tensors after their weight-only
// steps, packed into the layouts that kernels read, in one safetensors container.
package weights

import (
	"fmt"
	"math"
	"sort"
	"strings"

	"github.com/tfgen/tfgen/gen/checkpoint/tensor"
	"github.com/tfgen/tfgen/gen/ir"
)

// Source is a checkpoint: tensors by name.
type Source interface {
	// Tensor returns name, format and shape of a tensor.
	Tensor(name string) (tensor.Tensor, bool)
	// ReadF32 writes rows first … first+count-1 of a tensor to dst, which holds exactly these. Rows are those of the
	// first dimension; a vector has rows of one element.
	ReadF32(name string, first, count int, dst []float32) error
}

// rect is a block of a matrix: rows Row … Row+Rows-1, columns Col … Col+Cols-1.
type rect struct{ row, rows, col, cols int }

// steps is the table of weight-only operations: what a step does to the dimensions of a part, and how a block of its
// result is read. r is never empty and lies inside the result.
var steps map[string]stepRow

type stepRow struct {
	dims func(s ir.Step, rows, cols int) (int, int, error)
	read func(p *part, s int, r rect, dst []float32) error
	// origin returns where an element of the flattened result was before a step that moves whole rows or none; nil for
	// other steps.
	origin  func(p *part, s, element int) int
	changes bool // the values
}

func init() {
	steps = map[string]stepRow{
		"transpose": {dims: dimsTranspose, read: readTranspose},
		"take":      {dims: dimsTake, read: readTake, origin: originRow(takenRow)},
		"rows":      {dims: dimsRows, read: readRows, origin: originRow(chosenRow)},
		"unpermute": {dims: dimsUnpermute, read: readUnpermute, origin: originRow(storedRow)},
		"add":       {dims: dimsSame, read: readAdd, changes: true},
		"mul":       {dims: dimsSame, read: readMul, changes: true},
		"exp":       {dims: dimsSame, read: readExp, changes: true},
		"softplus":  {dims: dimsSame, read: readSoftplus, changes: true},
		"squeeze":   {dims: dimsSame, read: readSame, origin: sameElement},
		"flatten":   {dims: dimsFlatten, read: readReshape, origin: sameElement},
		"reshape":   {dims: dimsReshape, read: readReshape, origin: sameElement},
		"linear":    {dims: dimsLinear, read: readLinear, changes: true},
		"layernorm": {dims: dimsSame, read: readLayerNorm, changes: true},
		"sin":       {dims: dimsSame, read: readSin, changes: true},
		"window":    {dims: dimsSame, read: readWindow, changes: true},

		"state_space": {dims: dimsSystem, read: readSystem, changes: true},
	}
}

// part is one part of a weight with the dimensions after each of its steps.
type part struct {
	src  Source
	spec ir.Part
	dims [][2]int // dims[0] of the tensor, dims[i] after step i-1
}

// Dims returns the dimensions of a weight as it is packed: a matrix has its own, a vector is a column.
func Dims(w *ir.Weight) (rows, cols int) {
	if len(w.Shape) == 2 {
		return w.Shape[0], w.Shape[1]
	}
	return w.Elements(), 1
}

// Zeros is a weight of n zeros, for a bias that is absent in a stack of biases: a weight without parts.
func Zeros(n int) *ir.Weight {
	return &ir.Weight{Name: fmt.Sprintf("%d zeros", n), Shape: []int{n}}
}

// Check reports whether the source has the tensors of a weight and whether they give its shape.
func Check(src Source, w *ir.Weight) error {
	_, err := open(src, w)
	return err
}

// Rows writes rows first … first+count-1 of a weight to dst, row-major; a vector has rows of one element. Only what
// these rows are made of is read. A value that is not finite is an error that names the tensor and the row.
func Rows(src Source, w *ir.Weight, first, count int, dst []float32) error {
	parts, err := open(src, w)
	if err != nil {
		return err
	}
	rows, cols := Dims(w)
	if first < 0 || count < 0 || first > rows-count || len(dst) < count*cols {
		return fmt.Errorf("weight %s: rows %d to %d into %d elements, it has %d × %d", w.Name, first, first+count, len(dst), rows, cols)
	}
	dst = dst[:count*cols]
	if len(parts) == 0 {
		clear(dst)
		return nil
	}
	at := 0 // first row of the part
	for _, p := range parts {
		n := p.size(cols)
		from, to := max(first, at), min(first+count, at+n)
		if from < to {
			out := dst[(from-first)*cols : (to-first)*cols]
			if err := p.rows(from-at, to-from, cols, out); err != nil {
				return fmt.Errorf("%s: weight %s: tensor %s: %w", w.Pos, w.Name, p.spec.Tensor, err)
			}
			if i := beyond(out, infinity); i >= 0 {
				return fmt.Errorf("weight %s: tensor %s: row %d contains %v", w.Name, p.spec.Tensor, from-at+i/cols, out[i])
			}
		}
		at += n
	}
	return nil
}

// open finds the parts of a weight and checks that they give its shape.
func open(src Source, w *ir.Weight) ([]*part, error) {
	if len(w.Shape) != 1 && len(w.Shape) != 2 {
		return nil, fmt.Errorf("%s: weight %s has shape %v, expected a vector or a matrix", w.Pos, w.Name, w.Shape)
	}
	rows, cols := Dims(w)
	var parts []*part
	total := 0
	for _, spec := range w.Parts {
		p, err := openPart(src, spec)
		if err != nil {
			return nil, fmt.Errorf("%s: weight %s: %w", w.Pos, w.Name, err)
		}
		r, c := p.final()
		if c != cols && (cols != 1 || r != 1) {
			return nil, fmt.Errorf("%s: weight %s: tensor %s gives [%d %d], expected %d columns", w.Pos, w.Name, spec.Tensor, r, c, cols)
		}
		parts = append(parts, p)
		total += p.size(cols)
	}
	if len(parts) > 0 && total != rows {
		return nil, fmt.Errorf("%s: weight %s: its tensors give %d rows, expected shape %v", w.Pos, w.Name, total, w.Shape)
	}
	return parts, nil
}

func openPart(src Source, spec ir.Part) (*part, error) {
	if spec.Zeros > 0 {
		return &part{src, spec, [][2]int{{spec.Zeros, 1}}}, nil
	}
	t, ok := src.Tensor(spec.Tensor)
	if !ok {
		return nil, fmt.Errorf("the checkpoint has no tensor %s", spec.Tensor)
	}
	rows, cols := t.Row()
	if rows <= 0 || cols <= 0 {
		return nil, fmt.Errorf("tensor %s of shape %v is empty", spec.Tensor, t.Shape)
	}
	p := &part{src, spec, [][2]int{{rows, cols}}}
	for i, s := range spec.Steps {
		row, ok := steps[s.Kind]
		if !ok {
			return nil, fmt.Errorf("tensor %s: no step is called %q; there are %s", spec.Tensor, s.Kind, strings.Join(stepKinds(), ", "))
		}
		r, c, err := row.dims(s, p.dims[i][0], p.dims[i][1])
		if err != nil {
			return nil, fmt.Errorf("tensor %s of shape %v: %s: %w", spec.Tensor, t.Shape, s.Kind, err)
		}
		p.dims = append(p.dims, [2]int{r, c})
	}
	return p, nil
}

func stepKinds() []string {
	kinds := make([]string, 0, len(steps))
	for k := range steps {
		kinds = append(kinds, k)
	}
	sort.Strings(kinds)
	return kinds
}

func (p *part) final() (rows, cols int) {
	d := p.dims[len(p.dims)-1]
	return d[0], d[1]
}

// size is the number of rows that the part adds to a weight of so many columns.
func (p *part) size(cols int) int {
	r, c := p.final()
	if cols == 1 {
		return r * c
	}
	return r
}

// rows reads rows of the finished part. A part of a vector can be a row instead of a column.
func (p *part) rows(first, count, cols int, dst []float32) error {
	if p.spec.Zeros > 0 {
		for i := range dst {
			dst[i] = float32(p.spec.Fill)
		}
		return nil
	}
	if _, c := p.final(); c != cols {
		return p.read(len(p.spec.Steps), rect{0, 1, first, count}, dst)
	}
	return p.read(len(p.spec.Steps), rect{first, count, 0, cols}, dst)
}

// read writes a block of the part after its first n steps to dst, row-major.
func (p *part) read(n int, r rect, dst []float32) error {
	if n > 0 {
		return steps[p.spec.Steps[n-1].Kind].read(p, n-1, r, dst)
	}
	cols := p.dims[0][1]
	if r.cols == cols {
		return p.src.ReadF32(p.spec.Tensor, r.row, r.rows, dst)
	}
	const elements = 1 << 16 // read at a time
	step := max(elements/cols, 1)
	buf := make([]float32, min(step, r.rows)*cols)
	for at := 0; at < r.rows; at += step {
		n := min(step, r.rows-at)
		if err := p.src.ReadF32(p.spec.Tensor, r.row+at, n, buf[:n*cols]); err != nil {
			return err
		}
		for i := range n {
			copy(dst[(at+i)*r.cols:][:r.cols], buf[i*cols+r.col:])
		}
	}
	return nil
}

// infinity is the bits of a positive infinity: what is not finite has at least these without its sign.
const infinity = 0x7f800000

// beyond returns the index of the first value whose bits without the sign are limit or more, -1 if there is none.
func beyond(x []float32, limit uint32) int {
	carry := 1<<31 - limit // reaches the highest bit when it is added to limit
	i := 0
	for ; i+4 <= len(x); i += 4 {
		a, b := math.Float32bits(x[i])&^(1<<31)+carry, math.Float32bits(x[i+1])&^(1<<31)+carry
		c, d := math.Float32bits(x[i+2])&^(1<<31)+carry, math.Float32bits(x[i+3])&^(1<<31)+carry
		if (a|b|c|d)>>31 != 0 {
			break
		}
	}
	for ; i < len(x); i++ {
		if math.Float32bits(x[i])&^(1<<31) >= limit {
			return i
		}
	}
	return -1
}
