// Package quant moves weights between the blocks of GGML and the tiles of runtime/quant, without loss, and makes blocks
// from float32 weights with the least error.
package quant

import (
	"encoding/binary"
	"fmt"

	"github.com/tfgen/tfgen/gen/checkpoint/dtype"
	"github.com/tfgen/tfgen/runtime/quant"
)

// A block is the contents of one block of a row, whatever its type: integers as the format of the kernels has them.
type block struct {
	codes   [256]uint8
	factor  uint16    // of scales: f16, or bfloat16 of a wide format; the scale itself when there are no super-blocks
	lower   uint16    // of offsets
	scales  [16]uint8 // of groups under the factor
	offsets [16]uint8 // of groups under lower
}

// A Type is a block type of GGML that has a kernel format with the same values, or, without a DType, a format of our own
// with one scale for a row.
type Type struct {
	DType  dtype.DType
	Format *quant.Format
	split  func(b *block, src []byte)
	fit    func(b *block, x, weight []float32) // nil: the type is read only
}

// types is the table.
var types = []Type{
	{dtype.Q2K, quant.Q2K, splitQ2K, nil},
	{dtype.Q3K, quant.Q3K, splitQ3K, nil},
	{dtype.MXFP4, quant.MXFP4, splitMXFP4, nil},
	{dtype.IQ4NL, quant.IQ4NL, splitIQ4NL, nil},
	{dtype.IQ4XS, quant.IQ4XS, splitIQ4XS, nil},
	{dtype.Q4_0, quant.Q4, splitQ4, plain(quant.Q4)},
	{dtype.Q4K, quant.Q4K, splitQ4K, superShifted(quant.Q4K)},
	{dtype.Q4_1, quant.Q4M, splitQ4M, shifted(quant.Q4M)},
	{dtype.Q5_0, quant.Q5, splitQ5, plain(quant.Q5)},
	{dtype.Q5K, quant.Q5K, splitQ5K, superShifted(quant.Q5K)},
	{dtype.Q5_1, quant.Q5M, splitQ5M, shifted(quant.Q5M)},
	{dtype.Q6K, quant.Q6K, splitQ6K, superPlain(quant.Q6K)},
	{dtype.Q8_0, quant.Q8, splitQ8, plain(quant.Q8)},
	{dtype.Invalid, quant.INT8, nil, nil},
}

// Of returns the type of a checkpoint format, if kernels have its values exactly.
func Of(d dtype.DType) (*Type, bool) {
	for i := range types {
		if types[i].DType == d && d != dtype.Invalid {
			return &types[i], true
		}
	}
	return nil, false
}

// For returns the type that a kernel format was made for.
func For(f *quant.Format) *Type {
	for i := range types {
		if types[i].Format == f {
			return &types[i]
		}
	}
	return nil
}

// RowBytes is the size of a row of k columns in blocks.
func (t *Type) RowBytes(k int) int {
	values, bytes := t.DType.Block()
	return k / values * bytes
}

// Pack writes a row of k columns, in blocks, to row 0 ≤ row < 16 of a tile, whose bytes of that row must be zero.
func (t *Type) Pack(tile []byte, row int, blocks []byte, k int) error {
	values, bytes := t.DType.Block()
	if k%values != 0 || len(blocks) != k/values*bytes {
		return fmt.Errorf("%v: %d bytes are no row of %d columns", t.DType, len(blocks), k)
	}
	var b block
	for at := 0; at < k; at += values {
		t.split(&b, blocks[at/values*bytes:][:bytes])
		t.store(tile, row, at, &b)
	}
	return nil
}

// store writes the block of a row that begins at column at to its places in a tile.
func (t *Type) store(tile []byte, row, at int, b *block) {
	f := t.Format
	unit := tile[at/f.Unit()*f.UnitBytes():][:f.UnitBytes()]
	t.header(unit, row, at%f.Unit()/f.Group, b)
	values, _ := t.DType.Block()
	for i := 0; i < values; i += quant.Block {
		part := unit[f.HeaderBytes()+(at+i)%f.Unit()/quant.Block*f.BlockBytes():][:f.BlockBytes()]
		f.SetCodes(part, row, (*[quant.Block]uint8)(b.codes[i:]))
	}
}

// header writes the scales of a block that begins at a group of the unit.
func (t *Type) header(unit []byte, row, group int, b *block) {
	f := t.Format
	if f.Super == 0 {
		binary.LittleEndian.PutUint16(unit[f.ScaleAt(group)+2*row:], b.factor)
		if f.Min {
			binary.LittleEndian.PutUint16(unit[f.OffsetAt(group)+2*row:], b.lower)
		}
		return
	}
	binary.LittleEndian.PutUint16(unit[2*row:], b.factor)
	binary.LittleEndian.PutUint16(unit[2*quant.Rows+2*row:], b.lower)
	for g := range f.Super / f.Group {
		unit[f.ScaleAt(g)+row] = b.scales[g]
		if f.Min {
			unit[f.OffsetAt(g)+row] = b.offsets[g]
		}
	}
}

