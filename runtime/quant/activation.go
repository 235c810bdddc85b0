package quant

import "unsafe"

// Activations are quantised to 8 bits for products with quantised weights: in blocks of 32 columns, x ≈ d·code with
// d = max|x|/127. A row of k columns, rounded up to 64, is, in this order:
//
//	codes   [columns] int8
//	scales  [columns/32] float32: d
//	sums    [columns/32] float32: d · Σ code, for offsets of weights
//	pairs   [columns/16][2] int16: Σ code over columns 4i, 4i+1, and over 4i+2, 4i+3, of 16 columns
//
// It lives in the arena among float32 matrices, so its size is counted in words of 4 bytes.

// ActivationColumns is k rounded up to whole pairs of blocks.
func ActivationColumns(k int) int { return (k + 2*Block - 1) / (2 * Block) * (2 * Block) }

// ActivationWords is the size of a quantised row of k columns.
func ActivationWords(k int) int { return ActivationColumns(k) * 3 / 8 }

// ScalesAt, SumsAt and PairsAt are where the parts of a row of k columns begin, in bytes.
func ScalesAt(k int) int { return ActivationColumns(k) }

// SumsAt is where the sums begin, in bytes.
func SumsAt(k int) int { return ScalesAt(k) + ActivationColumns(k)/8 }

// PairsAt is where the pairs begin, in bytes.
func PairsAt(k int) int { return SumsAt(k) + ActivationColumns(k)/8 }

// Activation is a view of a quantised row.
type Activation struct {
	Codes  []int8
	Scales []float32
	Sums   []float32
	Pairs  [][2]int16
}

// ActivationRow returns the view of a row of k columns that begins at words.
func ActivationRow(words []float32, k int) Activation {
	n := ActivationColumns(k)
	words = words[:ActivationWords(k)]
	return Activation{
		Codes:  unsafe.Slice((*int8)(unsafe.Pointer(&words[0])), n),
		Scales: words[ScalesAt(k)/4:][:n/Block],
		Sums:   words[SumsAt(k)/4:][:n/Block],
		Pairs:  unsafe.Slice((*[2]int16)(unsafe.Pointer(&words[PairsAt(k)/4])), n/16),
	}
}

// For formats with one scale for a row, rows of x are quantised as a whole: x ≈ d·code with d = max|x|/127. A row of k
// columns, rounded up to 64, is, in this order:
//
//	codes  [columns] int8
//	seeds  [columns/16][2] int16: −64·Σ code over columns 4j, 4j+1 of 16 columns, and over 4j+2, 4j+3, modulo 2¹⁶
//	scale  float32: d
//	sum    int32: Σ code
//
// Weights are codes 0 … 127 for −64 … 63. In every 16 columns of a row of weights the magnitudes over columns 4j, 4j+1 sum up
// to LaneLimit at most, and so do those over 4j+2, 4j+3: their products with codes then fit 16 bits, in which the kernels
// add them up, beginning at a seed. Whoever makes weights chooses the scale so that they do.

// LaneColumns are the columns whose products the kernels add up in two lanes of 16 bits, LaneLimit is what the magnitudes of
// the weights of a lane may sum up to: ⌊32767/127⌋.
const (
	LaneColumns = 16
	LaneLimit   = 258
)

// RowActivationWords is the size of a row of k columns that is quantised as a whole, in words of 4 bytes.
func RowActivationWords(k int) int { return ActivationColumns(k)*5/16 + 2 }

// SeedsAt, RowScaleAt and RowSumAt are where the parts of such a row begin, in bytes.
func SeedsAt(k int) int { return ActivationColumns(k) }

// RowScaleAt is where the scale is, in bytes.
func RowScaleAt(k int) int { return ActivationColumns(k) * 5 / 4 }

// RowSumAt is where the sum is, in bytes.
func RowSumAt(k int) int { return RowScaleAt(k) + 4 }

// RowActivation is a view of a row that is quantised as a whole.
type RowActivation struct {
	Codes []int8
	Seeds [][2]int16
	Scale *float32
	Sum   *int32
}

// WholeRow returns the view of a row of k columns that begins at words.
func WholeRow(words []float32, k int) RowActivation {
	n := ActivationColumns(k)
	words = words[:RowActivationWords(k)]
	return RowActivation{
		Codes: unsafe.Slice((*int8)(unsafe.Pointer(&words[0])), n),
		Seeds: unsafe.Slice((*[2]int16)(unsafe.Pointer(&words[SeedsAt(k)/4])), n/LaneColumns),
		Scale: &words[RowScaleAt(k)/4],
		Sum:   (*int32)(unsafe.Pointer(&words[RowSumAt(k)/4])),
	}
}

// InputWords is the size of a row of k columns as products with weights of the format read it, in words of 4 bytes.
func (f *Format) InputWords(k int) int {
	if f.Whole {
		return RowActivationWords(k)
	}
	return ActivationWords(k)
}
