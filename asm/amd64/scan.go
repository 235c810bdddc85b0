package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/tfgen/tfgen/asm/kernel"
)

// scanState writes the recurrence of Mamba: each element of the state decays by e^(dt·w).
func scanState(f *function, k kernel.Kernel) {
	lowest := f.broadcast(f.float("lowestExponent", lowestExponent))
	f.scan(k, func(s scanned, w reg.GPVirtual) {
		step, h, t := f.vec(), f.vec(), f.vec()
		f.VMOVUPS(at(w, 0), t)
		f.VMOVUPS(at(s.dt, 0), step)
		f.mul(step, t, t)
		t = f.boundedExp(t, lowest)
		f.VMOVUPS(at(s.h, 0), h)
		s.update(h, t)
	})
}

// scanHead writes the recurrence of Mamba 2: all elements of a row's state decay by the same factor.
func scanHead(f *function, k kernel.Kernel) {
	f.scan(k, func(s scanned, _ reg.GPVirtual) {
		h := f.vec()
		f.VMOVUPS(at(s.h, 0), h)
		s.update(h, s.decay)
	})
}

// scanned is the place in a scan: one vector of channels, one element of their states.
type scanned struct {
	f       *function
	h, dt   reg.GPVirtual
	b, c    reg.GPVirtual
	in, sum reg.VecVirtual
	decay   reg.VecVirtual
}

// update computes h = decay·h + in·b, sum += h·c and stores h.
func (s scanned) update(h, decay reg.VecVirtual) {
	f, v := s.f, s.f.vec()
	f.mul(decay, h, h)
	f.VBROADCASTSS(at(s.b, 0), v)
	f.fma(v, s.in, h)
	f.VMOVUPS(h, at(s.h, 0))
	f.VBROADCASTSS(at(s.c, 0), v)
	f.fma(v, h, s.sum)
}

// scan writes the loops over rows, tiles, vectors of a tile and elements of the state. element works on one vector of one
// element; the state and the weights, which are laid out alike, have the next element a tile further.
func (f *function) scan(k kernel.Kernel, element func(s scanned, w reg.GPVirtual)) {
	const tile = 4 * kernel.Tile
	n := k.D[0]
	s := scanned{f: f, h: f.GP64(), dt: f.GP64(), b: f.GP64(), c: f.GP64()}
	w := f.GP64()
	rows := f.arg("rows")
	row := f.GP64() // counts rows
	f.XORQ(row, row)
	rowLoop := f.label("row")
	if k.Op == "scanHead" {
		s.decay = f.vec()
		f.VBROADCASTSS(at(f.arg("a"), 0).Idx(row, 4), s.decay)
	}
	y, x, ld := f.rowOf("y", row), f.rowOf("x", row), f.GP64()
	state := f.arg("h")
	if k.Op == "scanState" {
		f.MOVQ(f.rowOf("dt", row), s.dt)
		f.MOVQ(f.argument("w"), w)
	}
	f.MOVQ(f.argument("tiles"), ld)
	tileLoop := f.label("tile")
	for v := 0; v < tile; v += f.width() {
		s.in, s.sum = f.vec(), f.vec()
		f.VMOVUPS(at(x, v), s.in)
		f.VMOVUPS(at(y, v), s.sum)
		f.MOVQ(state, s.h)
		f.add64(v, s.h)
		f.MOVQ(f.rowOf("b", row), s.b)
		f.MOVQ(f.rowOf("c", row), s.c)
		left := f.GP64()
		f.MOVQ(operand.U32(uint32(n)), left)
		loop := f.label("element")
		element(s, w)
		f.ADDQ(imm(tile), s.h)
		f.ADDQ(imm(4), s.b)
		f.ADDQ(imm(4), s.c)
		if k.Op == "scanState" {
			f.ADDQ(imm(tile), w)
		}
		f.DECQ(left)
		f.JNZ(loop)
		f.VMOVUPS(s.sum, at(y, v))
		if k.Op == "scanState" {
			f.add64(f.width()-n*tile, w)
			f.add64(f.width(), s.dt)
		}
	}
	f.ADDQ(imm(tile), x)
	f.ADDQ(imm(tile), y)
	f.ADDQ(imm(n*tile), state)
	if k.Op == "scanState" {
		f.add64(n*tile-tile, w)
	}
	f.DECQ(ld)
	f.JNZ(tileLoop)
	f.INCQ(row)
	f.CMPQ(row, rows)
	f.JLT(rowLoop)
}

// rowOf returns the address of a row of a matrix parameter.
func (f *function) rowOf(name string, row reg.GPVirtual) reg.GPVirtual {
	p := f.stride("ld"+name, 4)
	f.IMULQ(row, p)
	f.ADDQ(f.argument(name), p)
	return p
}
