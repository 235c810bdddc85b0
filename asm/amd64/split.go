package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/tfgen/tfgen/asm/kernel"
)

// A splitting says how products of float32 are made of products of bfloat16: every value is a sum of terms of 8 bits, the
// largest first, and products lists the terms of x and of the weights that are multiplied, in the order in which they are
// added. Henry, Tang and Heinecke 2019, Leveraging the bfloat16 Artificial Intelligence Datatype For Higher-Precision Computations.
type splitting struct {
	terms    int
	products [][2]int
}

// Three products leave out what is below 2⁻¹⁶ of a product, six what is below 2⁻²⁴.
var (
	threeProducts = splitting{2, [][2]int{{0, 1}, {0, 0}, {1, 0}}}
	sixProducts   = splitting{3, [][2]int{{0, 2}, {0, 1}, {1, 1}, {1, 0}, {2, 0}, {0, 0}}}
)

const (
	splitTiles = 8 // tiles of rows whose terms are in the frame together
	splitSteps = 8 // steps over k whose terms are in the frame together
)

// A splitProduct is the state of a product with float32 weights by AMX. For groups of 128 rows and passes of 256 k, the
// terms of x are written to the frame; then, for two tiles of outputs after another, the terms of their weights, and all
// rows are multiplied with them, two tiles of rows at a time. Outputs are kept in y between passes. The instructions that
// make a row's sums are the same for every number of rows.
type splitProduct struct {
	*function
	splitting
	k      int
	frame  alignedFrame
	xTerms int // [tile of rows][step][term][16 rows][32 k]
	wTerms int // [tile of outputs][step][term][16 pairs of k][16][2]
	config int
	line   reg.GPVirtual // 64, the stride of tiles in the frame

	x, y, c   operand.Mem // the first row of the group
	left      operand.Mem // rows left
	rows      operand.Mem // rows in the group
	ldc       operand.Mem // stride of c in bytes
	w         operand.Mem // weights of the tiles
	tiles     operand.Mem // tiles left
	first     operand.Mem // steps over k that are done
	steps     operand.Mem // steps in the pass
	full      operand.Mem // of these, steps that fill a tile
	tileY     operand.Mem // outputs of the tiles
	tileC     operand.Mem
	blockX    operand.Mem // terms of the rows
	blockY    operand.Mem
	blockC    operand.Mem
	blockLeft operand.Mem // rows left in the group
}

// splitTo returns the lowering of gemm for float32 weights by a splitting.
func splitTo(s splitting) func(f *function, k kernel.Kernel) {
	return func(f *function, k kernel.Kernel) { (&splitProduct{function: f, splitting: s, k: k.D[0]}).write() }
}

// allSteps is the number of steps over k, the last of which may not fill a tile.
func (p *splitProduct) allSteps() int { return (p.k + tileDepth - 1) / tileDepth }

// restDepth is the number of k in the last step when it does not fill a tile.
func (p *splitProduct) restDepth() int { return p.k % tileDepth }

// stepBytes is the size of the terms of one tile and step, tileBytes that of all steps of a pass.
func (p *splitProduct) stepBytes() int { return p.terms * tileSize }
func (p *splitProduct) tileBytes() int { return min(p.allSteps(), splitSteps) * p.stepBytes() }

func (p *splitProduct) write() {
	p.places()
	group := p.label("group")
	p.startGroup()
	pass := p.label("pass")
	p.startPass()
	p.splitRows()
	p.allTiles()
	if p.allSteps() > splitSteps {
		p.Comment("The next pass goes on from y.")
		p.copyWord(p.y, p.c)
		p.copyWord(p.stride("ldy", 4), p.ldc)
		done := p.GP64()
		p.MOVQ(p.first, done)
		p.ADDQ(p.steps, done)
		p.MOVQ(done, p.first)
		p.CMPQ(done, imm(p.allSteps()))
		p.JLT(pass)
	}
	p.Comment("Next group of rows.")
	p.SUBQ(operand.U32(splitTiles*tileRows), p.left)
	p.JG(group)
	p.tile("TILERELEASE")
}

