package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/tfgen/tfgen/asm/tuning"
)

// A block is a rectangle of outputs that is kept in registers.
type block struct {
	rows  int
	tiles int
	few   int // when so many rows or fewer are left, a lower block is used; 0 for never
}

// blockShapes returns the register blocks, the widest first. By the rules they are 6 × 16 of 16 registers, 8 × 48 of 32.
func (p *product) blockShapes() []block {
	few := func(rows int) int {
		if rows > 4 {
			return 4
		}
		return rows / 2
	}
	rows := p.cut.Rows
	if p.cut.Tiles == 1 {
		return []block{{rows, 1, few(rows)}}
	}
	return []block{{rows, p.cut.Tiles, few(rows)}, {rows, 1, 0}}
}

// chunk returns how many k are added in one pass: one tile of float32 weights and 384 k take 24 KiB of the first-level
// cache. Sums go on from y in the next pass, which does not change their bits.
func (p *product) chunk() int {
	if p.runtime {
		return p.cut.Depth
	}
	passes := (p.k + p.cut.Depth - 1) / p.cut.Depth
	if passes == 1 {
		return p.k
	}
	return ((p.k+passes-1)/passes + p.turn() - 1) / p.turn() * p.turn()
}

// groupRows is how many rows of x are multiplied with one tile of weights
// before the next tile: as many as fit half of a second-level cache of 512 KiB.
func (p *product) groupRows(rows int) int {
	n := (256 << 10) / (4 * p.chunk()) / rows * rows
	return min(max(n, 4*rows), 32*rows)
}

// A passState is what the loops over tiles and rows work on: some rows and some k.
// Only the weights stay in a register; strides of x and y are read from the
// arguments when they are needed.
type passState struct {
	w       reg.GPVirtual
	y, x, c operand.Mem // pointers to the first row
	ldc     operand.Mem // stride of c in elements
	rows    operand.Mem // rows in the group
	tiles   operand.Mem // tiles left
	first   operand.Mem // first k
	end     operand.Mem // one past the last k
	turns   operand.Mem // offset of the k after the last whole turn of the loop from first
	rest    operand.Mem // with run-time shapes: offset of the last k from first
	ahead   operand.Mem // distance in bytes of prefetches, where it depends on the rows
}

// cached reports whether the weights of a pass stay in the first-level cache while all rows of a group are multiplied with
// them. Fetching them ahead is for the first rows then; for all it fetches the beginning of the next tiles again and again,
// which costs a tenth of the time on Zen 1 when pages have 4 KiB.
func (p *product) cached() bool {
	return p.cut.Ahead != tuning.Off && p.cut.Tiles == 1 && p.chunk()/p.words()*p.step <= 24<<10
}

// blocks writes the product of several rows: groups of rows whose x stays in
// the second-level cache; in a group passes over some k, whose weights stay in
// the first-level cache; in a pass all tiles; in a tile all register blocks.
func (p *product) blocks() {
	shapes := p.blockShapes()
	group := p.groupRows(shapes[0].rows)
	p.Commentf("Several rows: groups of %d, %d of k at a time.", group, p.chunk())
	left, done := p.AllocLocal(8), p.AllocLocal(8)
	local := func() operand.Mem { return p.AllocLocal(8) }
	s := &passState{y: local(), x: local(), c: local(), ldc: local(), rows: local(), tiles: local(), first: local(), end: local(), turns: local()}
	if p.runtime {
		s.rest = local()
	}
	if p.cached() {
		s.ahead = local()
	}
	p.MOVQ(p.arg("rows"), left)
	p.MOVQ(operand.U32(0), done)
	loop := p.label("group")
	p.startGroup(s, group, left)
	p.setAhead(s, fewBlocks*shapes[0].rows)
	if p.passes() {
		p.MOVQ(operand.U32(0), s.first)
		again := p.label("pass")
		p.limitPass(s, fewBlocks*shapes[0].rows)
		p.startPass(s, done)
		p.tileLoops(shapes, s)
		p.Comment("Next k.")
		next := p.GP64()
		p.MOVQ(s.end, next)
		p.MOVQ(next, s.first)
		p.CMPQ(next, p.limit())
		p.JLT(again)
	} else {
		p.startPass(s, done)
		p.tileLoops(shapes, s)
	}
	p.Comment("Next group of rows.")
	n := p.GP64()
	p.MOVQ(operand.U32(uint32(group)), n)
	p.ADDQ(n, done)
	p.SUBQ(n, left)
	p.JG(loop)
}

