package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/tfgen/tfgen/asm/kernel"
)

// rope writes the rotation of every head of every row.
func rope(f *function, k kernel.Kernel) {
	headDim, rot := k.D[0], k.D[1]
	x, ldx, cs, ldcs := f.arg("x"), f.stride("ldx", 4), f.arg("cs"), f.stride("ldcs", 4)
	heads, rows := f.arg("heads"), f.arg("rows")
	turn := f.halves(rot)
	if k.S == "interleaved" {
		turn = f.pairs(rot)
	}
	f.eachRow(rows, []reg.GPVirtual{x, cs}, []reg.GPVirtual{ldx, ldcs}, func() {
		head, n := f.GP64(), f.GP64()
		f.MOVQ(x, head)
		f.MOVQ(heads, n)
		loop := f.label("head")
		turn(head, cs)
		f.ADDQ(imm(4*headDim), head)
		f.DECQ(n)
		f.JNZ(loop)
	})
}

// halves rotates the pairs (x[i], x[i+rot/2]).
func (f *function) halves(rot int) func(head, cs reg.GPVirtual) {
	n := rot / 2
	tail := f.tailMask(n)
	return func(head, cs reg.GPVirtual) {
		f.columns("column", n, 1, tail, func(c column) {
			second := c
			second.disp += 4 * n
			a, b, cos, sin := f.vec(), f.vec(), f.vec(), f.vec()
			f.load(c.address(head), a, c.mask)
			f.load(second.address(head), b, c.mask)
			f.load(c.address(cs), cos, c.mask)
			f.load(second.address(cs), sin, c.mask)
			u, v := f.vec(), f.vec()
			f.mul(sin, b, u)
			f.VFMSUB231PS(a, cos, u) // a·cos − b·sin
			f.mul(sin, a, v)
			f.fma(b, cos, v) // b·cos + a·sin
			f.store(u, c.address(head), c.mask)
			f.store(v, second.address(head), c.mask)
		})
	}
}

// pairs rotates the pairs (x[2i], x[2i+1]): cosines and sines are doubled, the
// elements of a pair swapped.
func (f *function) pairs(rot int) func(head, cs reg.GPVirtual) {
	tail := f.tailMask(rot)
	doubled := f.vec()
	index := make([]uint32, 16)
	for i := range index {
		index[i] = uint32(i / 2)
	}
	f.VMOVUPS(f.words("doubled", index), doubled)
	half := f.pairMask(rot)
	return func(head, cs reg.GPVirtual) {
		f.columns("column", rot, 1, tail, func(c column) {
			var i reg.Register
			if c.offset != nil {
				i = f.half(c.offset)
			}
			angle := column{offset: i, disp: c.disp / 2, mask: c.mask}
			cos := f.loadDoubled(angle.address(cs), doubled, c.mask, half)
			angle.disp += 2 * rot
			sin := f.loadDoubled(angle.address(cs), doubled, c.mask, half)
			v, swapped := f.vec(), f.vec()
			f.load(c.address(head), v, c.mask)
			f.VPERMILPS(operand.U8(0xb1), v, swapped)
			f.mul(sin, swapped, swapped)
			f.VFMADDSUB213PS(swapped, cos, v) // even lanes a·cos − b·sin, odd lanes b·cos + a·sin
			f.store(v, c.address(head), c.mask)
		})
	}
}

// pairMask selects the angles of the last, incomplete vector of pairs.
func (f *function) pairMask(rot int) *mask {
	n := rot % f.lanes() / 2
	if n == 0 {
		return nil
	}
	if f.isa == AVX512 {
		m := &mask{bits: f.K()}
		r := f.GP32()
		f.MOVL(operand.U32(1<<n-1), r)
		f.KMOVW(r, m.bits)
		return m
	}
	return f.tailMask(n)
}

// loadDoubled loads half a vector of angles, each into two neighbouring lanes.
func (f *function) loadDoubled(from operand.Mem, doubled reg.VecVirtual, tail, half *mask) reg.VecVirtual {
	v := f.vec()
	switch {
	case f.isa == AVX512 && tail != nil:
		f.VMOVUPS_Z(from, half.bits, v.AsY())
	case f.isa == AVX512:
		f.VMOVUPS(from, v.AsY())
	case tail != nil:
		f.VMASKMOVPS(from, f.laneMask(half).AsX(), v.AsX())
	default:
		f.VMOVUPS(from, v.AsX())
	}
	f.VPERMPS(v, doubled, v)
	return v
}
