package amd64

import (
	"fmt"
	"math"
	"slices"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/asm/tuning"
)

// A function is the body being written: avo's context, with a vocabulary of
// vectors that is the same for both instruction sets.
type function struct {
	*build.Context
	emitter *emitter
	isa     ISA // AVX2 or AVX512
	vnni    bool
	tiles   bool
	kernel  kernel.Kernel
	cut     tuning.Blocking // of a product
	labels  map[string]int
	strides map[string]int // strides that are literals, in elements; benchmarks only
	runtime bool           // the first dimension is a parameter; benchmarks only
}

// lanes is the number of float32 in a vector.
func (f *function) lanes() int {
	if f.isa == AVX512 {
		return 16
	}
	return 8
}

// width is the size of a vector in bytes.
func (f *function) width() int { return 4 * f.lanes() }

// vec returns a new vector register.
func (f *function) vec() reg.VecVirtual {
	if f.isa == AVX512 {
		return f.ZMM()
	}
	return f.YMM()
}

// vecs returns n new vector registers.
func (f *function) vecs(n int) []reg.VecVirtual {
	v := make([]reg.VecVirtual, n)
	for i := range v {
		v[i] = f.vec()
	}
	return v
}

// zero clears a vector. VXORPS of a register with itself is the form that avo
// knows to end the register's life.
func (f *function) zero(v reg.VecVirtual) { f.VXORPS(v, v, v) }

// prefetch fetches the line that is a distance behind a place, unless the distance is off.
func (f *function) prefetch(from operand.Mem, distance int) {
	if distance != tuning.Off {
		f.PREFETCHT0(from.Offset(distance))
	}
}

// arg loads a pointer or integer parameter.
func (f *function) arg(name string) reg.GPVirtual {
	r := f.GP64()
	if n, ok := f.strides[name]; ok {
		f.MOVQ(operand.U32(uint32(n)), r)
		return r
	}
	f.Load(f.Param(name), r)
	return r
}

// argument returns the memory of a parameter, or its literal.
func (f *function) argument(name string) operand.Op {
	if n, ok := f.strides[name]; ok {
		return operand.U32(uint32(n))
	}
	b, err := f.Param(name).Resolve()
	if err != nil {
		panic("amd64: " + err.Error())
	}
	return b.Addr
}

// stride loads a row stride and turns elements of size bytes into bytes.
func (f *function) stride(name string, size int) reg.GPVirtual {
	r := f.arg(name)
	f.SHLQ(operand.U8(uint8(math.Log2(float64(size)))), r)
	return r
}

// copyWord copies a word through a register where both are memory.
func (f *function) copyWord(from, to operand.Op) {
	if operand.IsMem(from) && operand.IsMem(to) {
		r := f.GP64()
		f.MOVQ(from, r)
		from = r
	}
	f.MOVQ(from, to)
}

// label defines a label that is unique in the function and returns it.
func (f *function) label(name string) operand.LabelRef {
	l := f.newLabel(name)
	f.Label(string(l))
	return l
}

// newLabel returns a label to be defined later.
func (f *function) newLabel(name string) operand.LabelRef {
	f.labels[name]++
	if n := f.labels[name]; n > 1 {
		name = fmt.Sprintf("%s%d", name, n)
	}
	return operand.LabelRef(name)
}

// add64 adds a literal to an integer register; zero adds nothing.
func (f *function) add64(n int, r reg.GPVirtual) {
	switch {
	case n > 0:
		f.ADDQ(imm(n), r)
	case n < 0:
		f.SUBQ(imm(-n), r)
	}
}

// imm is an immediate operand of 8 or 32 bits.
func imm(n int) operand.Op {
	if n < 128 && n >= 0 {
		return operand.U8(uint8(n))
	}
	return operand.U32(uint32(n))
}

// at is the memory at a base register plus a displacement.
func at(base reg.Register, disp int) operand.Mem { return operand.Mem{Base: base, Disp: disp} }

