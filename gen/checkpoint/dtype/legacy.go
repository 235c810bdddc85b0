package dtype

import "encoding/binary"

// The formats with one scale (and one offset) for 32 values. Layouts and the order of operations are those of
// dequantize_row_* in ggml-quants.c and of quants.py of gguf-py. A product that is added to something is rounded
// first (float32(…)): no fused multiply-add may change its bits.

// q40 is scale f16, 16 bytes of nibbles: (q - 8)·d.
func q40(dst []float32, src []byte) bool {
	y, s := (*[32]float32)(dst), (*[18]byte)(src)
	d, ok := scaleAt(s[:])
	for i, b := range s[2:] {
		y[i] = d * float32(int(b&15)-8)
		y[i+16] = d * float32(int(b>>4)-8)
	}
	return ok
}

// q41 is scale f16, offset f16, 16 bytes of nibbles: q·d + m.
func q41(dst []float32, src []byte) bool {
	y, s := (*[32]float32)(dst), (*[20]byte)(src)
	d, ok := scaleAt(s[:])
	m, finite := scaleAt(s[2:])
	for i, b := range s[4:] {
		y[i] = float32(d*float32(b&15)) + m
		y[i+16] = float32(d*float32(b>>4)) + m
	}
	return ok && finite
}

// q50 is scale f16, 32 fifth bits, 16 bytes of nibbles: (q - 16)·d.
func q50(dst []float32, src []byte) bool {
	y, s := (*[32]float32)(dst), (*[22]byte)(src)
	d, ok := scaleAt(s[:])
	high := binary.LittleEndian.Uint32(s[2:])
	for i, b := range s[6:] {
		y[i] = d * float32(int(uint32(b&15)|high>>i&1<<4)-16)
		y[i+16] = d * float32(int(uint32(b>>4)|high>>(i+16)&1<<4)-16)
	}
	return ok
}

// q51 is scale f16, offset f16, 32 fifth bits, 16 bytes of nibbles: q·d + m.
func q51(dst []float32, src []byte) bool {
	y, s := (*[32]float32)(dst), (*[24]byte)(src)
	d, ok := scaleAt(s[:])
	m, finite := scaleAt(s[2:])
	high := binary.LittleEndian.Uint32(s[4:])
	for i, b := range s[8:] {
		y[i] = float32(d*float32(uint32(b&15)|high>>i&1<<4)) + m
		y[i+16] = float32(d*float32(uint32(b>>4)|high>>(i+16)&1<<4)) + m
	}
	return ok && finite
}

// q80 is scale f16, 32 signed bytes: q·d.
func q80(dst []float32, src []byte) bool {
	y, s := (*[32]float32)(dst), (*[34]byte)(src)
	d, ok := scaleAt(s[:])
	for i, b := range s[2:] {
		y[i] = d * float32(int8(b))
	}
	return ok
}
