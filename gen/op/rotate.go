package op

import "math"

// maxRotated is the longest head that caches of 8 bits rotate.
const maxRotated = 1024

// rotate multiplies each head of a row, in place, with Walsh–Hadamard matrices of the largest power of two that divides its width,
// over √ of it: an orthogonal matrix that is its own inverse.
func rotate(row []float64, width int) {
	part := width & -width
	if width > maxRotated {
		return
	}
	norm := 1 / math.Sqrt(float64(part))
	for at := 0; at < len(row); at += part {
		x := row[at : at+part]
		for step := 1; step < part; step *= 2 {
			for i := range x {
				if i&step == 0 {
					x[i], x[i+step] = x[i]+x[i+step], x[i]-x[i+step]
				}
			}
		}
		for i := range x {
			x[i] *= norm
		}
	}
}
