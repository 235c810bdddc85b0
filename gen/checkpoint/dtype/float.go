package dtype

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// decodeF64 rounds to the nearest float32.
func decodeF64(dst []float32, src []byte) int {
	for i := range dst {
		v := math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:]))
		dst[i] = float32(v)
		if math.IsInf(float64(dst[i]), 0) && !math.IsInf(v, 0) {
			return i
		}
	}
	return -1
}

// littleEndian says that float32 values lie in memory as they do in the files.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// Bytes returns the memory of x if a file holds F32 values in the same byte order, so that they can be read in place;
// otherwise nil.
func Bytes(x []float32) []byte {
	if !littleEndian || len(x) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), 4*len(x))
}

func decodeF32(dst []float32, src []byte) int {
	if memory := Bytes(dst); memory != nil {
		copy(memory, src)
		return -1
	}
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
	return -1
}

// decodeBF16 takes four values at a time: a bfloat16 is the upper half of a float32.
func decodeBF16(dst []float32, src []byte) int {
	for len(dst) >= 4 && len(src) >= 8 {
		w := binary.LittleEndian.Uint64(src)
		dst[0] = math.Float32frombits(uint32(w) << 16)
		dst[1] = math.Float32frombits(uint32(w) & 0xffff0000)
		dst[2] = math.Float32frombits(uint32(w>>32) << 16)
		dst[3] = math.Float32frombits(uint32(w>>32) & 0xffff0000)
		dst, src = dst[4:], src[8:]
	}
	for i := range dst {
		dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
	}
	return -1
}

// decodeF16 takes four values at a time.
func decodeF16(dst []float32, src []byte) int {
	for len(dst) >= 4 && len(src) >= 8 {
		w := binary.LittleEndian.Uint64(src)
		dst[0] = half(uint16(w))
		dst[1] = half(uint16(w >> 16))
		dst[2] = half(uint16(w >> 32))
		dst[3] = half(uint16(w >> 48))
		dst, src = dst[4:], src[8:]
	}
	for i := range dst {
		dst[i] = half(binary.LittleEndian.Uint16(src[2*i:]))
	}
	return -1
}

// half widens an IEEE 754 half-precision number. It is small enough to be inlined.
func half(h uint16) float32 {
	if e := h & 0x7c00; e != 0 && e != 0x7c00 {
		return math.Float32frombits(uint32(h&0x8000)<<16 | uint32(h&0x7fff)<<13 + 112<<23)
	}
	return halfRare(h)
}

// halfRare widens zeros, subnormal numbers, infinities and NaN.
func halfRare(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	if h&0x7c00 == 0x7c00 {
		return math.Float32frombits(sign | 0x7f800000 | uint32(h&0x3ff)<<13)
	}
	return math.Float32frombits(sign | math.Float32bits(float32(h&0x3ff)*0x1p-24))
}

// scaleAt reads the half-precision scale of a block and reports whether it is finite.
func scaleAt(src []byte) (float32, bool) {
	h := binary.LittleEndian.Uint16(src)
	return half(h), h&0x7c00 != 0x7c00
}

// decodeBytes makes the decoder of a format of one byte from its 256 values.
func decodeBytes(values *[256]float32) func(dst []float32, src []byte) int {
	return func(dst []float32, src []byte) int {
		for i, b := range src[:len(dst)] {
			dst[i] = values[b]
		}
		return -1
	}
}

// e4m3 and e5m2 are the values of the 8-bit formats of "FP8 formats for deep learning" (arXiv:2209.05433): E4M3 has no
// infinity and one NaN a sign, E5M2 is the upper half of half precision.
var e4m3, e5m2 = fp8()

func fp8() (e4, e5 [256]float32) {
	for b := range 256 {
		e5[b] = half(uint16(b) << 8)
		exponent, fraction := b>>3&15, float64(b&7)
		v := math.Ldexp(1+fraction/8, exponent-7)
		switch {
		case exponent == 0:
			v = math.Ldexp(fraction, -9)
		case b&0x7f == 0x7f:
			v = math.NaN()
		}
		if b >= 128 {
			v = math.Copysign(v, -1)
		}
		e4[b] = float32(v)
	}
	return e4, e5
}
