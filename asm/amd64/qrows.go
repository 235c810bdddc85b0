package amd64

import (
	"slices"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/tfgen/tfgen/runtime/quant"
)

// Products of formats with one scale for a row: integer accumulators run over all columns, and one multiply-add at the end
// brings them to y. The index column counts half bytes of codes, which are bytes of seeds.

// wholeRows computes n rows × 16 outputs.
func (p *quantProduct) wholeRows(n int, s rowPointers, w reg.GPVirtual) {
	p.Commentf("%s: integers over all columns.", describe(n, 1))
	p.pointToRows(n, s.x)
	p.acc = p.vecs(n * p.parts)
	p.seedRows()
	p.codes, p.column = p.GP64(), p.GP64()
	p.MOVQ(w, p.codes)
	p.XORQ(p.column, p.column)
	loop := p.label("columns")
	const step = 16 // columns in a turn
	for at := 0; at < step; at += 8 {
		p.eightColumns(at)
	}
	p.ADDQ(imm(step*quant.Rows), p.codes)
	p.ADDQ(imm(step/2), p.column)
	p.CMPQ(p.column, imm(p.format.Columns(p.k)/2))
	p.JLT(loop)
	p.scaleRows(n, s, w)
}

// seedRows starts the accumulators: from −64·Σ x for dot products, else from 0.
func (p *quantProduct) seedRows() {
	for r, row := range p.rowAt {
		acc := p.acc[r*p.parts:][:p.parts]
		for _, a := range acc {
			p.clearSum(a)
		}
		if p.vnni {
			sum := p.temp("activations", 1)[0]
			p.VPBROADCASTD(at(row, quant.RowSumAt(p.k)), sum)
			p.VPSLLD(operand.U8(6), sum, sum)
			p.VPSUBD(sum, acc[0], acc[0])
		}
	}
}

// eightColumns adds the products of 8 columns, the first of them so many behind column.
func (p *quantProduct) eightColumns(first int) {
	for line := range 2 {
		p.prefetch(at(p.codes, first*quant.Rows+64*line), p.distance())
	}
	w := p.temp("weights", 2*p.parts)
	for i := range w {
		p.load(at(p.codes, first*quant.Rows+i*p.width()), w[i], nil)
	}
	if p.vnni {
		for r := range p.rowAt {
			p.VPDPBUSD_BCST(p.inRow(r, p.column, 2, first), w[0], p.acc[r])
			p.VPDPBUSD_BCST(p.inRow(r, p.column, 2, first+4), w[1], p.acc[r])
		}
		return
	}
	for r := range p.rowAt {
		p.eightWords(r, first, w)
	}
}

// eightWords sums the products of 8 columns of a row in 16 bits, from the seed on, and then in 32.
func (p *quantProduct) eightWords(r, first int, w []reg.VecVirtual) {
	n := p.parts
	x := p.temp("activations", 2)
	t := p.temp("products", 2*(n-1))
	low, high := append(slices.Clone(t[:n-1]), x[0]), append(slices.Clone(t[n-1:]), x[1]) // the last part takes the place of x
	p.VPBROADCASTD(p.inRow(r, p.column, 2, first), x[0])
	p.VPBROADCASTD(p.inRow(r, p.column, 2, first+4), x[1])
	for h := range n {
		p.VPMADDUBSW(x[0], w[h], low[h])
	}
	for h := range n {
		p.VPMADDUBSW(x[1], w[n+h], high[h])
	}
	for h := range n {
		p.VPADDW(high[h], low[h], low[h])
	}
	seed := high[0]
	p.VPBROADCASTD(p.inRow(r, p.column, 1, quant.SeedsAt(p.k)+first/2), seed)
	for h := range n {
		p.VPADDW(seed, low[h], low[h])
		p.VPMADDWD(p.fixed["ones"], low[h], low[h])
		p.VPADDD(low[h], p.acc[r*n+h], p.acc[r*n+h])
	}
}

// scaleRows writes y = c + sums · (scale of the output · scale of the row).
func (p *quantProduct) scaleRows(n int, s rowPointers, w reg.GPVirtual) {
	p.Comment("Scale the integers, add c.")
	y, c, ldy, ldc := p.GP64(), p.GP64(), p.stride("ldy", 4), p.stride("ldc", 4)
	p.MOVQ(s.y, y)
	p.MOVQ(s.c, c)
	scales := p.temp("weights", p.parts)
	for h := range p.parts {
		p.VMOVUPS(at(w, p.format.RowScalesAt(p.k)+h*p.width()), scales[h])
	}
	t := p.temp("activations", 2)
	for r := range n {
		for h := range p.parts {
			a := p.acc[r*p.parts+h]
			p.VBROADCASTSS(at(p.rowAt[r], quant.RowScaleAt(p.k)), t[0])
			p.VMULPS(scales[h], t[0], t[0])
			p.VMOVUPS(at(c, h*p.width()), t[1])
			p.VCVTDQ2PS(a, a)
			p.fma(a, t[0], t[1])
			p.VMOVUPS(t[1], at(y, h*p.width()))
		}
		if r+1 < n {
			p.ADDQ(ldy, y)
			p.ADDQ(ldc, c)
		}
	}
}
