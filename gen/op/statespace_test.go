package op

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/runtime/portable"
)

func TestStateSpace(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 11))
	for _, s := range []struct {
		width, n, rank int
		skip           bool
	}{{1, 1, 0, true}, {19, 7, 0, false}, {33, 4, 1, true}, {5, 16, 2, true}, {2, 3, MaxSystemRank, false}} {
		x, d := random(rng, recurrentRows, s.width, -1, 1), random(rng, 1, s.width, -1, 1)
		rows := (&ir.System{Rank: s.rank}).Rows()
		system := random(rng, s.width*rows, 2*s.n, -0.15, 0.15)
		for c := range s.width { // poles within the unit circle
			for i := range 2 * s.n {
				system.data[(c*rows*2)*s.n+i] = rng.Float32()*1.2 - 0.6
			}
		}
		c := &recurrent{op: &ir.Op{Kind: "state_space", Attrs: ir.Attrs{"state_size": s.n, "rank": s.rank}}, inputs: []matrix{x}, weights: []*matrix{&system, nil}, units: s.width, grain: 16}
		var skip []float32
		if s.skip {
			c.weights[1], skip = &d, d.data
		}
		c.twin = func(y matrix, state []float32, at, n, from, to int) {
			portable.StateSpace(y.from(at), s.width, x.from(at), s.width, state, system.data, skip, n, from, to, s.n, s.rank)
		}
		t.Run(fmt.Sprint(s), c.check)
	}
}