// startGroup sets the number of rows of a group.
func (p *product) startGroup(s *passState, group int, left operand.Mem) {
	n, limit := p.GP64(), p.GP64()
	p.MOVQ(left, n)
	p.MOVQ(operand.U32(uint32(group)), limit)
	p.CMPQ(n, limit)
	p.CMOVQGT(limit, n)
	p.MOVQ(n, s.rows)
}

// fewBlocks is how many register blocks below each other are few rows: reading the weights is then what counts.
const fewBlocks = 2

// setAhead sets the distance of prefetches of a group: none when there are more than few rows and the weights stay cached.
func (p *product) setAhead(s *passState, few int) {
	if !p.cached() {
		return
	}
	distance, none := p.GP64(), p.GP64()
	p.XORQ(none, none)
	p.MOVQ(operand.U32(uint32(p.cut.Ahead)), distance)
	p.CMPQ(s.rows, imm(few))
	p.CMOVQGT(none, distance)
	p.MOVQ(distance, s.ahead)
}

// prefetchPanel returns the function that fetches the weights of a step of the panel ahead of their use.
func (p *product) prefetchPanel(s *passState, tiles int) func(step int) {
	if !p.cached() {
		return func(step int) {
			for t := range tiles {
				p.prefetch(p.inTile(s.w, t, step*p.step), p.cut.Ahead)
			}
		}
	}
	ahead := p.GP64()
	p.MOVQ(s.ahead, ahead)
	return func(step int) { p.PREFETCHT0(at(s.w, step*p.step).Idx(ahead, 1)) }
}

// limitPass sets the last k of a pass: all k when there are few rows, because
// then reading the weights in order is what counts.
func (p *product) limitPass(s *passState, few int) {
	first, end, all := p.GP64(), p.GP64(), p.GP64()
	p.MOVQ(s.first, first)
	p.LEAQ(at(first, p.chunk()), end)
	p.MOVQ(p.limit(), all)
	p.CMPQ(s.rows, imm(few))
	p.CMOVQLE(all, end)
	p.CMPQ(end, all)
	p.CMOVQGT(all, end)
	p.MOVQ(end, s.end)
	p.SUBQ(first, end)
	if p.runtime {
		p.MOVQ(end, first)
		p.SHLQ(operand.U8(2), first)
		p.MOVQ(first, s.rest)
	}
	p.ANDQ(operand.I32(int32(-p.turn())), end)
	p.SHLQ(operand.U8(2), end)
	p.MOVQ(end, s.turns)
}

// turn is the number of k in one turn of the loop, a power of two.
func (p *product) turn() int { return p.blockUnroll() * p.words() }

// startPass sets the pointers to the first row, k and tile of a pass. Passes
// after the first add to y.
func (p *product) startPass(s *passState, done operand.Mem) {
	ldc := p.arg("ldc")
	c := p.rowStart("c", ldc, done)
	y := p.rowStart("y", p.arg("ldy"), done)
	x := p.rowStart("x", p.arg("ldx"), done)
	s.w = p.arg("w")
	p.MOVQ(p.arg("tiles"), s.tiles)
	if p.passes() {
		first := p.GP64()
		p.MOVQ(s.first, first)
		p.LEAQ(at(x, 0).Idx(first, 4), x)
		p.TESTQ(first, first)
		p.CMOVQNE(y, c)
		p.CMOVQNE(p.arg("ldy"), ldc)
		p.SHLQ(operand.U8(map[int]uint8{64: 6, 32: 5, 16: 4}[p.step/p.words()]), first)
		p.ADDQ(first, s.w)
	}
	p.MOVQ(x, s.x)
	p.MOVQ(y, s.y)
	p.MOVQ(c, s.c)
	p.MOVQ(ldc, s.ldc)
}

