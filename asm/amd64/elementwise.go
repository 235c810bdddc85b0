package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/tfgen/tfgen/asm/kernel"
)

// addRows writes y += x.
func addRows(f *function, k kernel.Kernel) { combine(f, k, f.add) }

// mulRows writes y *= x.
func mulRows(f *function, k kernel.Kernel) { combine(f, k, f.mul) }

// combine writes y = y op x, row by row.
func combine(f *function, k kernel.Kernel, op func(a, b, d operand.Op)) {
	d := k.D[0]
	y, ldy, x, ldx, rows := f.arg("y"), f.stride("ldy", 4), f.arg("x"), f.stride("ldx", 4), f.arg("rows")
	tail := f.tailMask(d)
	f.eachRow(rows, []reg.GPVirtual{y, x}, []reg.GPVirtual{ldy, ldx}, func() {
		f.columns("column", d, 4, tail, func(c column) {
			a, b := f.vec(), f.vec()
			f.load(c.address(y), a, c.mask)
			f.load(c.address(x), b, c.mask)
			op(b, a, a)
			f.store(a, c.address(y), c.mask)
		})
	})
}

// scale writes y *= s[0].
func scale(f *function, k kernel.Kernel) {
	y, ldy, rows := f.arg("y"), f.stride("ldy", 4), f.arg("rows")
	factor := f.vec()
	f.VBROADCASTSS(at(f.arg("s"), 0), factor)
	tail := f.tailMask(k.D[0])
	f.eachRow(rows, []reg.GPVirtual{y}, []reg.GPVirtual{ldy}, func() { f.scaleRow(k.D[0], y, factor, tail) })
}

// scaleRows writes y[r] *= a[r].
func scaleRows(f *function, k kernel.Kernel) {
	y, ldy, a, rows := f.arg("y"), f.stride("ldy", 4), f.arg("a"), f.arg("rows")
	factor := f.vec()
	tail := f.tailMask(k.D[0])
	f.eachRow(rows, []reg.GPVirtual{y}, []reg.GPVirtual{ldy}, func() {
		f.VBROADCASTSS(at(a, 0), factor)
		f.ADDQ(imm(4), a)
		f.scaleRow(k.D[0], y, factor, tail)
	})
}

// scaleRow multiplies a row of d elements by a factor.
func (f *function) scaleRow(d int, y reg.GPVirtual, factor reg.VecVirtual, tail *mask) {
	f.columns("column", d, 4, tail, func(c column) {
		v := f.vec()
		f.load(c.address(y), v, c.mask)
		f.mul(factor, v, v)
		f.store(v, c.address(y), c.mask)
	})
}

// expandBF16 writes bfloat16 rows as float32: each value becomes the upper half
// of a word. AVX2 has no masked load of 16-bit lanes, so that the last elements
// go one by one there.
func expandBF16(f *function, k kernel.Kernel) {
	d := k.D[0]
	y, ldy, x, ldx, rows := f.arg("y"), f.stride("ldy", 4), f.arg("x"), f.stride("ldx", 2), f.arg("rows")
	var tail *mask
	vectors := d / f.lanes() * f.lanes()
	if f.isa == AVX512 {
		tail, vectors = f.tailMask(d), d
	}
	f.eachRow(rows, []reg.GPVirtual{y, x}, []reg.GPVirtual{ldy, ldx}, func() {
		f.columns("column", vectors, 1, tail, func(c column) {
			from := at(x, c.disp/2)
			if c.offset != nil {
				from = from.Idx(f.half(c.offset), 1)
			}
			v := f.vec()
			if c.mask != nil {
				f.VPMOVZXWD_Z(from, c.mask.bits, v)
			} else {
				f.VPMOVZXWD(from, v)
			}
			f.VPSLLD(operand.U8(16), v, v)
			f.store(v, c.address(y), c.mask)
		})
		for i := vectors; i < d; i++ {
			r := f.GP32()
			f.MOVWLZX(at(x, 2*i), r)
			f.SHLL(operand.U8(16), r)
			f.MOVL(r, at(y, 4*i))
		}
	})
}

// half returns a register with half of another.
func (f *function) half(r reg.Register) reg.GPVirtual {
	h := f.GP64()
	f.MOVQ(r, h)
	f.SHRQ(operand.U8(1), h)
	return h
}
