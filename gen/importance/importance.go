// Package importance says how much each column of a weight matrix counts when it is quantised: the mean square of what it
// is multiplied with. It comes from running a model over a text, or from an importance matrix that llama.cpp has written.
package importance

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
)

// Matrix has the mean squares of the inputs of each column by the tensor of the checkpoint. A tensor of experts may have
// those of all experts, one behind the other.
type Matrix map[string][]float32

// maxFile bounds the files that are read: the largest models have some hundred MB.
const maxFile = 1 << 30

// Open reads an importance matrix of llama.cpp, in GGUF or in the older format.
func Open(path string) (Matrix, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	m, err := Read(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("importance matrix %s: %w", path, err)
	}
	return m, nil
}

// Read reads an importance matrix of size bytes. Sizes that do not fit, names listed twice and values that are negative
// or no numbers are errors.
func Read(r io.ReaderAt, size int64) (Matrix, error) {
	if size > maxFile {
		return nil, fmt.Errorf("the file has %d bytes, at most %d are supported", size, maxFile)
	}
	magic := make([]byte, 4)
	if n, err := r.ReadAt(magic, 0); n < 4 {
		return nil, fmt.Errorf("the file has %d bytes: %w", size, errors.Join(err, io.ErrUnexpectedEOF))
	}
	read := readLegacy
	if string(magic) == "GGUF" {
		read = readGGUF
	}
	m, err := read(r, size)
	if err == nil && len(m) == 0 {
		err = errors.New("it has no tensors")
	}
	return m, err
}

// add puts the sums of squares over count rows into the matrix, as means.
func (m Matrix) add(name string, sums []float32, count float64) error {
	if m[name] != nil {
		return fmt.Errorf("tensor %.200q is listed twice", name)
	}
	for i, v := range sums {
		if !(v >= 0 && float64(v) <= math.MaxFloat32) || !(count > 0) {
			return fmt.Errorf("tensor %.200q: %v in %v rows is no sum of squares", name, v, count)
		}
		sums[i] = float32(float64(v) / count)
	}
	m[name] = sums
	return nil
}

// Names returns the tensors in order.
func (m Matrix) Names() []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
