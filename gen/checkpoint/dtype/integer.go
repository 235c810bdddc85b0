package dtype

import "encoding/binary"

// i8 and u8 are the values of the integers of one byte.
var i8, u8 = bytes()

func bytes() (signed, unsigned [256]float32) {
	for b := range 256 {
		signed[b], unsigned[b] = float32(int8(b)), float32(b)
	}
	return signed, unsigned
}

func decodeBool(dst []float32, src []byte) int {
	for i, b := range src[:len(dst)] {
		if b > 1 {
			return i
		}
		dst[i] = float32(b)
	}
	return -1
}

func decodeI16(dst []float32, src []byte) int {
	for i := range dst {
		dst[i] = float32(int16(binary.LittleEndian.Uint16(src[2*i:])))
	}
	return -1
}

func decodeU16(dst []float32, src []byte) int {
	for i := range dst {
		dst[i] = float32(binary.LittleEndian.Uint16(src[2*i:]))
	}
	return -1
}

func decodeI32(dst []float32, src []byte) int {
	for i := range dst {
		v := int32(binary.LittleEndian.Uint32(src[4*i:]))
		if dst[i] = float32(v); float64(dst[i]) != float64(v) {
			return i
		}
	}
	return -1
}

func decodeU32(dst []float32, src []byte) int {
	for i := range dst {
		v := binary.LittleEndian.Uint32(src[4*i:])
		if dst[i] = float32(v); float64(dst[i]) != float64(v) {
			return i
		}
	}
	return -1
}

func decodeI64(dst []float32, src []byte) int {
	for i := range dst {
		v := int64(binary.LittleEndian.Uint64(src[8*i:]))
		if dst[i] = float32(v); dst[i] >= 0x1p63 || int64(dst[i]) != v {
			return i
		}
	}
	return -1
}

func decodeU64(dst []float32, src []byte) int {
	for i := range dst {
		v := binary.LittleEndian.Uint64(src[8*i:])
		if dst[i] = float32(v); dst[i] >= 0x1p64 || uint64(dst[i]) != v {
			return i
		}
	}
	return -1
}
