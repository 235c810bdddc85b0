package amd64

import (
	"math"
	"slices"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A mask selects the first lanes of the last, incomplete vector of a row.
// Lanes beyond are neither read nor written.
type mask struct {
	vector operand.Mem // AVX2: sign bits, loaded where they are used to keep no register
	bits   reg.OpmaskVirtual
}

// tailMask prepares the mask for rows of d elements, nil when none is needed.
func (f *function) tailMask(d int) *mask {
	n := d % f.lanes()
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
	words := slices.Repeat([]uint32{0}, 16)
	for i := range 8 {
		words[i] = math.MaxUint32
	}
	return &mask{vector: f.words("tailMask", words).Offset(4 * (8 - n))}
}

// laneMask loads the sign bits of a mask.
func (f *function) laneMask(m *mask) reg.VecVirtual {
	v := f.YMM()
	f.VMOVUPS(m.vector, v)
	return v
}

// load reads a vector; masked lanes are zero.
func (f *function) load(from operand.Mem, v reg.VecVirtual, m *mask) {
	switch {
	case m == nil:
		f.VMOVUPS(from, v)
	case f.isa == AVX512:
		f.VMOVUPS_Z(from, m.bits, v)
	default:
		f.VMASKMOVPS(from, f.laneMask(m), v)
	}
}

// store writes a vector; masked lanes of memory keep their value.
func (f *function) store(v reg.VecVirtual, to operand.Mem, m *mask) {
	switch {
	case m == nil:
		f.VMOVUPS(v, to)
	case f.isa == AVX512:
		f.VMOVUPS(v, m.bits, to)
	default:
		f.VMASKMOVPS(v, f.laneMask(m), to)
	}
}

// clear zeroes the lanes of a register that the mask leaves out.
func (f *function) clear(v reg.VecVirtual, m *mask) {
	switch {
	case m == nil:
	case f.isa == AVX512:
		f.VMOVAPS_Z(v, m.bits, v)
	default:
		f.VANDPS(m.vector, v, v)
	}
}

// A column is one vector of a row: address gives its place in a row that begins
// at a register, mask is nil for a full vector, and index counts vectors for
// the choice of an accumulator.
type column struct {
	offset reg.Register // nil outside loops
	disp   int
	mask   *mask
	index  int
}

// address returns the memory of the column in the row at base.
func (c column) address(base reg.Register) operand.Mem {
	m := at(base, c.disp)
	if c.offset != nil {
		m = m.Idx(c.offset, 1)
	}
	return m
}

// columns writes body for every vector of rows of d elements: a loop over
// unroll vectors at a time, interleaved, then single vectors, then the masked
// tail.
func (f *function) columns(name string, d, unroll int, tail *mask, body func(c column)) {
	full := d / f.lanes()
	groups := full / unroll
	done := 0
	if groups > 1 {
		i := f.GP64()
		f.XORQ(i, i)
		loop := f.label(name)
		bodies := make([]func(), unroll)
		for u := range unroll {
			bodies[u] = func() { body(column{offset: i, disp: u * f.width(), index: u}) }
		}
		f.interleave(bodies...)
		f.ADDQ(imm(unroll*f.width()), i)
		f.CMPQ(i, imm(groups*unroll*f.width()))
		f.JLT(loop)
		done = groups * unroll
	}
	for ; done < full; done++ {
		body(column{disp: done * f.width(), index: done % unroll})
	}
	if tail != nil {
		body(column{disp: done * f.width(), mask: tail, index: done % unroll})
	}
}

// eachRow writes a loop over the rows of the kernel: body, then every pointer
// advances by its stride.
func (f *function) eachRow(rows reg.GPVirtual, pointers, strides []reg.GPVirtual, body func()) {
	loop := f.label("row")
	body()
	f.Comment("Next row.")
	for i, p := range pointers {
		f.ADDQ(strides[i], p)
	}
	f.DECQ(rows)
	f.JNZ(loop)
}
