package portable

import "math"

// Roots returns the n roots of unity e^(-2πik/n).
func Roots(n int) []complex128 {
	w := make([]complex128, n)
	FillRoots(w)
	return w
}

// FillRoots writes the len(w) roots of unity e^(-2πik/n).
func FillRoots(w []complex128) {
	for k := range w {
		sin, cos := math.Sincos(-2 * math.Pi * float64(k) / float64(len(w)))
		w[k] = complex(cos, sin)
	}
}

// dft transforms a of n elements in place, y[k] = Σ x[t]·e^(-2πikt/n), with work of the same length and the n roots of
// unity: Stockham's algorithm for any factors, decimation in frequency (Van Loan 1992, Computational Frameworks for the
// Fast Fourier Transform, 1.7).
func dft(a, work, roots []complex128) {
	n := len(a)
	x, y, stride := a, work[:n], 1
	for left := n; left > 1; {
		p := factor(left)
		left /= p
		pass(y, x, roots, p, left, stride)
		stride *= p
		x, y = y, x
	}
	if n > 0 && &x[0] != &a[0] {
		copy(a, x)
	}
}

// factor is the radix of the next pass over n elements: 4, or the smallest prime factor.
func factor(n int) int {
	if n%4 == 0 {
		return 4
	}
	for p := 2; p*p <= n; p++ {
		if n%p == 0 {
			return p
		}
	}
	return n
}

// pass does one radix-p pass: for each q < m the butterflies of the elements q, q+m, … of stride interleaved sequences.
func pass(y, x, roots []complex128, p, m, stride int) {
	if p == 4 {
		pass4(y, x, roots, m, stride)
		return
	}
	n := len(roots)
	for q := range m {
		for u := range p {
			twiddle := roots[q*u*stride]
			for r := range stride {
				sum := x[r+stride*q]
				for t, k := 1, 0; t < p; t++ {
					if k += u * (n / p); k >= n {
						k -= n
					}
					sum += x[r+stride*(q+m*t)] * roots[k]
				}
				y[r+stride*(p*q+u)] = sum * twiddle
			}
		}
	}
}

func pass4(y, x, roots []complex128, m, stride int) {
	for q := range m {
		w1, w2, w3 := roots[q*stride], roots[2*q*stride], roots[3*q*stride]
		from, to := x[stride*q:], y[4*stride*q:][:4*stride]
		for r := range stride {
			a, b, c, d := from[r], from[r+stride*m], from[r+2*stride*m], from[r+3*stride*m]
			even, odd := a+c, b+d
			less, more := a-c, b-d
			turned := complex(imag(more), -real(more)) // -i·(b - d)
			to[r], to[r+stride] = even+odd, (less+turned)*w1
			to[r+2*stride], to[r+3*stride] = (even-odd)*w2, (less-turned)*w3
		}
	}
}

// SpectrumRows writes the discrete Fourier transform of each of n rows x of d elements, without what follows from
// symmetry: the real parts of coefficients 0 … d/2, then their imaginary parts. a and work have d elements, roots are
// those of d.
func SpectrumRows(y []float32, ldy int, x []float32, ldx, n, d int, a, work, roots []complex128) {
	half := d/2 + 1
	for r := range n {
		for i, v := range x[r*ldx:][:d] {
			a[i] = complex(float64(v), 0)
		}
		dft(a[:d], work, roots)
		row := y[r*ldy:][:2*half]
		for i, v := range a[:half] {
			row[i], row[half+i] = float32(real(v)), float32(imag(v))
		}
	}
}

// SpectrumColumns writes the real part of the transform over the rows of a sequence of what SpectrumRows made, for
// coefficients from … to-1 of its d/2+1 and those that mirror them: with it the transform of [length, d] in both directions
// (Lee-Thorp et al. 2022, arXiv:2105.03824). a and work have length elements, roots are those of length.
func SpectrumColumns(y []float32, ldy int, x []float32, ldx, length, d, from, to int, a, work, roots []complex128) {
	half := d/2 + 1
	for k := from; k < to; k++ {
		for t := range length {
			a[t] = complex(float64(x[t*ldx+k]), float64(x[t*ldx+half+k]))
		}
		dft(a[:length], work, roots)
		for t, v := range a[:length] {
			y[t*ldy+k] = float32(real(v))
			if k > 0 && d-k >= half {
				y[(length-t)%length*ldy+d-k] = float32(real(v))
			}
		}
	}
}
