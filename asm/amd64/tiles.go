package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/tfgen/tfgen/asm/kernel"
)

const (
	tileRows  = 16   // rows of x in a tile
	tileDepth = 32   // k in a tile
	tileSize  = 1024 // bytes: 16 rows of 64
	tileSums  = 4    // tiles of outputs at a time, TMM0 … TMM3
	tileX     = 4    // TMM4 and following have the terms of x, the largest first; weights are in what is left
	tileSteps = 16   // steps over k whose terms of x are in the frame together
	tileAhead = 2048 // bytes that weights are prefetched ahead: two steps
)

// A tileProduct is the state of a product with bfloat16 weights by AMX. Every value of x is split into two bfloat16 that sum
// to it within 2⁻¹⁷, or into three that sum to it exactly; each is multiplied with the weights as they are packed, and all is
// added in float32. The instructions that make a row's sums are the same for every number of rows, so that its bits depend on
// itself only. The products take numbers below 2⁻¹²⁶ for 0.
type tileProduct struct {
	*function
	parts  int // terms of a value of x
	k      int
	weight int           // bytes of one tile of weights
	x      operand.Mem   // pointer to the first row of the 16
	y      operand.Mem   // pointer to its outputs
	c      operand.Mem   // pointer to what they start from in this pass
	ldc    operand.Mem   // stride of c in bytes
	left   operand.Mem   // rows left
	rows   operand.Mem   // rows in the tile
	first  operand.Mem   // steps over k that are done
	steps  operand.Mem   // steps in this pass
	terms  reg.GPVirtual // the terms of x: [steps][terms][16 rows][32 k]
	line   reg.GPVirtual // 64, the stride of tiles in memory of their own
	config int           // where the configuration of the tiles is, from terms on
	rest   int           // where the weights of a part of a step are, from terms on
}

// fullSteps is the number of steps over k that fill a tile.
func (p *tileProduct) fullSteps() int { return p.k / tileDepth }

// restDepth is the number of k in the last step when it does not fill a tile.
func (p *tileProduct) restDepth() int { return p.k % tileDepth }

// tilesOf returns the lowering of gemm for bfloat16 weights with so many terms of x.
func tilesOf(parts int) func(f *function, k kernel.Kernel) {
	return func(f *function, k kernel.Kernel) {
		(&tileProduct{function: f, parts: parts, k: k.D[0], weight: (k.D[0] + 1) / 2 * 64}).write()
	}
}

// termBytes is the size of the terms of one step.
func (p *tileProduct) termBytes() int { return p.parts * tileSize }

// tileW is the number of the first tile register with weights. There are 8 − tileW of them.
func (p *tileProduct) tileW() int { return tileX + p.parts }

// write writes y = c + x·w for bfloat16 weights by AMX: 16 rows after another, in passes over k whose terms of x fit
// the frame, with tiles of outputs kept in y between them. The tiles are released before the function returns.
func (p *tileProduct) write() {
	for _, m := range []*operand.Mem{&p.x, &p.y, &p.c, &p.ldc, &p.left, &p.rows, &p.first, &p.steps} {
		*m = p.AllocLocal(8)
	}
	p.frame()
	p.copyWord(p.arg("rows"), p.left)
	p.copyWord(p.arg("x"), p.x)
	p.copyWord(p.arg("y"), p.y)
	start := p.AllocLocal(8)
	p.copyWord(p.arg("c"), start)
	loop := p.label("rows16")
	p.configure()
	p.copyWord(start, p.c)
	p.copyWord(p.stride("ldc", 4), p.ldc)
	p.fullPasses()
	if p.restDepth() > 0 {
		p.restPass()
	}
	p.Comment("Next 16 rows.")
	p.nextRows("ldx", p.x)
	p.nextRows("ldy", p.y)
	p.nextRows("ldc", start)
	p.SUBQ(imm(tileRows), p.left)
	p.JG(loop)
	p.tile("TILERELEASE")
}

