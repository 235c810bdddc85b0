package weights

import (
	"fmt"
	"slices"
)

// weighed is how much the columns of some rows count; each entry begins where the one before ends.
type weighed struct {
	end     int // one past the last row, without the zeros behind groups
	columns []float32
}

// floor is what every column counts at least, as a share of the mean: a text does not show all that a model may see.
const floor = 0.01

// Weigh sets how much each column of the tensor counts when its rows are quantised: the mean squares of its inputs, by the
// tensors of the checkpoint, for all rows or for each expert. It reports whether there are some for the tensor.
func (p *Packed) Weigh(src Source, by map[string][]float32) (found bool, err error) {
	var list []weighed
	row := 0
	for _, w := range p.Weights {
		for _, spec := range w.Parts {
			part, err := openPart(src, spec)
			if err != nil {
				return false, err
			}
			n := part.size(p.Cols)
			values := by[spec.Tensor]
			if spec.Zeros > 0 || len(values) == 0 {
				row += n
				list = append(list, weighed{row, nil})
				continue
			}
			experts := len(values) / p.Cols
			if len(values)%p.Cols != 0 || n%experts != 0 {
				return false, fmt.Errorf("the importance of %s has %d values, its rows have %d columns", spec.Tensor, len(values), p.Cols)
			}
			for columns := range slices.Chunk(values, p.Cols) {
				row += n / experts
				list, found = append(list, weighed{row, raised(columns)}), true
			}
		}
	}
	if found {
		p.weighed = list
	}
	return found, nil
}

// raised returns values that are at least a share of their mean; nil when all are zero.
func raised(values []float32) []float32 {
	mean := 0.0
	for _, v := range values {
		mean += float64(v) / float64(len(values))
	}
	if mean == 0 {
		return nil
	}
	out := make([]float32, len(values))
	for i, v := range values {
		out[i] = float32(max(float64(v)/mean, floor))
	}
	return out
}

// importance is what the columns of a row count, nil when all count the same.
func (p *Packed) importance(row int) []float32 {
	if p.Group > 0 {
		padded := tiles(p.Group) * Tile
		if row%padded >= p.Group {
			return nil
		}
		row = row/padded*p.Group + row%padded
	}
	for _, w := range p.weighed {
		if row < w.end {
			return w.columns
		}
	}
	return nil
}
