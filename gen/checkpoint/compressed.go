package checkpoint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/gen/checkpoint/dtype"
)

// compressed undoes the formats of compressed-tensors (vLLM): integers packed in words, plain INT8, and FP8, with scales
// of tensors, rows, groups of columns or blocks in NAME_scale and zero points in NAME_zero_point.
func (s *scaled) compressed(config map[string]any) error {
	format, _ := config["format"].(string)
	g, err := groupingOf(config)
	if err != nil {
		return err
	}
	switch format {
	case "pack-quantized":
		bits, err := weightBits(config)
		if err != nil {
			return err
		}
		return s.eachScaled(func(stem string, scales Tensor) error { return s.packedInts(stem, scales, g, bits) })
	case "int-quantized", "naive-quantized", "float-quantized":
		return s.eachScaled(func(stem string, scales Tensor) error { return s.plainScaled(stem, scales, g) })
	}
	return fmt.Errorf("format %q is not supported; pack-quantized, int-quantized, naive-quantized and float-quantized are", format)
}

// weightBits reads the number of bits that all groups of the configuration share.
func weightBits(config map[string]any) (int, error) {
	groups, _ := config["config_groups"].(map[string]any)
	bits := 0
	for name, g := range groups {
		group, _ := g.(map[string]any)
		weights, _ := group["weights"].(map[string]any)
		n, err := integer(weights, "num_bits", 0)
		if err != nil || n != 2 && n != 4 && n != 8 || bits != 0 && bits != n {
			return 0, fmt.Errorf("config_groups.%s.weights.num_bits is %v; 2, 4 and 8 are supported, the same for all groups", name, weights["num_bits"])
		}
		bits = n
	}
	if bits == 0 {
		return 0, fmt.Errorf("config_groups names no number of bits")
	}
	return bits, nil
}

// eachScaled calls derive for every NAME.weight_scale.
func (s *scaled) eachScaled(derive func(stem string, scales Tensor) error) error {
	for _, t := range s.Source.Tensors() {
		stem, ok := strings.CutSuffix(t.Name, ".weight_scale")
		if !ok {
			continue
		}
		if !slices.Contains(floatTypes, t.DType) {
			return fmt.Errorf("tensor %s is %v, expected a float", t.Name, t.DType)
		}
		if err := derive(stem, t); err != nil {
			return err
		}
	}
	return s.list()
}

// optional adds tensors that are there to the parts of a weight: scales of inputs and sizes need no work.
func (s *scaled) optional(parts []string, stem string, suffixes ...string) []string {
	for _, suffix := range suffixes {
		if _, ok := s.Source.Tensor(stem + suffix); ok {
			parts = append(parts, stem+suffix)
		}
	}
	return parts
}

// A grouping is how the configuration divides matrices: columns of a group, or rows and columns of a block.
type grouping struct {
	group int
	block [2]int
}

// groupingOf reads the grouping that the groups of the configuration share.
func groupingOf(config map[string]any) (g grouping, err error) {
	groups, _ := config["config_groups"].(map[string]any)
	for _, v := range groups {
		group, _ := v.(map[string]any)
		weights, _ := group["weights"].(map[string]any)
		if g.group, err = integer(weights, "group_size", 0); err != nil {
			return g, err
		}
		if size, ok := weights["block_structure"].([]any); ok {
			if g.block, err = blockSize(size); err != nil {
				return g, err
			}
		}
	}
	return g, nil
}

// factors spreads scales over a matrix: one for all, for each row, for groups of columns of a row, or for blocks.
func (g grouping) factors(t Tensor, rows, cols int) (at func(row, col int) int, err error) {
	shape := t.Shape
	if t.Elements() == 1 {
		return func(int, int) int { return 0 }, nil
	}
	if len(shape) == 1 {
		shape = []int{shape[0], 1}
	}
	if len(shape) != 2 {
		return nil, fmt.Errorf("tensor %s has shape %v, expected a matrix", t.Name, t.Shape)
	}
	down, across := span(rows, shape[0], g.block[0]), span(cols, shape[1], max(g.block[1], g.group))
	if down == 0 || across == 0 {
		return nil, fmt.Errorf("tensor %s has shape %v, which does not divide %d × %d", t.Name, t.Shape, rows, cols)
	}
	return func(row, col int) int { return row/down*shape[1] + col/across }, nil
}

// span returns how many of n things share one of so many scales, 0 if that does not work out.
func span(n, scales, configured int) int {
	switch {
	case scales < 1:
		return 0
	case configured > 0 && (n+configured-1)/configured == scales:
		return configured
	case n%scales == 0:
		return n / scales
	}
	return 0
}

