package amd64

import "github.com/mmcloughlin/avo/reg"

// The activations that few models have. Each is built like those of activation.go.

// linear is x.
func linear(f *function) func(x reg.VecVirtual) reg.VecVirtual {
	return func(x reg.VecVirtual) reg.VecVirtual {
		y := f.vec()
		f.copy(x, y)
		return y
	}
}

// relu6 is min(max(x, 0), 6); a NaN stays.
func relu6(f *function) func(x reg.VecVirtual) reg.VecVirtual {
	positive := relu(f)
	six := f.broadcast(f.float("six", 6))
	return func(x reg.VecVirtual) reg.VecVirtual {
		y := positive(x)
		f.min(y, six, y)
		return y
	}
}

// leakyReLU is max(x, 0.01·x); a NaN stays.
func leakyReLU(f *function) func(x reg.VecVirtual) reg.VecVirtual {
	return func(x reg.VecVirtual) reg.VecVirtual {
		y := f.vec()
		f.mul(f.float("leak", 0.01), x, y)
		f.max(x, y, y)
		return y
	}
}

// hardSwish is max(x, −3) · (min(max(x + 3, 0), 6) / 6): the bound keeps infinities from being multiplied by 0.
func hardSwish(f *function) func(x reg.VecVirtual) reg.VecVirtual {
	positive := relu6(f)
	lowest, six := f.broadcast(f.float("hardSwishLowest", -3)), f.broadcast(f.float("six", 6))
	return func(x reg.VecVirtual) reg.VecVirtual {
		y, gate := f.vec(), f.vec()
		f.sub(lowest, x, gate)
		gate = positive(gate)
		f.div(six, gate, gate)
		f.max(x, lowest, y)
		f.mul(gate, y, y)
		return y
	}
}

// gelu10 is gelu bounded by 10.
func gelu10(f *function) func(x reg.VecVirtual) reg.VecVirtual {
	unbounded := gelu(f)
	return func(x reg.VecVirtual) reg.VecVirtual {
		y, highest := unbounded(x), f.broadcast(f.float("gelu10Highest", 10))
		f.min(y, highest, y)
		return y
	}
}

// mish is x · tanh(ln(1 + e^x)). With e = e^−|x| that is x · (1 + 2e)/(1 + 2e + 2e²) for x ≥ 0 and x · e · (2 + e)/(2 + 2e +
// e²) for x < 0.
func mish(f *function) func(x reg.VecVirtual) reg.VecVirtual {
	clamp := f.clamp("mish", 110)
	return func(x reg.VecVirtual) reg.VecVirtual {
		b := clamp(x)
		p, n := f.exponential(f.minusAbs(b), nil)
		negative, e, two := f.vec(), f.vec(), f.broadcast(f.float("two", 2))
		f.mul(b, p, negative)
		f.times(n, p, e)
		factor, den, square := f.vec(), f.vec(), f.vec()
		f.add(two, e, factor)
		f.mul(e, factor, square)
		f.add(two, square, den)
		f.mul(factor, negative, negative)
		f.div(den, negative, negative)
		f.times(n, negative, negative)

		f.add(e, e, factor)
		f.add(f.float("one", 1), factor, factor)
		f.add(e, e, square)
		f.mul(e, square, square)
		f.add(factor, square, den)
		f.div(den, factor, factor)
		f.mul(x, factor, factor)
		return f.bySign(x, negative, factor)
	}
}

// laplace is Φ(u) with u = (x − μ)/σ: with a = |u| and E = e^(−a²/2) that is 1 − E·G(a) for u ≥ 0 and E·G(a) for u < 0, as in
// gelu. u is a sum of two float32, because an error of it is a relative error of the tail.
func laplace(f *function) func(x reg.VecVirtual) reg.VecVirtual {
	const mean, deviation = 0.707107, 0.282095
	high := float64(float32(1 / deviation))
	shift := -mean / deviation
	shiftHigh := float64(float32(shift))
	const limit = 3.35 // Φ is 0 below and 1 above
	return func(x reg.VecVirtual) reg.VecVirtual {
		b := f.vec()
		f.max(x, f.broadcast(f.float("laplaceLowest", -limit)), b)
		f.min(b, f.broadcast(f.float("laplaceHighest", limit)), b)
		v, low := f.twoProduct(b, f.broadcast(f.float("laplaceSlope", high)))
		f.fma(f.float("laplaceSlopeLow", 1/deviation-high), b, low)
		u, lost := f.twoSum(v, f.broadcast(f.float("laplaceShift", shiftHigh)))
		f.add(lost, low, low)
		f.add(f.float("laplaceShiftLow", shift-shiftHigh), low, low)
		return f.normal(f.twoSum(u, low))
	}
}

// normal returns Φ(u + low), the distribution function of a standard normal variable.
func (f *function) normal(u, low reg.VecVirtual) reg.VecVirtual {
	abs := f.minusAbs(u)
	g, rest := f.geluRatio(abs)
	half := f.vec()
	f.mul(f.float("half", 0.5), abs, half)
	flip := f.vec()
	f.VXORPS(f.signBits(), abs, flip)
	square, lost := f.twoProduct(half, flip)
	f.add(rest, lost, lost)
	f.fnma(u, low, lost) // (u + low)²/2 is u²/2 + u·low, but for what does not count
	p, n := f.exponential(square, lost)
	eg := f.vec()
	f.mul(g, p, eg)
	f.times(n, eg, eg)
	positive := f.broadcast(f.float("one", 1))
	f.sub(eg, positive, positive)
	return f.bySign(u, eg, positive)
}
