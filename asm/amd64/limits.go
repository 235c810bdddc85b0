package amd64

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// FMAFlops returns the floating-point operations of one turn of the fmaPeak
// function of EmitLimits.
func FMAFlops(isa ISA) int {
	f := function{isa: isa}
	return peakChains(isa) * f.lanes() * 2
}

// ReadBytes is the number of bytes that one turn of the readBandwidth function
// of EmitLimits reads.
const ReadBytes = 1024

// EmitLimits returns the assembly and stubs of two functions for each
// instruction set that measure what a core can do: fmaPeak(n int) runs n turns
// of independent multiply-adds in registers, readBandwidth(p *byte, n int)
// reads n turns of ReadBytes in order, fetched ahead as the kernels do.
// Benchmarks state their speed as a share of these.
func EmitLimits(pkg, header string) (asmText, stubs []byte, err error) {
	e := newEmitter()
	for _, isa := range Vectors() {
		name := "fmaPeak" + isa.String()
		doc := fmt.Sprintf("%s runs n turns of %d independent multiply-adds.", name, peakChains(isa))
		if err := e.function(isa, name, "func(n int)", []string{doc}, (*function).fmaPeak); err != nil {
			return nil, nil, err
		}
		name = "readBandwidth" + isa.String()
		doc = fmt.Sprintf("%s reads n times %d bytes from p on.", name, ReadBytes)
		if err := e.function(isa, name, "func(p *byte, n int)", []string{doc}, (*function).readBandwidth); err != nil {
			return nil, nil, err
		}
	}
	return e.print(pkg, header)
}

// peakChains is the number of accumulators: enough to hide a latency of 5
// cycles on two units, and within the registers.
func peakChains(isa ISA) int {
	if isa == AVX512 {
		return 24
	}
	return 12
}

func (f *function) fmaPeak() {
	n, x := f.arg("n"), f.vec()
	acc := f.vecs(peakChains(f.isa))
	f.zero(x)
	for _, a := range acc {
		f.zero(a)
	}
	loop := f.label("turn")
	for _, a := range acc {
		f.fma(x, x, a)
	}
	f.DECQ(n)
	f.JNZ(loop)
}

// readBandwidth reads four streams next to each other: one alone does not keep
// enough requests in flight.
func (f *function) readBandwidth() {
	const streams = 4
	n := f.arg("n")
	acc := f.vecs(streams)
	p := []reg.GPVirtual{f.arg("p")}
	stride := f.GP64()
	f.MOVQ(n, stride)
	f.SHLQ(operand.U8(8), stride) // a stream has n · ReadBytes / 4 bytes
	for i, a := range acc {
		f.zero(a)
		if i > 0 {
			p = append(p, f.GP64())
			f.LEAQ(at(p[i-1], 0).Idx(stride, 1), p[i])
		}
	}
	loop := f.label("turn")
	for disp := 0; disp < ReadBytes/streams; disp += f.width() {
		for i, a := range acc {
			if disp%64 == 0 {
				f.PREFETCHT0(at(p[i], disp+prefetchAhead))
			}
			f.VORPS(at(p[i], disp), a, a)
		}
	}
	for _, q := range p {
		f.ADDQ(operand.U32(ReadBytes/streams), q)
	}
	f.DECQ(n)
	f.JNZ(loop)
}
