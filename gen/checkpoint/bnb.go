package checkpoint

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/tfgen/tfgen/gen/checkpoint/dtype"
)

// bitsandbytes undoes what bitsandbytes stores: INT8 with a scale for each row (Dettmers et al. 2022), and NF4 or FP4 in
// blocks with absolute maxima that may be quantised themselves (QLoRA, Dettmers et al. 2023).
func (s *scaled) bitsandbytes(map[string]any) error {
	for _, t := range s.Source.Tensors() {
		stem, name, ok := cutLast(t.Name, ".quant_state.")
		switch {
		case ok && (name == "bitsandbytes__nf4" || name == "bitsandbytes__fp4"):
			if err := s.nf4(stem, t); err != nil {
				return fmt.Errorf("tensor %s: %w", stem, err)
			}
		case strings.HasSuffix(t.Name, ".SCB"):
			if err := s.int8Rows(strings.TrimSuffix(t.Name, ".SCB"), t); err != nil {
				return err
			}
		}
	}
	return s.list()
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// int8Rows derives w[r][c] = q·SCB[r]/127.
func (s *scaled) int8Rows(stem string, scales Tensor) error {
	q, err := s.part(stem+".weight", 2, dtype.I8)
	if err != nil {
		return err
	}
	rows, cols := q.Shape[0], q.Shape[1]
	if scales.Elements() != rows {
		return fmt.Errorf("tensor %s has shape %v, expected %d scales", scales.Name, scales.Shape, rows)
	}
	parts := []string{q.Name, scales.Name}
	if _, ok := s.Source.Tensor(stem + ".weight_format"); ok {
		parts = append(parts, stem+".weight_format")
	}
	return s.derive(q.Name, rows, cols, parts, func() ([]float32, error) {
		w, err := s.floats(q)
		if err != nil {
			return nil, err
		}
		by, err := s.floats(scales)
		for i := range w {
			w[i] = w[i] * by[i/cols] / 127
		}
		return w, err
	})
}

// quantState is the description of a matrix of 4 bits.
type quantState struct {
	Blocksize       int     `json:"blocksize"`
	Shape           []int   `json:"shape"`
	NestedBlocksize int     `json:"nested_blocksize"`
	NestedOffset    float64 `json:"nested_offset"`
}

// maxState bounds the JSON of a quantState.
const maxState = 1 << 16

func (s *scaled) nf4(name string, state Tensor) error {
	if state.DType != dtype.U8 || state.Size > maxState {
		return fmt.Errorf("%s is %v with %d bytes", state.Name, state.DType, state.Size)
	}
	text, err := s.bytes(state)
	if err != nil {
		return err
	}
	var q quantState
	if err := json.Unmarshal(text, &q); err != nil {
		return fmt.Errorf("%s: %w", state.Name, err)
	}
	if len(q.Shape) != 2 || q.Blocksize < 1 || q.Shape[0] < 1 || q.Shape[1] < 1 || q.Shape[0] > 1<<31/q.Shape[1] {
		return fmt.Errorf("%s: shape %v in blocks of %d", state.Name, q.Shape, q.Blocksize)
	}
	n := q.Shape[0] * q.Shape[1]
	codes, err := s.part(name, -1, dtype.U8)
	if err != nil {
		return err
	}
	table, err := s.part(name+".quant_map", 1, dtype.F32)
	if err != nil {
		return err
	}
	maxima, err := s.part(name+".absmax", 1, dtype.F32, dtype.U8)
	if err != nil {
		return err
	}
	if codes.Elements() != (n+1)/2 || table.Elements() != 16 || maxima.Elements() != (n+q.Blocksize-1)/q.Blocksize {
		return fmt.Errorf("%d codes, %d values and %d maxima do not fit %v in blocks of %d", codes.Elements(), table.Elements(), maxima.Elements(), q.Shape, q.Blocksize)
	}
	parts := []string{codes.Name, table.Name, maxima.Name, state.Name}
	if maxima.DType == dtype.U8 {
		parts = append(parts, name+".nested_absmax", name+".nested_quant_map")
	}
	return s.derive(name, q.Shape[0], q.Shape[1], parts, func() ([]float32, error) {
		return s.readNF4(name, codes, table, maxima, q)
	})
}

func (s *scaled) readNF4(name string, codes, table, maxima Tensor, q quantState) ([]float32, error) {
	packed, err := s.bytes(codes)
	if err != nil {
		return nil, err
	}
	values, err := s.floats(table)
	if err != nil {
		return nil, err
	}
	scales, err := s.floats(maxima)
	if err == nil && maxima.DType == dtype.U8 {
		scales, err = s.nested(name, scales, q)
	}
	if err != nil {
		return nil, err
	}
	w := make([]float32, q.Shape[0]*q.Shape[1])
	for i := range w {
		code := packed[i/2] >> 4 // the first of two is in the high half
		if i%2 == 1 {
			code = packed[i/2] & 15
		}
		w[i] = values[code] * scales[i/q.Blocksize]
	}
	return w, nil
}

// nested turns quantised maxima, indices of a table, into numbers.
func (s *scaled) nested(name string, index []float32, q quantState) ([]float32, error) {
	table, err := s.part(name+".nested_quant_map", 1, dtype.F32)
	if err != nil {
		return nil, err
	}
	maxima, err := s.part(name+".nested_absmax", 1, dtype.F32)
	if err != nil {
		return nil, err
	}
	if q.NestedBlocksize < 1 || table.Elements() != 256 || maxima.Elements() != (len(index)+q.NestedBlocksize-1)/q.NestedBlocksize || math.IsNaN(q.NestedOffset) {
		return nil, fmt.Errorf("%d nested values and %d nested maxima do not fit %d maxima in blocks of %d", table.Elements(), maxima.Elements(), len(index), q.NestedBlocksize)
	}
	values, err := s.floats(table)
	if err != nil {
		return nil, err
	}
	scales, err := s.floats(maxima)
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(index))
	for i, v := range index {
		out[i] = float32(values[int(v)]*scales[i/q.NestedBlocksize]) + float32(q.NestedOffset)
	}
	return out, nil
}
