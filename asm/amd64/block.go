package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A block is a rectangle of outputs that is kept in registers.
type block struct {
	rows  int
	tiles int
}

// blockShapes returns the register blocks, the widest first: 6 × 16 of 16
// registers, 8 × 48 of 32.
func (p *product) blockShapes() []block {
	if p.isa == AVX512 {
		return []block{{8, 3}, {8, 1}}
	}
	return []block{{6, 1}}
}

// groupRows is how many rows of x are multiplied with one tile of weights
// before the next tile: as many as fit half of a second-level cache of 512 KiB.
func (p *product) groupRows(rows int) int {
	n := (256 << 10) / (4 * p.k) / rows * rows
	return min(max(n, 4*rows), 32*rows)
}

// blocks writes the product of several rows: groups of rows whose x stays in
// the second-level cache; in a group all tiles; in a tile all register blocks.
func (p *product) blocks() {
	shapes := p.blockShapes()
	group := p.groupRows(shapes[0].rows)
	p.Commentf("Several rows: groups of %d, whose x stays in the second-level cache.", group)
	left, done := p.AllocLocal(8), p.AllocLocal(8)
	t := p.arg("rows")
	p.MOVQ(t, left)
	p.MOVQ(operand.U32(0), done)
	loop := p.label("group")
	s := p.startGroup(group, left, done)
	for _, b := range shapes {
		p.tileLoop(b, s)
	}
	p.Comment("Next group of rows.")
	n := p.GP64()
	p.MOVQ(operand.U32(uint32(group)), n)
	p.ADDQ(n, done)
	p.SUBQ(n, left)
	p.JG(loop)
}

// groupState is what the loops over tiles and rows of a group work on. Only the
// weights stay in a register; strides are read from the arguments when they are
// needed.
type groupState struct {
	w       reg.GPVirtual
	y, x, c operand.Mem // pointers to the first row of the group
	rows    operand.Mem // rows in the group
	tiles   operand.Mem // tiles left
}

// startGroup sets the pointers to the first row and tile of a group.
func (p *product) startGroup(group int, left, done operand.Mem) groupState {
	local := func() operand.Mem { return p.AllocLocal(8) }
	s := groupState{w: p.arg("w"), y: local(), x: local(), c: local(), rows: local(), tiles: local()}
	n := p.GP64()
	for _, r := range []struct {
		name, stride string
		to           operand.Mem
	}{{"y", "ldy", s.y}, {"x", "ldx", s.x}, {"c", "ldc", s.c}} {
		base := p.arg(r.name)
		p.MOVQ(done, n)
		p.IMULQ(p.arg(r.stride), n)
		p.LEAQ(at(base, 0).Idx(n, 4), base)
		p.MOVQ(base, r.to)
	}
	limit := p.GP64()
	p.MOVQ(left, n)
	p.MOVQ(operand.U32(uint32(group)), limit)
	p.CMPQ(n, limit)
	p.CMOVQGT(limit, n)
	p.MOVQ(n, s.rows)
	p.MOVQ(p.arg("tiles"), s.tiles)
	return s
}

// tileLoop computes all rows of the group for b.tiles tiles at a time, while
// there are so many tiles left.
func (p *product) tileLoop(b block, s groupState) {
	next := p.newLabel("tilesDone")
	p.CMPQ(s.tiles, imm(b.tiles))
	p.JLT(next)
	loop := p.label("tile")
	p.Commentf("%s at a time, down the rows of the group.", describe(b.rows, b.tiles))
	m, x, y, c := p.GP64(), p.GP64(), p.GP64(), p.GP64()
	p.MOVQ(s.rows, m)
	p.MOVQ(s.x, x)
	p.MOVQ(s.y, y)
	p.MOVQ(s.c, c)
	rows := p.label("rows")
	p.registerBlock(b, s.w, m, &x, &y, &c)
	p.SUBQ(imm(b.rows), m)
	p.JG(rows)
	p.Comment("Next tiles.")
	p.add64(b.tiles*p.tile, s.w)
	p.ADDQ(imm(b.tiles*64), s.y)
	p.ADDQ(imm(b.tiles*64), s.c)
	p.SUBQ(imm(b.tiles), s.tiles)
	p.CMPQ(s.tiles, imm(b.tiles))
	p.JGE(loop)
	p.Label(string(next))
}

