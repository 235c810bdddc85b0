package dtype

import "math"

// The 4-bit float formats: E2M1 values under a scale of one byte. Source: ggml-quants.c, quants.py of gguf-py and the
// OCP Microscaling Formats specification 1.0.

// e2m1 are the values of E2M1, doubled so that they are integers; the scales are halved. Minus zero is zero.
var e2m1 = [16]float32{0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12}

// mxfp4 is scale E8M0, 16 bytes of nibbles. Scale 255 is NaN; so is a scale that takes a value out of range.
func mxfp4(dst []float32, src []byte) bool {
	y, s := (*[32]float32)(dst), (*[17]byte)(src)
	d := math.Float32frombits(0x00200000 << s[0]) // half of 2^(e-127), subnormal
	if s[0] >= 2 {
		d = math.Float32frombits(uint32(s[0]-1) << 23)
	}
	ok := s[0] != 255
	for i, b := range s[1:] {
		y[i], y[i+16] = d*e2m1[b&15], d*e2m1[b>>4]
		ok = ok && finite(y[i]) && finite(y[i+16])
	}
	return ok
}

func finite(v float32) bool { return math.Float32bits(v)&0x7f800000 != 0x7f800000 }

// ue4m3 are the values of unsigned E4M3, halved; as in ggml, NaN (0x7f) counts as zero and the sign bit is ignored
// except there.
var ue4m3 = func() (values [256]float32) {
	for b := range values {
		if b != 0x7f {
			values[b] = float32(math.Abs(float64(e4m3[b]))) / 2
		}
	}
	values[0xff] = 240
	return values
}()

// nvfp4 is four scales UE4M3, then 8 bytes of nibbles for each 16 values.
func nvfp4(dst []float32, src []byte) bool {
	y, s := (*[64]float32)(dst), (*[36]byte)(src)
	for sub := range 4 {
		d := ue4m3[s[sub]]
		for i, b := range s[4+sub*8:][:8] {
			y[sub*16+i], y[sub*16+i+8] = d*e2m1[b&15], d*e2m1[b>>4]
		}
	}
	return true
}
