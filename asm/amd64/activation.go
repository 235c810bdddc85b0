package amd64

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/tfgen/tfgen/asm/kernel"
)

// An activation writes what it needs once before the loops and returns the
// function that writes y = f(x) for one vector. x is kept.
type activation func(f *function) func(x reg.VecVirtual) reg.VecVirtual

var activations = map[string]activation{
	"silu":       silu,
	"gelu":       gelu,
	"gelu_10":    gelu10,
	"gelu_tanh":  geluTanh,
	"quick_gelu": quickGELU,
	"hard_swish": hardSwish,
	"laplace":    laplace,
	"leaky_relu": leakyReLU,
	"linear":     linear,
	"mish":       mish,
	"relu":       relu,
	"relu2":      relu2,
	"relu6":      relu6,
	"sigmoid":    sigmoid,
	"softplus":   softplus,
	"tanh":       tanhActivation,
}

// activationUnroll is the number of vectors that go through an activation side
// by side; more do not fit 16 registers.
const activationUnroll = 2

// act writes y = f(x).
func act(f *function, k kernel.Kernel) {
	d := k.D[0]
	y, ldy, x, ldx, rows := f.arg("y"), f.stride("ldy", 4), f.arg("x"), f.stride("ldx", 4), f.arg("rows")
	tail := f.tailMask(d)
	apply := activations[k.S](f)
	f.eachRow(rows, []reg.GPVirtual{y, x}, []reg.GPVirtual{ldy, ldx}, func() {
		f.columns("column", d, activationUnroll, tail, func(c column) {
			v := f.vec()
			f.load(c.address(x), v, c.mask)
			f.store(apply(v), c.address(y), c.mask)
		})
	})
}

// glu writes y = f(x) · u.
func glu(f *function, k kernel.Kernel) {
	d := k.D[0]
	y, ldy, x, ldx, u, ldu := f.arg("y"), f.stride("ldy", 4), f.arg("x"), f.stride("ldx", 4), f.arg("u"), f.stride("ldu", 4)
	rows := f.arg("rows")
	tail := f.tailMask(d)
	apply := activations[k.S](f)
	f.eachRow(rows, []reg.GPVirtual{y, x, u}, []reg.GPVirtual{ldy, ldx, ldu}, func() {
		f.columns("column", d, activationUnroll, tail, func(c column) {
			v, w := f.vec(), f.vec()
			f.load(c.address(x), v, c.mask)
			r := apply(v)
			f.load(c.address(u), w, c.mask)
			f.mul(w, r, r)
			f.store(r, c.address(y), c.mask)
		})
	})
}

// relu is max(x, 0); a NaN stays.
func relu(f *function) func(x reg.VecVirtual) reg.VecVirtual {
	zero := f.vec()
	f.zero(zero)
	return func(x reg.VecVirtual) reg.VecVirtual {
		y := f.vec()
		f.max(x, zero, y)
		return y
	}
}

// relu2 is max(x, 0)².
func relu2(f *function) func(x reg.VecVirtual) reg.VecVirtual {
	positive := relu(f)
	return func(x reg.VecVirtual) reg.VecVirtual {
		y := positive(x)
		f.mul(y, y, y)
		return y
	}
}

// minusAbs returns −|x|.
func (f *function) minusAbs(x reg.VecVirtual) reg.VecVirtual {
	v := f.vec()
	f.or(f.word("signBit", 1<<31), x, v)
	return v
}

// bySign returns negative where the sign bit of x is set, else positive.
func (f *function) bySign(x, negative, positive reg.VecVirtual) reg.VecVirtual {
	d := f.vec()
	if f.isa == AVX512 {
		k := f.K()
		f.VPMOVD2M(x, k)
		f.VBLENDMPS(negative, positive, k, d)
		return d
	}
	f.VBLENDVPS(x, negative, positive, d)
	return d
}

