package weights

import (
	"encoding/binary"

	"github.com/tfgen/tfgen/runtime/quant"
)

func packRowsF16(dst []byte, src []float32, rows, cols int) error {
	if err := fitsF16(src, rows, cols); err != nil {
		return err
	}
	for i, v := range src[:rows*cols] {
		binary.LittleEndian.PutUint16(dst[2*i:], quant.ToHalf(v))
	}
	return nil
}

func unpackRowsF16(dst []float32, src []byte, rows, cols int) {
	for i := range dst[:rows*cols] {
		dst[i] = quant.Half(binary.LittleEndian.Uint16(src[2*i:]))
	}
}

// fitsF16 reports the first value that would be rounded to an infinity.
func fitsF16(src []float32, rows, cols int) error {
	const limit = 0x477ff000 // 65520, half a step above the largest float16
	if i := beyond(src[:rows*cols], limit); i >= 0 {
		return &valueError{i / cols, src[i], "float16"}
	}
	return nil
}

// packTileF16 packs blocks of columns, a row at a time.
func packTileF16(dst []byte, src []float32, rows, cols int) error {
	if err := fitsF16(src, rows, cols); err != nil {
		return err
	}
	if rows%Tile != 0 {
		clear(dst[rows/Tile*cols*Tile*2:])
	}
	for r := range rows {
		column := dst[(r/Tile*cols*Tile+r%Tile)*2:]
		for k, v := range src[r*cols:][:cols] {
			binary.LittleEndian.PutUint16(column[k*Tile*2:], quant.ToHalf(v))
		}
	}
	return nil
}

func unpackTileF16(dst []float32, src []byte, rows, cols int) {
	for r := range rows {
		column := src[(r/Tile*cols*Tile+r%Tile)*2:]
		for k := range cols {
			dst[r*cols+k] = quant.Half(binary.LittleEndian.Uint16(column[k*Tile*2:]))
		}
	}
}
