// Package tensor describes tensors of a checkpoint and checks the places that files claim for them.
package tensor

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/tfgen/tfgen/gen/checkpoint/dtype"
)

// MaxDims is the largest number of dimensions of a tensor.
const MaxDims = 8

// MaxString is the length in bytes of the longest string that a header may contain.
const MaxString = 1 << 20

// Tensor is a tensor of a checkpoint and where its bytes are.
type Tensor struct {
	Name   string
	DType  dtype.DType
	Shape  []int  // row-major as in PyTorch, [out, in]; empty for a scalar
	File   string // base name
	Offset int64  // in the file
	Size   int64  // bytes
}

// Elements returns the number of values. It does not overflow for a tensor that Bytes accepted.
func (t Tensor) Elements() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Row returns the number of rows and the values of each as ReadF32 counts them: the first dimension and the product of
// all others; a scalar and a vector have one value a row.
func (t Tensor) Row() (rows, values int) {
	if len(t.Shape) == 0 {
		return 1, 1
	}
	values = 1
	for _, d := range t.Shape[1:] {
		values *= d
	}
	return t.Shape[0], values
}

// Bytes returns the size of a tensor of this format and shape. Too many dimensions, a product beyond the range of int64
// and a last dimension that is not a multiple of the block are errors.
func Bytes(d dtype.DType, shape []int) (int64, error) {
	if len(shape) > MaxDims {
		return 0, fmt.Errorf("it has %d dimensions, at most %d are supported", len(shape), MaxDims)
	}
	values, size := d.Block()
	if values == 0 {
		return 0, fmt.Errorf("%v is no format", d)
	}
	last, n, zero := 1, uint64(1), false
	for _, dim := range shape {
		if dim < 0 {
			return 0, fmt.Errorf("shape %v has a negative dimension", shape)
		}
		if last = dim; dim == 0 {
			zero = true
			continue
		}
		high, low := bits.Mul64(n, uint64(dim))
		if high != 0 || low > math.MaxInt64/8 || low > math.MaxInt {
			return 0, fmt.Errorf("shape %v has more elements than can be addressed", shape)
		}
		n = low
	}
	if last%values != 0 {
		return 0, fmt.Errorf("the last dimension of shape %v is not a multiple of the %d values in a block of %v", shape, values, d)
	}
	if zero {
		return 0, nil
	}
	return int64(n) / int64(values) * int64(size), nil
}

// Limit returns how many tensors a checkpoint of this many bytes may contain: 65,536 and one more for each KiB. It
// bounds the memory of the list by the size of the files.
func Limit(size int64) int { return int(min(1<<16+size>>10, 1<<24)) }

// Sort sorts tensors by name; two of the same name are an error.
func Sort(tensors []Tensor) error {
	slices.SortFunc(tensors, func(a, b Tensor) int { return cmp.Compare(a.Name, b.Name) })
	for i := 1; i < len(tensors); i++ {
		if a, b := tensors[i-1], tensors[i]; a.Name == b.Name {
			if a.File != b.File {
				return fmt.Errorf("tensor %.200q is both in %s and in %s", a.Name, a.File, b.File)
			}
			return fmt.Errorf("tensor %.200q is listed twice", a.Name)
		}
	}
	return nil
}

// Find returns the tensor of this name from a sorted list.
func Find(tensors []Tensor, name string) (Tensor, bool) {
	i, ok := slices.BinarySearchFunc(tensors, name, func(t Tensor, name string) int { return cmp.Compare(t.Name, name) })
	if !ok {
		return Tensor{}, false
	}
	return tensors[i], true
}

// Place checks that tensors of one file lie inside [from, to) and do not overlap, and, if dense, that they leave no
// byte of it unused. It reorders the list by offset.
func Place(tensors []Tensor, from, to int64, dense bool) error {
	slices.SortFunc(tensors, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Size, b.Size), cmp.Compare(a.Name, b.Name))
	})
	at, last := from, ""
	for _, t := range tensors {
		switch {
		case t.Offset < from || t.Size < 0 || t.Offset > to || t.Size > to-t.Offset:
			return fmt.Errorf("tensor %.200q: %d bytes at %d leave the data section, which ends at %d (is the file truncated?)", t.Name, t.Size, t.Offset, to)
		case t.Offset < at:
			return fmt.Errorf("tensor %.200q at %d overlaps tensor %.200q, which ends at %d", t.Name, t.Offset, last, at)
		case dense && t.Offset > at:
			return fmt.Errorf("tensor %.200q at %d: the %d bytes before it belong to no tensor", t.Name, t.Offset, t.Offset-at)
		}
		at, last = t.Offset+t.Size, t.Name
	}
	if dense && at != to {
		return fmt.Errorf("the last %d bytes belong to no tensor", to-at)
	}
	return nil
}
