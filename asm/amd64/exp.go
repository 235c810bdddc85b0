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

// A power is 2^n for an integer n ≤ 0 in each lane, ready to multiply with: the
// exponent for AVX-512, two factors for AVX2, so that 2^n itself need not be a
// normal number and a product is rounded once.
type power struct {
	exponent    reg.VecVirtual
	first, last reg.VecVirtual
}

// exponential returns p and 2^n with e^(a + low) = p · 2^n for lanes of a ≤ 0
// that are at least lowestExponent. low is a small correction that is
// overwritten, or nil. a = 0 gives exactly 1.
func (f *function) exponential(a, low reg.VecVirtual) (p reg.VecVirtual, scale power) {
	r, n := f.reduce(a, low)
	return f.polynomial("exp", append([]float64{1, 1}, expTerms...), r), f.power(n)
}

// reduce returns n = ⌊a/ln2⌉ and r = a + low − n·ln2, |r| ≤ ln2/2, for a low
// that may be nil. Cody and Waite 1980.
func (f *function) reduce(a, low reg.VecVirtual) (r, n reg.VecVirtual) {
	n, r = f.vec(), f.vec()
	f.mul(f.float("log2e", math.Log2E), a, n)
	f.round(n)
	f.copy(a, r)
	hi := float64(float32(math.Ln2))
	f.fnma(f.float("ln2", hi), n, r)
	rest := f.float("ln2Low", math.Ln2-hi)
	if low == nil {
		f.fnma(rest, n, r)
		return r, n
	}
	f.fnma(rest, n, low)
	f.add(low, r, r)
	return r, n
}

// round rounds lanes to the nearest integer, ties to even.
func (f *function) round(v reg.VecVirtual) {
	if f.isa == AVX512 {
		f.VRNDSCALEPS(operand.U8(0), v, v)
		return
	}
	f.VROUNDPS(operand.U8(0), v, v)
}

// power prepares 2^n for integers n in float32 lanes.
func (f *function) power(n reg.VecVirtual) power {
	if f.isa == AVX512 {
		return power{exponent: n}
	}
	s := power{first: f.vec(), last: f.vec()}
	f.VCVTPS2DQ(n, s.last)
	f.VPSRAD(operand.U8(1), s.last, s.first)
	f.VPSUBD(s.first, s.last, s.last)
	for _, v := range []reg.VecVirtual{s.first, s.last} {
		f.VPADDD(f.word("exponentBias", 127).Mem, v, v)
		f.VPSLLD(operand.U8(23), v, v)
	}
	return s
}

// times computes d = v · 2^n.
func (f *function) times(s power, v, d reg.VecVirtual) {
	if f.isa == AVX512 {
		f.VSCALEFPS(s.exponent, v, d)
		return
	}
	f.mul(s.first, v, d)
	f.mul(s.last, d, d)
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