// places allocates memory and prepares the configuration of tiles.
func (p *splitProduct) places() {
	p.xTerms = p.frame.reserve(splitTiles * p.tileBytes())
	p.wTerms = p.frame.reserve(2 * p.tileBytes())
	p.config = p.frame.reserve(64)
	p.frame.place(p.function)
	for _, m := range []*operand.Mem{&p.x, &p.y, &p.c, &p.left, &p.rows, &p.ldc, &p.w, &p.tiles, &p.first, &p.steps, &p.full,
		&p.tileY, &p.tileC, &p.blockX, &p.blockY, &p.blockC, &p.blockLeft} {
		*m = p.AllocLocal(8)
	}
	p.line = p.GP64()
	p.MOVQ(operand.U32(64), p.line)
	zero := p.vec()
	p.zero(zero)
	p.VMOVUPS(zero, at(p.frame.base, p.config))
	p.MOVB(operand.U8(1), at(p.frame.base, p.config))
	for t := range 8 {
		p.MOVB(operand.U8(64), at(p.frame.base, p.config+16+2*t))
		p.MOVB(operand.U8(tileRows), at(p.frame.base, p.config+48+t))
	}
	p.copyWord(p.arg("rows"), p.left)
}

// startGroup points to the rows of the group: as many as are left, at most 128.
func (p *splitProduct) startGroup() {
	n, limit, done := p.GP64(), p.GP64(), p.GP64()
	p.MOVQ(p.left, n)
	p.MOVQ(p.arg("rows"), done)
	p.SUBQ(n, done)
	p.MOVQ(operand.U32(splitTiles*tileRows), limit)
	p.CMPQ(n, limit)
	p.CMOVQGT(limit, n)
	p.MOVQ(n, p.rows)
	for _, m := range []struct {
		name string
		to   operand.Mem
	}{{"x", p.x}, {"y", p.y}, {"c", p.c}} {
		offset, base := p.arg("ld"+m.name), p.arg(m.name)
		p.IMULQ(done, offset)
		p.LEAQ(at(base, 0).Idx(offset, 4), base)
		p.MOVQ(base, m.to)
	}
	p.copyWord(p.stride("ldc", 4), p.ldc)
	p.copyWord(operand.U32(0), p.first)
}

// startPass sets the number of steps of the pass.
func (p *splitProduct) startPass() {
	n, limit, full := p.GP64(), p.GP64(), p.GP64()
	p.MOVQ(operand.U32(uint32(p.allSteps())), n)
	p.SUBQ(p.first, n)
	p.MOVQ(operand.U32(splitSteps), limit)
	p.CMPQ(n, limit)
	p.CMOVQGT(limit, n)
	p.MOVQ(n, p.steps)
	p.MOVQ(operand.U32(uint32(p.k/tileDepth)), full)
	p.SUBQ(p.first, full)
	p.CMPQ(n, full)
	p.CMOVQGT(full, n)
	p.MOVQ(n, p.full)
}

// allTiles multiplies the rows of the group with the weights of all tiles, in the steps of the pass.
func (p *splitProduct) allTiles() {
	w, first := p.arg("w"), p.GP64()
	p.MOVQ(p.first, first)
	p.SHLQ(operand.U8(11), first) // 32 k of 64 bytes
	p.ADDQ(first, w)
	p.MOVQ(w, p.w)
	p.copyWord(p.y, p.tileY)
	p.copyWord(p.c, p.tileC)
	p.copyWord(p.arg("tiles"), p.tiles)
	for _, n := range []int{2, 1} {
		p.whileLeft(p.tiles, n, "tiles", func() {
			p.splitWeights(n)
			p.multiplyGroup(n)
			p.ADDQ(imm(n*p.k*64), p.w)
			p.ADDQ(imm(64*n), p.tileY)
			p.ADDQ(imm(64*n), p.tileC)
		})
	}
}

