package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// restPass adds the products of the last step over k, which does not fill a tile: x and the weights are copied to the
// frame with zeros behind them, so that nothing behind a row or a matrix is read.
func (p *tileProduct) restPass() {
	p.Commentf("The last %d of k.", p.restDepth())
	p.splitRest()
	w, left, column := p.arg("w"), p.arg("tiles"), p.GP64()
	p.add64(p.fullSteps()*tileSize, w)
	p.XORQ(column, column)
	p.loadTerms(p.terms)
	loop := p.label("restTile")
	p.copyWeights(w)
	p.outputs("TILELOADD", 1, column)
	p.products(0, 1, func(int) { p.tile("TILELOADD", at(p.terms, p.rest).Idx(p.line, 1), tmm(p.tileW())) })
	p.outputs("TILESTORED", 1, column)
	p.add64(p.weight, w)
	p.ADDQ(imm(64), column)
	p.DECQ(left)
	p.JNZ(loop)
}

// splitRest writes the terms of x for the last step, zeros behind its k.
func (p *tileProduct) splitRest() {
	x, to, row, ldx := p.GP64(), p.GP64(), p.GP64(), p.stride("ldx", 4)
	p.MOVQ(p.x, x)
	p.MOVQ(p.terms, to)
	p.MOVQ(p.rows, row)
	m := p.splitMasks()
	masks := [2]reg.Register{p.mask(min(p.restDepth(), 16)), p.mask(max(p.restDepth()-16, 0))}
	loop := p.label("splitRest")
	for half, mask := range masks {
		v := p.vec()
		p.VMOVUPS_Z(at(x, p.fullSteps()*tileDepth*4+64*half), mask, v)
		p.split(v, m, to, 32*half)
	}
	p.ADDQ(ldx, x)
	p.ADDQ(imm(64), to)
	p.DECQ(row)
	p.JNZ(loop)
}

// mask returns a mask register with the first n of 16 lanes set.
func (p *tileProduct) mask(n int) reg.Register {
	bits, k := p.GP32(), p.K()
	p.MOVL(operand.U32(1<<n-1), bits)
	p.KMOVW(bits, k)
	return k
}

// copyWeights copies the last step of a tile of weights. The padding of an odd k is not a weight and becomes 0.
func (p *tileProduct) copyWeights(w reg.GPVirtual) {
	pairs := (p.restDepth() + 1) / 2
	for pair := range pairs {
		v := p.vec()
		p.VMOVUPS(at(w, 64*pair), v)
		if pair == pairs-1 && p.k%2 == 1 {
			p.VPSLLD(operand.U8(16), v, v)
			p.VPSRLD(operand.U8(16), v, v)
		}
		p.VMOVUPS(v, at(p.terms, p.rest+64*pair))
	}
}