// rowStart returns a pointer to a row of a matrix parameter.
func (p *product) rowStart(name string, ld reg.GPVirtual, row operand.Mem) reg.GPVirtual {
	base, n := p.arg(name), p.GP64()
	p.MOVQ(row, n)
	p.IMULQ(ld, n)
	p.LEAQ(at(base, 0).Idx(n, 4), base)
	return base
}

// tileLoops computes all rows of the pass for all tiles: for b.tiles at a time
// while there are so many left.
func (p *product) tileLoops(shapes []block, s *passState) {
	for _, b := range shapes {
		next := p.newLabel("tilesDone")
		p.CMPQ(s.tiles, imm(b.tiles))
		p.JLT(next)
		loop := p.label("tile")
		p.rowLoop(b, s)
		p.Comment("Next tiles.")
		p.addTiles(b.tiles, s.w)
		p.ADDQ(imm(b.tiles*64), s.y)
		p.ADDQ(imm(b.tiles*64), s.c)
		p.SUBQ(imm(b.tiles), s.tiles)
		p.CMPQ(s.tiles, imm(b.tiles))
		p.JGE(loop)
		p.Label(string(next))
	}
}

// rowLoop computes the rows of a pass for one or some tiles. A rest of few rows
// is computed by a block of that height.
func (p *product) rowLoop(b block, s *passState) {
	p.Commentf("%s at a time, down the rows of the group.", describe(b.rows, b.tiles))
	r := rowState{m: p.GP64(), x: p.GP64(), y: p.GP64(), c: p.GP64()}
	p.MOVQ(s.rows, r.m)
	p.MOVQ(s.x, r.x)
	p.MOVQ(s.y, r.y)
	p.MOVQ(s.c, r.c)
	few, done := p.newLabel("fewRows"), p.newLabel("rowsDone")
	if b.few > 0 {
		p.CMPQ(r.m, imm(b.few))
		p.JLE(few)
	}
	rows := p.label("rows")
	p.registerBlock(b, s, r)
	p.nextRows(b, s, r)
	p.SUBQ(imm(b.rows), r.m)
	if b.few == 0 {
		p.JG(rows)
		return
	}
	p.CMPQ(r.m, imm(b.few))
	p.JG(rows)
	p.TESTQ(r.m, r.m)
	p.JLE(done)
	p.Label(string(few))
	low := block{rows: b.few, tiles: b.tiles}
	p.Commentf("The last rows: %s.", describe(low.rows, low.tiles))
	p.registerBlock(low, s, r)
	p.Label(string(done))
}

// rowState is where the loop over rows is: rows left and pointers to the first
// of them.
type rowState struct{ m, x, y, c reg.GPVirtual }

// nextRows moves the pointers down by the rows of a block.
func (p *product) nextRows(b block, s *passState, r rowState) {
	p.Comment("Next rows.")
	n := p.GP64()
	for _, to := range []struct {
		p  reg.GPVirtual
		ld operand.Op
	}{{r.x, p.argument("ldx")}, {r.y, p.argument("ldy")}, {r.c, s.ldc}} {
		p.MOVQ(to.ld, n)
		p.IMUL3Q(imm(4*b.rows), n, n)
		p.ADDQ(n, to.p)
	}
}

// registerBlock computes one block of outputs. When m is less than the rows of
// the block, the last row is computed again in the place of the missing ones:
// the same bits go to the same place.
func (p *product) registerBlock(b block, s *passState, r rowState) {
	n := b.tiles * p.parts
	acc := make([][]reg.VecVirtual, b.rows)
	p.Comment("Start from c.")
	p.downRows(b, r.m, s.ldc, r.c, func(i int, row reg.GPVirtual) {
		acc[i] = p.vecs(n)
		for v, a := range acc[i] {
			p.VMOVUPS(at(row, v*p.width()), a)
		}
	})
	p.Comment("Rows of x.")
	xs := p.rowPointers(b, r.m, r.x)
	p.Comment("Add x[r][k] · w[k], k in order.")
	from := panel{s.w, b.tiles}
	prefetch := p.prefetchPanel(s, b.tiles)
	p.passSteps(s, func(step int, offsets []operand.Mem) {
		prefetch(step)
		for h, offset := range offsets {
			p.multiplyBlock(from, step, h, xs, offset, acc)
		}
	})
	p.Comment("Store the outputs.")
	p.downRows(b, r.m, p.argument("ldy"), r.y, func(i int, row reg.GPVirtual) {
		for v, a := range acc[i] {
			p.VMOVUPS(a, at(row, v*p.width()))
		}
	})
}