// multiplyGroup multiplies the rows of the group with n tiles of weights: two tiles of rows at a time while they are full.
func (p *splitProduct) multiplyGroup(n int) {
	x := p.GP64()
	p.LEAQ(at(p.frame.base, p.xTerms), x)
	p.MOVQ(x, p.blockX)
	p.copyWord(p.tileY, p.blockY)
	p.copyWord(p.tileC, p.blockC)
	p.copyWord(p.rows, p.blockLeft)
	done := p.newLabel("groupDone")
	full := p.GP64()
	p.MOVQ(operand.U32(tileRows), full)
	p.configure(full)
	p.whileLeft(p.blockLeft, 2*tileRows, "rows32", func() { p.multiplyBlock(2, n) })
	p.CMPQ(p.blockLeft, imm(0))
	p.JLE(done)
	last := p.label("rows16")
	rows, limit := p.GP64(), p.GP64()
	p.MOVQ(p.blockLeft, rows)
	p.MOVQ(operand.U32(tileRows), limit)
	p.CMPQ(rows, limit)
	p.CMOVQGT(limit, rows)
	p.configure(rows)
	p.multiplyBlock(1, n)
	p.SUBQ(imm(tileRows), p.blockLeft)
	p.JG(last)
	p.Label(string(done))
}

// configure gives the tiles of x and of outputs so many rows.
func (p *splitProduct) configure(rows reg.GPVirtual) {
	for t := range 6 {
		p.MOVB(rows.As8(), at(p.frame.base, p.config+48+t))
	}
	p.tile("LDTILECFG", at(p.frame.base, p.config))
}

// multiplyBlock adds the products of m tiles of rows and n tiles of outputs, in the steps of the pass, and points to the
// next rows. Outputs are in TMM0 … TMM3, terms of x in TMM4 and TMM5, of the weights in TMM6 and TMM7.
func (p *splitProduct) multiplyBlock(m, n int) {
	p.Commentf("%s.", describe(m*tileRows, n))
	p.moveOutputs("TILELOADD", m, n)
	x, w, left := p.GP64(), p.GP64(), p.GP64()
	p.MOVQ(p.blockX, x)
	p.LEAQ(at(p.frame.base, p.wTerms), w)
	p.MOVQ(p.steps, left)
	loop := p.label("step")
	termX, termW := -1, -1
	for _, terms := range p.products {
		if terms[0] != termX {
			termX = terms[0]
			p.loadTerms(m, x, termX, 4)
		}
		if terms[1] != termW {
			termW = terms[1]
			p.loadTerms(n, w, termW, 6)
		}
		for i := range m {
			for j := range n {
				p.tile("TDPBF16PS", tmm(6+j), tmm(4+i), tmm(i*n+j))
			}
		}
	}
	p.ADDQ(imm(p.stepBytes()), x)
	p.ADDQ(imm(p.stepBytes()), w)
	p.DECQ(left)
	p.JNZ(loop)
	p.moveOutputs("TILESTORED", m, n)
	p.nextBlock(m)
}

// loadTerms loads a term of n tiles to tile registers from first on.
func (p *splitProduct) loadTerms(n int, from reg.GPVirtual, term, first int) {
	for i := range n {
		p.tile("TILELOADD", at(from, i*p.tileBytes()+term*tileSize).Idx(p.line, 1), tmm(first+i))
	}
}

// moveOutputs loads outputs from c or stores them to y.
func (p *splitProduct) moveOutputs(opcode string, m, n int) {
	base, ld, next := p.GP64(), p.GP64(), p.GP64()
	if opcode == "TILELOADD" {
		p.MOVQ(p.blockC, base)
		p.MOVQ(p.ldc, ld)
	} else {
		p.MOVQ(p.blockY, base)
		p.MOVQ(p.stride("ldy", 4), ld)
	}
	p.MOVQ(ld, next)
	p.SHLQ(operand.U8(4), next)
	for i := range m {
		for j := range n {
			outputs := at(base, 64*j).Idx(ld, 1)
			if opcode == "TILELOADD" {
				p.tile(opcode, outputs, tmm(i*n+j))
			} else {
				p.tile(opcode, tmm(i*n+j), outputs)
			}
		}
		if i < m-1 {
			p.ADDQ(next, base)
		}
	}
}

// nextBlock points to the rows behind m tiles.
func (p *splitProduct) nextBlock(m int) {
	y, c := p.stride("ldy", 4), p.GP64()
	p.IMUL3Q(imm(m*tileRows), y, y)
	p.ADDQ(y, p.blockY)
	p.MOVQ(p.ldc, c)
	p.IMUL3Q(imm(m*tileRows), c, c)
	p.ADDQ(c, p.blockC)
	p.ADDQ(imm(m*p.tileBytes()), p.blockX)
}
