package importance

import (
	"math"
	"slices"
	"testing"

	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/checkpoint/synth"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/ref"
	"github.com/tfgen/tfgen/gen/weights"
)

// TestCollect runs small models twice: all matrices of products have the mean squares of their inputs, the same both times.
func TestCollect(t *testing.T) {
	for _, name := range []string{"llama", "mixtral", "bert-masked-lm"} {
		c, err := synth.Open("../golden/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		src := bundle.FromCheckpoint(c)
		b, err := bundle.New(src, nil, bundle.Options{Package: "model"})
		if err != nil {
			t.Fatal(err)
		}
		tokens := []int32{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8}
		m, err := Collect(t.Context(), b.Plan.Graph, src, tokens, nil)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Collect(t.Context(), b.Plan.Graph, src, tokens, nil)
		if err != nil || !slices.Equal(m.Names(), again.Names()) {
			t.Fatalf("%s: %v, %v and %v", name, err, m.Names(), again.Names())
		}
		for tensor, v := range m {
			if !slices.Equal(v, again[tensor]) || slices.Max(v) <= 0 {
				t.Errorf("%s: %s is %v, then %v", name, tensor, v, again[tensor])
			}
		}
		compareInputs(t, b, src, tokens, m)
	}
}

// compareInputs compares with the inputs of linear operations, kept from a run.
func compareInputs(t *testing.T, b *bundle.Bundle, src weights.Source, tokens []int32, m Matrix) {
	g := b.Plan.Graph
	r := ref.New(g, src)
	r.Keep = true
	s := op.Segment{Tokens: tokens}
	if len(g.States) > 0 {
		s.KV = r.NewKV()
	}
	x, err := r.Run([]op.Segment{s}, []int{0})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, o := range g.Ops {
		if o.Kind != "linear" || o.In[0].Type.Rows != ir.Tokens {
			continue
		}
		in := x.Values[o.In[0]]
		for _, p := range o.Weights[0].Parts {
			got := m[p.Tensor]
			for i, v := range got {
				want := 0.0
				for r := range in.Rows {
					want += in.Row(r)[i] * in.Row(r)[i] / float64(in.Rows)
				}
				if math.Abs(float64(v)-want) > 1e-6*want {
					t.Fatalf("%s column %d: %v, expected %v", p.Tensor, i, v, want)
				}
			}
			n += len(got)
		}
	}
	if n == 0 {
		t.Error("no matrix was compared")
	}
}
