package quant

import (
	"encoding/binary"
	"math"
)

// SetCodes stores the codes of 32 columns of a row in the codes of a block, whose bits there must be zero.
func (f *Format) SetCodes(block []byte, row int, codes *[Block]uint8) {
	for _, p := range f.planes {
		mask := uint8(1<<p.Bits - 1)
		for quad := range Block / 4 {
			line, shift := p.Line(quad)
			out := block[p.At+line*64+row*4:][:4]
			for i, c := range codes[quad*4:][:4] {
				out[i] |= c >> p.Shift & mask << shift
			}
		}
	}
}

// Scale returns the scale of a group of a row of a unit.
func (f *Format) Scale(unit []byte, row, group int) float32 {
	if f.Super == 0 {
		return f.factor(unit[f.ScaleAt(group)+2*row:])
	}
	s := unit[f.ScaleAt(group)+row]
	if f.Signed {
		return f.factor(unit[2*row:]) * float32(int8(s))
	}
	return f.factor(unit[2*row:]) * float32(s)
}

// Offset returns the offset m of a group of a row of a unit, 0 in formats without.
func (f *Format) Offset(unit []byte, row, group int) float32 {
	switch {
	case !f.Min:
		return 0
	case f.Super == 0:
		return f.factor(unit[f.OffsetAt(group)+2*row:])
	}
	return f.factor(unit[2*Rows+2*row:]) * float32(unit[f.OffsetAt(group)+row])
}

// factor reads a scale of 16 bits.
func (f *Format) factor(b []byte) float32 {
	h := binary.LittleEndian.Uint16(b)
	if f.Wide {
		return math.Float32frombits(uint32(h) << 16)
	}
	return Half(h)
}

// Row writes row 0 ≤ row < 16 of a tile of len(dst) columns to dst.
func (f *Format) Row(dst []float32, tile []byte, row int) {
	unit, size, header := f.Unit(), f.UnitBytes(), f.HeaderBytes()
	if f.Whole {
		f.plainRow(dst, tile, row)
		return
	}
	var codes [Block]uint8
	for at := 0; at < len(dst); at += f.Group {
		u := tile[at/unit*size:][:size]
		in := at % unit
		s, m := f.Scale(u, row, in/f.Group), f.Offset(u, row, in/f.Group)
		if in%Block == 0 {
			f.rowCodes(&codes, u[header+in/Block*f.BlockBytes():], row)
		}
		for i, code := range codes[in%Block:][:min(f.Group, len(dst)-at)] {
			dst[at+i] = float32(s*float32(f.Value(code))) - m
		}
	}
}

// rowCodes writes the codes of 32 columns of a row of a block.
func (f *Format) rowCodes(codes *[Block]uint8, block []byte, row int) {
	var quads [Block / 4]uint32
	for _, p := range f.planes {
		mask := uint32(1<<p.Bits-1) * 0x01010101
		for quad := range quads {
			line, shift := p.Line(quad)
			quads[quad] |= binary.LittleEndian.Uint32(block[p.At+line*64+row*4:]) >> shift & mask << p.Shift
		}
	}
	for i, q := range quads {
		binary.LittleEndian.PutUint32(codes[4*i:], q)
	}
}

// plainRow writes a row with one scale.
func (f *Format) plainRow(dst []float32, tile []byte, row int) {
	s, size := f.RowScale(tile, len(dst), row), f.BlockBytes()
	var codes [Block]uint8
	for at := 0; at < len(dst); at += Block {
		f.rowCodes(&codes, tile[at/Block*size:][:size], row)
		for i, code := range codes[:min(Block, len(dst)-at)] {
			dst[at+i] = s * float32(f.Value(code))
		}
	}
}

// RowScale returns the scale of a row of a tile of k columns.
func (f *Format) RowScale(tile []byte, k, row int) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(tile[f.RowScalesAt(k)+4*row:]))
}

// SetRowScale stores the scale of a row of a tile of k columns.
func (f *Format) SetRowScale(tile []byte, k, row int, s float32) {
	binary.LittleEndian.PutUint32(tile[f.RowScalesAt(k)+4*row:], math.Float32bits(s))
}

// Half returns the float32 with the value of an IEEE half.
func Half(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10&31), uint32(h&1023)
	switch exponent {
	case 0:
		v := float32(fraction) * 0x1p-24
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 31:
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}

// Scales writes the scales of a group of all rows of a unit.
func (f *Format) Scales(s *[Rows]float32, unit []byte, group int) {
	for row := range s {
		s[row] = f.Scale(unit, row, group)
	}
}

// Offsets writes the offsets of a group of all rows of a unit.
func (f *Format) Offsets(m *[Rows]float32, unit []byte, group int) {
	for row := range m {
		m[row] = f.Offset(unit, row, group)
	}
}

// Block writes the integers v of block b of a unit to v, [16 rows][32 columns].
func (f *Format) Block(v *[Rows * Block]int8, unit []byte, b int) {
	var codes [Rows * Block / 4]uint32 // four columns each
	block := unit[f.HeaderBytes()+b*f.BlockBytes():][:f.BlockBytes()]
	for _, p := range f.planes {
		p.read(&codes, block[p.At:])
	}
	zero := int8(uint8(f.Zero)) // of 8 bits, code − 128 wraps to the right value
	for i, w := range codes {
		out := (*[4]int8)(v[4*i:])
		if f.Values != nil {
			*out = [4]int8{f.Values[w&15], f.Values[w>>8&15], f.Values[w>>16&15], f.Values[w>>24&15]}
			continue
		}
		*out = [4]int8{int8(w) - zero, int8(w>>8) - zero, int8(w>>16) - zero, int8(w>>24) - zero}
	}
}

// read adds the bits of the plane to the codes.
func (p Plane) read(codes *[Rows * Block / 4]uint32, plane []byte) {
	mask := uint32(1<<p.Bits-1) * 0x01010101
	for quad := range Block / 4 {
		line, shift := p.Line(quad)
		from := (*[4 * Rows]byte)(plane[line*64:])
		for row := range Rows {
			codes[row*Block/4+quad] |= binary.LittleEndian.Uint32(from[4*row:]) >> shift & mask << p.Shift
		}
	}
}

// ToHalf returns the f16 nearest to v, ties to even; what is too large becomes the largest number.
func ToHalf(v float32) uint16 {
	bits := math.Float32bits(v)
	sign, size := uint16(bits>>16&0x8000), bits&0x7fffffff
	switch {
	case size >= 0x477ff000: // 65520 rounds to infinity
		return sign | 0x7bff
	case size < 0x38800000: // below 2⁻¹⁴: multiples of 2⁻²⁴
		return sign | uint16(math.RoundToEven(math.Abs(float64(v))*0x1p24))
	}
	size += 0xfff + size>>13&1
	return sign | uint16((size-0x38000000)>>13)
}
