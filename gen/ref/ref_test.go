package ref

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/checkpoint/tensor"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
)

// source gives every tensor as 1, 2, 3, …, scaled.
type source map[string][]int

func (s source) Tensor(name string) (tensor.Tensor, bool) {
	shape, ok := s[name]
	return tensor.Tensor{Name: name, Shape: shape}, ok
}

func (s source) ReadF32(name string, first, count int, dst []float32) error {
	if _, ok := s[name]; !ok {
		return fmt.Errorf("no tensor %s", name)
	}
	for i := range dst {
		dst[i] = float32(first*len(dst)/count+i+1) / 8
	}
	return nil
}

// small builds y = softmax attention over linear(embed(tokens)), with its logits selected: enough to exercise rows,
// selection, state and errors.
func small(t *testing.T) *ir.Graph {
	t.Helper()
	g := &ir.Graph{Name: "small"}
	tokens := g.NewValue("tokens", ir.Type{DType: ir.I32, Rows: ir.Tokens})
	g.Inputs = []*ir.Value{tokens}
	kv := &ir.State{Name: "kv00", Kind: "kv"}
	g.States = []*ir.State{kv}
	weight := func(name string, shape ...int) *ir.Weight {
		return &ir.Weight{Name: name, Shape: shape, Parts: []ir.Part{{Tensor: name}}}
	}
	region := &ir.Region{Kind: ir.Layer, Name: "layer00"}
	line := 0
	apply := func(kind string, in []*ir.Value, attrs ir.Attrs, state *ir.State, ws ...*ir.Weight) *ir.Value {
		line++
		o := &ir.Op{Kind: kind, In: in, Attrs: attrs, State: state, Weights: ws, Region: region, Pos: ir.Pos{File: "small.yaml", Line: line}}
		types, err := op.Infer(o)
		if err != nil {
			t.Fatal(err)
		}
		o.Out = []*ir.Value{g.NewValue(kind, types[0])}
		g.Ops = append(g.Ops, o)
		return o.Out[0]
	}
	x := apply("embed", []*ir.Value{tokens}, ir.Attrs{"rows": 5, "dim": 4}, nil, weight("embed", 5, 4))
	q := apply("linear", []*ir.Value{x}, ir.Attrs{"dim": 4}, nil, weight("q", 4, 4), weight("bias", 4))
	a := apply("attend", []*ir.Value{q, x, x}, ir.Attrs{"heads": 2, "kv_heads": 2, "head_dim": 2, "scale": 0.1, "mask": "causal"}, kv, nil, nil)
	region.Result = a
	g.Regions = []*ir.Region{region}
	s := apply("select", []*ir.Value{a}, nil, nil)
	g.Outputs = []ir.Output{{Name: "logits", Value: s}}
	return g
}

var tensors = source{"embed": {5, 4}, "q": {4, 4}, "bias": {4}}

// TestRunInSteps checks that a sequence in one run, token by token and beside another one gives the same rows.
func TestRunInSteps(t *testing.T) {
	m := New(small(t), tensors)
	tokens := []int32{3, 1, 4, 0, 2}
	whole, err := m.Run([]op.Segment{{Tokens: []int32{2, 2}}, {Tokens: tokens}}, []int{2, 3, 4, 5, 6})
	if err != nil {
		t.Fatal(err)
	}
	want := whole.Values[m.Graph().Output("logits")]
	kv := m.NewKV()
	for i, token := range tokens {
		x, err := m.Run([]op.Segment{{Tokens: []int32{token}, Pos: i, KV: kv}}, []int{0})
		if err != nil {
			t.Fatal(err)
		}
		for j, v := range x.Values[m.Graph().Output("logits")].Row(0) {
			if math.Abs(v-want.Row(i)[j]) > 1e-14 {
				t.Errorf("token %d: element %d is %v alone, %v in a batch", i, j, v, want.Row(i)[j])
			}
		}
	}
	if got := whole.Values[m.Graph().Ops[2].Out[0]]; got == nil {
		t.Error("the result of the region was not kept")
	}
}

func TestErrors(t *testing.T) {
	one := []op.Segment{{Tokens: []int32{1}}}
	for _, c := range []struct {
		name     string
		change   func(g *ir.Graph, src source)
		segments []op.Segment
		sel      []int
		want     string
	}{
		{"token", nil, []op.Segment{{Tokens: []int32{5}}}, nil, "layer00: embed: small.yaml:1: id 5 in row 0 is outside the table of 5 rows"},
		{"tensor", func(_ *ir.Graph, s source) { delete(s, "q") }, one, nil, "weight q: the checkpoint has no tensor q"},
		{"shape", func(g *ir.Graph, _ source) { g.Ops[1].Weights[0].Shape = []int{4, 5} }, one, nil, "layer00: linear: small.yaml:2: linear: weight q has shape [4 5], expected [4 4]"},
		{"order", func(g *ir.Graph, _ source) { g.Ops = g.Ops[1:] }, one, nil, "layer00: linear: small.yaml:2: operand %1 embed is used before it is computed"},
		{"kind", func(g *ir.Graph, _ source) { g.Ops[0].Kind = "look" }, one, nil, `small.yaml:1: no operation is called "look"`},
		{"empty", nil, []op.Segment{{}}, nil, "segment 0 has no tokens"},
		{"types", nil, []op.Segment{{Tokens: []int32{1}, Types: []int32{0, 1}}}, nil, "segment 0 has 2 token types for 1 tokens"},
		{"cache", nil, []op.Segment{{Tokens: []int32{1}, Pos: 2}}, nil, "segment 0 begins at position 2, but kv00 holds 0"},
		{"select", nil, one, []int{1}, "row 1 is selected out of 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, src := small(t), source{}
			for k, v := range tensors {
				src[k] = v
			}
			if c.change != nil {
				c.change(g, src)
			}
			_, err := New(g, src).Run(c.segments, c.sel)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, expected %q", err, c.want)
			}
		})
	}
}
