package weights

import (
	"encoding/binary"
	"math"
)

// block is the number of columns packed at a time: one cache line of each row, at most 1 KiB of the result.
const block = 16

// noRow stands for rows that are missing in the last tile.
var noRow [block]float32

// fourRows returns columns k to k1 of rows r to r+3; rows past the end are zero.
func fourRows(src []float32, rows, cols, r, k, k1 int) (x [4][]float32) {
	for i := range x {
		x[i] = noRow[:k1-k]
		if r+i < rows {
			x[i] = src[(r+i)*cols:][k:k1]
		}
	}
	return x
}

// packTileF32 packs blocks of four rows, which are 16 bytes side by side in the result.
func packTileF32(dst []byte, src []float32, rows, cols int) error {
	for t := range tiles(rows) {
		tile := dst[t*cols*Tile*4:]
		for k := 0; k < cols; k += block {
			for r := 0; r < Tile; r += 4 {
				x := fourRows(src, rows, cols, t*Tile+r, k, min(k+block, cols))
				columnsF32(tile[(k*Tile+r)*4:], x[0], x[1], x[2], x[3])
			}
		}
	}
	return nil
}

func columnsF32(dst []byte, a, b, c, d []float32) {
	b, c, d = b[:len(a)], c[:len(a)], d[:len(a)]
	for k := range a {
		out := (*[16]byte)(dst[k*Tile*4:])
		binary.LittleEndian.PutUint32(out[0:], math.Float32bits(a[k]))
		binary.LittleEndian.PutUint32(out[4:], math.Float32bits(b[k]))
		binary.LittleEndian.PutUint32(out[8:], math.Float32bits(c[k]))
		binary.LittleEndian.PutUint32(out[12:], math.Float32bits(d[k]))
	}
}

func unpackTileF32(dst []float32, src []byte, rows, cols int) {
	for r := range rows {
		column := src[(r/Tile*cols*Tile+r%Tile)*4:]
		for k := range cols {
			dst[r*cols+k] = math.Float32frombits(binary.LittleEndian.Uint32(column[k*Tile*4:]))
		}
	}
}

// packTileBF16 is packTileF32 with two neighbouring columns in the place of one.
func packTileBF16(dst []byte, src []float32, rows, cols int) error {
	if err := fitsBF16(src, rows, cols); err != nil {
		return err
	}
	pairs := (cols + 1) / 2
	for t := range tiles(rows) {
		tile := dst[t*pairs*Tile*4:]
		for k := 0; k < cols; k += block {
			for r := 0; r < Tile; r += 4 {
				x := fourRows(src, rows, cols, t*Tile+r, k, min(k+block, cols))
				columnsBF16(tile[(k/2*Tile+r)*4:], x[0], x[1], x[2], x[3])
			}
		}
	}
	return nil
}

func columnsBF16(dst []byte, a, b, c, d []float32) {
	b, c, d = b[:len(a)], c[:len(a)], d[:len(a)]
	k := 0
	for ; k+1 < len(a); k += 2 {
		out := (*[16]byte)(dst[k/2*Tile*4:])
		binary.LittleEndian.PutUint32(out[0:], roundBF16(a[k])|roundBF16(a[k+1])<<16)
		binary.LittleEndian.PutUint32(out[4:], roundBF16(b[k])|roundBF16(b[k+1])<<16)
		binary.LittleEndian.PutUint32(out[8:], roundBF16(c[k])|roundBF16(c[k+1])<<16)
		binary.LittleEndian.PutUint32(out[12:], roundBF16(d[k])|roundBF16(d[k+1])<<16)
	}
	if k < len(a) {
		out := dst[k/2*Tile*4:]
		for i, x := range [4]float32{a[k], b[k], c[k], d[k]} {
			binary.LittleEndian.PutUint32(out[4*i:], roundBF16(x))
		}
	}
}

func unpackTileBF16(dst []float32, src []byte, rows, cols int) {
	pairs := (cols + 1) / 2
	for r := range rows {
		column := src[(r/Tile*pairs*Tile+r%Tile)*4:]
		for k := range cols {
			dst[r*cols+k] = widenBF16(binary.LittleEndian.Uint16(column[k/2*Tile*4+k%2*2:]))
		}
	}
}
