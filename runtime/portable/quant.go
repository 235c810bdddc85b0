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
	d, inverse := scale8(x)
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
	if f.Whole {
		gemmRows(y, ldy, x, ldx, w, tiles, c, ldc, rows, k, f)
		return
	}
	size := f.TileBytes(k)
	var b quantBlock
	for t := range tiles {
		tile := w[t*size:][:size]
		for r := range rows {
			copy(y[r*ldy+t*quant.Rows:][:quant.Rows], c[r*ldc+t*quant.Rows:])
		}
		for at := 0; at < f.Columns(k); at += quant.Block {
			b.read(f, tile[at/f.Unit()*f.UnitBytes():][:f.UnitBytes()], at%f.Unit())
			for r := range rows {
				b.multiply(f, y[r*ldy+t*quant.Rows:][:quant.Rows], quant.ActivationRow(x[r*ldx:], k), at)
			}
		}
	}
}

// A quantBlock is 32 columns of a tile, ready to multiply with.
type quantBlock struct {
	values  [quant.Rows * quant.Block]int8
	scales  [2][quant.Rows]float32 // of the groups in the block
	offsets [2][quant.Rows]float32
}

// read decodes the block that begins at a column of a unit.
func (b *quantBlock) read(f *quant.Format, unit []byte, column int) {
	f.Block(&b.values, unit, column/quant.Block)
	for g := range quant.Block / f.Group {
		f.Scales(&b.scales[g], unit, column/f.Group+g)
		if f.Min {
			f.Offsets(&b.offsets[g], unit, column/f.Group+g)
		}
	}
}

// multiply adds the products with the columns of one row of x from column at on.
func (b *quantBlock) multiply(f *quant.Format, y []float32, x quant.Activation, at int) {
	d := x.Scales[at/quant.Block]
	codes := x.Codes[at:][:quant.Block]
	for g := range quant.Block / f.Group {
		part := codes[g*f.Group:][:f.Group]
		sum := int32(0)
		if f.Min {
			for _, code := range part {
				sum += int32(code)
			}
		}
		for n := range y {
			dot := int32(0)
			for i := 0; i < f.Group; i += 16 {
				dot += dot16((*[16]int8)(part[i:]), (*[16]int8)(b.values[n*quant.Block+g*f.Group+i:]))
			}
			y[n] += float32(float32(dot) * float32(b.scales[g][n]*d))
			if f.Min {
				y[n] -= float32(b.offsets[g][n] * float32(d*float32(sum)))
			}
		}
	}
}

// dot16 is the product of two vectors of 16.
func dot16(a, b *[16]int8) int32 {
	s0 := int32(a[0])*int32(b[0]) + int32(a[1])*int32(b[1]) + int32(a[2])*int32(b[2]) + int32(a[3])*int32(b[3])
	s1 := int32(a[4])*int32(b[4]) + int32(a[5])*int32(b[5]) + int32(a[6])*int32(b[6]) + int32(a[7])*int32(b[7])
	s2 := int32(a[8])*int32(b[8]) + int32(a[9])*int32(b[9]) + int32(a[10])*int32(b[10]) + int32(a[11])*int32(b[11])
	s3 := int32(a[12])*int32(b[12]) + int32(a[13])*int32(b[13]) + int32(a[14])*int32(b[14]) + int32(a[15])*int32(b[15])
	return s0 + s1 + s2 + s3
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
