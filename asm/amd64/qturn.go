package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/tfgen/tfgen/runtime/quant"
)

// A turnState is where the loop over the columns of a pass is, for 16 rows. Tiles are one turn ahead of vectors.
type turnState struct {
	codes   reg.GPVirtual    // codes of the first row, for tiles
	panel   reg.GPVirtual    // unpacked weights, for tiles
	write   reg.GPVirtual    // where tiles leave their results
	read    reg.GPVirtual    // results for vectors
	scale   reg.GPVirtual    // scales of weights, for vectors
	rows    [4]reg.GPVirtual // every fourth row of x, from which the scales of the turn have fixed displacements
	ld, ld3 reg.GPVirtual    // stride of x in bytes, and three times that
	turns   reg.GPVirtual    // turns left
}

// allRows multiplies all rows, 16 after another, with the weights of the pass.
func (p *groupTiles) allRows() {
	loop := p.label("rows16")
	p.acc = p.vecs(tileRows)
	p.eachRowOf(p.rowC, p.ldc, func(r int, row reg.GPVirtual) { p.VMOVUPS(at(row, 0), p.acc[r]) })
	p.turnLoop()
	p.eachRowOf(p.rowY, p.stride("ldy", 4), func(r int, row reg.GPVirtual) { p.VMOVUPS(p.acc[r], at(row, 0)) })
	p.Comment("Next 16 rows.")
	n := p.GP64()
	p.MOVQ(p.ldc, n)
	p.SHLQ(operand.U8(4), n)
	p.ADDQ(n, p.rowC)
	p.ADDQ(p.stride("ldx", 4*tileRows), p.rowX)
	p.ADDQ(p.stride("ldy", 4*tileRows), p.rowY)
	p.SUBQ(imm(tileRows), p.rowsLeft)
	p.JG(loop)
}

// eachRowOf calls body with pointers to 16 rows of outputs.
func (p *groupTiles) eachRowOf(first operand.Mem, stride operand.Op, body func(r int, row reg.GPVirtual)) {
	row, ld := p.GP64(), p.GP64()
	p.MOVQ(first, row)
	p.MOVQ(stride, ld)
	for r := range tileRows {
		body(r, row)
		if r < tileRows-1 {
			p.ADDQ(ld, row)
		}
	}
}

// turnLoop adds the products of 16 rows with the weights of the pass to the accumulators.
func (p *groupTiles) turnLoop() {
	s := p.startTurns()
	p.tileTurn(s)
	loop, last := p.newLabel("turn"), p.newLabel("lastTurn")
	p.DECQ(s.turns)
	p.JZ(last)
	p.Label(string(loop))
	p.XCHGQ(s.write, s.read)
	p.tileTurn(s)
	p.vectorTurn(s)
	p.DECQ(s.turns)
	p.JNZ(loop)
	p.Label(string(last))
	p.MOVQ(s.write, s.read)
	p.vectorTurn(s)
}

// startTurns points to the begin of the pass.
func (p *groupTiles) startTurns() *turnState {
	s := &turnState{codes: p.GP64(), panel: p.GP64(), write: p.GP64(), read: p.GP64(), scale: p.GP64(), ld: p.stride("ldx", 4), ld3: p.GP64(), turns: p.GP64()}
	p.MOVQ(p.rowX, s.codes)
	p.LEAQ(at(p.frame.base, p.panel), s.panel)
	p.LEAQ(at(p.frame.base, p.results), s.write)
	p.LEAQ(at(p.frame.base, p.results+p.resultBytes()), s.read)
	p.LEAQ(at(p.frame.base, p.scale), s.scale)
	p.LEAQ(at(s.ld, 0).Idx(s.ld, 2), s.ld3)
	column := p.GP64()
	p.MOVQ(p.first, column)
	back := p.GP64() // from the first column of the pass to an eighth of it
	p.MOVQ(column, back)
	p.SHRQ(operand.U8(3), back)
	p.SUBQ(column, back)
	for i := range s.rows {
		s.rows[i] = p.GP64()
		if i == 0 {
			p.LEAQ(at(s.codes, 0).Idx(back, 1), s.rows[i])
		} else {
			p.LEAQ(at(s.rows[i-1], 0).Idx(s.ld, 4), s.rows[i])
		}
	}
	p.MOVQ(p.units, s.turns)
	if turns := p.format.Unit() / turnColumns; turns > 1 {
		p.IMUL3Q(imm(turns), s.turns, s.turns)
	}
	return s
}