// A constant is a memory operand that holds one float32 for every lane.
type constant struct{ operand.Mem }

// float returns a constant, stored in the file once under its name.
func (f *function) float(name string, v float64) constant {
	f.emitter.floats[name] = float32(v)
	return f.word(name, math.Float32bits(float32(v)))
}

// literal returns a constant that belongs to this kernel only.
func (f *function) literal(what string, v float64) constant {
	return f.float(f.kernel.Name()+what, v)
}

// word returns a constant of 32 bits in every lane.
func (f *function) word(name string, bits uint32) constant {
	return constant{f.words(name, slices.Repeat([]uint32{bits}, 8))}
}

// words returns the address of a read-only block of words.
func (f *function) words(name string, words []uint32) operand.Mem {
	if have, ok := f.emitter.constants[name]; ok && !slices.Equal(have, words) {
		panic("amd64: two values for constant " + name)
	}
	f.emitter.constants[name] = words
	return operand.NewDataAddr(operand.NewStaticSymbol(name), 0)
}

// broadcast loads a constant into every lane of a new register.
func (f *function) broadcast(c constant) reg.VecVirtual {
	v := f.vec()
	f.VBROADCASTSS(c.Mem, v)
	return v
}

// apply writes an instruction whose first operand may be a constant: AVX2 reads
// the whole vector, AVX-512 broadcasts its first word.
func (f *function) apply(plain, bcst func(...operand.Op), a operand.Op, rest ...operand.Op) {
	if c, ok := a.(constant); ok {
		if f.isa == AVX512 {
			bcst(append([]operand.Op{c.Mem}, rest...)...)
			return
		}
		a = c.Mem
	}
	plain(append([]operand.Op{a}, rest...)...)
}

// add computes d = b + a.
func (f *function) add(a, b, d operand.Op) { f.apply(f.VADDPS, f.VADDPS_BCST, a, b, d) }

// sub computes d = b − a.
func (f *function) sub(a, b, d operand.Op) { f.apply(f.VSUBPS, f.VSUBPS_BCST, a, b, d) }

// mul computes d = b · a.
func (f *function) mul(a, b, d operand.Op) { f.apply(f.VMULPS, f.VMULPS_BCST, a, b, d) }

// div computes d = b / a.
func (f *function) div(a, b, d operand.Op) { f.apply(f.VDIVPS, f.VDIVPS_BCST, a, b, d) }

// max computes d = b > a ? b : a, so that a NaN in a is kept.
func (f *function) max(a, b, d operand.Op) { f.apply(f.VMAXPS, f.VMAXPS_BCST, a, b, d) }

// min computes d = b < a ? b : a, so that a NaN in a is kept.
func (f *function) min(a, b, d operand.Op) { f.apply(f.VMINPS, f.VMINPS_BCST, a, b, d) }

// and computes d = b & a.
func (f *function) and(a, b, d operand.Op) { f.apply(f.VANDPS, f.VANDPS_BCST, a, b, d) }

// or computes d = b | a.
func (f *function) or(a, b, d operand.Op) { f.apply(f.VORPS, f.VORPS_BCST, a, b, d) }

// fma computes d += b · a.
func (f *function) fma(a, b, d operand.Op) { f.apply(f.VFMADD231PS, f.VFMADD231PS_BCST, a, b, d) }

// fnma computes d −= b · a.
func (f *function) fnma(a, b, d operand.Op) { f.apply(f.VFNMADD231PS, f.VFNMADD231PS_BCST, a, b, d) }

// horner computes d = d · x + c, one step of Horner's rule.
func (f *function) horner(c, x, d operand.Op) { f.apply(f.VFMADD213PS, f.VFMADD213PS_BCST, c, x, d) }

// copy moves a vector between registers.
func (f *function) copy(a, d reg.VecVirtual) { f.VMOVAPS(a, d) }
