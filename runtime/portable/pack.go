package portable

import "math"

// PackedF32 returns the length of n × k float32 weights in tiles.
func PackedF32(n, k int) int { return (n + tile - 1) / tile * tile * k }

// PackedBF16 returns the length of n × k bfloat16 weights in tiles, counted in
// uint16.
func PackedBF16(n, k int) int { return (n + tile - 1) / tile * tile * ((k + 1) / 2 * 2) }

// PackF32 packs a row-major matrix [n][k] into tiles [⌈n/16⌉][k][16]. Rows that
// fill up the last tile are zero.
func PackF32(packed, w []float32, n, k int) {
	clear(packed[:PackedF32(n, k)])
	for r := range n {
		column := packed[r/tile*tile*k+r%tile:]
		for i, v := range w[r*k:][:k] {
			column[i*tile] = v
		}
	}
}

// UnpackF32 is the inverse of PackF32.
func UnpackF32(w, packed []float32, n, k int) {
	for r := range n {
		column := packed[r/tile*tile*k+r%tile:]
		row := w[r*k:][:k]
		for i := range row {
			row[i] = column[i*tile]
		}
	}
}

// PackBF16 packs a row-major matrix [n][k] into tiles [⌈n/16⌉][⌈k/2⌉][16][2] of
// bfloat16, rounded to nearest even. Rows that fill up the last tile, and the
// last odd slot of an odd k, are zero.
func PackBF16(packed []uint16, w []float32, n, k int) {
	clear(packed[:PackedBF16(n, k)])
	for r := range n {
		column := packed[r/tile*tile*((k+1)/2*2)+r%tile*2:]
		for i, v := range w[r*k:][:k] {
			column[i/2*2*tile+i%2] = RoundBF16(v)
		}
	}
}

// UnpackBF16 is the inverse of PackBF16 for weights that are bfloat16 values.
func UnpackBF16(w []float32, packed []uint16, n, k int) {
	for r := range n {
		column := packed[r/tile*tile*((k+1)/2*2)+r%tile*2:]
		row := w[r*k:][:k]
		for i := range row {
			row[i] = widen(column[i/2*2*tile+i%2])
		}
	}
}

// RoundBF16 returns the bfloat16 nearest to v, ties to even. NaN stays a NaN
// and is made quiet.
func RoundBF16(v float32) uint16 {
	bits := math.Float32bits(v)
	if v != v {
		return uint16(bits>>16) | 0x40
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}

// WidenBF16 returns the float32 with the value of the bfloat16 h.
func WidenBF16(h uint16) float32 { return widen(h) }
