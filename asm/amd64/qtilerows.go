package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/tfgen/tfgen/runtime/quant"
)

// A rowTiles is the state of a product with weights that have one scale for a row: they are tiles as they are stored,
// 64 columns in 1 KiB. Up to two tiles of rows times two of outputs keep their sums in TMM0 … TMM3 over all columns;
// codes of x are in TMM4 and TMM5, weights in TMM6 and TMM7.
type rowTiles struct {
	*quantProduct
	frame   alignedFrame
	results int // integers: [tile of outputs][row][16]
	w       operand.Mem
	y, c    operand.Mem // the outputs of the tiles
	left    operand.Mem // tiles left
	rows    operand.Mem // rows left
	rowX    operand.Mem // the next rows
	rowY    operand.Mem
	rowC    operand.Mem
	line    reg.GPVirtual // 64, the stride of tiles in the frame and of weights
}

func (p *rowTiles) write() {
	p.results = p.frame.reserve(4 * tileSize)
	p.frame.place(p.function)
	for _, m := range []*operand.Mem{&p.w, &p.y, &p.c, &p.left, &p.rows, &p.rowX, &p.rowY, &p.rowC} {
		*m = p.AllocLocal(8)
	}
	p.line = p.GP64()
	p.MOVQ(operand.U32(64), p.line)
	whole := tileShape{tileRows, 64}
	p.configureTiles("tilesOf64Columns", [8]tileShape{whole, whole, whole, whole, whole, whole, whole, whole})
	p.copyWord(p.arg("w"), p.w)
	p.copyWord(p.arg("y"), p.y)
	p.copyWord(p.arg("c"), p.c)
	p.copyWord(p.arg("tiles"), p.left)
	for _, n := range []int{2, 1} {
		p.whileLeft(p.left, n, "tiles", func() {
			p.allRows(n)
			p.Comment("Next tiles.")
			p.ADDQ(imm(n*p.format.TileBytes(p.k)), p.w)
			p.ADDQ(imm(64*n), p.y)
			p.ADDQ(imm(64*n), p.c)
		})
	}
	p.tile("TILERELEASE")
}

// whileLeft writes a loop that does n of something as long as so many are left.
func (p *rowTiles) whileLeft(left operand.Mem, n int, name string, body func()) {
	done := p.newLabel(name + "Done")
	p.CMPQ(left, imm(n))
	p.JLT(done)
	loop := p.label(name)
	body()
	p.SUBQ(imm(n), left)
	p.CMPQ(left, imm(n))
	p.JGE(loop)
	p.Label(string(done))
}

// allRows computes all rows of n tiles of outputs.
func (p *rowTiles) allRows(n int) {
	p.copyWord(p.argument("x"), p.rowX)
	p.copyWord(p.y, p.rowY)
	p.copyWord(p.c, p.rowC)
	p.copyWord(p.argument("rows"), p.rows)
	for _, m := range []int{2, 1} {
		p.whileLeft(p.rows, m*tileRows, "rows", func() {
			p.Commentf("%s: integers over all columns.", describe(m*tileRows, n))
			p.products(m, n)
			p.outputs(m, n)
		})
	}
}

// products computes the integers of m tiles of rows times n tiles of outputs.
func (p *rowTiles) products(m, n int) {
	x, w, ld, left := []reg.GPVirtual{p.GP64(), p.GP64()}, p.GP64(), p.stride("ldx", 4), p.GP64()
	p.MOVQ(p.rowX, x[0])
	p.MOVQ(ld, x[1])
	p.SHLQ(operand.U8(4), x[1])
	p.ADDQ(x[0], x[1])
	p.MOVQ(p.w, w)
	for t := range m * n {
		p.tile("TILEZERO", tmm(t))
	}
	p.MOVQ(operand.U32(uint32(p.format.Columns(p.k)/turnColumns)), left)
	loop := p.label("columns")
	for i := range m {
		p.tile("TILELOADD", at(x[i], 0).Idx(ld, 1), tmm(tileCodes+i))
	}
	for j := range n {
		p.tile("TILELOADD", at(w, j*p.format.TileBytes(p.k)).Idx(p.line, 1), tmm(tileWeights+j))
		for i := range m {
			p.tile("TDPBSUD", tmm(tileWeights+j), tmm(tileCodes+i), tmm(i*n+j))
		}
	}
	for i := range m {
		p.ADDQ(imm(turnColumns), x[i])
	}
	p.ADDQ(imm(tileSize), w)
	p.DECQ(left)
	p.JNZ(loop)
	for j := range n {
		for i := range m {
			p.tile("TILESTORED", tmm(i*n+j), at(p.frame.base, p.results+(2*j+i)*tileSize).Idx(p.line, 1))
		}
	}
}

// outputs takes 64·Σ code of x from the integers, scales them and adds them to c, as the other instruction sets do, for
// the rows of m tiles; afterwards the pointers to rows are behind them.
func (p *rowTiles) outputs(m, n int) {
	x, y, c, from, left := p.GP64(), p.GP64(), p.GP64(), p.GP64(), p.GP64()
	ldx, ldy, ldc := p.stride("ldx", 4), p.stride("ldy", 4), p.stride("ldc", 4)
	p.MOVQ(p.rowX, x)
	p.MOVQ(p.rowY, y)
	p.MOVQ(p.rowC, c)
	p.LEAQ(at(p.frame.base, p.results), from)
	scales, w := p.temp("scales", n), p.GP64()
	p.MOVQ(p.w, w)
	for j, s := range scales {
		p.VMOVUPS(at(w, j*p.format.TileBytes(p.k)+p.format.RowScalesAt(p.k)), s)
	}
	p.MOVQ(operand.U32(uint32(m*tileRows)), left)
	loop := p.label("row")
	sum, v, d, to := p.temp("sum", 1)[0], p.temp("value", n), p.temp("factor", n), p.temp("output", n)
	p.VPBROADCASTD(at(x, quant.RowSumAt(p.k)), sum)
	p.VPSLLD(operand.U8(6), sum, sum) // codes of weights are 64 more than their values
	for j := range n {
		p.VMOVDQU32(at(from, 2*j*tileSize), v[j])
		p.VPSUBD(sum, v[j], v[j])
		p.VCVTDQ2PS(v[j], v[j])
		p.VMULPS_BCST(at(x, quant.RowScaleAt(p.k)), scales[j], d[j])
		p.VMOVUPS(at(c, 64*j), to[j])
		p.fma(v[j], d[j], to[j])
		p.VMOVUPS(to[j], at(y, 64*j))
	}
	for _, next := range [][2]reg.GPVirtual{{ldx, x}, {ldy, y}, {ldc, c}} {
		p.ADDQ(next[0], next[1])
	}
	p.ADDQ(imm(64), from)
	p.DECQ(left)
	p.JNZ(loop)
	p.MOVQ(x, p.rowX)
	p.MOVQ(y, p.rowY)
	p.MOVQ(c, p.rowC)
}
