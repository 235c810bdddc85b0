// Package gguf reads the GGUF container of llama.cpp, versions 2 and 3, little-endian: typed metadata, then tensors
// (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
package gguf

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/tfgen/tfgen/gen/checkpoint/dtype"
	"github.com/tfgen/tfgen/gen/checkpoint/tensor"
)

// Limits on what a file may contain.
const (
	MaxAlignment = 1 << 20
	maxMetadata  = 1 << 13
)

// defaultAlignment is that of a file without general.alignment.
const defaultAlignment = 32

// File is what a GGUF file says before its tensors' data.
type File struct {
	Version   uint32
	Alignment int64
	// Metadata has a value of type uint8 … int64, float32, float64, bool or string, or a slice of one of these.
	Metadata map[string]any
	Tensors  []tensor.Tensor // by name; offsets count from the start of the file
}

// Read parses a file of size bytes, whose base name goes into the tensors and which may have at most limit tensors.
// Everything a file can get wrong is an error: counts and lengths that cannot fit, unknown types, a name listed twice,
// shapes whose product overflows or whose rows are not whole blocks, tensors that are not aligned, overlap or leave the
// file. Unused bytes between tensors are allowed.
func Read(r io.ReaderAt, size int64, file string, limit int) (*File, error) {
	in := newReader(r, size)
	f := &File{Alignment: defaultAlignment}
	tensors, values, err := f.prologue(in, limit)
	if err != nil {
		return nil, err
	}
	if err := f.metadata(in, values); err != nil {
		return nil, err
	}
	f.Tensors = make([]tensor.Tensor, 0, tensors)
	for i := range tensors {
		t, err := entry(in)
		if err != nil {
			return nil, fmt.Errorf("tensor %d of %d, %.200q: %w", i+1, tensors, t.Name, err)
		}
		t.File = file
		f.Tensors = append(f.Tensors, t)
	}
	start := (in.at + f.Alignment - 1) / f.Alignment * f.Alignment
	for i := range f.Tensors {
		t := &f.Tensors[i]
		if t.Offset%f.Alignment != 0 {
			return nil, fmt.Errorf("tensor %.200q: its offset %d is not a multiple of the alignment %d", t.Name, t.Offset, f.Alignment)
		}
		if t.Offset > size-start {
			return nil, fmt.Errorf("tensor %.200q: its offset %d is past the end of the data section of %d bytes (is the file truncated?)", t.Name, t.Offset, max(0, size-start))
		}
		t.Offset += start
	}
	if err := tensor.Place(f.Tensors, start, max(start, size), false); err != nil {
		return nil, err
	}
	return f, tensor.Sort(f.Tensors)
}

// prologue reads magic, version and the numbers of tensors and metadata values.
func (f *File) prologue(in *reader, limit int) (tensors, values int, err error) {
	magic, err := in.take(4)
	if err != nil {
		return 0, 0, err
	}
	if string(magic) != "GGUF" {
		return 0, 0, fmt.Errorf("the file begins with %q, not with \"GGUF\"", magic)
	}
	if f.Version, err = in.uint32(); err != nil {
		return 0, 0, err
	}
	switch {
	case f.Version&0xffff == 0 && f.Version != 0:
		return 0, 0, errors.New("the file is big-endian; only little-endian files are supported")
	case f.Version != 2 && f.Version != 3:
		return 0, 0, fmt.Errorf("version %d is not supported; versions 2 and 3 are", f.Version)
	}
	if tensors, err = in.count("the list of tensors", 24); err != nil {
		return 0, 0, err
	}
	if tensors > limit {
		return 0, 0, fmt.Errorf("there are %d tensors, more than the %d supported for %d bytes", tensors, limit, in.size)
	}
	if values, err = in.count("the metadata", 13); err != nil {
		return 0, 0, err
	}
	if values > maxMetadata {
		return 0, 0, fmt.Errorf("there are %d metadata values, at most %d are supported", values, maxMetadata)
	}
	return tensors, values, nil
}

func (f *File) metadata(in *reader, values int) error {
	f.Metadata = make(map[string]any, values)
	for i := range values {
		key, err := in.string()
		if err != nil {
			return fmt.Errorf("key %d of %d: %w", i+1, values, err)
		}
		if _, twice := f.Metadata[key]; twice || key == "" || !utf8.ValidString(key) {
			return fmt.Errorf("metadata key %.200q is empty, not UTF-8 or appears twice", key)
		}
		if f.Metadata[key], err = in.value(); err != nil {
			return fmt.Errorf("metadata %.200q: %w", key, err)
		}
	}
	v, ok := f.Metadata["general.alignment"]
	if !ok {
		return nil
	}
	a, ok := v.(uint32)
	if !ok || a == 0 || a&(a-1) != 0 || a > MaxAlignment {
		return fmt.Errorf("general.alignment is %T %.40v, expected a uint32 that is a power of two up to %d", v, v, MaxAlignment)
	}
	f.Alignment = int64(a)
	return nil
}

// entry reads one tensor; its offset counts from the start of the data section.
func entry(in *reader) (t tensor.Tensor, err error) {
	if t.Name, err = in.string(); err != nil {
		return t, err
	}
	if t.Name == "" || !utf8.ValidString(t.Name) {
		return t, errors.New("its name is empty or not UTF-8")
	}
	n, err := in.uint32()
	if err != nil {
		return t, err
	}
	if n > tensor.MaxDims {
		return t, fmt.Errorf("it has %d dimensions, at most %d are supported", n, tensor.MaxDims)
	}
	t.Shape = make([]int, n)
	for i := range t.Shape {
		d, err := in.uint64()
		if err != nil {
			return t, err
		}
		if d > math.MaxInt {
			return t, fmt.Errorf("dimension %d is %d, more than can be addressed", i, d)
		}
		t.Shape[i] = int(d)
	}
	slices.Reverse(t.Shape) // the file has the innermost dimension first
	id, err := in.uint32()
	if err != nil {
		return t, err
	}
	if t.DType, err = dtype.ByGGUF(id); err != nil {
		return t, err
	}
	offset, err := in.uint64()
	if err != nil {
		return t, err
	}
	if offset > math.MaxInt64/2 {
		return t, fmt.Errorf("its offset %d is past the end of any file", offset)
	}
	t.Offset = int64(offset)
	t.Size, err = tensor.Bytes(t.DType, t.Shape)
	return t, err
}
