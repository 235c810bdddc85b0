package verify

import (
	"encoding/binary"
	"fmt"
	"hash"
	"maps"
	"slices"

	"github.com/tfgen/tfgen/gen/golden"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/runtime/cpu"
)

// levelsAlike are levels whose results are the same bits: the later ones only compute integers by other instructions.
var levelsAlike = []cpu.Level{cpu.AVX512, cpu.AVX512VNNI, cpu.AMXInt8}

// holdBits marks the reports of a level of levelsAlike whose results have other bits than those of the level before.
func holdBits(reports []golden.Report) {
	first := map[string]*golden.Report{}
	for i := range reports {
		r := &reports[i]
		if !slices.ContainsFunc(levelsAlike, func(l cpu.Level) bool { return l.String() == r.Backend }) || !r.OK {
			continue
		}
		if f := first[r.Case]; f == nil {
			first[r.Case] = r
		} else if f.Bits != r.Bits {
			r.OK, r.Error = false, fmt.Sprintf("other bits (%s) than at %s (%s)", r.Bits, f.Backend, f.Bits)
		}
	}
}

// digest is a Runner that adds all results to a sum.
type digest struct {
	golden.Runner
	sum hash.Hash32
}

// Full implements golden.Runner.
func (d *digest) Full(segments []op.Segment) (golden.Result, error) {
	x, err := d.Runner.Full(segments)
	for _, name := range slices.Sorted(maps.Keys(x)) {
		d.add(x[name].Data)
	}
	return x, err
}

// Decode implements golden.Runner.
func (d *digest) Decode(s op.Segment, prefill int) ([][]float32, error) {
	x, err := d.Runner.Decode(s, prefill)
	for _, row := range x {
		d.add(row)
	}
	return x, err
}

func (d *digest) add(data []float32) {
	if err := binary.Write(d.sum, binary.LittleEndian, data); err != nil {
		panic(err) // a hash takes everything
	}
}
