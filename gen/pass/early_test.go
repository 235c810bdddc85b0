package pass

import (
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/ir"
)

// decoder is a graph of so many blocks, each a scale, and an output layer, which may be the embedding's table.
func decoder(blocks int, tied bool) *ir.Graph {
	g := &ir.Graph{}
	table, head := &ir.Weight{Name: "table", Shape: []int{5, 4}}, &ir.Weight{Name: "head", Shape: []int{5, 4}}
	if tied {
		head = table
	}
	var x *ir.Value
	add := func(kind string, r *ir.Region, rows ir.Rows, w *ir.Weight, dim int) {
		o := &ir.Op{Kind: kind, Region: r, Weights: []*ir.Weight{w, nil}, Attrs: ir.Attrs{"dim": dim}}
		if x != nil {
			o.In = []*ir.Value{x}
		}
		x = g.NewValue(kind, ir.Type{Rows: rows, Dims: []int{dim}})
		x.Def, o.Out = o, []*ir.Value{x}
		g.Ops = append(g.Ops, o)
		r.Result = x
	}
	for i := range blocks + 1 {
		r := &ir.Region{Kind: ir.Layer, Index: i - 1}
		kind, w := "scale", (*ir.Weight)(nil)
		if i == 0 {
			r.Kind, kind, w = ir.Embed, "embed", table
		}
		g.Regions = append(g.Regions, r)
		add(kind, r, ir.Tokens, w, 4)
	}
	r := &ir.Region{Kind: ir.Head}
	g.Regions = append(g.Regions, r)
	add("select", r, ir.Selected, nil, 4)
	add("linear", r, ir.Selected, head, 5)
	add("softcap", r, ir.Selected, nil, 5)
	g.Outputs = []ir.Output{{Name: "logits", Value: x}}
	return g
}

// TestEarlyLayers compares with transformers' rules.
func TestEarlyLayers(t *testing.T) {
	for _, c := range []struct {
		blocks  int
		tied    bool
		setting string
		want    []int
	}{
		{1, true, "low", []int{0}}, {2, true, "low", []int{1}}, {4, true, "low", []int{2}}, {12, true, "low", []int{2, 4}},
		{2, false, "low", []int{0}}, {6, false, `"low"`, []int{0, 2}}, {6, false, "high", []int{3, 5}},
		{48, false, "low", []int{0, 2, 4, 6, 8, 10, 12, 14, 16, 18}}, {48, true, "high", []int{28, 30, 32, 34, 36, 38, 40, 42, 44, 46}},
		{4, false, "[1, 3, 9]", []int{1, 3}}, {4, false, "0,2", []int{0, 2}}, {4, false, "", nil}, {4, false, "null", nil},
	} {
		if got, err := EarlyLayers(decoder(c.blocks, c.tied), c.setting); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%d blocks, tied %v, %s: %v, %v; want %v", c.blocks, c.tied, c.setting, got, err, c.want)
		}
	}
	for setting, says := range map[string]string{"middle": "expected low, high or numbers", "-1": "expected", "7": "none is left"} {
		if _, err := EarlyLayers(decoder(4, false), setting); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", setting, err)
		}
	}
	if _, err := EarlyLayers(&ir.Graph{}, "low"); err == nil {
		t.Error("an encoder has early layers")
	}
}

func TestAddEarly(t *testing.T) {
	g := decoder(3, false)
	if err := AddEarly(g, []int{0, 2, 2}); err != nil {
		t.Fatal(err)
	}
	if len(g.Outputs) != 3 || g.Outputs[1].Name != "early/0" || g.Output("early/2").Type.Width() != 5 || g.Output("early/2").Def.In[0].Def.In[0] != g.Regions[2].Result {
		t.Errorf("%+v", g.Outputs)
	}
	if err := AddEarly(g, []int{4}); err == nil {
		t.Error("a layer behind the last one")
	}
}
