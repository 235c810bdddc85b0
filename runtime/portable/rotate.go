package portable

import "math"

// maxRotated is the longest vector that is rotated.
const maxRotated = 1024

// Rotate multiplies the first n elements of each row with an orthogonal matrix that is its own inverse: a Walsh–Hadamard matrix of
// the largest power of two that divides n, over √ of it, for each such part. An element much larger than the others is then spread
// over its part, and a scale for all has finer steps (Ashkboos et al. 2024, QuaRot). Products of rotated vectors are those of the
// vectors. y may be x; what is longer than 1,024 is copied.
func Rotate(y []float32, ldy int, x []float32, ldx, rows, n int) {
	part := n & -n
	if n > maxRotated {
		part = 1
	}
	norm := float32(1 / math.Sqrt(float64(part)))
	for r := range rows {
		row := y[r*ldy:][:n]
		copy(row, x[r*ldx:][:n])
		if part == 1 {
			continue
		}
		for at := 0; at < n; at += part {
			hadamard(row[at:][:part])
		}
		for i, v := range row {
			row[i] = v * norm
		}
	}
}

// hadamard multiplies x, whose length is a power of two, with the Walsh–Hadamard matrix, whose elements are ±1.
func hadamard(x []float32) {
	step := 1
	if len(x)&0x55555555 == 0 { // an odd power: one step of two, then steps of four
		for i := 0; i < len(x); i += 2 {
			x[i], x[i+1] = x[i]+x[i+1], x[i]-x[i+1]
		}
		step = 2
	}
	for ; step < len(x); step *= 4 {
		for at := 0; at < len(x); at += 4 * step {
			a, b := x[at:][:step], x[at+step:][:step]
			c, d := x[at+2*step:][:step], x[at+3*step:][:step]
			for i := range a {
				s, t := a[i]+b[i], a[i]-b[i]
				u, v := c[i]+d[i], c[i]-d[i]
				a[i], b[i], c[i], d[i] = s+u, t+v, s-u, t-v
			}
		}
	}
}
