package portable

import (
	"math"

	"github.com/tfgen/tfgen/runtime/quant"
)

// Quantize quantises rows of k to 8 bits, in the layout of quant.Activation: per block of 32, d = max|x|/127 and codes
// x·(127/max|x|) rounded to nearest even. A block below 1e-30 is zero; a NaN or infinity makes the whole block NaN or
// infinite.
func Quantize(y []float32, ldy int, x []float32, ldx, rows, k int) {
	for r := range rows {
		row := quant.ActivationRow(y[r*ldy:], k)
		xr := x[r*ldx:][:k]
		clear(row.Codes[k:])
		for b := range row.Scales {
			from, to := min(b*quant.Block, k), min((b+1)*quant.Block, k)
			quantizeBlock(row, b, xr[from:to])
		}
	}
}

// quantizeBlock quantises one block of at most 32 columns.
func quantizeBlock(row quant.Activation, b int, x []float32) {
	top := uint32(0) // the largest magnitude by its bits: a NaN is larger than every number
	for _, v := range x {
		top = max(top, math.Float32bits(v)&^(1<<31))
	}
	largest := math.Float32frombits(top)
	inverse := float32(0)
	if largest >= 1e-30 {
		inverse = 127 / largest
	}
	d := largest / 127
	codes := row.Codes[b*quant.Block:][:quant.Block]
	for i, v := range x {
		codes[i] = int8(saturate(float32(v * inverse)))
	}
	sum := 0
	for half := range 2 {
		var pair [2]int
		for i, c := range codes[half*16:][:16] {
			pair[i/2%2] += int(c)
		}
		row.Pairs[2*b+half] = [2]int16{int16(pair[0]), int16(pair[1])}
		sum += pair[0] + pair[1]
	}
	row.Scales[b], row.Sums[b] = d, float32(d*float32(sum))
}

// saturate rounds to nearest even; what is not a number is −128.
func saturate(v float32) int {
	if v != v {
		return -128
	}
	return int(math.RoundToEven(float64(v)))
}

// GemmQuant computes y[r][n] = c[r][n] + Σ x[r][i]·w[n][i] for quantised rows of x, weights in tiles of a quantised
// format and 16·tiles outputs. In every group the product of the integers is exact; the groups are added in order. With
// ldc = 0 all rows start from the same c; c may be y.
func GemmQuant(y []float32, ldy int, x []float32, ldx int, w []uint8, tiles int, c []float32, ldc, rows, k int, f *quant.Format) {
	size := f.TileBytes(k)
	var v [quant.Rows * quant.Block]int32
	for t := range tiles {
		tile := w[t*size:][:size]
		for r := range rows {
			copy(y[r*ldy+t*quant.Rows:][:quant.Rows], c[r*ldc+t*quant.Rows:])
		}
		for at := 0; at < f.Columns(k); at += quant.Block {
			unit := tile[at/f.Unit()*f.UnitBytes():][:f.UnitBytes()]
			f.Block(&v, unit, at%f.Unit()/quant.Block)
			for r := range rows {
				addBlock(f, y[r*ldy+t*quant.Rows:][:quant.Rows], quant.ActivationRow(x[r*ldx:], k), at, unit, &v)
			}
		}
	}
}

// addBlock adds the products of one block of columns to the outputs of one row.
func addBlock(f *quant.Format, y []float32, x quant.Activation, at int, unit []byte, v *[quant.Rows * quant.Block]int32) {
	if at >= len(x.Codes) {
		return
	}
	d := x.Scales[at/quant.Block]
	for n := range y {
		acc := y[n]
		for from := 0; from < quant.Block; from += f.Group {
			group := (at%f.Unit() + from) / f.Group
			dot, sum := int32(0), int32(0)
			for i, code := range x.Codes[at+from:][:f.Group] {
				dot += int32(code) * v[n*quant.Block+from+i]
				sum += int32(code)
			}
			acc += float32(float32(dot) * float32(f.Scale(unit, n, group)*d))
			if f.Min {
				acc -= float32(f.Offset(unit, n, group) * float32(d*float32(sum)))
			}
		}
		y[n] = acc
	}
}

// LookupQuant gathers rows ids of a table in tiles of a quantised format, times scale, into rows of y.
func LookupQuant(y []float32, ldy int, w []uint8, ids []int32, scale float32, k int, f *quant.Format) {
	size := f.TileBytes(k)
	for r, id := range ids {
		yr := y[r*ldy:][:k]
		f.Row(yr, w[int(id)/quant.Rows*size:][:size], int(id)%quant.Rows)
		if scale != 1 {
			for i := range yr {
				yr[i] *= scale
			}
		}
	}
}
