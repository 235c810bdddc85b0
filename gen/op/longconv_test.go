package op

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/runtime/portable"
)

// TestLongConv includes filters that are shorter than the sequence.
func TestLongConv(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 12))
	for _, s := range []struct{ width, length int }{{1, 64}, {19, 37}, {48, 9}, {5, 1}} {
		x, w, d := random(rng, recurrentRows, s.width, -1, 1), random(rng, s.length, s.width, -0.3, 0.3), random(rng, 1, s.width, -1, 1)
		c := &recurrent{op: &ir.Op{Kind: "long_conv", Attrs: ir.Attrs{"length": s.length}}, inputs: []matrix{x}, weights: []*matrix{&w, &d}, units: s.width, grain: 16}
		c.twin = func(y matrix, state []float32, at, n, from, to int) {
			portable.LongConv(y.from(at), s.width, x.from(at), s.width, state, w.data, d.data, n, from, to, s.width, s.length, at)
		}
		t.Run(fmt.Sprint(s), c.check)
	}
}