// frame aligns the memory of the function and clears what stays constant in it.
func (p *tileProduct) frame() {
	p.config = max(1, min(p.fullSteps(), tileSteps)) * p.termBytes()
	p.rest = p.config + 64
	size := p.rest + 64
	if p.restDepth() > 0 {
		size += tileSize
	}
	p.terms, p.line = p.GP64(), p.GP64()
	p.LEAQ(p.AllocLocal(size), p.terms)
	p.ADDQ(operand.U8(63), p.terms)
	p.ANDQ(operand.I8(-64), p.terms)
	p.MOVQ(operand.U32(64), p.line)
	zero := p.vec()
	p.zero(zero)
	p.VMOVUPS(zero, at(p.terms, p.config))
	if p.restDepth() > 0 {
		for row := range tileRows {
			p.VMOVUPS(zero, at(p.terms, p.rest+64*row))
		}
	}
	p.MOVB(operand.U8(1), at(p.terms, p.config)) // palette 1: eight tiles of 16 rows of 64 bytes
	for n := range 8 {
		p.MOVB(operand.U8(64), at(p.terms, p.config+16+2*n))
	}
}

// nextRows moves a pointer by 16 rows.
func (p *tileProduct) nextRows(ld string, pointer operand.Mem) {
	n := p.stride(ld, 4)
	p.SHLQ(operand.U8(4), n)
	p.ADDQ(n, pointer)
}

// configure gives the tiles of x and of outputs as many rows as are left, at most 16.
func (p *tileProduct) configure() {
	n, limit := p.GP64(), p.GP64()
	p.MOVQ(p.left, n)
	p.MOVQ(operand.U32(tileRows), limit)
	p.CMPQ(n, limit)
	p.CMOVQGT(limit, n)
	p.MOVQ(n, p.rows)
	for t := range 8 {
		rows := n
		if t >= p.tileW() {
			rows = limit
		}
		p.MOVB(rows.As8(), at(p.terms, p.config+48+t))
	}
	p.tile("LDTILECFG", at(p.terms, p.config))
}

// fullPasses adds the products of the steps over k that fill a tile.
func (p *tileProduct) fullPasses() {
	if p.fullSteps() == 0 {
		return
	}
	p.copyWord(operand.U32(0), p.first)
	pass := p.label("pass")
	n, limit := p.GP64(), p.GP64()
	p.MOVQ(operand.U32(uint32(p.fullSteps())), n)
	p.SUBQ(p.first, n)
	p.MOVQ(operand.U32(tileSteps), limit)
	p.CMPQ(n, limit)
	p.CMOVQGT(limit, n)
	p.MOVQ(n, p.steps)
	p.splitRows()
	p.sums()
	p.continueFromY()
	done := p.GP64()
	p.MOVQ(p.first, done)
	p.ADDQ(p.steps, done)
	p.MOVQ(done, p.first)
	p.CMPQ(done, imm(p.fullSteps()))
	p.JLT(pass)
}

// continueFromY makes the next pass start from the sums of this one.
func (p *tileProduct) continueFromY() {
	p.copyWord(p.y, p.c)
	p.copyWord(p.stride("ldy", 4), p.ldc)
}

// splitRows writes the terms of x for the steps of a pass.
func (p *tileProduct) splitRows() {
	p.Commentf("Split x into %d terms of bfloat16.", p.parts)
	x, to, row, ldx := p.GP64(), p.GP64(), p.GP64(), p.stride("ldx", 4)
	first := p.GP64()
	p.MOVQ(p.x, x)
	p.MOVQ(p.first, first)
	p.SHLQ(operand.U8(7), first) // 32 float32
	p.ADDQ(first, x)
	p.MOVQ(p.terms, to)
	p.MOVQ(p.rows, row)
	masks := p.splitMasks()
	rows := p.label("splitRow")
	from, d, n := p.GP64(), p.GP64(), p.GP64()
	p.MOVQ(x, from)
	p.MOVQ(to, d)
	p.MOVQ(p.steps, n)
	steps := p.label("splitStep")
	for half := range 2 {
		v := p.vec()
		p.VMOVUPS(at(from, 64*half), v)
		p.split(v, masks, d, 32*half)
	}
	p.ADDQ(imm(128), from)
	p.ADDQ(imm(p.termBytes()), d)
	p.DECQ(n)
	p.JNZ(steps)
	p.ADDQ(ldx, x)
	p.ADDQ(imm(64), to)
	p.DECQ(row)
	p.JNZ(rows)
}

// splitMasks holds what splitting needs: the upper half of a word, and half of its last place.
type splitMasks struct{ upper, half reg.VecVirtual }

func (p *tileProduct) splitMasks() (m splitMasks) {
	m.upper = p.broadcast(p.word("upperHalf", 0xffff0000))
	if p.parts == 2 {
		m.half = p.broadcast(p.word("splitHalf", 0x8000))
	}
	return m
}