// sigmoid is 1/(1 + e) for x ≥ 0 and e/(1 + e) for x < 0 with e = e^−|x|: no
// overflow, and full accuracy in both tails.
func sigmoid(f *function) func(x reg.VecVirtual) reg.VecVirtual {
	lowest := f.broadcast(f.float("lowestExponent", lowestExponent))
	one := f.broadcast(f.float("one", 1))
	return func(x reg.VecVirtual) reg.VecVirtual {
		a := f.minusAbs(x)
		f.max(a, lowest, a)
		p, n := f.exponential(a, nil)
		f.times(n, p, p)
		y := f.bySign(x, p, one)
		f.add(one, p, p)
		f.div(p, y, y)
		return y
	}
}

// silu is x times the sigmoid of x.
func silu(f *function) func(x reg.VecVirtual) reg.VecVirtual {
	clamp := f.clamp("silu", 110)
	return func(x reg.VecVirtual) reg.VecVirtual {
		b := clamp(x)
		return f.weighBySigmoid(x, b, b, nil)
	}
}

// quickGELU is x times the sigmoid of 1.702·x, which is kept as a sum of two
// float32: an error of the argument is a relative error of the tail.
func quickGELU(f *function) func(x reg.VecVirtual) reg.VecVirtual {
	const c = 1.702
	hi := float64(float32(c))
	clamp := f.clamp("quickGELU", 64)
	return func(x reg.VecVirtual) reg.VecVirtual {
		b, v, low := clamp(x), f.vec(), f.vec()
		slope := f.broadcast(f.float("quickGELUSlope", hi))
		f.mul(slope, b, v)
		f.copy(v, low)
		f.VFMSUB231PS(slope, b, low)
		f.fma(f.float("quickGELUSlopeLow", c-hi), b, low)
		return f.weighBySigmoid(x, b, v, low)
	}
}

// geluTanh is x/2·(1 + tanh u) = x times the sigmoid of 2u, with 2u = x·(c₁ +
// c₃·x²). 2u is kept as a sum of two float32: an error of the argument is a
// relative error of the negative tail.
func geluTanh(f *function) func(x reg.VecVirtual) reg.VecVirtual {
	c1 := 2 * math.Sqrt2 / math.SqrtPi
	c3 := 0.044715 * c1
	c1Hi, c3Hi := float64(float32(c1)), float64(float32(c3))
	clamp := f.clamp("geluTanh", 10.9)
	return func(x reg.VecVirtual) reg.VecVirtual {
		b := clamp(x)
		s, sLow := f.twoProduct(b, b)
		cubic := f.broadcast(f.float("geluTanhCubic", c3Hi))
		q, qLow := f.twoProduct(s, cubic)
		f.fma(cubic, sLow, qLow)
		f.fma(f.float("geluTanhCubicLow", c3-c3Hi), s, qLow)
		w, wLow := f.twoSum(q, f.broadcast(f.float("geluTanhLinear", c1Hi)))
		f.add(qLow, wLow, wLow)
		f.add(f.float("geluTanhLinearLow", c1-c1Hi), wLow, wLow)
		v, low := f.twoProduct(b, w)
		f.fma(wLow, b, low)
		return f.weighBySigmoid(x, b, v, low)
	}
}

// twoProduct returns a·b as the rounded product and its error. Dekker 1971, with a
// fused multiply-add.
func (f *function) twoProduct(a, b reg.VecVirtual) (hi, low reg.VecVirtual) {
	hi, low = f.vec(), f.vec()
	f.mul(a, b, hi)
	f.copy(hi, low)
	f.VFMSUB231PS(a, b, low)
	return hi, low
}

// twoSum returns a + b as the rounded sum and its error. Knuth's TwoSum.
func (f *function) twoSum(a, b reg.VecVirtual) (hi, low reg.VecVirtual) {
	hi, low = f.vec(), f.vec()
	f.add(a, b, hi)
	t := f.vec()
	f.sub(a, hi, t)  // the part of hi that came from b
	f.sub(t, b, low) // lost of b
	f.sub(t, hi, t)  // the part that came from a
	f.sub(t, a, t)   // lost of a
	f.add(t, low, low)
	return hi, low
}

// clamp returns the function that limits x to ±limit; a NaN stays.
func (f *function) clamp(name string, limit float64) func(x reg.VecVirtual) reg.VecVirtual {
	lowest := f.broadcast(f.float(name+"Lowest", -limit))
	highest := f.broadcast(f.float(name+"Highest", limit))
	return func(x reg.VecVirtual) reg.VecVirtual {
		b := f.vec()
		f.max(x, lowest, b)
		f.min(b, highest, b)
		return b
	}
}

