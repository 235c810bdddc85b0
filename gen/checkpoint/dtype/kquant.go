package dtype

// The K formats: blocks of 256 values in sub-blocks whose small integer scales share one or two f16 scales. Source:
// ggml-quants.c and quants.py of gguf-py.

// q2k is 16 bytes of scale | offset nibbles, 64 bytes of 2-bit values, d f16, dmin f16: d·scale·q - dmin·offset.
func q2k(dst []float32, src []byte) bool {
	y, s := (*[256]float32)(dst), (*[84]byte)(src)
	d, ok := scaleAt(s[80:])
	dmin, finite := scaleAt(s[82:])
	for sub := range 16 {
		dl := d * float32(s[sub]&15)
		ml := dmin * float32(s[sub]>>4)
		shift := sub / 2 % 4 * 2
		for i, b := range s[16+sub/8*32+sub%2*16:][:16] {
			y[sub*16+i] = float32(dl*float32(b>>shift&3)) - ml
		}
	}
	return ok && finite
}

// q3k is 256 third bits, 64 bytes of 2-bit values, 16 scales of 6 bits, d f16: d·(scale - 32)·(q - 4).
func q3k(dst []float32, src []byte) bool {
	y, s := (*[256]float32)(dst), (*[110]byte)(src)
	d, ok := scaleAt(s[108:])
	for sub := range 16 {
		low := s[96+sub%8] >> (sub / 8 * 4) & 15
		high := s[104+sub%4] >> (sub / 4 * 2) & 3
		dl := d * float32(int(low|high<<4)-32)
		shift := sub / 2 % 4 * 2
		mask := s[sub%2*16:][:16]
		for i, b := range s[32+sub/8*32+sub%2*16:][:16] {
			third := int(mask[i] >> (sub / 2) & 1)
			y[sub*16+i] = dl * float32(int(b>>shift&3)+third<<2-4)
		}
	}
	return ok
}

// scaleMin unpacks the 6-bit scale and offset of sub-block 0 ≤ sub < 8 of Q4_K and Q5_K.
func scaleMin(s *[12]byte, sub int) (scale, offset float32) {
	if sub < 4 {
		return float32(s[sub] & 63), float32(s[sub+4] & 63)
	}
	return float32(s[sub+4]&15 | s[sub-4]>>2&0x30), float32(s[sub+4]>>4 | s[sub]>>2&0x30)
}

// q4k is d f16, dmin f16, 12 bytes of scales, 128 bytes of nibbles: d·scale·q - dmin·offset.
func q4k(dst []float32, src []byte) bool {
	y, s := (*[256]float32)(dst), (*[144]byte)(src)
	d, ok := scaleAt(s[:])
	dmin, finite := scaleAt(s[2:])
	for sub := range 8 {
		scale, offset := scaleMin((*[12]byte)(s[4:]), sub)
		dl, ml := d*scale, dmin*offset
		shift := sub % 2 * 4
		out := (*[32]float32)(y[sub*32:])
		for i, b := range s[16+sub/2*32:][:32] {
			out[i] = float32(dl*float32(b>>shift&15)) - ml
		}
	}
	return ok && finite
}

// q5k is d f16, dmin f16, 12 bytes of scales, 256 fifth bits, 128 bytes of nibbles: d·scale·q - dmin·offset.
func q5k(dst []float32, src []byte) bool {
	y, s := (*[256]float32)(dst), (*[176]byte)(src)
	d, ok := scaleAt(s[:])
	dmin, finite := scaleAt(s[2:])
	for sub := range 8 {
		scale, offset := scaleMin((*[12]byte)(s[4:]), sub)
		dl, ml := d*scale, dmin*offset
		shift := sub % 2 * 4
		out, high := (*[32]float32)(y[sub*32:]), (*[32]byte)(s[16:])
		for i, b := range s[48+sub/2*32:][:32] {
			out[i] = float32(dl*float32(b>>shift&15|high[i]>>sub&1<<4)) - ml
		}
	}
	return ok && finite
}

// q6k is 128 bytes of low nibbles, 64 bytes of high bit pairs, 16 signed scales, d f16: d·scale·(q - 32).
func q6k(dst []float32, src []byte) bool {
	y, s := (*[256]float32)(dst), (*[210]byte)(src)
	d, ok := scaleAt(s[208:])
	for sub := range 16 {
		dl := d * float32(int8(s[192+sub]))
		low := s[sub/8*64+sub%4*16:][:16]
		high := s[128+sub/8*32+sub%2*16:][:16]
		lowShift, highShift := sub/4%2*4, sub/2%4*2
		for i, b := range low {
			y[sub*16+i] = dl * float32(int(b>>lowShift&15|high[i]>>highShift&3<<4)-32)
		}
	}
	return ok
}
