package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/tfgen/tfgen/runtime/quant"
)

// A panelPlace is where the next block is unpacked to: bytes in the panel, and their scales.
type panelPlace struct{ codes, scales reg.GPVirtual }

// unpackUnits unpacks the weights of a pass: signed bytes in the order of tiles, scales and offsets as float32.
func (p *groupTiles) unpackUnits() {
	p.Comment("Unpack the weights of the pass.")
	f := p.format
	to := panelPlace{p.GP64(), p.GP64()}
	p.LEAQ(at(p.frame.base, p.panel), to.codes)
	p.LEAQ(at(p.frame.base, p.scale), to.scales)
	p.codes = p.GP64()
	p.MOVQ(p.w, p.codes)
	left := p.GP64()
	p.MOVQ(p.units, left)
	loop := p.label("unpack")
	if f.Super == 0 {
		p.header = p.codes
		for b := range 2 {
			p.unpackBlock(f.HeaderBytes()+b*f.BlockBytes(), b, to)
		}
		p.nextBlocks(2, to)
		p.ADDQ(imm(f.UnitBytes()), p.codes)
	} else {
		p.unpackSuper(to)
	}
	p.DECQ(left)
	p.JNZ(loop)
	p.MOVQ(p.codes, p.w)
}

// unpackSuper unpacks a unit whose scales share a factor.
func (p *groupTiles) unpackSuper(to panelPlace) {
	f := p.format
	v := p.temp("copy", 1)[0]
	p.half(at(p.codes, 0), v)
	p.VMOVUPS(v, p.factor)
	if f.Min {
		p.half(at(p.codes, 2*quant.Rows), v)
		p.VMOVUPS(v, p.lower)
	}
	p.header = p.GP64()
	p.MOVQ(p.codes, p.header)
	p.ADDQ(imm(f.HeaderBytes()), p.codes)
	blocks := p.GP64()
	p.MOVQ(operand.U32(uint32(f.Super/quant.Block)), blocks)
	loop := p.label("unpackBlock")
	p.unpackBlock(0, 0, to)
	p.nextBlocks(1, to)
	p.ADDQ(imm(f.BlockBytes()), p.codes)
	p.ADDQ(imm(quant.Block/f.Group*quant.Rows), p.header)
	p.DECQ(blocks)
	p.JNZ(loop)
}

// nextBlocks moves the places on by n blocks.
func (p *groupTiles) nextBlocks(n int, to panelPlace) {
	p.ADDQ(imm(n*quant.Block*quant.Rows), to.codes)
	p.ADDQ(imm(n*quant.Block/p.format.Group*64), to.scales)
}

// unpackBlock unpacks block b of the unit, whose codes are at a displacement.
func (p *groupTiles) unpackBlock(disp, b int, to panelPlace) {
	f := p.format
	for line := 0; line < f.BlockBytes(); line += 64 {
		p.PREFETCHT0(at(p.codes, disp+line+prefetchAhead))
	}
	w := p.temp("weights", 1)[0]
	for quad := range quant.Block / 4 {
		p.unpack(quad, 0, disp, w)
		p.VMOVDQU32(w, at(to.codes, b*quant.Block*quant.Rows+64*quad))
	}
	groups := quant.Block / f.Group
	for group := range groups {
		g := b*groups + group
		p.scales(f.ScaleAt(g), 0, p.factor, f.Signed, w)
		p.VMOVUPS(w, at(to.scales, 64*g))
		if f.Min {
			p.scales(f.OffsetAt(g), 0, p.lower, false, w)
			p.VMOVUPS(w, at(to.scales, p.offset-p.scale+64*g))
		}
	}
}
