package amd64

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/tfgen/tfgen/asm/kernel"
)

// softmaxBlock writes one streaming softmax step for blocks of 64 keys, in two
// passes over the rows so that independent rows are close to each other. alpha
// holds m′ between the passes.
func softmaxBlock(f *function, k kernel.Kernel) {
	lowest := f.broadcast(f.float("lowestExponent", lowestExponent))
	f.Comment("t = s · scale, masked outside [lo, hi); m′ = max(m, max t).")
	s, lo, hi, m, alpha := f.arg("s"), f.arg("lo"), f.arg("hi"), f.arg("m"), f.arg("alpha")
	f.eachQuery("scores", s, []reg.GPVirtual{lo, hi, m, alpha}, func() {
		top := f.scores(s, lo, hi, m, lowest)
		f.VMOVSS(top, at(alpha, 0))
	})
	f.Comment("s = e^(t − m′), summed in a fixed order; alpha = e^(m − m′); l = l · alpha + sum; m = m′.")
	s, m, alpha = f.arg("s"), f.arg("m"), f.arg("alpha")
	l := f.arg("l")
	f.eachQuery("weights", s, []reg.GPVirtual{m, l, alpha}, func() {
		top, old := f.vec(), f.vec()
		f.VBROADCASTSS(at(alpha, 0), top)
		f.VBROADCASTSS(at(m, 0), old)
		f.VMOVSS(top.AsX(), at(m, 0))
		f.sub(top, old, old)
		a := f.boundedExp(old, lowest)
		f.VMOVSS(a.AsX(), at(alpha, 0))
		sum := f.weights(s, top, lowest)
		f.VFMADD231SS(at(l, 0), a.AsX(), sum)
		f.VMOVSS(sum, at(l, 0))
	})
}

// eachQuery writes a loop over rows of scores and the vectors with one element
// for each.
func (f *function) eachQuery(name string, s reg.GPVirtual, vectors []reg.GPVirtual, body func()) {
	rows := f.arg("rows")
	loop := f.label(name)
	body()
	f.ADDQ(operand.U32(4*kernel.BlockKeys), s)
	for _, p := range vectors {
		f.ADDQ(imm(4), p)
	}
	f.DECQ(rows)
	f.JNZ(loop)
}

// scores replaces a row of scores by t and returns max(m, max t) in the lowest
// lane.
func (f *function) scores(s, lo, hi, m reg.GPVirtual, lowest reg.VecVirtual) reg.VecVirtual {
	first, end := f.vec(), f.vec()
	f.VPBROADCASTD(at(lo, 0), first)
	f.VPBROADCASTD(at(hi, 0), end)
	top, none := f.vec(), f.broadcast(f.word("minusInfinity", math.Float32bits(float32(math.Inf(-1)))))
	f.VBROADCASTSS(at(m, 0), top)
	keys := make([]uint32, kernel.BlockKeys)
	for i := range keys {
		keys[i] = uint32(i)
	}
	index := f.words("keyIndex", keys)
	f.eachKeys(2, func(disp int) {
		t := f.vec()
		f.VMOVUPS(at(s, disp), t)
		f.mul(f.literal("Scale", f.kernel.F[0]), t, t)
		if limit := f.kernel.F[1]; limit != 0 {
			f.mul(f.literal("InverseCap", 1/limit), t, t)
			t = f.tanh(t, lowest)
			f.mul(f.literal("Cap", limit), t, t)
		}
		t = f.inRange(t, none, first, end, index.Offset(disp))
		f.VMOVUPS(t, at(s, disp))
		f.VMAXPS(t, top, top)
	})
	return f.topLane(top)
}

// inRange returns t in lanes with first ≤ index < end and none in the others.
func (f *function) inRange(t, none, first, end reg.VecVirtual, index operand.Mem) reg.VecVirtual {
	d := f.vec()
	if f.isa == AVX512 {
		const lessOrEqual, greater = 2, 6
		key, below, both := f.vec(), f.K(), f.K()
		f.VMOVDQU32(index, key)
		f.VPCMPD(operand.U8(lessOrEqual), key, first, below)
		f.VPCMPD(operand.U8(greater), key, end, below, both)
		f.VBLENDMPS(t, none, both, d)
		return d
	}
	before, inside := f.vec(), f.vec()
	f.VPCMPGTD(index, first, before)
	f.VPCMPGTD(index, end, inside)
	f.VPANDN(inside, before, inside)
	f.VBLENDVPS(inside, t, none, d)
	return d
}

// topLane returns the largest lane of a vector in the lowest lane.
func (f *function) topLane(v reg.VecVirtual) reg.VecVirtual {
	y := v
	if f.isa == AVX512 {
		y = f.YMM()
		f.VEXTRACTF64X4(imm(1), v, y)
		f.VMAXPS(y, v.AsY(), y)
	}
	x, t := f.XMM(), f.XMM()
	f.VEXTRACTF128(imm(1), y, x)
	f.VMAXPS(x, y.AsX(), x)
	f.VMOVHLPS(x, x, t)
	f.VMAXPS(t, x, x)
	f.VMOVSHDUP(x, t)
	f.VMAXSS(t, x, x)
	return x
}

// boundedExp returns e^t for t ≤ 0; below lowestExponent, also for −Inf, it is
// exactly 0.
func (f *function) boundedExp(t, lowest reg.VecVirtual) reg.VecVirtual {
	f.max(t, lowest, t)
	p, n := f.exponential(t, nil)
	f.times(n, p, p)
	return p
}

// weights replaces a row of t by e^(t − top) and returns the sum in the lowest
// lane: lane by lane over the row, then across lanes.
func (f *function) weights(s reg.GPVirtual, top, lowest reg.VecVirtual) reg.VecVirtual {
	sum := f.vec()
	f.zero(sum)
	f.eachKeys(2, func(disp int) {
		t := f.vec()
		f.VMOVUPS(at(s, disp), t)
		f.sub(top, t, t)
		p := f.boundedExp(t, lowest)
		f.VMOVUPS(p, at(s, disp))
		f.add(p, sum, sum)
	})
	return f.total(sum)
}

// eachKeys writes body for every vector of a row of scores, n of them
// interleaved.
func (f *function) eachKeys(n int, body func(disp int)) {
	for first := 0; first < 4*kernel.BlockKeys; first += n * f.width() {
		bodies := make([]func(), n)
		for i := range n {
			bodies[i] = func() { body(first + i*f.width()) }
		}
		f.interleave(bodies...)
	}
}