// weighBySigmoid returns x / (1 + e^−(v + low)). With e = e^−|v+low| that is
// x/(1 + e) for v ≥ 0 and x·e/(1 + e) for v < 0. bounded is x limited to where
// the result is not 0 yet, and |v| is at most −lowestExponent. The power of two
// is multiplied last, so that tails are accurate down to the smallest numbers.
func (f *function) weighBySigmoid(x, bounded, v, low reg.VecVirtual) reg.VecVirtual {
	a := f.minusAbs(v)
	if low != nil { // −|v + low|: low changes its sign where v ≥ 0
		flip := f.vec()
		f.VANDNPS(f.signBits(), v, flip)
		f.VXORPS(flip, low, low)
	}
	p, n := f.exponential(a, low)
	negative := f.vec()
	f.mul(bounded, p, negative)
	f.times(n, negative, negative)
	f.times(n, p, p)
	y := f.bySign(x, negative, x)
	f.add(f.float("one", 1), p, p)
	f.div(p, y, y)
	return y
}

// signBits is a vector of sign bits: a register, or memory for AVX2.
func (f *function) signBits() operand.Op {
	c := f.word("signBit", 1<<31)
	if f.isa == AVX512 {
		return f.broadcast(c)
	}
	return c.Mem
}

// tanhTerms are the coefficients of x², x⁴ … in tanh(x)/x on |x| < 0.625; the
// term 1 comes before. Least squares in Chebyshev nodes for the relative error,
// which is below 5e-9.
var tanhTerms = []float64{-0.3333328, 0.13331386, -0.05373383, 0.020616846, -0.0056774197}

// tanhActivation is the activation of f.tanh.
func tanhActivation(f *function) func(x reg.VecVirtual) reg.VecVirtual {
	lowest := f.broadcast(f.float("lowestExponent", lowestExponent))
	return func(x reg.VecVirtual) reg.VecVirtual { return f.tanh(x, lowest) }
}

// tanh returns 1 − 2e/(1 + e) with e = e^−2|x| and the sign of x, or x + x³·P(x²)
// for |x| < 0.625. lowest holds lowestExponent.
func (f *function) tanh(x, lowest reg.VecVirtual) reg.VecVirtual {
	abs := f.minusAbs(x)
	a := f.vec()
	f.add(abs, abs, a)
	f.max(a, lowest, a)
	e, n := f.exponential(a, nil)
	f.times(n, e, e)
	den, large := f.vec(), f.broadcast(f.float("one", 1))
	f.add(large, e, den)
	f.add(e, e, e)
	f.div(den, e, e)
	f.sub(e, large, large)
	sign := f.vec()
	f.and(f.word("signBit", 1<<31), x, sign)
	f.or(sign, large, large)

	square, small := f.vec(), f.vec()
	f.mul(x, x, square)
	p := f.polynomial("tanh", tanhTerms, square)
	f.mul(x, square, small)
	f.VFMADD213PS(x, p, small)
	return f.where(abs, f.float("tanhSmall", -0.625), small, large)
}

// log1pTerms are the coefficients of s⁰, s², s⁴ … in 2·artanh(s)/s, which is ln(1 + z)/s for s = z/(2 + z). With z ≤ 1 the
// terms that are left out are below 3e-9.
var log1pTerms = []float64{2, 2. / 3, 2. / 5, 2. / 7, 2. / 9, 2. / 11, 2. / 13, 2. / 15}

// softplus is max(x, 0) + ln(1 + e^−|x|).
func softplus(f *function) func(x reg.VecVirtual) reg.VecVirtual {
	lowest := f.broadcast(f.float("lowestExponent", lowestExponent))
	return func(x reg.VecVirtual) reg.VecVirtual {
		a := f.minusAbs(x)
		f.max(a, lowest, a)
		z, n := f.exponential(a, nil)
		f.times(n, z, z)
		s, square, top := f.vec(), f.vec(), f.vec()
		f.add(f.float("two", 2), z, s)
		f.div(s, z, s)
		f.mul(s, s, square)
		p := f.polynomial("log1p", log1pTerms, square)
		f.zero(top)
		f.max(x, top, top)
		f.fma(p, s, top)
		return top
	}
}

