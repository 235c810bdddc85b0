package portable

import (
	"unsafe"

	"github.com/tfgen/tfgen/runtime/quant"
)

// The attention caches of one key/value head are blocks of 64 keys, each the
// packed weights of a matrix product: scores are GemmF32 with k = headDim over
// 4 tiles of 16 keys, weighted values are GemmF32 with k = 64 over
// ⌈headDim/16⌉ tiles. Both begin as zeros: lanes that hold no key yet are
// multiplied by zero weights and must be finite.

// KeyBlock returns the length of one block of the key cache.
func KeyBlock(headDim int) int { return BlockKeys * headDim }

// ValueBlock returns the length of one block of the value cache.
func ValueBlock(headDim int) int { return (headDim + tile - 1) / tile * tile * BlockKeys }

// StoreK writes n keys, rows of headDim with stride ldk, to positions pos …
// pos+n−1 of a key cache [block][4 tiles of 16 keys][headDim][16].
func StoreK(cache []float32, k []float32, ldk, pos, n, headDim int) {
	for i := range n {
		p := pos + i
		at := p/tile*tile*headDim + p%tile
		for j, v := range k[i*ldk:][:headDim] {
			cache[at+j*tile] = v
		}
	}
}

// Halves returns a key or value cache as IEEE halves: two in a word.
func Halves(words []float32) []uint16 {
	if len(words) == 0 {
		return nil
	}
	return unsafe.Slice((*uint16)(unsafe.Pointer(&words[0])), 2*len(words))
}

// StoreK16 is StoreK for a cache of IEEE halves.
func StoreK16(cache []uint16, k []float32, ldk, pos, n, headDim int) {
	for i := range n {
		p := pos + i
		at := p/tile*tile*headDim + p%tile
		for j, v := range k[i*ldk:][:headDim] {
			cache[at+j*tile] = quant.ToHalf(v)
		}
	}
}

// StoreV16 is StoreV for a cache of IEEE halves.
func StoreV16(cache []uint16, v []float32, ldv, pos, n, headDim int) {
	for i := range n {
		p := pos + i
		at := p/BlockKeys*ValueBlock(headDim) + p%BlockKeys*tile
		for j, x := range v[i*ldv:][:headDim] {
			cache[at+j/tile*BlockKeys*tile+j%tile] = quant.ToHalf(x)
		}
	}
}

// StoreV writes n values, rows of headDim with stride ldv, to positions pos …
// pos+n−1 of a value cache [block][⌈headDim/16⌉][64 keys][16].
func StoreV(cache []float32, v []float32, ldv, pos, n, headDim int) {
	for i := range n {
		p := pos + i
		at := p/BlockKeys*ValueBlock(headDim) + p%BlockKeys*tile
		row := v[i*ldv:][:headDim]
		for len(row) > 0 {
			row = row[copy(cache[at:at+tile], row):]
			at += BlockKeys * tile
		}
	}
}

// KeysAsValues writes one block of 64 rows of a key cache, [4 tiles of 16 keys][headDim][16], in the layout of a value
// cache, [⌈headDim/16⌉][64 keys][16], zeros behind headDim: for latents that are keys and values.
func KeysAsValues(values, keys []float32, headDim int) {
	for d := 0; d < headDim; d += tile {
		n := min(tile, headDim-d)
		out := values[d*BlockKeys:][:tile*BlockKeys]
		for key := range BlockKeys {
			in, row := keys[(key/tile*headDim+d)*tile+key%tile:], out[key*tile:][:tile]
			for j := range n {
				row[j] = in[j*tile]
			}
			clear(row[n:])
		}
	}
}
