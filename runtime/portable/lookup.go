package portable

import "github.com/tfgen/tfgen/runtime/quant"

// LookupF32 gathers rows ids of a table in packed weights [tiles][k][16], times
// scale, into rows of y.
func LookupF32(y []float32, ldy int, w []float32, ids []int32, scale float32, k int) {
	for r, id := range ids {
		n := int(id)
		column := w[n/tile*tile*k+n%tile:]
		yr := y[r*ldy:][:k]
		for i := range yr {
			yr[i] = column[i*tile] * scale
		}
	}
}

// LookupBF16 gathers rows ids of a table in packed weights
// [tiles][⌈k/2⌉][16][2], times scale, into rows of y.
func LookupBF16(y []float32, ldy int, w []uint16, ids []int32, scale float32, k int) {
	for r, id := range ids {
		n := int(id)
		column := w[n/tile*tile*((k+1)/2*2)+n%tile*2:]
		yr := y[r*ldy:][:k]
		for i := range yr {
			yr[i] = widen(column[i/2*2*tile+i%2]) * scale
		}
	}
}

// LookupRowsF32 gathers rows ids of a row-major table [n][k], times scale, into
// rows of y.
func LookupRowsF32(y []float32, ldy int, w []float32, ids []int32, scale float32, k int) {
	for r, id := range ids {
		yr := y[r*ldy:][:k]
		for i, v := range w[int(id)*k:][:k] {
			yr[i] = v * scale
		}
	}
}

// LookupRowsBF16 gathers rows ids of a row-major table [n][k] of bfloat16, times
// scale, into rows of y.
func LookupRowsBF16(y []float32, ldy int, w []uint16, ids []int32, scale float32, k int) {
	for r, id := range ids {
		yr := y[r*ldy:][:k]
		for i, h := range w[int(id)*k:][:k] {
			yr[i] = widen(h) * scale
		}
	}
}

// LookupF16 gathers rows ids of a table in packed weights [tiles][k][16] of IEEE halves, times scale, into rows of y.
func LookupF16(y []float32, ldy int, w []uint16, ids []int32, scale float32, k int) {
	for r, id := range ids {
		column := w[int(id)/tile*tile*k+int(id)%tile:]
		yr := y[r*ldy:][:k]
		for i := range yr {
			yr[i] = quant.Half(column[i*tile]) * scale
		}
	}
}

// LookupRowsF16 gathers rows ids of a row-major table [n][k] of IEEE halves, times scale, into rows of y.
func LookupRowsF16(y []float32, ldy int, w []uint16, ids []int32, scale float32, k int) {
	for r, id := range ids {
		yr := y[r*ldy:][:k]
		for i, h := range w[int(id)*k:][:k] {
			yr[i] = quant.Half(h) * scale
		}
	}
}
