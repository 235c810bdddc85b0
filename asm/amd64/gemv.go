package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// vectorTiles are the numbers of tiles that one pass over x serves, the largest
// first: independent chains hide the latency of the multiply-add.
func (p *product) vectorTiles() []int {
	n := []int{p.cut.Stream}
	for half := n[0] / 2; half > 1; half /= 2 {
		n = append(n, half)
	}
	if n[0] > 4 && n[len(n)-1] == 2 { // a loop of single tiles does for the last three
		n = n[:len(n)-1]
	}
	if n[len(n)-1] > 1 {
		n = append(n, 1)
	}
	return n
}

// vector writes the product of one row: the weights are a stream that is read
// once, x stays in the first-level cache.
func (p *product) vector() {
	p.Comment("One row: matrix × vector.")
	y, x, w, c, tiles := p.arg("y"), p.arg("x"), p.arg("w"), p.arg("c"), p.arg("tiles")
	for _, n := range p.vectorTiles() {
		next := p.newLabel("tiles")
		p.CMPQ(tiles, imm(n))
		p.JLT(next)
		loop := p.label("oneRowTiles")
		p.vectorBlock(n, y, x, w, c)
		p.ADDQ(imm(n*64), y)
		p.ADDQ(imm(n*64), c)
		p.SUBQ(imm(n), tiles)
		p.CMPQ(tiles, imm(n))
		p.JGE(loop)
		p.Label(string(next))
	}
}

// vectorBlock computes n tiles of outputs of one row and leaves w at the tile
// that follows them.
func (p *product) vectorBlock(n int, y, x, w, c reg.GPVirtual) {
	p.Commentf("%s: start from c.", describe(1, n))
	acc := p.vecs(n * p.parts)
	for v, a := range acc {
		p.VMOVUPS(at(c, v*p.width()), a)
	}
	from := panel{w, n}
	p.Comment("Add x[k] · w[k], k in order.")
	p.steps("oneRowK", w, p.vectorUnroll(n), func(step int, offsets []operand.Mem) {
		for t := range n {
			p.prefetch(at(w, t*p.tile+step*p.step), p.cut.Prefetch)
		}
		for h, offset := range offsets {
			xk := p.vec()
			p.VBROADCASTSS(in(x, offset), xk)
			for v, a := range acc {
				p.accumulate(from, v, step, h, xk, a)
			}
		}
	})
	p.add64(n*p.tile, w)
	p.Comment("Store the outputs.")
	for v, a := range acc {
		p.VMOVUPS(a, at(y, v*p.width()))
	}
}

// accumulate adds x[k] times the weights of one k to vector v of the outputs.
func (p *product) accumulate(from panel, v, step, half int, xk, acc reg.VecVirtual) {
	if !p.bf16 && !p.f16 && !p.i8 {
		p.fma(operand.Op(p.weight(from, v, step)), xk, acc)
		return
	}
	wk := p.vec()
	p.weights(from, v, step, half, wk)
	p.fma(wk, xk, acc)
}

// vectorUnroll is the number of steps in one turn of the loop over k.
func (p *product) vectorUnroll(tiles int) int {
	if tiles >= 8 || p.bf16 {
		return 2
	}
	return 4
}