// passSteps writes the loop over the k of a pass: literal bounds when there is
// one pass, else those of the pass, and k beyond whole turns in the last pass.
func (p *product) passSteps(s *passState, body func(step int, xk []operand.Mem)) {
	unroll := p.blockUnroll()
	if !p.passes() {
		p.steps("k", s.w, unroll, body)
		return
	}
	i := p.GP64()
	p.XORQ(i, i)
	rest := p.newLabel("kFew")
	if p.runtime { // passes of literal shapes have a whole turn at least
		p.CMPQ(i, s.turns)
		p.JGE(rest)
	}
	loop := p.label("k")
	for step := range unroll {
		body(step, p.offsets(i, step*p.words()*4, p.words()))
	}
	p.ADDQ(imm(unroll*p.step), s.w)
	p.ADDQ(imm(unroll*p.words()*4), i)
	p.CMPQ(i, s.turns)
	p.JLT(loop)
	if p.runtime {
		p.Label(string(rest))
		p.singleSteps("kRest", s.w, i, s.rest, body)
	} else if rest := p.k % p.turn(); rest > 0 {
		done := p.newLabel("kDone")
		p.CMPQ(s.end, imm(p.k))
		p.JLT(done)
		for step := 0; step*p.words() < rest; step++ {
			body(step, p.offsets(i, step*p.words()*4, min(p.words(), rest-step*p.words())))
		}
		p.Label(string(done))
	}
	p.SHLQ(operand.U8(map[int]uint8{64: 4, 32: 3, 16: 2}[p.step/p.words()]), i)
	p.SUBQ(i, s.w)
}

// multiplyBlock adds the products of one k to a block of outputs: row by row with the weights in registers or, where those
// of few rows of x are fewer, vector by vector of the weights.
func (p *product) multiplyBlock(from panel, step, half int, rows []reg.GPVirtual, offset operand.Mem, acc [][]reg.VecVirtual) {
	if len(rows) < from.tiles*p.parts {
		p.multiplyColumns(from, step, half, rows, offset, acc)
		return
	}
	w := p.vecs(from.tiles * p.parts)
	for v, d := range w {
		p.weights(from, v, step, half, d)
	}
	for i, row := range rows {
		p.multiplyRow(in(row, offset), w, acc[i])
	}
}

// multiplyColumns adds x[r][k] · w[k], one vector of weights after the other to the outputs of all rows.
func (p *product) multiplyColumns(from panel, step, half int, rows []reg.GPVirtual, offset operand.Mem, acc [][]reg.VecVirtual) {
	x := p.vecs(len(rows))
	for i, row := range rows {
		p.VBROADCASTSS(in(row, offset), x[i])
	}
	for v := range from.tiles * p.parts {
		w := p.vec()
		p.weights(from, v, step, half, w)
		for i := range rows {
			p.VFMADD231PS(w, x[i], acc[i][v])
		}
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
func (p *product) downRows(b block, m reg.GPVirtual, stride operand.Op, base reg.GPVirtual, body func(i int, row reg.GPVirtual)) {
	ld, row, next := p.GP64(), p.GP64(), p.GP64()
	p.MOVQ(stride, ld)
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
	rows[0] = x
	for i := 1; i < b.rows; i++ {
		rows[i] = p.GP64()
		p.LEAQ(at(rows[i-1], 0).Idx(ld, 4), next)
		p.MOVQ(rows[i-1], rows[i])
		p.CMPQ(m, imm(i))
		p.CMOVQGT(next, rows[i])
	}
	return rows
}

// blockUnroll is the number of steps in one turn of the loop over k.
func (p *product) blockUnroll() int { return p.cut.Unroll }
