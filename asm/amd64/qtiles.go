package amd64

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/runtime/quant"
)

// integerTileRows: a tile has 16 rows. Weights with scales for groups are unpacked first, which two tiles of rows pay for;
// those with a scale for a row are multiplied with as they are.
func integerTileRows(k kernel.Kernel) Rows {
	if f, err := quant.Lookup(k.S); err == nil && f.Whole {
		return Rows{Multiple: tileRows, Least: tileRows}
	}
	return Rows{Multiple: tileRows, Least: 2 * tileRows}
}

// integerTiles writes qgemm for multiples of 16 rows by AMX. In a group of columns the product is the exact integer that
// the other instruction sets compute, and it is scaled and added as they do: the bits are the same.
func integerTiles(f *function, k kernel.Kernel) {
	format, err := quant.Lookup(k.S)
	if err != nil {
		panic(err)
	}
	q := &quantProduct{function: f, format: format, k: k.D[0], parts: 1, fixed: map[string]operand.Op{}, temps: map[string][]reg.VecVirtual{}}
	if format.Whole {
		(&rowTiles{quantProduct: q}).write()
		return
	}
	q.ways.adapt = signedBytes
	(&groupTiles{quantProduct: q}).write()
}

const (
	panelColumns = 1024 // columns whose weights are unpacked together: 16 KiB, a third of the first-level cache
	turnColumns  = 64   // columns in a turn of the loop over k
)

// A groupTiles is the state of a product with weights that have scales for groups of 16 or 32 columns. For one tile of
// weights after another, up to panelColumns are unpacked to signed bytes and multiplied with 16 rows after another. In a
// turn the tiles multiply the next 64 columns while vectors scale the integers of the 64 before.
type groupTiles struct {
	*quantProduct
	frame   alignedFrame
	results int // two buffers of the integers of a turn: [group][16 rows][16 outputs], where needed followed by sums of codes
	panel   int // the unpacked weights: [columns/4][16][4]
	scale   int // [groups][16] float32
	offset  int // the same of offsets
	ones    int // a tile of weights that are 1

	w          operand.Mem // the weights of the tile that are not unpacked yet
	y, c       operand.Mem // the outputs of the tile
	tilesLeft  operand.Mem
	rowX       operand.Mem // the next 16 rows of x, at the first column of the pass
	rowY, rowC operand.Mem
	ldc        operand.Mem // stride of c in bytes
	rowsLeft   operand.Mem
	units      operand.Mem   // units of the pass
	unitsLeft  operand.Mem   // units of the tile after the pass
	first      operand.Mem   // first column of the pass
	line       reg.GPVirtual // 64, the stride of tiles in the frame
}

// groups is the number of groups in a turn.
func (p *groupTiles) groups() int { return turnColumns / p.format.Group }

// sums reports whether the sums of codes of a group are computed by tiles, too: x has sums for blocks of 32 only.
func (p *groupTiles) sums() bool { return p.format.Min && p.format.Group < quant.Block }

// kinds is the number of integers that a turn computes for an output and a group.
func (p *groupTiles) kinds() int {
	if p.sums() {
		return 2
	}
	return 1
}

// resultBytes is the size of a buffer of results.
func (p *groupTiles) resultBytes() int { return p.groups() * p.kinds() * tileSize }

// panelUnits is the number of units that are unpacked together.
func (p *groupTiles) panelUnits() int { return panelColumns / p.format.Unit() }

// allUnits is the number of units of a tile.
func (p *groupTiles) allUnits() int { return p.format.Columns(p.k) / p.format.Unit() }

