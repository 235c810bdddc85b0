package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/tfgen/tfgen/runtime/quant"
)

// Products of formats with one scale for a row: integer accumulators run over all columns, and one multiply-add at the end
// brings them to y. The index column counts quarters of bytes of codes, which are bytes of seeds.

// wholeRows computes n rows × 16 outputs.
func (p *quantProduct) wholeRows(n int, s rowPointers, w reg.GPVirtual) {
	p.Commentf("%s: integers over all columns.", describe(n, 1))
	p.pointToRows(n, s.x)
	p.acc = nil
	if p.isa == AVX512 || n <= 2 { // else the registers are for sums of 16 bits
		p.acc = p.vecs(n * p.parts)
	}
	p.seedRows()
	p.codes, p.column = p.GP64(), p.GP64()
	p.MOVQ(w, p.codes)
	p.XORQ(p.column, p.column)
	loop := p.label("columns")
	for line := range quant.LaneColumns / 4 {
		p.prefetch(at(p.codes, 64*line), p.distance())
	}
	if p.vnni {
		p.dotColumns()
	} else {
		p.wordColumns()
	}
	p.ADDQ(imm(quant.LaneColumns*quant.Rows), p.codes)
	p.ADDQ(imm(quant.LaneColumns/4), p.column)
	p.CMPQ(p.column, imm(p.format.Columns(p.k)/4))
	p.JLT(loop)
	p.scaleRows(n, s, w)
}

// seedRows starts the accumulators: from −64·Σ x for dot products, else from 0.
func (p *quantProduct) seedRows() {
	if p.acc == nil {
		zero := p.temp("activations", 1)[0]
		p.clearSum(zero)
		for i := range len(p.rowAt) * p.parts {
			p.VMOVDQU(zero, p.sums.Offset(i*p.width()))
		}
		return
	}
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

// dotColumns adds the products of 16 columns.
func (p *quantProduct) dotColumns() {
	for quad := range quant.LaneColumns / 4 {
		w := p.temp("weights", 2)[quad%2]
		p.load(at(p.codes, 64*quad), w, nil)
		for r := range p.rowAt {
			p.VPDPBUSD_BCST(p.inRow(r, p.column, 4, 4*quad), w, p.acc[r])
		}
	}
}

// wordColumns sums the products of 16 columns in 16 bits, from the seed on, and then in 32.
func (p *quantProduct) wordColumns() {
	n := p.parts
	sums, w := p.temp("words", len(p.rowAt)*n), p.temp("weights", n)
	x, product := p.temp("activations", 1)[0], p.temp("product", 1)[0]
	for quad := range quant.LaneColumns / 4 {
		for h := range w {
			p.load(at(p.codes, 64*quad+h*p.width()), w[h], nil)
		}
		for r := range p.rowAt {
			p.VPBROADCASTD(p.inRow(r, p.column, 4, 4*quad), x)
			for h, sum := range sums[r*n:][:n] {
				if quad == 0 {
					p.VPMADDUBSW(x, w[h], sum)
					continue
				}
				to := product
				if h == n-1 { // x is not needed any more
					to = x
				}
				p.VPMADDUBSW(x, w[h], to)
				p.VPADDW(to, sum, sum)
			}
		}
	}
	for r := range p.rowAt {
		p.VPBROADCASTD(p.inRow(r, p.column, 1, quant.SeedsAt(p.k)), x)
		for h, sum := range sums[r*n:][:n] {
			p.VPADDW(x, sum, sum)
			p.VPMADDWD(p.fixed["ones"], sum, sum)
			p.addWhole(r, h, sum)
		}
	}
}

// addWhole adds integers to an accumulator.
func (p *quantProduct) addWhole(r, h int, v reg.VecVirtual) {
	i := r*p.parts + h
	if p.acc != nil {
		p.VPADDD(v, p.acc[i], p.acc[i])
		return
	}
	m := p.sums.Offset(i * p.width())
	p.VPADDD(m, v, v)
	p.VMOVDQU(v, m)
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
			a := p.temp("product", 1)[0]
			if p.acc != nil {
				a = p.acc[r*p.parts+h]
			} else {
				p.VMOVDQU(p.sums.Offset((r*p.parts+h)*p.width()), a)
			}
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