// split writes the terms of 16 values: each is the upper half of what the larger ones leave. Of three, the last leaves
// nothing; two are rounded to the nearest.
func (p *tileProduct) split(v reg.VecVirtual, m splitMasks, to reg.GPVirtual, disp int) {
	for term := range p.parts {
		near := v
		if p.parts == 2 {
			near = p.vec()
			p.VPADDD(m.half, v, near)
		}
		word := p.vec()
		p.VPSRLD(operand.U8(16), near, word)
		p.VPMOVDW(word, at(to, term*tileSize+disp))
		if term < p.parts-1 {
			upper, less := p.vec(), p.vec()
			p.VPANDD(near, m.upper, upper)
			p.VSUBPS(upper, v, less)
			v = less
		}
	}
}

// sums adds the products of a pass to all tiles of outputs, several at a time while there are so many left.
func (p *tileProduct) sums() {
	w, left, column := p.arg("w"), p.arg("tiles"), p.GP64()
	first := p.GP64()
	p.MOVQ(p.first, first)
	p.SHLQ(operand.U8(10), first) // 16 pairs of k of 64 bytes
	p.ADDQ(first, w)
	p.XORQ(column, column)
	for _, n := range []int{tileSums, 1} {
		next := p.newLabel("tilesDone")
		p.CMPQ(left, imm(n))
		p.JLT(next)
		loop := p.label("tiles")
		p.outputs("TILELOADD", n, column)
		p.sumSteps(n, w)
		p.outputs("TILESTORED", n, column)
		p.add64(n*p.weight, w)
		p.ADDQ(imm(64*n), column)
		p.SUBQ(imm(n), left)
		p.CMPQ(left, imm(n))
		p.JGE(loop)
		p.Label(string(next))
	}
}

// outputs loads the sums of n tiles from c, or stores them to y, at an offset in their rows.
func (p *tileProduct) outputs(opcode string, n int, column reg.GPVirtual) {
	base, ld := p.GP64(), p.GP64()
	if opcode == "TILELOADD" {
		p.MOVQ(p.c, base)
		p.MOVQ(p.ldc, ld)
	} else {
		p.MOVQ(p.y, base)
		ld = p.stride("ldy", 4)
	}
	p.ADDQ(column, base)
	for t := range n {
		m := at(base, 64*t).Idx(ld, 1)
		if opcode == "TILELOADD" {
			p.tile(opcode, m, tmm(t))
		} else {
			p.tile(opcode, tmm(t), m)
		}
	}
}

// sumSteps adds the products of the steps of a pass to n tiles of outputs.
func (p *tileProduct) sumSteps(n int, w reg.GPVirtual) {
	x, from, left := p.GP64(), p.GP64(), p.GP64()
	p.MOVQ(p.terms, x)
	p.MOVQ(w, from)
	p.MOVQ(p.steps, left)
	loop := p.label("step")
	p.loadTerms(x)
	for t := 0; t < n; {
		several := min(n-t, 8-p.tileW())
		p.products(t, several, func(i int) {
			w := at(from, (t+i)*p.weight)
			p.tile("TILELOADD", w.Idx(p.line, 1), tmm(p.tileW()+i))
			for line := range tileRows {
				p.PREFETCHT0(w.Offset(tileAhead + 64*line))
			}
		})
		t += several
	}
	p.ADDQ(imm(tileSize), from)
	p.ADDQ(imm(p.termBytes()), x)
	p.DECQ(left)
	p.JNZ(loop)
}

// loadTerms loads the terms of x of one step.
func (p *tileProduct) loadTerms(x reg.GPVirtual) {
	for term := range p.parts {
		p.tile("TILELOADD", at(x, term*tileSize).Idx(p.line, 1), tmm(tileX+term))
	}
}

// products adds the terms of x times the weights to several tiles of the outputs from t on, the smallest term first. The
// tiles take turns: a product waits for the sum of the one before with the same tile.
func (p *tileProduct) products(t, several int, load func(i int)) {
	for term := p.parts - 1; term >= 0; term-- {
		for i := range several {
			if term == p.parts-1 {
				load(i)
			}
			p.tile("TDPBF16PS", tmm(p.tileW()+i), tmm(tileX+term), tmm(t+i))
		}
	}
}