// plainScaled derives INT8 or FP8 times scales.
func (s *scaled) plainScaled(stem string, scales Tensor, g grouping) error {
	q, err := s.part(stem+".weight", 2, dtype.I8, dtype.F8E4M3, dtype.F8E5M2)
	if err != nil {
		return err
	}
	rows, cols := q.Shape[0], q.Shape[1]
	at, err := g.factors(scales, rows, cols)
	if err != nil {
		return err
	}
	parts := s.optional([]string{q.Name, scales.Name}, stem, ".weight_zero_point", ".input_scale", ".input_zero_point")
	return s.derive(q.Name, rows, cols, parts, func() ([]float32, error) {
		w, err := s.floats(q)
		if err != nil {
			return nil, err
		}
		by, err := s.floats(scales)
		if err != nil {
			return nil, err
		}
		zeros := make([]float32, len(by))
		if t, ok := s.Source.Tensor(stem + ".weight_zero_point"); ok {
			if t.Elements() != len(by) {
				return nil, fmt.Errorf("%d zero points for %d scales", t.Elements(), len(by))
			}
			if zeros, err = s.floats(t); err != nil {
				return nil, err
			}
		}
		for i := range w {
			k := at(i/cols, i%cols)
			w[i] = (w[i] - zeros[k]) * by[k]
		}
		return w, nil
	})
}

// packedInts derives signed integers of few bits, stored with half their range added, 32/bits columns in a word.
func (s *scaled) packedInts(stem string, scales Tensor, g grouping, bits int) error {
	q, err := s.part(stem+".weight_packed", 2, dtype.I32, dtype.U32)
	if err != nil {
		return err
	}
	size, err := s.part(stem+".weight_shape", 1, dtype.I64, dtype.I32)
	if err != nil {
		return err
	}
	dims, err := s.floats(size)
	if err != nil || len(dims) != 2 || dims[0] < 1 || dims[1] < 1 || dims[0] > 1<<24 || dims[1] > 1<<24 {
		return fmt.Errorf("tensor %s is %v (%w)", size.Name, dims, err)
	}
	rows, cols, per := int(dims[0]), int(dims[1]), 32/bits
	if q.Shape[0] != rows || q.Shape[1] != (cols+per-1)/per {
		return fmt.Errorf("tensor %s has shape %v, expected %d × %d values in words of %d", q.Name, q.Shape, rows, cols, per)
	}
	at, err := g.factors(scales, rows, cols)
	if err != nil {
		return err
	}
	parts := s.optional([]string{q.Name, scales.Name, size.Name}, stem, ".weight_zero_point", ".weight_g_idx", ".input_scale", ".input_zero_point")
	return s.derive(stem+".weight", rows, cols, parts, func() ([]float32, error) {
		words, err := s.words(q)
		if err != nil {
			return nil, err
		}
		by, err := s.floats(scales)
		if err != nil {
			return nil, err
		}
		zeros, err := s.packedZeros(stem, scales, bits)
		if err != nil {
			return nil, err
		}
		order, err := s.groupedAs(stem, scales, g, cols)
		if err != nil {
			return nil, err
		}
		mask, across := uint32(1)<<bits-1, q.Shape[1]
		w := make([]float32, rows*cols)
		for i := range w {
			row, col := i/cols, i%cols
			k := at(row, order[col])
			w[i] = float32(int32(words[row*across+col/per]>>(col%per*bits)&mask)-zeros[k]) * by[k]
		}
		return w, nil
	})
}

// groupedAs returns for every column one that would be in its group if groups were in the order of columns: NAME_g_idx has the
// groups of columns that were reordered (activation ordering), −1 where they were not.
func (s *scaled) groupedAs(stem string, scales Tensor, g grouping, cols int) ([]int, error) {
	order := make([]int, cols)
	for i := range order {
		order[i] = i
	}
	t, ok := s.Source.Tensor(stem + ".weight_g_idx")
	if !ok {
		return order, nil
	}
	groups := scales.Shape[len(scales.Shape)-1]
	if t.DType != dtype.I32 || t.Elements() != cols || len(scales.Shape) != 2 {
		return nil, fmt.Errorf("tensor %s is %v of shape %v, expected %d I32 and a matrix of scales", t.Name, t.DType, t.Shape, cols)
	}
	index, err := s.words(t)
	if err != nil {
		return nil, err
	}
	width := span(cols, groups, max(g.block[1], g.group))
	for i, n := range index {
		switch {
		case int32(n) == -1:
		case int64(n) >= int64(groups):
			return nil, fmt.Errorf("tensor %s: column %d is in group %d of %d", t.Name, i, int32(n), groups)
		default:
			order[i] = int(n) * width
		}
	}
	return order, nil
}

// packedZeros returns what stands for zero under each scale: half the range, or the zero points, 32/bits rows in a word.
func (s *scaled) packedZeros(stem string, scales Tensor, bits int) ([]int32, error) {
	zeros := make([]int32, scales.Elements())
	t, ok := s.Source.Tensor(stem + ".weight_zero_point")
	if !ok {
		for i := range zeros {
			zeros[i] = 1 << (bits - 1)
		}
		return zeros, nil
	}
	if len(scales.Shape) != 2 || len(t.Shape) != 2 || t.DType != dtype.I32 || t.Shape[0] != (scales.Shape[0]*bits+31)/32 || t.Shape[1] != scales.Shape[1] {
		return nil, fmt.Errorf("zero points %v of shape %v for scales %v", t.DType, t.Shape, scales.Shape)
	}
	words, err := s.words(t)
	if err != nil {
		return nil, err
	}
	per, across := 32/bits, scales.Shape[1]
	for i := range zeros {
		row, col := i/across, i%across
		zeros[i] = int32(words[row/per*across+col] >> (row % per * bits) & (1<<bits - 1))
	}
	return zeros, nil
}
