package amd64

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/runtime/quant"
)

// quantize writes rows of x as 8-bit codes with the scales and sums that products with quantised weights need, 32
// columns at a time in vectors of 8 on every instruction set.
func quantize(f *function, k kernel.Kernel) {
	narrow := *f
	narrow.isa = AVX2
	q := &quantizer{function: &narrow, k: k.D[0]}
	if k.S == "rows" {
		q.wholeRows()
		return
	}
	x, y, rows := f.arg("x"), f.arg("y"), f.arg("rows")
	strides := []reg.GPVirtual{f.stride("ldx", 4), f.stride("ldy", 4)}
	f.eachRow(rows, []reg.GPVirtual{x, y}, strides, func() {
		full := q.k / quant.Block
		if full > 1 {
			q.loop(x, y, full)
		} else if full == 1 {
			q.block(at(x, 0), y, 0, nil, quant.Block)
		}
		if n := q.k % quant.Block; n > 0 {
			q.block(at(x, full*quant.Block*4), y, full, nil, n)
			full++
		}
		if full*quant.Block < quant.ActivationColumns(q.k) {
			q.empty(y, full)
		}
	})
}

// A quantizer writes one quantize lowering.
type quantizer struct {
	*function
	k int
}

// places are where a block of a row of y is written.
type places struct{ codes, scale, sum, pairs operand.Mem }

// blockAt returns the places of block b of the row at y.
func (q *quantizer) blockAt(y reg.Register, b int, block reg.Register) places {
	p := places{
		codes: at(y, b*quant.Block),
		scale: at(y, quant.ScalesAt(q.k)+4*b), sum: at(y, quant.SumsAt(q.k)+4*b),
		pairs: at(y, quant.PairsAt(q.k)+8*b),
	}
	if block != nil { // counts bytes of a scale: 4 a block
		p.codes, p.scale, p.sum, p.pairs = p.codes.Idx(block, 8), p.scale.Idx(block, 1), p.sum.Idx(block, 1), p.pairs.Idx(block, 2)
	}
	return p
}

// loop writes the full blocks of a row.
func (q *quantizer) loop(x, y reg.GPVirtual, blocks int) {
	i, from := q.GP64(), q.GP64()
	q.XORQ(i, i)
	q.MOVQ(x, from)
	loop := q.label("block")
	q.block(at(from, 0), y, 0, i, quant.Block)
	q.ADDQ(imm(4*quant.Block), from)
	q.ADDQ(imm(4), i)
	q.CMPQ(i, imm(4*blocks))
	q.JLT(loop)
}

// block quantises n ≤ 32 columns at x.
func (q *quantizer) block(x operand.Mem, y reg.GPVirtual, b int, index reg.Register, n int) {
	to := q.blockAt(y, b, index)
	v := q.values(x, n)
	d, inverse := q.blockScale(v)
	q.VMOVSS(d.AsX(), to.scale)
	q.round(v, inverse)
	q.VMOVDQU(v[0], to.codes)
	q.sums(v[0], d, to)
}

// values loads n ≤ 32 columns; the others are zero.
func (q *quantizer) values(x operand.Mem, n int) []reg.VecVirtual {
	v := q.vecs(4)
	for i := range v {
		switch left := n - 8*i; {
		case left >= 8:
			q.VMOVUPS(x.Offset(32*i), v[i])
		case left > 0:
			q.load(x.Offset(32*i), v[i], q.tailMask(left))
		default:
			q.zero(v[i])
		}
	}
	return v
}

// round turns 32 columns into codes, all of them in v[0].
func (q *quantizer) round(v []reg.VecVirtual, inverse reg.VecVirtual) {
	for i := range v {
		q.mul(inverse, v[i], v[i])
		q.VCVTPS2DQ(v[i], v[i])
	}
	q.VPACKSSDW(v[1], v[0], v[0])
	q.VPACKSSDW(v[3], v[2], v[2])
	q.VPACKSSWB(v[2], v[0], v[0])
	order := q.words("quantizeOrder", []uint32{0, 4, 1, 5, 2, 6, 3, 7})
	q.VMOVDQU(order, v[1])
	q.VPERMD(v[0], v[1], v[0])
}

