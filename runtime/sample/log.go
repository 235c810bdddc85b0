package sample

import "math"

// The functions of this file round every product and sum on its own, as exp
// does, so that all platforms give the same bits.

const (
	ln2High = 0x1.62e42fee00000p-1 // ln 2 in two parts; k·ln2High is exact
	ln2Low  = 0x1.a39ef35793c76p-33
)

// log returns the natural logarithm of a positive, finite x with an error below
// 1 unit in the last place (FreeBSD's e_log.c): x = 2ᵏ·(1+f), s = f/(2+f),
// log(1+f) = f − s·(f − R(s²)).
func log(x float64) float64 {
	m, k := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, k = m*2, k-1
	}
	f := m - 1
	s := f / (2 + f)
	z := s * s
	r := 0.0
	for _, c := range [...]float64{1.479819860511658591e-01, 1.531383769920937332e-01, 1.818357216161805012e-01,
		2.222219843214978396e-01, 2.857142874366239149e-01, 3.999999999940941908e-01, 6.666666666666735130e-01} {
		r = float64(float64(r*z) + c)
	}
	r = float64(r * z)
	half := float64(0.5 * float64(f*f))
	n := float64(k)
	return float64(n*ln2High) - float64(float64(half-float64(float64(s*float64(half+r))+float64(n*ln2Low)))-f)
}

// logOrInf returns log, and -Inf for 0.
func logOrInf(x float64) float64 {
	if x <= 0 {
		return math.Inf(-1)
	}
	return log(x)
}

// power returns x to the power of y for a positive x.
func power(x, y float64) float64 {
	e := float64(y * log(x))
	if e > 0 {
		return 1 / exp(-e)
	}
	return exp(e)
}

// powerInt returns x to the power of n ≥ 0 by repeated squaring.
func powerInt(x float64, n int) float64 {
	p := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			p = float64(p * x)
		}
		x = float64(x * x)
	}
	return p
}

// logSoftmax sets dst to the logarithms of the softmax of logits; it returns
// false if there is no softmax. The two may be the same slice.
func logSoftmax(dst, logits []float32) bool {
	top, ok := finiteMax(logits)
	if !ok {
		return false
	}
	total := 0.0
	for _, v := range logits {
		total += exp(float64(v) - float64(top))
	}
	shift := float64(top) + log(total)
	for i, v := range logits {
		dst[i] = float32(float64(v) - shift)
	}
	return true
}

// Gumbel makes a number from [0, 1) one of the Gumbel distribution. Where such
// numbers are added to log probabilities, the n largest sums are a sample of n
// without replacement (Vieira, Gumbel-max trick and weighted reservoir sampling,
// 2014).
func Gumbel(u float64) float64 {
	return -log(-log(max(u, 0x1p-54)))
}
