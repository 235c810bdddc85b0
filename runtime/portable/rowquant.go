package portable

import "github.com/tfgen/tfgen/runtime/quant"

// QuantizeRows quantises rows of k to 8 bits, in the layout of quant.RowActivation: d = max|x|/127 and codes x·(127/max|x|)
// rounded to nearest even. A row below 1e-30 is zero; a NaN or infinity makes the whole row NaN or infinite.
func QuantizeRows(y []float32, ldy int, x []float32, ldx, rows, k int) {
	for r := range rows {
		row, xr := quant.WholeRow(y[r*ldy:], k), x[r*ldx:][:k]
		d, inverse := scale8(xr)
		for i, v := range xr {
			row.Codes[i] = int8(saturate(float32(v * inverse)))
		}
		clear(row.Codes[k:])
		sum := 0
		for i := range row.Seeds {
			even, odd := 0, 0
			for c := row.Codes[quant.LaneColumns*i:][:quant.LaneColumns]; len(c) > 0; c = c[4:] {
				even, odd = even+int(c[0])+int(c[1]), odd+int(c[2])+int(c[3])
			}
			row.Seeds[i] = [2]int16{int16(-64 * even), int16(-64 * odd)}
			sum += even + odd
		}
		*row.Scale, *row.Sum = d, int32(sum)
	}
}

// gemmRows is GemmQuant for formats with one scale for a row: y = c + dot · (scale of w · scale of x), dot an exact integer.
func gemmRows(y []float32, ldy int, x []float32, ldx int, w []uint8, tiles int, c []float32, ldc, rows, k int, f *quant.Format) {
	size, blocks := f.TileBytes(k), f.Columns(k)/quant.Block
	dots := make([][quant.Rows]int32, rows)
	for t := range tiles {
		tile := w[t*size:][:size]
		clear(dots)
		var values [quant.Rows * quant.Block]int8
		for b := range blocks {
			f.Block(&values, tile[b/2*f.UnitBytes():], b%2)
			for r := range rows {
				addDots(&dots[r], &values, quant.WholeRow(x[r*ldx:], k).Codes[b*quant.Block:][:quant.Block])
			}
		}
		for r := range rows {
			d := *quant.WholeRow(x[r*ldx:], k).Scale
			for n, dot := range dots[r] {
				y[r*ldy+t*quant.Rows+n] = c[r*ldc+t*quant.Rows+n] + float32(float32(dot)*float32(f.RowScale(tile, k, n)*d))
			}
		}
	}
}

// addDots adds the products of 32 columns to the sums of 16 outputs.
func addDots(dots *[quant.Rows]int32, values *[quant.Rows * quant.Block]int8, codes []int8) {
	for n := range dots {
		v := values[n*quant.Block:][:quant.Block]
		dots[n] += dot16((*[16]int8)(codes), (*[16]int8)(v)) + dot16((*[16]int8)(codes[16:]), (*[16]int8)(v[16:]))
	}
}
