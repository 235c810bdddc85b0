package portable

import (
	"math"
	"unsafe"
)

// Caches of 8 bits: a key or a value of a head is rotated (Rotate), and then d·code with d = max|x|/127. Queries are rotated like
// keys, and what attention makes of values is rotated back. Blocks of 64 positions have the codes in the layout of a float32
// cache, then the 64 scales.

// KeyBlock8 is the size of the keys of one head in one block, in words.
func KeyBlock8(headDim int) int { return KeyBlock(headDim)/4 + BlockKeys }

// ValueBlock8 is the size of the values of one head in one block, in words.
func ValueBlock8(headDim int) int { return ValueBlock(headDim)/4 + BlockKeys }

// Codes returns words as 8-bit integers, four in a word.
func Codes(words []float32) []int8 {
	if len(words) == 0 {
		return nil
	}
	return unsafe.Slice((*int8)(unsafe.Pointer(&words[0])), 4*len(words))
}

// Parts8 returns the codes of a block, which are so many words, and its scales.
func Parts8(block []float32, words int) (codes []int8, scales []float32) {
	return Codes(block[:words]), block[words:][:BlockKeys]
}

// StoreK8 stores n keys of a head from position pos on, rows at stride ldk.
func StoreK8(cache, k []float32, ldk, pos, n, headDim int) {
	var rotated [maxRotated]float32
	for i := range n {
		row, p := rotate8(&rotated, k[i*ldk:][:headDim]), pos+i
		codes, scales := Parts8(cache[p/BlockKeys*KeyBlock8(headDim):], KeyBlock(headDim)/4)
		d, inverse := scale8(row)
		p %= BlockKeys
		scales[p] = d
		at := p/tile*tile*headDim + p%tile
		for j, v := range row {
			codes[at+j*tile] = int8(saturate(float32(v * inverse)))
		}
	}
}

// StoreV8 stores n values of a head from position pos on, rows at stride ldv.
func StoreV8(cache, v []float32, ldv, pos, n, headDim int) {
	var rotated [maxRotated]float32
	for i := range n {
		row, p := rotate8(&rotated, v[i*ldv:][:headDim]), pos+i
		codes, scales := Parts8(cache[p/BlockKeys*ValueBlock8(headDim):], ValueBlock(headDim)/4)
		d, inverse := scale8(row)
		p %= BlockKeys
		scales[p] = d
		for j, x := range row {
			codes[(j/tile*BlockKeys+p)*tile+j%tile] = int8(saturate(float32(x * inverse)))
		}
	}
}

// rotate8 returns x rotated, in the buffer if it fits there.
func rotate8(buffer *[maxRotated]float32, x []float32) []float32 {
	if len(x) > maxRotated {
		return x
	}
	y := buffer[:len(x)]
	Rotate(y, 0, x, 0, 1, len(x))
	return y
}

// scale8 returns max|x|/127 and 127/max|x|, 0 below 1e-30; a NaN or infinity makes the scale NaN or infinite.
func scale8(x []float32) (d, inverse float32) {
	top := uint32(0) // the largest magnitude by its bits: a NaN is larger than every number
	for _, v := range x {
		top = max(top, math.Float32bits(v)&^(1<<31))
	}
	largest := math.Float32frombits(top)
	if largest >= 1e-30 {
		inverse = 127 / largest
	}
	return largest / 127, inverse
}
