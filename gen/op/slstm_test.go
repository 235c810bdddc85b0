package op

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/runtime/portable"
)

// TestSLSTM includes input gates so small that a state that began at exponent zero would lose them.
func TestSLSTM(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 10))
	for _, s := range []struct {
		heads, dim int
		low        float32
		bias       bool
	}{{1, 1, -3, true}, {4, 8, -3, false}, {3, 5, -200, true}} {
		d := s.heads * s.dim
		in, forget := random(rng, recurrentRows, d, s.low, s.low+6), random(rng, recurrentRows, d, -3, 6)
		z, o := random(rng, recurrentRows, d, -2, 2), random(rng, recurrentRows, d, -2, 2)
		r, b := random(rng, d, 4*s.dim, -0.5, 0.5), random(rng, 1, 4*d, -1, 1)
		c := &recurrent{op: &ir.Op{Kind: "slstm", Attrs: ir.Attrs{"heads": s.heads}}, inputs: []matrix{in, forget, z, o}, weights: []*matrix{&r, nil}, units: s.heads}
		var bias []float32
		if s.bias {
			c.weights[1], bias = &b, b.data
		}
		c.twin = func(y matrix, state []float32, at, n, from, to int) {
			if at == 0 {
				portable.StartSLSTM(state, from, to, s.heads, s.dim)
			}
			portable.SLSTM(y.from(at), d, in.from(at), d, forget.from(at), d, z.from(at), d, o.from(at), d, state, r.data, bias, n, from, to, s.heads, s.dim)
		}
		t.Run(fmt.Sprint(s), c.check)
	}
}
