package op

import (
	"slices"
	"testing"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/runtime/portable"
)

// TestMarks holds reference and twin to written out marks.
func TestMarks(t *testing.T) {
	rules := map[string]func(i, found int) bool{"none": nil, "first": portable.MarkFirst, "before": portable.MarkBefore, "after": portable.MarkAfter}
	for _, c := range []struct {
		rule          string
		given, tokens []int32
		want          []float32
	}{
		{"none", []int32{-1, -1, -1}, []int32{0, 2, 7}, []float32{0, 0, 0}},
		{"none", []int32{0, 1, 1}, []int32{0, 2, 7}, []float32{0, 1, 1}},
		{"first", []int32{-1, -1, -1}, []int32{0, 2, 7}, []float32{1, 0, 0}},
		{"first", []int32{0, 0, 1}, []int32{0, 2, 7}, []float32{0, 0, 1}},
		{"before", []int32{-1, -1, -1, -1, -1}, []int32{0, 5, 2, 2, 7}, []float32{1, 1, 0, 0, 0}},
		{"before", []int32{-1, -1}, []int32{0, 5}, []float32{0, 0}},
		{"before", []int32{-1, -1}, []int32{2, 5}, []float32{0, 0}},
		{"after", []int32{-1, -1, -1, -1, -1}, []int32{0, 2, 2, 8, 2}, []float32{0, 0, 0, 1, 1}},
		{"after", []int32{-1, -1}, []int32{0, 5}, []float32{0, 0}},
	} {
		o := &ir.Op{Kind: "marks", Attrs: ir.Attrs{"rule": c.rule, "id": 2}}
		for range 2 {
			o.In = append(o.In, &ir.Value{Type: ir.Type{DType: ir.I32, Rows: ir.Tokens}})
		}
		types, err := Infer(o)
		if err != nil {
			t.Fatal(err)
		}
		o.Out = []*ir.Value{{Type: types[0]}}
		column := func(ids []int32) *Tensor {
			x := NewTensor(len(ids), 1)
			for i, id := range ids {
				x.Data[i] = float64(id)
			}
			return x
		}
		x := &Exec{Values: map[*ir.Value]*Tensor{o.In[0]: column(c.given), o.In[1]: column(c.tokens)}, Segments: []Segment{{Tokens: c.tokens}}}
		if err := refMarks(x, o); err != nil {
			t.Fatal(err)
		}
		got := make([]float32, len(c.want))
		portable.Marks(got, 1, c.given, c.tokens, 2, rules[c.rule])
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: the twin marks %v of %v, expected %v", c.rule, got, c.tokens, c.want)
		}
		for i, v := range x.Values[o.Out[0]].Data {
			if float32(v) != c.want[i] {
				t.Errorf("%s: the reference marks %v of %v, expected %v", c.rule, x.Values[o.Out[0]].Data, c.tokens, c.want)
			}
		}
	}
}
