package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A splitter has the constants that splitting needs in registers.
type splitter struct {
	upper  reg.VecVirtual // 2¹⁶
	beyond reg.VecVirtual // 2¹⁶ + 1
	half   reg.VecVirtual // half of the last place of the upper 16 bits
	odd    reg.Register   // mask of the odd words
	values []reg.VecVirtual
}

func (p *splitProduct) newSplitter() *splitter {
	s := &splitter{
		upper: p.broadcast(p.float("splitUpper", 0x1p16)), beyond: p.broadcast(p.float("splitBeyond", 0x1p16+1)),
		half: p.broadcast(p.word("splitHalf", 0x8000)), values: p.vecs(8),
	}
	bits, odd := p.GP32(), p.K()
	p.MOVL(operand.U32(0xaaaaaaaa), bits)
	p.KMOVD(bits, odd)
	s.odd = odd
	return s
}

// split calls use with the terms of a vector, the largest first, in the upper halves of their lanes. A term is the value
// rounded to 8 bits, as (2¹⁶ + 1)·v − 2¹⁶·v in float32: Veltkamp 1968. Of two, the last one is rounded by adding half of
// its last place; of three, the last one has no more than 8 bits.
func (p *splitProduct) split(s *splitter, v, term reg.VecVirtual, use func(term int, v reg.VecVirtual)) {
	for n := range p.terms - 1 {
		p.VMULPS(s.beyond, v, term)
		p.VFNMADD231PS(s.upper, v, term)
		use(n, term)
		p.VSUBPS(term, v, v)
	}
	if p.terms == 2 {
		p.VPADDD(s.half, v, v)
	}
	use(p.terms-1, v)
}

// splitRows writes the terms of x for the rows of the group and the steps of the pass.
func (p *splitProduct) splitRows() {
	p.Comment("Split x into terms of bfloat16.")
	s := p.newSplitter()
	x, to, ldx, left, inTile := p.GP64(), p.GP64(), p.stride("ldx", 4), p.GP64(), p.GP64()
	p.MOVQ(p.x, x)
	first := p.GP64()
	p.MOVQ(p.first, first)
	p.SHLQ(operand.U8(7), first) // 32 float32
	p.ADDQ(first, x)
	p.LEAQ(at(p.frame.base, p.xTerms), to)
	p.MOVQ(p.rows, left)
	p.MOVQ(operand.U32(tileRows), inTile)
	loop := p.label("splitRow")
	p.splitRow(s, x, to)
	p.ADDQ(ldx, x)
	p.ADDQ(imm(64), to)
	same := p.newLabel("sameTile")
	p.DECQ(inTile)
	p.JNZ(same)
	p.MOVQ(operand.U32(tileRows), inTile)
	p.add64(p.tileBytes()-tileSize, to)
	p.Label(string(same))
	p.DECQ(left)
	p.JNZ(loop)
}

// splitRow writes the terms of a row.
func (p *splitProduct) splitRow(s *splitter, x, to reg.GPVirtual) {
	from, d, n := p.GP64(), p.GP64(), p.GP64()
	p.MOVQ(x, from)
	p.MOVQ(to, d)
	p.MOVQ(p.full, n)
	p.eachFullStep(n, func() {
		for half := range 2 {
			p.VMOVUPS(at(from, 64*half), s.values[half])
			p.storeTerms(s, s.values[half], s.values[2+half], d, 32*half)
		}
		p.ADDQ(imm(128), from)
		p.ADDQ(imm(p.stepBytes()), d)
	})
	p.restStep(func() {
		for half, lanes := range [2]int{min(p.restDepth(), 16), max(p.restDepth()-16, 0)} {
			bits, mask := p.GP32(), p.K()
			p.MOVL(operand.U32(1<<lanes-1), bits)
			p.KMOVW(bits, mask)
			p.VMOVUPS_Z(at(from, 64*half), mask, s.values[half])
			p.storeTerms(s, s.values[half], s.values[2+half], d, 32*half)
		}
	})
}

