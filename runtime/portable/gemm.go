// Package portable holds the plain Go twins of all compute kernels: the path
// on processors without a vector implementation, and the text that says what
// the vector kernels compute. Every result has the same bits on every
// architecture: products are rounded by explicit conversions before they are
// added, so that no compiler may fuse them.
//
// Matrices are rows with an explicit stride ld, in elements. Literal
// dimensions come last in every signature.
package portable

import (
	"math"

	"github.com/tfgen/tfgen/runtime/quant"
)

// tile is the number of outputs side by side in packed weights.
const tile = 16

// GemmF32 computes y[r][n] = c[r][n] + Σ x[r][i]·w[n][i] for rows rows and
// 16·tiles outputs, in the order i = 0 … k−1. w is [tiles][k][16]. With ldc = 0
// all rows start from the same c; c may be y.
func GemmF32(y []float32, ldy int, x []float32, ldx int, w []float32, tiles int, c []float32, ldc, rows, k int) {
	for t := range tiles {
		panel := w[t*k*tile : (t+1)*k*tile]
		for r := range rows {
			xr := x[r*ldx : r*ldx+k]
			out := y[r*ldy+t*tile:][:tile]
			from := c[r*ldc+t*tile:][:tile]
			halfTileF32(out[:8], xr, panel, from[:8])
			halfTileF32(out[8:], xr, panel[8:], from[8:])
		}
	}
}

// halfTileF32 computes 8 outputs of a tile; w is the panel from the first of
// these outputs on.
func halfTileF32(y, x, w, c []float32) {
	a := [8]float32(c)
	a0, a1, a2, a3, a4, a5, a6, a7 := a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]
	for i, v := range x {
		p := (*[8]float32)(w[i*tile:])
		a0 += float32(v * p[0])
		a1 += float32(v * p[1])
		a2 += float32(v * p[2])
		a3 += float32(v * p[3])
		a4 += float32(v * p[4])
		a5 += float32(v * p[5])
		a6 += float32(v * p[6])
		a7 += float32(v * p[7])
	}
	*(*[8]float32)(y) = [8]float32{a0, a1, a2, a3, a4, a5, a6, a7}
}

// GemmBF16 is GemmF32 with bfloat16 weights [tiles][⌈k/2⌉][16][2]. The padding
// of an odd k is not read as a weight.
func GemmBF16(y []float32, ldy int, x []float32, ldx int, w []uint16, tiles int, c []float32, ldc, rows, k int) {
	size := (k + 1) / 2 * 2 * tile
	for t := range tiles {
		panel := w[t*size : (t+1)*size]
		for r := range rows {
			xr := x[r*ldx : r*ldx+k]
			out := y[r*ldy+t*tile:][:tile]
			from := c[r*ldc+t*tile:][:tile]
			halfTileBF16(out[:8], xr, panel, from[:8])
			halfTileBF16(out[8:], xr, panel[16:], from[8:])
		}
	}
}

// halfTileBF16 computes 8 outputs of a tile; w is the panel from the first of
// these outputs on.
func halfTileBF16(y, x []float32, w []uint16, c []float32) {
	a := [8]float32(c)
	a0, a1, a2, a3, a4, a5, a6, a7 := a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]
	for i, v := range x {
		p := (*[15]uint16)(w[i/2*2*tile+i%2:])
		a0 += float32(v * widen(p[0]))
		a1 += float32(v * widen(p[2]))
		a2 += float32(v * widen(p[4]))
		a3 += float32(v * widen(p[6]))
		a4 += float32(v * widen(p[8]))
		a5 += float32(v * widen(p[10]))
		a6 += float32(v * widen(p[12]))
		a7 += float32(v * widen(p[14]))
	}
	*(*[8]float32)(y) = [8]float32{a0, a1, a2, a3, a4, a5, a6, a7}
}

// GemmF16 is GemmF32 for weights [tiles][k][16] of IEEE halves.
func GemmF16(y []float32, ldy int, x []float32, ldx int, w []uint16, tiles int, c []float32, ldc, rows, k int) {
	for t := range tiles {
		panel := w[t*k*tile : (t+1)*k*tile]
		for r := range rows {
			acc := [tile]float32(c[r*ldc+t*tile:])
			for i, v := range x[r*ldx : r*ldx+k] {
				for n, h := range panel[i*tile:][:tile] {
					acc[n] += float32(v * quant.Half(h))
				}
			}
			copy(y[r*ldy+t*tile:][:tile], acc[:])
		}
	}
}

// GemmI8 is GemmF32 for weights [tiles][k][16] of 8-bit integers.
func GemmI8(y []float32, ldy int, x []float32, ldx int, w []int8, tiles int, c []float32, ldc, rows, k int) {
	for t := range tiles {
		panel := w[t*k*tile : (t+1)*k*tile]
		for r := range rows {
			acc := [tile]float32(c[r*ldc+t*tile:])
			for i, v := range x[r*ldx : r*ldx+k] {
				for n, code := range (*[tile]int8)(panel[i*tile:]) {
					acc[n] += float32(v * float32(code))
				}
			}
			copy(y[r*ldy+t*tile:][:tile], acc[:])
		}
	}
}

// widen returns the float32 with the value of a bfloat16.
func widen(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }
