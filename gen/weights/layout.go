package weights

import (
	"encoding/binary"
	"fmt"
	"math"
	"sort"
	"strings"
)

// Tile is the number of rows packed together: what one step of a matrix kernel computes side by side.
const Tile = 16

// Layout is one row of the table of weight layouts: how a matrix of rows × cols (a vector is a column) becomes bytes.
// Sixteen rows make a group, which begins at a multiple of Bytes(16, cols), so a matrix can be packed in pieces.
type Layout struct {
	Name  string
	Doc   string // element order, outermost first
	DType string // element type in the container: F32, BF16, F16, U8
	Bytes func(rows, cols int) int64
	// Pack writes rows of src, row-major and finite, to dst, which holds Bytes(rows, cols) and is overwritten.
	Pack func(dst []byte, src []float32, rows, cols int) error
	// Unpack is the exact inverse, up to the rounding of Pack.
	Unpack func(dst []float32, src []byte, rows, cols int)
}

// layouts is the table. n are rows, k columns.
var layouts = append([]Layout{
	{"rows_f32", "[n][k] float32", "F32", bytesRows(4), packRowsF32, unpackRowsF32},
	{"rows_bf16", "[n][k] bfloat16", "BF16", bytesRows(2), packRowsBF16, unpackRowsBF16},
	{"rows_f16", "[n][k] float16", "F16", bytesRows(2), packRowsF16, unpackRowsF16},
	{"tile16_f32", "[⌈n/16⌉][k][16] float32, rows missing in the last tile are zero", "F32", bytesTileF32, packTileF32, unpackTileF32},
	{"tile16_bf16", "[⌈n/16⌉][⌈k/2⌉][16][2] bfloat16, missing rows and the odd column are zero", "BF16", bytesTileBF16, packTileBF16, unpackTileBF16},
	{"tile16_f16", "[⌈n/16⌉][k][16] float16, rows missing in the last tile are zero", "F16", bytesTileF16, packTileF16, unpackTileF16},
	{dataLayout, "[n] bytes", "U8", bytesRows(1), packNothing, nil},
	{"vector_f32", "[⌈n·k/16⌉·16] float32, zeros at the end", "F32", bytesVector, packVector, unpackRowsF32},
}, quantLayouts()...)

// Lookup returns the layout of this name.
func Lookup(name string) (*Layout, error) {
	for i := range layouts {
		if layouts[i].Name == name {
			return &layouts[i], nil
		}
	}
	return nil, fmt.Errorf("no weight layout is called %q; there are %s", name, strings.Join(Layouts(), ", "))
}

// Layouts returns the names of all layouts in order.
func Layouts() []string {
	var names []string
	for _, l := range layouts {
		names = append(names, l.Name)
	}
	sort.Strings(names)
	return names
}

func tiles(rows int) int { return (rows + Tile - 1) / Tile }

func bytesRows(size int64) func(rows, cols int) int64 {
	return func(rows, cols int) int64 { return int64(rows) * int64(cols) * size }
}

func bytesTileF32(rows, cols int) int64 { return int64(tiles(rows)) * int64(cols) * Tile * 4 }

func bytesTileBF16(rows, cols int) int64 { return int64(tiles(rows)) * int64((cols+1)/2) * Tile * 4 }

func bytesTileF16(rows, cols int) int64 { return int64(tiles(rows)) * int64(cols) * Tile * 2 }

func bytesVector(rows, cols int) int64 {
	return (int64(rows)*int64(cols) + Tile - 1) / Tile * Tile * 4
}

func packRowsF32(dst []byte, src []float32, rows, cols int) error {
	for i, v := range src[:rows*cols] {
		binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(v))
	}
	return nil
}

func unpackRowsF32(dst []float32, src []byte, rows, cols int) {
	for i := range dst[:rows*cols] {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
}

func packVector(dst []byte, src []float32, rows, cols int) error {
	clear(dst[4*rows*cols:])
	return packRowsF32(dst, src, rows, cols)
}

func packRowsBF16(dst []byte, src []float32, rows, cols int) error {
	if err := fitsBF16(src, rows, cols); err != nil {
		return err
	}
	for i, v := range src[:rows*cols] {
		binary.LittleEndian.PutUint16(dst[2*i:], uint16(roundBF16(v)))
	}
	return nil
}

func unpackRowsBF16(dst []float32, src []byte, rows, cols int) {
	for i := range dst[:rows*cols] {
		dst[i] = widenBF16(binary.LittleEndian.Uint16(src[2*i:]))
	}
}

// roundBF16 returns the bfloat16 nearest to a finite v, ties to even, in the low 16 bits.
func roundBF16(v float32) uint32 {
	bits := math.Float32bits(v)
	return (bits + 0x7fff + bits>>16&1) >> 16
}

// fitsBF16 reports the first value that would be rounded to an infinity.
func fitsBF16(src []float32, rows, cols int) error {
	const limit = 0x7f7f8000 // half a step above the largest bfloat16
	if i := beyond(src[:rows*cols], limit); i >= 0 {
		return &valueError{i / cols, src[i], "bfloat16"}
	}
	return nil
}

func widenBF16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// valueError is a value that a layout cannot hold, in a row counted from the first one packed.
type valueError struct {
	Row   int
	Value float32
	Type  string
}

// Error names the row and the value.
func (e *valueError) Error() string {
	return fmt.Sprintf("row %d contains %v, which %s cannot hold", e.Row, e.Value, e.Type)
}