// registerBlock computes one block of outputs and moves x, y and c down by its
// rows. When m is less than the rows of the block, the last row is computed
// again in the place of the missing ones: the same bits go to the same place.
func (p *product) registerBlock(b block, w, m reg.GPVirtual, x, y, c *reg.GPVirtual) {
	n := b.tiles * p.parts
	acc := make([][]reg.VecVirtual, b.rows)
	p.Comment("Start from c.")
	p.downRows(b, m, "ldc", *c, func(i int, row reg.GPVirtual) {
		acc[i] = p.vecs(n)
		for v, a := range acc[i] {
			p.VMOVUPS(at(row, v*p.width()), a)
		}
	})
	p.Comment("Rows of x.")
	xs := p.rowPointers(b, m, *x)
	p.Comment("Add x[r][k] · w[k], k in order.")
	from := panel{w, b.tiles}
	p.steps("k", w, p.blockUnroll(), func(step int, offsets []operand.Mem) {
		for h, offset := range offsets {
			wk := p.vecs(n)
			for v, d := range wk {
				p.weights(from, v, step, h, d)
			}
			for i, row := range xs {
				p.multiplyRow(in(row, offset), wk, acc[i])
			}
		}
	})
	p.Comment("Store the outputs.")
	p.downRows(b, m, "ldy", *y, func(i int, row reg.GPVirtual) {
		for v, a := range acc[i] {
			p.VMOVUPS(a, at(row, v*p.width()))
		}
	})
	p.Comment("Next rows.")
	for _, r := range []struct {
		p      *reg.GPVirtual
		stride string
	}{{x, "ldx"}, {y, "ldy"}, {c, "ldc"}} {
		n := p.arg(r.stride)
		p.IMUL3Q(imm(4*b.rows), n, n)
		p.ADDQ(n, *r.p)
	}
}

// multiplyRow adds x[r][k] · w[k] to the outputs of one row.
func (p *product) multiplyRow(x operand.Mem, w, acc []reg.VecVirtual) {
	if len(w) == 1 && p.isa == AVX512 {
		p.VFMADD231PS_BCST(x, w[0], acc[0])
		return
	}
	xk := p.vec()
	p.VBROADCASTSS(x, xk)
	for v, a := range acc {
		p.VFMADD231PS(w[v], xk, a)
	}
}

// downRows calls body for each row of a block, with a pointer that goes down
// from base by a stride and stays at the last of m rows.
func (p *product) downRows(b block, m reg.GPVirtual, stride string, base reg.GPVirtual, body func(i int, row reg.GPVirtual)) {
	ld := p.arg(stride)
	row, next := p.GP64(), p.GP64()
	p.MOVQ(base, row)
	for i := range b.rows {
		body(i, row)
		if i < b.rows-1 {
			p.LEAQ(at(row, 0).Idx(ld, 4), next)
			p.CMPQ(m, imm(i+1))
			p.CMOVQGT(next, row)
		}
	}
}

// rowPointers returns one pointer for each row of a block; those beyond row
// m − 1 point to row m − 1.
func (p *product) rowPointers(b block, m, x reg.GPVirtual) []reg.GPVirtual {
	ld, next := p.arg("ldx"), p.GP64()
	rows := make([]reg.GPVirtual, b.rows)
	for i := range rows {
		if i == 0 {
			rows[0] = x
			continue
		}
		rows[i] = p.GP64()
		p.LEAQ(at(rows[i-1], 0).Idx(ld, 4), next)
		p.MOVQ(rows[i-1], rows[i])
		p.CMPQ(m, imm(i))
		p.CMOVQGT(next, rows[i])
	}
	return rows
}

// blockUnroll is the number of steps in one turn of the loop over k.
func (p *product) blockUnroll() int {
	if p.bf16 {
		return 2
	}
	return 4
}
