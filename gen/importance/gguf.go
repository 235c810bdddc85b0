package importance

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/gen/checkpoint/dtype"
	"github.com/tfgen/tfgen/gen/checkpoint/gguf"
	"github.com/tfgen/tfgen/gen/checkpoint/tensor"
)

// Suffixes of the tensors that llama.cpp writes for a weight: sums of squares, and of how many rows, for each expert.
const (
	sumsSuffix   = ".in_sum2"
	countsSuffix = ".counts"
)

// readGGUF reads an importance matrix in GGUF (tools/imatrix of llama.cpp). Experts that saw no rows count all columns the
// same.
func readGGUF(r io.ReaderAt, size int64) (Matrix, error) {
	f, err := gguf.Read(r, size, "", tensor.Limit(size))
	if err != nil {
		return nil, err
	}
	if kind, _ := f.Metadata["general.type"].(string); kind != "imatrix" {
		return nil, fmt.Errorf("general.type is %.40q, expected \"imatrix\"", kind)
	}
	values := map[string][]float32{}
	for _, t := range f.Tensors {
		if t.DType != dtype.F32 {
			return nil, fmt.Errorf("tensor %.200q is %v, expected F32", t.Name, t.DType)
		}
		data := make([]byte, t.Size)
		if _, err := r.ReadAt(data, t.Offset); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		values[t.Name] = floats(data)
	}
	m := Matrix{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		weight, ok := strings.CutSuffix(name, sumsSuffix)
		if !ok {
			continue
		}
		if err := m.addExperts(weight, values[name], values[weight+countsSuffix]); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// addExperts adds a tensor whose rows, one for each expert, have counts of their own.
func (m Matrix) addExperts(name string, sums, counts []float32) error {
	if len(counts) == 0 || len(sums) == 0 || len(sums)%len(counts) != 0 {
		return fmt.Errorf("tensor %.200q has %d sums and %d counts", name, len(sums), len(counts))
	}
	cols := len(sums) / len(counts)
	for i, count := range counts {
		part := Matrix{}
		row := sums[i*cols:][:cols]
		if count == 0 {
			for j := range row {
				row[j] = 1
			}
			count = 1
		}
		if err := part.add(name, row, float64(count)); err != nil {
			return err
		}
	}
	m[name] = sums
	return nil
}
