package dtype

// The ternary formats: 256 values of -1, 0, 1 and one f16 scale. Source: ggml-quants.c and quants.py of gguf-py.

// powers of three bring the digit wanted to the top of a byte (which wraps around).
var powers = [5]byte{1, 3, 9, 27, 81}

// tq10 is five digits to a byte in 32 and 16 bytes, four digits to a byte in 4 bytes, d f16.
func tq10(dst []float32, src []byte) bool {
	s := (*[54]byte)(src)
	d, ok := scaleAt(s[52:])
	for _, part := range [3]struct{ from, to, digits int }{{0, 32, 5}, {32, 48, 5}, {48, 52, 4}} {
		for _, p := range powers[:part.digits] {
			for i, b := range s[part.from:part.to] {
				dst[i] = d * float32(int(uint16(b*p)*3>>8)-1)
			}
			dst = dst[part.to-part.from:]
		}
	}
	return ok
}

// tq20 is 64 bytes of 2-bit values, d f16: (q - 1)·d.
func tq20(dst []float32, src []byte) bool {
	y, s := (*[256]float32)(dst), (*[66]byte)(src)
	d, ok := scaleAt(s[64:])
	for group := range 8 {
		shift := group % 4 * 2
		for i, b := range s[group/4*32:][:32] {
			y[group*32+i] = d * float32(int(b>>shift&3)-1)
		}
	}
	return ok
}
