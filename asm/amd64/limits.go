package amd64

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
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
	for _, isa := range ISAs {
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

func (f *function) readBandwidth() {
	p, n := f.arg("p"), f.arg("n")
	acc := f.vecs(4)
	for _, a := range acc {
		f.zero(a)
	}
	loop := f.label("turn")
	for disp := 0; disp < ReadBytes; disp += f.width() {
		if disp%64 == 0 {
			f.PREFETCHT0(at(p, disp+prefetchAhead))
		}
		a := acc[disp/f.width()%len(acc)]
		f.VORPS(at(p, disp), a, a)
	}
	f.ADDQ(operand.U32(ReadBytes), p)
	f.DECQ(n)
	f.JNZ(loop)
}
