package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/tfgen/tfgen/runtime/quant"
)

// wholeRows writes rows of x as 8-bit codes under one scale each: a sweep finds the largest magnitude, the next one rounds.
func (q *quantizer) wholeRows() {
	x, y, rows := q.arg("x"), q.arg("y"), q.arg("rows")
	strides := []reg.GPVirtual{q.stride("ldx", 4), q.stride("ldy", 4)}
	q.eachRow(rows, []reg.GPVirtual{x, y}, strides, func() {
		top, t := q.vec(), q.vec()
		q.zero(top)
		q.eachBlock(x, func(from operand.Mem, _ int, _ reg.Register, n int) { q.largest(top, t, q.values(from, n)) })
		d, inverse := q.scaleOf(top, t)
		q.VMOVSS(d.AsX(), at(y, quant.RowScaleAt(q.k)))
		sum := q.vec()
		q.zero(sum)
		q.eachBlock(x, func(from operand.Mem, b int, index reg.Register, n int) {
			v := q.values(from, n)
			q.round(v, inverse)
			q.seeds(v[0], v[1], sum, q.wholeAt(y, b, index))
		})
		if blocks := (q.k + quant.Block - 1) / quant.Block; blocks*quant.Block < quant.ActivationColumns(q.k) {
			to := q.wholeAt(y, blocks, nil)
			z := q.vec()
			q.zero(z)
			q.VMOVDQU(z, to.codes)
			q.VMOVQ(z.AsX(), to.pairs)
		}
		q.total(sum)
		q.VMOVD(sum.AsX(), at(y, quant.RowSumAt(q.k)))
	})
}

// eachBlock calls body for the blocks of a row: once in a loop for the full ones, whose number times 4 is in index, and once
// for the rest.
func (q *quantizer) eachBlock(x reg.GPVirtual, body func(from operand.Mem, block int, index reg.Register, n int)) {
	full, rest := q.k/quant.Block, q.k%quant.Block
	if full > 0 {
		i, from := q.GP64(), q.GP64()
		q.XORQ(i, i)
		q.MOVQ(x, from)
		loop := q.label("block")
		body(at(from, 0), 0, i, quant.Block)
		q.ADDQ(imm(4*quant.Block), from)
		q.ADDQ(imm(4), i)
		q.CMPQ(i, imm(4*full))
		q.JLT(loop)
	}
	if rest > 0 {
		body(at(x, full*quant.Block*4), full, nil, rest)
	}
}

// wholeAt returns the places of block b of the row at y: codes, and seeds as its pairs.
func (q *quantizer) wholeAt(y reg.Register, b int, index reg.Register) places {
	p := places{codes: at(y, b*quant.Block), pairs: at(y, quant.SeedsAt(q.k)+8*b)}
	if index != nil {
		p.codes, p.pairs = p.codes.Idx(index, 8), p.pairs.Idx(index, 2)
	}
	return p
}

// seeds writes 32 codes and their seeds, and adds the codes to the lanes of sum.
func (q *quantizer) seeds(codes, t, sum reg.VecVirtual, to places) {
	q.VMOVDQU(codes, to.codes)
	ones := q.vec()
	q.VMOVDQU(q.word("quantizeOnes8", 0x01010101).Mem, ones)
	q.VPMADDUBSW(codes, ones, codes) // words: sums of two columns
	q.VPMADDWD(q.word("quantizeOnes16", 0x00010001).Mem, codes, t)
	q.VPADDD(t, sum, sum)
	q.VPSHUFD(operand.U8(0x4e), codes, t)
	q.VPADDW(t, codes, codes)
	q.VPSHUFD(operand.U8(0xb1), codes, t)
	q.VPADDW(t, codes, codes) // each half has the two sums of its 16 columns in every lane
	q.VPMULLW(q.word("quantizeSeed", 0xffc0ffc0).Mem, codes, codes)
	q.VMOVDQU(q.words("quantizeHalves", []uint32{0, 4, 0, 4, 0, 4, 0, 4}), t)
	q.VPERMD(codes, t, codes)
	q.VMOVQ(codes.AsX(), to.pairs)
}

// total adds up the integers in the lanes of v.
func (q *quantizer) total(v reg.VecVirtual) {
	t := q.vec()
	q.VPERM2I128(operand.U8(1), v, v, t)
	q.VPADDD(t, v, v)
	q.VPSHUFD(operand.U8(0x4e), v, t)
	q.VPADDD(t, v, v)
	q.VPSHUFD(operand.U8(0xb1), v, t)
	q.VPADDD(t, v, v)
}
