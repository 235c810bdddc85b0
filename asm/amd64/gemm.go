package amd64

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/tfgen/tfgen/asm/kernel"
)

// prefetchAhead is how far, in bytes, weights are fetched before they are used.
const prefetchAhead = 4096

// A product is the state of one gemm lowering. Every output is one chain of
// fused multiply-adds over k in increasing order, whatever block computes it,
// so that its bits depend on its own row and column only.
type product struct {
	*function
	k     int
	bf16  bool
	f16   bool
	i8    bool
	step  int                   // bytes of a tile that are used at a time
	tile  int                   // bytes of one tile of weights
	high  reg.VecVirtual        // bf16, AVX2: keeps the upper half of every word
	parts int                   // vectors in a tile of 16 outputs
	sizes map[int]reg.GPVirtual // with run-time shapes: bytes of 1, 3, 5 … tiles
}

// gemm writes y = c + x·w: one row of x by matrix × vector over several tiles
// at once, more rows by register blocks.
func gemm(f *function, k kernel.Kernel) {
	p := &product{function: f, k: k.D[0], bf16: k.S == "bf16", f16: k.S == "f16", i8: k.S == "i8", parts: kernel.Tile / f.lanes(), step: 64}
	if p.f16 {
		p.step = 32
	}
	if p.i8 {
		p.step = 16
	}
	p.tile = p.k * p.step
	if p.bf16 {
		p.tile = (p.k + 1) / 2 * p.step
		p.high = f.broadcast(f.word("upperHalf", 0xffff0000))
	}
	p.prepareRuntime()
	one, done := f.newLabel("oneRow"), f.newLabel("done")
	f.CMPQ(f.arg("rows"), imm(1))
	f.JEQ(one)
	p.blocks()
	f.JMP(done)
	f.Label(string(one))
	p.vector()
	f.Label(string(done))
}

// words returns how many k share one step of the weight stream.
func (p *product) words() int {
	if p.bf16 {
		return 2
	}
	return 1
}

// A panel is the weights of tiles next to each other, read from base on.
type panel struct {
	base  reg.Register
	tiles int
}

// weights loads the weights of one k for vector v of the panel.
func (p *product) weights(from panel, v, step, half int, d reg.VecVirtual) {
	m := p.weight(from, v, step)
	switch {
	case p.f16:
		p.VCVTPH2PS(m, d)
	case p.i8:
		p.VPMOVSXBD(m, d)
		p.VCVTDQ2PS(d, d)
	case !p.bf16:
		p.VMOVUPS(m, d)
	case half == 1 && p.isa == AVX512:
		p.VPANDD(m, p.high, d)
	case half == 1:
		p.VPAND(m, p.high, d)
	case p.isa == AVX512:
		p.VPSLLD(operand.U8(16), m, d)
	default:
		p.VMOVDQU(m, d)
		p.VPSLLD(operand.U8(16), d, d)
	}
}

// weight is where the weights of a step are for vector v of the panel.
func (p *product) weight(from panel, v, step int) operand.Mem {
	return p.inTile(from.base, v/p.parts, step*p.step+v%p.parts*(p.step/p.parts))
}

// steps writes the loop over k: body for each step of the weight stream, with
// the number of k in it (bf16: 2, or 1 at an odd end) and the offset of x[k] in
// its row. Afterwards w is what it was before.
func (p *product) steps(name string, w reg.GPVirtual, unroll int, body func(step int, xk []operand.Mem)) {
	if p.runtime {
		p.runtimeSteps(name, w, unroll, body)
		return
	}
	full := p.k / p.words()
	groups := full / unroll
	if groups < 2 {
		groups = 0
	}
	turn := unroll * p.words() * 4
	if groups > 0 {
		i := p.GP64()
		p.XORQ(i, i)
		loop := p.label(name)
		for s := range unroll {
			body(s, p.offsets(i, s*p.words()*4, p.words()))
		}
		p.ADDQ(imm(unroll*p.step), w)
		p.ADDQ(imm(turn), i)
		p.CMPQ(i, imm(groups*turn))
		p.JLT(loop)
	}
	for s := groups * unroll; s < full; s++ {
		body(s-groups*unroll, p.offsets(nil, s*p.words()*4, p.words()))
	}
	if p.k%p.words() != 0 {
		body(full-groups*unroll, p.offsets(nil, (p.k-1)*4, 1))
	}
	p.add64(-groups*unroll*p.step, w)
}

// offsets returns where the next n elements of a row of x are, from its start.
func (p *product) offsets(index reg.Register, disp, n int) []operand.Mem {
	m := make([]operand.Mem, n)
	for i := range m {
		m[i] = operand.Mem{Disp: disp + 4*i}
		if index != nil {
			m[i] = m[i].Idx(index, 1)
		}
	}
	return m
}

// in returns the element at an offset of the row that begins at base.
func in(base reg.Register, offset operand.Mem) operand.Mem {
	offset.Base = base
	return offset
}

// describe names a block for comments.
func describe(rows, tiles int) string {
	return fmt.Sprintf("%d × %d outputs", rows, tiles*kernel.Tile)
}