// storeTerms writes the terms of 16 values.
func (p *splitProduct) storeTerms(s *splitter, v, term reg.VecVirtual, to reg.GPVirtual, disp int) {
	p.split(s, v, term, func(n int, v reg.VecVirtual) {
		word := s.values[4]
		p.VPSRLD(operand.U8(16), v, word)
		p.VPMOVDW(word, at(to, n*tileSize+disp))
	})
}

// eachFullStep writes a loop of n turns, or of none.
func (p *splitProduct) eachFullStep(n reg.GPVirtual, body func()) {
	if p.k < tileDepth {
		return
	}
	done := p.newLabel("fullDone")
	p.TESTQ(n, n)
	p.JZ(done)
	loop := p.label("fullStep")
	body()
	p.DECQ(n)
	p.JNZ(loop)
	p.Label(string(done))
}

// restStep writes what is done for the last step when it does not fill a tile.
func (p *splitProduct) restStep(body func()) {
	if p.restDepth() == 0 {
		return
	}
	full, done := p.GP64(), p.newLabel("restDone")
	p.MOVQ(p.full, full)
	p.CMPQ(full, p.steps)
	p.JEQ(done)
	body()
	p.Label(string(done))
}

// splitWeights writes the terms of n tiles of weights for the steps of the pass, two k side by side.
func (p *splitProduct) splitWeights(n int) {
	p.Comment("Split the weights into terms of bfloat16.")
	s := p.newSplitter()
	for t := range n {
		from, d, left := p.GP64(), p.GP64(), p.GP64()
		p.MOVQ(p.w, from)
		p.add64(t*p.k*64, from)
		p.LEAQ(at(p.frame.base, p.wTerms+t*p.tileBytes()), d)
		p.MOVQ(p.full, left)
		p.eachFullStep(left, func() {
			const pairs = 4
			quarters := p.GP64()
			p.MOVQ(operand.U32(tileRows/pairs), quarters)
			loop := p.label("splitPairs")
			for pair := range pairs {
				p.PREFETCHT0(at(from, 128*pair+prefetchAhead))
				p.PREFETCHT0(at(from, 128*pair+64+prefetchAhead))
				p.splitPair(s, from, d, pair, true)
			}
			p.ADDQ(imm(128*pairs), from)
			p.ADDQ(imm(64*pairs), d)
			p.DECQ(quarters)
			p.JNZ(loop)
			p.add64(p.stepBytes()-tileSize, d)
		})
		p.restStep(func() { p.splitRest(s, from, d) })
	}
}

// splitRest writes the terms of the weights of the last step, zeros behind its k.
func (p *splitProduct) splitRest(s *splitter, from, d reg.GPVirtual) {
	pairs := (p.restDepth() + 1) / 2
	for pair := range pairs {
		p.splitPair(s, from, d, pair, 2*pair+1 < p.restDepth())
	}
	zero := s.values[0]
	p.zero(zero)
	for pair := pairs; pair < tileRows; pair++ {
		for term := range p.terms {
			p.VMOVUPS(zero, at(d, term*tileSize+64*pair))
		}
	}
}

// splitPair writes the terms of the weights of one or two k for 16 outputs.
func (p *splitProduct) splitPair(s *splitter, from, d reg.GPVirtual, pair int, two bool) {
	a, b := s.values[0], s.values[1]
	low := s.values[4:]
	p.VMOVUPS(at(from, 128*pair), a)
	p.split(s, a, s.values[2], func(n int, v reg.VecVirtual) { p.VPSRLD(operand.U8(16), v, low[n]) })
	if two {
		p.VMOVUPS(at(from, 128*pair+64), b)
		p.split(s, b, s.values[3], func(n int, v reg.VecVirtual) { p.VMOVDQU16(v, s.odd, low[n]) })
	}
	for n := range p.terms {
		p.VMOVUPS(low[n], at(d, n*tileSize+64*pair))
	}
}
