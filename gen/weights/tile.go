package weights

import (
	"encoding/binary"
	"math"
)

// packTileF32 packs tile by tile in blocks of 16 columns, so that every line of the source is read once and the
// block of the result stays in the first-level cache.
func packTileF32(dst []byte, src []float32, rows, cols int) error {
	if rows%Tile != 0 {
		clear(dst[bytesTileF32(rows/Tile*Tile, cols):])
	}
	for t := range tiles(rows) {
		tile, n := dst[t*cols*Tile*4:], min(Tile, rows-t*Tile)
		for k0 := 0; k0 < cols; k0 += Tile {
			k1 := min(k0+Tile, cols)
			block := tile[k0*Tile*4 : k1*Tile*4]
			for r := range n {
				at := (t*Tile + r) * cols
				out := block[r*4:]
				for k, v := range src[at+k0 : at+k1] {
					binary.LittleEndian.PutUint32(out[k*Tile*4:], math.Float32bits(v))
				}
			}
		}
	}
	return nil
}

func unpackTileF32(dst []float32, src []byte, rows, cols int) {
	for r := range rows {
		column := src[(r/Tile*cols*Tile+r%Tile)*4:]
		for k := range cols {
			dst[r*cols+k] = math.Float32frombits(binary.LittleEndian.Uint32(column[k*Tile*4:]))
		}
	}
}

// packTileBF16 is packTileF32 with two neighbouring columns rounded and stored side by side.
func packTileBF16(dst []byte, src []float32, rows, cols int) error {
	pairs := (cols + 1) / 2
	if rows%Tile != 0 {
		clear(dst[bytesTileBF16(rows/Tile*Tile, cols):])
	}
	for t := range tiles(rows) {
		tile, n := dst[t*pairs*Tile*4:], min(Tile, rows-t*Tile)
		for k0 := 0; k0 < cols; k0 += Tile {
			k1 := min(k0+Tile, cols)
			for r := range n {
				at := (t*Tile + r) * cols
				if !pairsBF16(tile[k0/2*Tile*4+r*4:], src[at+k0:at+k1]) {
					return overflowAt(src, at+k0, cols)
				}
			}
		}
	}
	return nil
}

// pairsBF16 rounds a piece of a row and stores pairs Tile apart; false if a value is too large.
func pairsBF16(out []byte, row []float32) bool {
	ok := true
	for k := 0; k+1 < len(row); k += 2 {
		lo, hi := roundBF16(row[k]), roundBF16(row[k+1])
		ok = ok && !overflowsBF16(lo) && !overflowsBF16(hi)
		binary.LittleEndian.PutUint32(out[k/2*Tile*4:], lo|hi<<16)
	}
	if len(row)%2 != 0 {
		lo := roundBF16(row[len(row)-1])
		ok = ok && !overflowsBF16(lo)
		binary.LittleEndian.PutUint32(out[len(row)/2*Tile*4:], lo)
	}
	return ok
}

// overflowAt is the error for the first value from index i on that bfloat16 cannot hold.
func overflowAt(src []float32, i, cols int) error {
	for !overflowsBF16(roundBF16(src[i])) {
		i++
	}
	return rangeError(src, i, cols)
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