// The layouts of blocks are those of ggml-quants.c; dtype decodes the same.

func half(src []byte) uint16 { return binary.LittleEndian.Uint16(src) }

// nibbles writes 16 low nibbles, then 16 high ones.
func nibbles(codes []uint8, src []byte) {
	for i, b := range src[:16] {
		codes[i], codes[i+16] = b&15, b>>4
	}
}

// fifths adds the fifth bits of 32 values.
func fifths(codes []uint8, src []byte) {
	high := binary.LittleEndian.Uint32(src)
	for i := range 32 {
		codes[i] |= uint8(high >> i & 1 << 4)
	}
}

func splitQ4(b *block, src []byte) {
	b.factor = half(src)
	nibbles(b.codes[:], src[2:])
}

// splitQ4M turns the summand m of Q4_1 into the offset −m.
func splitQ4M(b *block, src []byte) {
	b.factor, b.lower = half(src), half(src[2:])^0x8000
	nibbles(b.codes[:], src[4:])
}

func splitQ5(b *block, src []byte) {
	b.factor = half(src)
	nibbles(b.codes[:], src[6:])
	fifths(b.codes[:], src[2:])
}

func splitQ5M(b *block, src []byte) {
	b.factor, b.lower = half(src), half(src[2:])^0x8000
	nibbles(b.codes[:], src[8:])
	fifths(b.codes[:], src[4:])
}

func splitQ8(b *block, src []byte) {
	b.factor = half(src)
	for i, v := range src[2:34] {
		b.codes[i] = v ^ 0x80
	}
}

func splitIQ4NL(b *block, src []byte) {
	b.factor = half(src)
	nibbles(b.codes[:], src[2:])
}

// splitMXFP4 turns the power of two, halved because the values are doubled, into a bfloat16.
func splitMXFP4(b *block, src []byte) {
	b.factor = 0x0020 << src[0]
	if src[0] >= 2 {
		b.factor = uint16(src[0]-1) << 7
	}
	nibbles(b.codes[:], src[1:])
}

func splitIQ4XS(b *block, src []byte) {
	b.factor = half(src)
	high := half(src[2:])
	for g := range 8 {
		low := src[4+g/2] >> (g % 2 * 4) & 15
		b.scales[g] = (low | uint8(high>>(2*g)&3<<4)) - 32
		nibbles(b.codes[32*g:], src[8+16*g:])
	}
}

func splitQ2K(b *block, src []byte) {
	b.factor, b.lower = half(src[80:]), half(src[82:])
	for g := range 16 {
		b.scales[g], b.offsets[g] = src[g]&15, src[g]>>4
		shift := g / 2 % 4 * 2
		for i, v := range src[16+g/8*32+g%2*16:][:16] {
			b.codes[16*g+i] = v >> shift & 3
		}
	}
}

func splitQ3K(b *block, src []byte) {
	b.factor = half(src[108:])
	for g := range 16 {
		low, high := src[96+g%8]>>(g/8*4)&15, src[104+g%4]>>(g/4*2)&3
		b.scales[g] = (low | high<<4) - 32
		shift := g / 2 % 4 * 2
		third := src[g%2*16:][:16]
		for i, v := range src[32+g/8*32+g%2*16:][:16] {
			b.codes[16*g+i] = v>>shift&3 | third[i]>>(g/2)&1<<2
		}
	}
}

// sixBits unpacks the scale and offset of a group of Q4_K and Q5_K.
func sixBits(s []byte, g int) (scale, offset uint8) {
	if g < 4 {
		return s[g] & 63, s[g+4] & 63
	}
	return s[g+4]&15 | s[g-4]>>2&0x30, s[g+4]>>4 | s[g]>>2&0x30
}

func splitQ4K(b *block, src []byte) {
	b.factor, b.lower = half(src), half(src[2:])
	for g := range 8 {
		b.scales[g], b.offsets[g] = sixBits(src[4:16], g)
		shift := g % 2 * 4
		for i, v := range src[16+g/2*32:][:32] {
			b.codes[32*g+i] = v >> shift & 15
		}
	}
}

func splitQ5K(b *block, src []byte) {
	b.factor, b.lower = half(src), half(src[2:])
	for g := range 8 {
		b.scales[g], b.offsets[g] = sixBits(src[4:16], g)
		shift := g % 2 * 4
		for i, v := range src[48+g/2*32:][:32] {
			b.codes[32*g+i] = v>>shift&15 | src[16+i]>>g&1<<4
		}
	}
}

func splitQ6K(b *block, src []byte) {
	b.factor = half(src[208:])
	for g := range 16 {
		b.scales[g] = src[192+g]
		low, high := src[g/8*64+g%4*16:][:16], src[128+g/8*32+g%2*16:][:16]
		lowShift, highShift := g/4%2*4, g/2%4*2
		for i, v := range low {
			b.codes[16*g+i] = v>>lowShift&15 | high[i]>>highShift&3<<4
		}
	}
}
