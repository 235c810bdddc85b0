package dtype

import "encoding/binary"

// The I formats: groups of eight (or four) values are an index into a grid of vectors. Source: ggml-quants.c and
// quants.py of gguf-py.

// grid8 writes d times the eight bytes of a grid row, negated where signs has a bit.
func grid8(y *[8]float32, d float32, row uint64, signs byte) {
	for i := range y {
		v := d * float32(byte(row))
		if signs&1 != 0 {
			v = -v
		}
		y[i] = v
		row, signs = row>>8, signs>>1
	}
}

// iq2xxs is d f16, then for each 32 values four grid indices, four 7-bit sign indices and a 4-bit scale.
func iq2xxs(dst []float32, src []byte) bool {
	y, s := (*[256]float32)(dst), (*[66]byte)(src)
	d, ok := scaleAt(s[:])
	for sub := range 8 {
		q := s[2+sub*8:][:8]
		high := binary.LittleEndian.Uint32(q[4:])
		db := d * (0.5 + float32(high>>28)) * 0.25
		for g := range 4 {
			grid8((*[8]float32)(y[sub*32+g*8:]), db, gridIQ2XXS[q[g]], ksigns[high>>(7*g)&127])
		}
	}
	return ok
}

// iq2xs is d f16, 32 words of grid index (9 bits) and sign index (7), then a 4-bit scale for each 16 values.
func iq2xs(dst []float32, src []byte) bool {
	y, s := (*[256]float32)(dst), (*[74]byte)(src)
	d, ok := scaleAt(s[:])
	for g := range 32 {
		q := binary.LittleEndian.Uint16(s[2+g*2:])
		db := d * (0.5 + float32(s[66+g/4]>>(g/2%2*4)&15)) * 0.25
		grid8((*[8]float32)(y[g*8:]), db, gridIQ2XS[q&511], ksigns[q>>9])
	}
	return ok
}

// iq2s is d f16, 32 low bytes of grid indices, 32 bytes of signs, 32 high bit pairs, a 4-bit scale for each 16 values.
func iq2s(dst []float32, src []byte) bool {
	y, s := (*[256]float32)(dst), (*[82]byte)(src)
	d, ok := scaleAt(s[:])
	for g := range 32 {
		index := uint16(s[2+g]) | uint16(s[66+g/4]>>(g%4*2)&3)<<8
		db := d * (0.5 + float32(s[74+g/4]>>(g/2%2*4)&15)) * 0.25
		grid8((*[8]float32)(y[g*8:]), db, gridIQ2S[index], s[34+g])
	}
	return ok
}

// iq3xxs is d f16, 64 grid indices, then for each 32 values four 7-bit sign indices and a 4-bit scale.
func iq3xxs(dst []float32, src []byte) bool {
	y, s := (*[256]float32)(dst), (*[98]byte)(src)
	d, ok := scaleAt(s[:])
	for sub := range 8 {
		high := binary.LittleEndian.Uint32(s[66+sub*4:])
		db := d * (0.5 + float32(high>>28)) * 0.5
		for g := range 4 {
			q := s[2+sub*8+g*2:][:2]
			row := uint64(gridIQ3XXS[q[0]]) | uint64(gridIQ3XXS[q[1]])<<32
			grid8((*[8]float32)(y[sub*32+g*8:]), db, row, ksigns[high>>(7*g)&127])
		}
	}
	return ok
}

// iq3s is d f16, 64 low bytes of grid indices, 64 ninth bits, 32 bytes of signs, a 4-bit scale for each 32 values.
func iq3s(dst []float32, src []byte) bool {
	y, s := (*[256]float32)(dst), (*[110]byte)(src)
	d, ok := scaleAt(s[:])
	for g := range 32 {
		db := d * float32(1+2*(s[106+g/8]>>(g/4%2*4)&15))
		q, high := s[2+g*2:][:2], uint16(s[66+g/4]>>(g%4*2))
		row := uint64(gridIQ3S[uint16(q[0])|high&1<<8]) | uint64(gridIQ3S[uint16(q[1])|high>>1&1<<8])<<32
		grid8((*[8]float32)(y[g*8:]), db, row, s[74+g])
	}
	return ok
}

// ternary8 writes d·(g + delta) for the eight signed bytes g of a grid row.
func ternary8(y *[8]float32, d, delta float32, row uint64) {
	for i := range y {
		y[i] = d * (float32(int8(row)) + delta)
		row >>= 8
	}
}

// iq1s is d f16, 32 low bytes of grid indices, then for each 32 values a word: four times three high bits, a 3-bit
// scale, the sign of delta.
func iq1s(dst []float32, src []byte) bool {
	y, s := (*[256]float32)(dst), (*[50]byte)(src)
	d, ok := scaleAt(s[:])
	for sub := range 8 {
		high := binary.LittleEndian.Uint16(s[34+sub*2:])
		dl, delta := d*float32(2*(high>>12&7)+1), float32(0.125)
		if high&0x8000 != 0 {
			delta = -delta
		}
		for g := range 4 {
			index := uint16(s[2+sub*4+g]) | high>>(3*g)&7<<8
			ternary8((*[8]float32)(y[sub*32+g*8:]), dl, delta, gridIQ1S[index])
		}
	}
	return ok
}

// iq1m is 32 low bytes of grid indices, 32 nibbles of three high bits and the sign of delta, then four words of four
// 3-bit scales, whose upper nibbles together are d f16.
func iq1m(dst []float32, src []byte) bool {
	y, s := (*[256]float32)(dst), (*[56]byte)(src)
	word := func(i int) uint16 { return binary.LittleEndian.Uint16(s[48+i*2:]) }
	bits := word(0)>>12 | word(1)>>8&0x00f0 | word(2)>>4&0x0f00 | word(3)&0xf000
	d := half(bits)
	for g := range 32 {
		dl := d * float32(2*(word(g/8)>>(g/2%4*3)&7)+1)
		high, delta := s[32+g/2]>>(g%2*4), float32(0.125)
		if high&8 != 0 {
			delta = -delta
		}
		ternary8((*[8]float32)(y[g*8:]), dl, delta, gridIQ1S[uint16(s[g])|uint16(high&7)<<8])
	}
	return bits&0x7c00 != 0x7c00
}

// iq4values are the sixteen values of IQ4_NL and IQ4_XS.
var iq4values = [16]float32{-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113}

// iq4nl is d f16, 16 bytes of nibbles.
func iq4nl(dst []float32, src []byte) bool {
	y, s := (*[32]float32)(dst), (*[18]byte)(src)
	d, ok := scaleAt(s[:])
	for i, b := range s[2:] {
		y[i], y[i+16] = d*iq4values[b&15], d*iq4values[b>>4]
	}
	return ok
}

// iq4xs is d f16, 8 high bit pairs and 8 low nibbles of scales, 128 bytes of nibbles.
func iq4xs(dst []float32, src []byte) bool {
	y, s := (*[256]float32)(dst), (*[136]byte)(src)
	d, ok := scaleAt(s[:])
	high := binary.LittleEndian.Uint16(s[2:])
	for sub := range 8 {
		low := s[4+sub/2] >> (sub % 2 * 4) & 15
		dl := d * float32(int(low|byte(high>>(2*sub)&3)<<4)-32)
		out := (*[32]float32)(y[sub*32:])
		for i, b := range s[8+sub*16:][:16] {
			out[i], out[i+16] = dl*iq4values[b&15], dl*iq4values[b>>4]
		}
	}
	return ok
}
