package amd64

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// lowestExponent bounds arguments of the exponential from below: e^−110 is 0 in
// float32 (the smallest positive value is e^−103.28), also when multiplied by
// the arguments of activations.
const lowestExponent = -110

// expTerms are the coefficients of r², r³ … in e^r on |r| ≤ ln2/2; the terms
// 1 + r come before. Least squares in Chebyshev nodes for the relative error,
// which is below 4e-9.
var expTerms = []float64{0.49999988, 0.16666518, 0.04166965, 0.008368947, 0.0013745326}

// A power is 2^n for an integer −160 < n ≤ 0 in each lane, ready to multiply
// with: the exponent itself for AVX-512, 2^(n+64) for AVX2, so that the factor
// is a normal number and a product is rounded once.
type power struct{ v reg.VecVirtual }

// exponential returns p and 2^n with e^(a + low) = p · 2^n for lanes of a ≤ 0
// that are at least lowestExponent. low is a small correction that is
// overwritten, or nil. a = 0 gives exactly 1.
func (f *function) exponential(a, low reg.VecVirtual) (p reg.VecVirtual, scale power) {
	r, scale := f.reduce(a, low)
	return f.polynomial("exp", append([]float64{1, 1}, expTerms...), r), scale
}

// reduce returns r = a + low − n·ln2, |r| ≤ ln2/2, and 2^n with n = ⌊a/ln2⌉, for
// a low that may be nil. Cody and Waite 1980.
func (f *function) reduce(a, low reg.VecVirtual) (r reg.VecVirtual, scale power) {
	n, scale := f.exponent(a)
	r = f.vec()
	f.copy(a, r)
	hi := float64(float32(math.Ln2))
	f.fnma(f.float("ln2", hi), n, r)
	rest := f.float("ln2Low", math.Ln2-hi)
	if low == nil {
		f.fnma(rest, n, r)
		return r, scale
	}
	f.fnma(rest, n, low)
	f.add(low, r, r)
	return r, scale
}

// exponent returns n = ⌊a/ln2⌉ and 2^n. AVX2 adds a number so large that the last
// place of the sum is 1: its low bits are n plus a bias, ready to be shifted to
// where the exponent of 2^(n+64) is.
func (f *function) exponent(a reg.VecVirtual) (n reg.VecVirtual, scale power) {
	log2e := f.float("log2e", math.Log2E)
	if f.isa == AVX512 {
		n = f.vec()
		f.mul(log2e, a, n)
		f.VRNDSCALEPS(operand.U8(0), n, n)
		return n, power{n}
	}
	const magic = 3<<22 + 127 + 64
	t := f.broadcast(f.float("roundToInteger", magic))
	f.fma(log2e, a, t)
	n = f.vec()
	f.sub(f.float("roundToInteger", magic), t, n)
	f.VPSLLD(operand.U8(23), t, t)
	return n, power{t}
}

// times computes d = v · 2^n.
func (f *function) times(s power, v, d reg.VecVirtual) {
	if f.isa == AVX512 {
		f.VSCALEFPS(s.v, v, d)
		return
	}
	f.mul(s.v, v, d)
	f.mul(f.float("twoToMinus64", 0x1p-64), d, d)
}

// polynomial returns Σ c[i]·x^i by Horner's rule. The constants of the file are
// called name0, name1 … from the highest power down.
func (f *function) polynomial(name string, c []float64, x reg.VecVirtual) reg.VecVirtual {
	last := len(c) - 1
	p := f.broadcast(f.float(name+"0", c[last]))
	for i := last - 1; i >= 0; i-- {
		f.horner(f.float(fmt.Sprintf("%s%d", name, last-i), c[i]), x, p)
	}
	return p
}
