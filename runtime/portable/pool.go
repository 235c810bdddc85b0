package portable

import "math"

// MeanRows writes the mean of rows rows of d to y: mean pooling of the tokens
// of a text. Sums are taken in float64, in row order. No rows give zeros.
func MeanRows(y, x []float32, ldx, rows, d int) {
	for i := range d {
		sum := 0.0
		for r := range rows {
			sum += float64(x[r*ldx+i])
		}
		y[i] = 0
		if rows > 0 {
			y[i] = float32(sum / float64(rows))
		}
	}
}

// L2Normalize divides rows of d by max(‖row‖₂, eps), in place.
func L2Normalize(y []float32, ldy, rows, d int, eps float64) {
	for r := range rows {
		yr := y[r*ldy:][:d]
		sum := 0.0
		for _, v := range yr {
			sum += float64(v) * float64(v)
		}
		inv := 1 / max(math.Sqrt(sum), eps)
		for i, v := range yr {
			yr[i] = float32(float64(v) * inv)
		}
	}
}

// ArgMax returns the index of the first largest element, −1 for none. NaN is
// never the largest.
func ArgMax(x []float32) int {
	best, at := float32(math.Inf(-1)), -1
	for i, v := range x {
		if v > best || at < 0 && v == best {
			best, at = v, i
		}
	}
	return at
}