// where returns yes in lanes with v > bound and no in the others.
func (f *function) where(v reg.VecVirtual, bound constant, yes, no reg.VecVirtual) reg.VecVirtual {
	const greater = 0x1e // GT_OQ: false for NaN
	d := f.vec()
	if f.isa == AVX512 {
		k := f.K()
		f.VCMPPS_BCST(operand.U8(greater), bound.Mem, v, k)
		f.VBLENDMPS(yes, no, k, d)
		return d
	}
	m := f.vec()
	f.VCMPPS(operand.U8(greater), bound.Mem, v, m)
	f.VBLENDVPS(m, yes, no, d)
	return d
}

// geluTail bounds |x| in gelu: e^(−14.5²/2)·14.5 is 0 in float32.
const geluTail = 14.5

// geluTerms are the coefficients of s⁰, s¹ … in (a + 4)·e^(a²/2)·Φ(−a) on
// 0 ≤ a ≤ 15, with s = (a − 4)/(a + 4). Least squares in Chebyshev nodes for the
// relative error, which is below 3e-8.
var geluTerms = []float64{0.75528514, -0.60789657, 0.3871368, -0.18652394, 0.06040371,
	-0.007522436, -0.0035084463, 0.0015666747, 0.0001700798, -0.00013647656}

// gelu is x·Φ(x). With a = |x|, E = e^(−a²/2) and G(a) = Φ(−a)/E, a smooth
// function, that is x·(1 − E·G) for x ≥ 0 and x·G·E for x < 0. a²/2 is kept as a
// sum of two float32: an error of it is a relative error of the tail.
func gelu(f *function) func(x reg.VecVirtual) reg.VecVirtual {
	tail := f.broadcast(f.float("geluTail", -geluTail))
	return func(x reg.VecVirtual) reg.VecVirtual {
		abs := f.minusAbs(x)
		f.max(abs, tail, abs)
		g, rest := f.geluRatio(abs)
		half := f.vec()
		f.mul(f.float("half", 0.5), abs, half)
		flip := f.vec()
		f.VXORPS(f.signBits(), abs, flip)
		square, low := f.twoProduct(half, flip)
		f.add(rest, low, low) // e^rest = 1 + rest
		p, n := f.exponential(square, low)
		eg, negative := f.vec(), f.vec()
		f.mul(g, p, eg)
		bounded := f.vec()
		f.max(x, tail, bounded)
		f.mul(bounded, eg, negative)
		f.times(n, negative, negative)
		f.times(n, eg, eg)
		positive := f.broadcast(f.float("one", 1))
		f.sub(eg, positive, positive)
		f.mul(x, positive, positive)
		return f.bySign(x, negative, positive)
	}
}

// geluRatio returns G(a) = e^(a²/2)·Φ(−a) as g·(1 + rest), given −a. rest is what
// rounding has taken from 1/(a + 4).
func (f *function) geluRatio(minusA reg.VecVirtual) (g, rest reg.VecVirtual) {
	four, rest := f.broadcast(f.float("four", 4)), f.broadcast(f.float("one", 1))
	den, lost, inv := f.vec(), f.vec(), f.vec()
	f.sub(minusA, four, den)
	f.div(den, rest, inv)
	f.sub(den, four, lost)
	f.sub(minusA, lost, lost) // a + 4 is den + lost
	f.fnma(den, inv, rest)    // 1 − den·inv
	f.fnma(lost, inv, rest)   // 1/(a + 4) is inv·(1 + this)
	s, eighth := f.vec(), f.vec()
	f.mul(f.float("eight", 8), inv, eighth)
	f.sub(f.float("one", 1), eighth, s)
	f.fma(rest, eighth, s) // (4 − a)/(4 + a)
	flipped := make([]float64, len(geluTerms))
	for i, c := range geluTerms {
		flipped[i] = c * float64(1-2*(i%2))
	}
	g = f.polynomial("gelu", flipped, s)
	f.mul(inv, g, g)
	return g, rest
}