// tileTurn computes the integers of the next 64 columns.
func (p *groupTiles) tileTurn(s *turnState) {
	f, kinds := p.format, p.kinds()
	if p.sums() { // the loop has no register for it
		p.tile("TILELOADD", at(p.frame.base, p.ones).Idx(p.line, 1), tmm(tileOnes))
	}
	for g := range p.groups() {
		x, w, sum := tmm(tileCodes+g%2), tmm(tileWeights+g%2*(2-kinds)), g*kinds%4
		p.tile("TILELOADD", at(s.codes, g*f.Group).Idx(s.ld, 1), x)
		p.tile("TILELOADD", at(s.panel, g*f.Group*quant.Rows).Idx(p.line, 1), w)
		for kind := range kinds {
			p.tile("TILEZERO", tmm(sum+kind))
			p.tile("TDPBSSD", []tileRegister{w, tmm(tileOnes)}[kind], x, tmm(sum+kind))
		}
		if (g+1)*kinds%4 == 0 || g+1 == p.groups() {
			p.storeResults(s, g*kinds/4*4, (g+1)*kinds)
		}
	}
	p.ADDQ(imm(turnColumns), s.codes)
	p.ADDQ(imm(turnColumns*quant.Rows), s.panel)
}

// storeResults stores results first to end-1 of a turn.
func (p *groupTiles) storeResults(s *turnState, first, end int) {
	for n := first; n < end; n++ {
		p.tile("TILESTORED", tmm(n%4), at(s.write, n*tileSize).Idx(p.line, 1))
	}
}

// vectorTurn scales the integers of 64 columns and adds them to the accumulators.
func (p *groupTiles) vectorTurn(s *turnState) {
	for g := range p.groups() {
		p.scaleResults(s, g)
		if p.format.Min {
			p.subtractOffsets(s, g)
		}
	}
	p.ADDQ(imm(p.groups()*64), s.scale)
	for _, row := range s.rows {
		p.ADDQ(imm(turnColumns/quant.Block*4), row)
	}
}

// inScales is where row r of x has the value of the block of a group of the turn, in the part of a row that begins at a
// displacement.
func (p *groupTiles) inScales(s *turnState, r, g, from int) operand.Mem {
	m := at(s.rows[r/4], from+g*p.format.Group/quant.Block*4)
	switch r % 4 {
	case 1:
		return m.Idx(s.ld, 1)
	case 2:
		return m.Idx(s.ld, 2)
	case 3:
		return m.Idx(s.ld3, 1)
	}
	return m
}

// result is where the integers of row r are.
func (p *groupTiles) result(s *turnState, r, g, kind int) operand.Mem {
	return at(s.read, (g*p.kinds()+kind)*tileSize+64*r)
}

// scaleResults adds integers times the scale of the weights and that of x.
func (p *groupTiles) scaleResults(s *turnState, g int) {
	scale := p.temp("scale", 1)[0]
	p.VMOVUPS(at(s.scale, 64*g), scale)
	for r := range tileRows {
		v, d := p.alternate("value", r), p.alternate("factor", r)
		p.VMULPS_BCST(p.inScales(s, r, g, quant.ScalesAt(p.k)), scale, d)
		p.VCVTDQ2PS(p.result(s, r, g, 0), v)
		p.fma(v, d, p.acc[r])
	}
}

// subtractOffsets subtracts offsets times the sums of x.
func (p *groupTiles) subtractOffsets(s *turnState, g int) {
	offset := p.temp("scale", 1)[0]
	p.VMOVUPS(at(s.scale, p.offset-p.scale+64*g), offset)
	for r := range tileRows {
		if !p.sums() {
			p.VFNMADD231PS_BCST(p.inScales(s, r, g, quant.SumsAt(p.k)), offset, p.acc[r])
			continue
		}
		v := p.alternate("value", r)
		p.VCVTDQ2PS(p.result(s, r, g, 1), v)
		p.VMULPS_BCST(p.inScales(s, r, g, quant.ScalesAt(p.k)), v, v)
		p.fnma(offset, v, p.acc[r])
	}
}

// alternate is one of four registers of a name, so that rows do not wait for each other.
func (p *groupTiles) alternate(name string, r int) reg.VecVirtual { return p.temp(name, 4)[r%4] }