// blockScale returns the scale of a block, as scaleOf does.
func (q *quantizer) blockScale(v []reg.VecVirtual) (d reg.VecVirtual, inverse reg.VecVirtual) {
	top, t := q.vec(), q.vec()
	q.VPAND(q.magnitude(), v[0], top)
	q.largest(top, t, v[1:])
	return q.scaleOf(top, t)
}

// magnitude is the mask of all bits but the sign.
func (q *quantizer) magnitude() operand.Mem { return q.word("quantizeMagnitude", math.MaxInt32).Mem }

// largest raises top to the magnitudes of v, lane by lane: compared by their bits, a NaN is larger than every number.
func (q *quantizer) largest(top, t reg.VecVirtual, v []reg.VecVirtual) {
	for _, x := range v {
		q.VPAND(q.magnitude(), x, t)
		q.VPMAXUD(t, top, top)
	}
}

// scaleOf returns max|x|/127 and 127/max|x|, 0 below 1e-30 and for NaN, in all lanes; max|x| is the largest lane of top.
func (q *quantizer) scaleOf(top, t reg.VecVirtual) (d reg.VecVirtual, inverse reg.VecVirtual) {
	q.VPERM2I128(operand.U8(1), top, top, t)
	q.VPMAXUD(t, top, top)
	q.VPSHUFD(operand.U8(0x4e), top, t)
	q.VPMAXUD(t, top, top)
	q.VPSHUFD(operand.U8(0xb1), top, t)
	q.VPMAXUD(t, top, top)
	limit := q.float("quantizeLimit", 127)
	d, inverse = top, q.vec()
	q.VMOVUPS(limit.Mem, inverse)
	q.VDIVPS(top, inverse, inverse)
	q.VCMPPS(operand.U8(13), q.float("quantizeSmallest", 1e-30).Mem, top, t) // top ≥ 1e-30, false for NaN
	q.VANDPS(t, inverse, inverse)
	q.VDIVPS(limit.Mem, top, top)
	return d, inverse
}

// sums writes the sums of the codes.
func (q *quantizer) sums(codes, d reg.VecVirtual, to places) {
	ones, t := q.vec(), q.vec()
	q.VMOVDQU(q.word("quantizeOnes8", 0x01010101).Mem, ones)
	q.VPMADDUBSW(codes, ones, codes) // words: sums of two columns
	q.VPSHUFD(operand.U8(0x4e), codes, t)
	q.VPADDW(t, codes, codes)
	q.VPSHUFD(operand.U8(0xb1), codes, t)
	q.VPADDW(t, codes, codes) // each half has the two sums of its 16 columns in every lane
	q.VPMADDWD(q.word("quantizeOnes16", 0x00010001).Mem, codes, t)
	high := q.vec()
	q.VPERM2I128(operand.U8(1), codes, codes, high)
	q.VMOVD(codes.AsX(), to.pairs)
	q.VMOVD(high.AsX(), to.pairs.Offset(4))
	q.VPERM2I128(operand.U8(1), t, t, high)
	q.VPADDD(high, t, t)
	q.VCVTDQ2PS(t, t)
	q.VMULPS(d, t, t)
	q.VMOVSS(t.AsX(), to.sum)
}

// empty writes a block of zeros that fills up a pair of blocks.
func (q *quantizer) empty(y reg.GPVirtual, b int) {
	to := q.blockAt(y, b, nil)
	z := q.vec()
	q.zero(z)
	q.VMOVDQU(z, to.codes)
	q.VMOVSS(z.AsX(), to.scale)
	q.VMOVSS(z.AsX(), to.sum)
	q.VMOVQ(z.AsX(), to.pairs)
}
