package synth

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/tfgen/tfgen/gen/checkpoint"
	"github.com/tfgen/tfgen/gen/checkpoint/dtype"
	"github.com/tfgen/tfgen/gen/checkpoint/safetensors"
)

// WriteDir writes model.safetensors into an existing folder.
func (s *Source) WriteDir(dir string) (err error) {
	f, err := os.Create(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(f, 1<<16)
	if err := s.Write(w); err != nil {
		return err
	}
	return w.Flush()
}

// Write writes all tensors as a safetensors file.
func (s *Source) Write(w io.Writer) error {
	entries := make([]safetensors.Entry, len(s.tensors))
	for i, t := range s.tensors {
		entries[i] = safetensors.Entry{
			Name: t.Name, DType: t.DType, Shape: t.Shape,
			Data: func(w io.Writer) error { return s.data(w, t) },
		}
	}
	return safetensors.Write(w, map[string]string{"format": "pt"}, entries)
}

// encode appends a value in each format that a row can have.
var encode = map[dtype.DType]func(b []byte, v float32) []byte{
	dtype.F32:  func(b []byte, v float32) []byte { return binary.LittleEndian.AppendUint32(b, math.Float32bits(v)) },
	dtype.Bool: func(b []byte, v float32) []byte { return append(b, byte(v)) },
	dtype.I64:  func(b []byte, v float32) []byte { return binary.LittleEndian.AppendUint64(b, uint64(v)) },
}

// data writes the elements of a tensor in pieces.
func (s *Source) data(w io.Writer, t checkpoint.Tensor) error {
	const piece = 1 << 14
	values, b := make([]float32, min(piece, t.Elements())), []byte(nil)
	put, n := encode[t.DType], t.Elements()
	if t.DType == dtype.I64 && n > 1<<24 {
		return fmt.Errorf("more than %d whole numbers are not supported", 1<<24)
	}
	for first := 0; first < n; first += piece {
		values = values[:min(piece, n-first)]
		if err := s.ReadElements(t.Name, first, len(values), values); err != nil {
			return err
		}
		b = b[:0]
		for _, v := range values {
			b = put(b, v)
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}
