package op

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/runtime/portable"
)

// TestRoute compares the router of generated code with the reference over rules and shapes.
func TestRoute(t *testing.T) {
	for _, c := range []struct {
		experts, top int
		rule         portable.Router
		attrs        ir.Attrs
	}{
		{5, 2, portable.Router{Normalise: true}, ir.Attrs{"normalise": true}},
		{7, 7, portable.Router{}, ir.Attrs{}},
		{1, 1, portable.Router{Normalise: true}, ir.Attrs{"normalise": true}},
		{64, 6, portable.Router{Scale: 16, Groups: 8, TopGroups: 3}, ir.Attrs{"scale": 16.0, "groups": 8, "top_groups": 3}},
		{256, 8, portable.Router{Sigmoid: true, Normalise: true, Eps: 1e-20, Scale: 2.5, Groups: 8, TopGroups: 4, TwoBest: true},
			ir.Attrs{"score": "sigmoid", "normalise": true, "eps": 1e-20, "scale": 2.5, "groups": 8, "top_groups": 4, "group_score": "top2", "correction": true}},
		{32, 4, portable.Router{Chosen: true}, ir.Attrs{"score": "chosen"}},
		{MaxExperts, 3, portable.Router{}, ir.Attrs{}},
	} {
		t.Run(fmt.Sprintf("%d of %d", c.top, c.experts), func(t *testing.T) { compareRoutes(t, c.experts, c.top, c.rule, c.attrs) })
	}
}

func compareRoutes(t *testing.T, experts, top int, rule portable.Router, attrs ir.Attrs) {
	const rows = 40
	rng := rand.New(rand.NewPCG(1, uint64(experts)))
	x := &Exec{Segments: []Segment{{Tokens: make([]int32, rows)}}, Values: map[*ir.Value]*Tensor{}}
	logits := &ir.Value{Type: ir.Type{DType: ir.F32, Dims: []int{experts}}}
	o := &ir.Op{Kind: "route", In: []*ir.Value{logits}, Attrs: ir.Attrs{"top": top}, Weights: make([]*ir.Weight, 1)}
	correction := make([]float32, experts)
	x.Weight = func(*ir.Weight) (*Tensor, error) {
		w := NewTensor(1, experts)
		for i, v := range correction {
			w.Data[i] = float64(v)
		}
		return w, nil
	}
	for k, v := range attrs {
		if k != "correction" {
			o.Attrs[k] = v
			continue
		}
		o.Weights[0] = &ir.Weight{Shape: []int{experts}}
		for i := range correction {
			correction[i] = rng.Float32() - 0.5
		}
	}
	in := NewTensor(rows, experts)
	in32 := make([]float32, rows*experts)
	for i := range in32 {
		in32[i] = 6*rng.Float32() - 3
		in.Data[i] = float64(in32[i])
	}
	x.Values[logits] = in
	types, err := Infer(o)
	if err != nil {
		t.Fatal(err)
	}
	o.Out = []*ir.Value{{Type: types[0], Def: o}}
	if err := refRoute(x, o); err != nil {
		t.Fatal(err)
	}
	rule.Experts, rule.Top = experts, top
	if rule.Scale == 0 {
		rule.Scale = 1
	}
	if o.Weights[0] == nil {
		correction = nil
	}
	got := make([]float32, rows*2*top)
	portable.Route(got, 2*top, in32, experts, rows, correction, rule)
	for i, want := range x.Values[o.Out[0]].Data {
		if d := math.Abs(float64(got[i]) - want); !(d <= 1e-6*max(1, math.Abs(want))) {
			t.Fatalf("row %d, element %d is %v, expected %v", i/(2*top), i%(2*top), got[i], want)
		}
	}
}

// TestGroupRoutes checks that choices are sorted by expert, in the order of rows, and that work is divided wholly.
func TestGroupRoutes(t *testing.T) {
	const rows, top, experts = 9, 2, 5
	routes := make([]float32, rows*2*top)
	for r := range rows {
		routes[r*2*top], routes[r*2*top+1] = float32(r%3), float32(3+r%2)
	}
	starts, order := make([]int32, experts+1), make([]int32, rows*top)
	portable.GroupRoutes(starts, order, routes, 2*top, rows, top)
	for e := range experts {
		for i := starts[e]; i < starts[e+1]; i++ {
			c := int(order[i])
			if routes[c/top*2*top+c%top] != float32(e) || i > starts[e] && order[i-1] >= order[i] {
				t.Errorf("choice %d stands at %d for expert %d", c, i, e)
			}
		}
	}
	if starts[0] != 0 || starts[experts] != rows*top {
		t.Errorf("experts begin at %v", starts)
	}
	for workers := 1; workers <= 7; workers++ {
		for e := range experts {
			next := 0
			for w := range workers {
				all := rows * top * 3
				first, last := portable.ExpertTiles(int(starts[e]), int(starts[e+1]), 3, all*w/workers, all*(w+1)/workers)
				if first < last && first != next {
					t.Errorf("expert %d of %d workers: tiles from %d follow tiles to %d", e, workers, first, next)
				}
				next = max(next, last)
			}
			if next != 3 {
				t.Errorf("expert %d of %d workers: tiles from %d on are nobody's", e, workers, next)
			}
		}
	}
}
