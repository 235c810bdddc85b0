package portable

import "math"

// ALiBi writes the biases of consecutive keys of one query: y[i] = slope·(first + i), where first is the position of
// the first key less that of the query. Press et al. 2022, Train Short, Test Long.
func ALiBi(y []float32, slope float64, first int) {
	for i := range y {
		y[i] = float32(slope * float64(first+i))
	}
}

// ALiBiBoth is ALiBi for keys on both sides of the query: y[i] = −slope·|first + i|.
func ALiBiBoth(y []float32, slope float64, first int) {
	for i := range y {
		y[i] = float32(-slope * math.Abs(float64(first+i)))
	}
}

// ALiBiBF16 is ALiBi as Falcon computes it: slope·position is rounded to bfloat16, positions too, and the differences
// to the query's are multiplied by factor. key is the position of the first key; slope is a bfloat16.
func ALiBiBF16(y []float32, slope, factor float64, key, query int) {
	at := bf16(slope * bf16(float64(query)))
	for i := range y {
		y[i] = float32(factor * (bf16(slope*bf16(float64(key+i))) - at))
	}
}

// bf16 rounds to the nearest bfloat16, ties to even.
func bf16(x float64) float64 {
	bits := math.Float32bits(float32(x))
	bits += 0x7fff + bits>>16&1
	return float64(math.Float32frombits(bits &^ 0xffff))
}