func (p *groupTiles) write() {
	p.places()
	p.constants()
	p.configureTiles(fmt.Sprintf("tilesOf%dColumns", p.format.Group), p.shapes())
	p.copyWord(p.arg("w"), p.w)
	p.copyWord(p.arg("y"), p.y)
	p.copyWord(p.arg("c"), p.c)
	p.copyWord(p.arg("tiles"), p.tilesLeft)
	tile := p.label("tile")
	p.copyWord(operand.U32(0), p.first)
	p.copyWord(operand.U32(uint32(p.allUnits())), p.unitsLeft)
	p.copyWord(p.c, p.rowC)
	p.copyWord(p.stride("ldc", 4), p.ldc)
	pass := p.label("pass")
	p.startPass()
	p.unpackUnits()
	p.allRows()
	if p.allUnits() > p.panelUnits() {
		p.Comment("The next pass goes on from y.")
		p.copyWord(p.y, p.rowC)
		p.copyWord(p.stride("ldy", 4), p.ldc)
		p.ADDQ(imm(panelColumns), p.first)
		p.CMPQ(p.unitsLeft, imm(0))
		p.JG(pass)
	}
	p.Comment("Next tile.")
	p.ADDQ(imm(64), p.y)
	p.ADDQ(imm(64), p.c)
	p.DECQ(p.tilesLeft)
	p.JNZ(tile)
	p.tile("TILERELEASE")
}

// places allocates memory.
func (p *groupTiles) places() {
	f := p.format
	groups := min(panelColumns, f.Columns(p.k)) / f.Group
	p.results = p.frame.reserve(2 * p.resultBytes())
	p.panel = p.frame.reserve(groups * f.Group * quant.Rows)
	p.scale = p.frame.reserve(groups * 64)
	if f.Min {
		p.offset = p.frame.reserve(groups * 64)
	}
	if p.sums() {
		p.ones = p.frame.reserve(f.Group / 4 * 64)
	}
	p.frame.place(p.function)
	for _, m := range []*operand.Mem{&p.w, &p.y, &p.c, &p.tilesLeft, &p.rowX, &p.rowY, &p.rowC, &p.ldc, &p.rowsLeft, &p.units, &p.unitsLeft, &p.first} {
		*m = p.AllocLocal(8)
	}
	p.quantProduct.factor, p.quantProduct.lower = p.AllocLocal(64), p.AllocLocal(64)
	p.line = p.GP64()
	p.MOVQ(operand.U32(64), p.line)
}

// constants loads what unpacking needs.
func (p *groupTiles) constants() {
	f := p.format
	switch {
	case f.Values != nil:
		p.values()
	case f.Bits == 8:
		p.constant("sign", 0x80808080)
	case f.Zero != 0:
		p.constant("zero", uint32(f.Zero)*0x01010101)
	}
	for _, plane := range f.Planes() {
		if plane.Bits < 8 {
			p.byteMask((1<<plane.Bits - 1) << plane.Shift)
		}
	}
	if p.sums() {
		one := p.broadcast(p.word("quant_01010101", 0x01010101))
		for i := range f.Group / 4 {
			p.VMOVUPS(one, at(p.frame.base, p.ones+64*i))
		}
	}
}

// signedBytes turns codes into the integers that they stand for.
func signedBytes(p *quantProduct, w reg.VecVirtual) {
	switch {
	case p.format.Values != nil: // which are in the table
	case p.format.Bits == 8:
		subtract128(p, w)
	case p.format.Zero != 0:
		p.VPSUBB(p.fixed["zero"], w, w)
	}
}

// Tiles: integers of a turn in TMM0 … TMM3, columns of x in TMM4 and TMM5, weights in TMM6 and TMM7.
const (
	tileCodes   = 4
	tileWeights = 6
	tileOnes    = 7
)

// shapes configures the tiles.
func (p *groupTiles) shapes() [8]tileShape {
	sum := tileShape{tileRows, 64}
	x, w := tileShape{tileRows, p.format.Group}, tileShape{p.format.Group / 4, 64}
	return [8]tileShape{sum, sum, sum, sum, x, x, w, w}
}

// startPass sets the number of units of the pass and the first rows.
func (p *groupTiles) startPass() {
	n, limit := p.GP64(), p.GP64()
	p.MOVQ(p.unitsLeft, n)
	p.MOVQ(operand.U32(uint32(p.panelUnits())), limit)
	p.CMPQ(n, limit)
	p.CMOVQGT(limit, n)
	p.MOVQ(n, p.units)
	p.SUBQ(n, p.unitsLeft)
	x := p.arg("x")
	p.ADDQ(p.first, x)
	p.MOVQ(x, p.rowX)
	p.copyWord(p.y, p.rowY)
	p.copyWord(p.arg("rows"), p.rowsLeft)
}
