package op

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/ir"
)

// longConvRow are convolutions with filters that are as long as the longest sequence.
var longConvRow = Row{
	Kind: "long_conv", Doc: "y[t, c] = d[c] · x[t, c] + Σ filter[j, c] · x[t-j, c]: a causal convolution of each channel with a filter of length rows; the state are all inputs so far (Poli et al. 2023, Hyena)",
	In: []string{"x"}, State: "history", Each: func(o *ir.Op) int { return o.In[0].Type.Width() },
	Weights: []Role{
		{Name: "filter", Shape: func(o *ir.Op) []int { return []int{o.Attrs.Int("length"), o.In[0].Type.Width()} }},
		{Name: "d", Optional: true, Shape: shapeWidth},
	},
	Attrs: []Attr{{Name: "length", Kind: "int", Doc: "rows of the filter"}},
	Infer: inferLongConv, Ref: refLongConv,
}

func inferLongConv(o *ir.Op) ([]ir.Type, error) {
	t, length := o.In[0].Type, o.Attrs.Int("length")
	if length < 1 || length > 1<<31/t.Width() {
		return nil, fmt.Errorf("a filter of %d rows of %d channels", length, t.Width())
	}
	return []ir.Type{t}, wantWidths(o, []string{"x"}, t.Width())
}

func refLongConv(x *Exec, o *ir.Op) error {
	filter, err := x.weight(o, 0)
	if err != nil {
		return err
	}
	d, err := x.weight(o, 1)
	if err != nil {
		return err
	}
	in, y, at := x.in(o, 0), x.out(o, 0), 0
	for i := range x.Segments {
		s := &x.Segments[i]
		history := &KV{}
		if o.State != nil && s.KV != nil {
			if s.KV[o.State] == nil {
				s.KV[o.State] = history
			}
			history = s.KV[o.State]
		}
		for r := at; r < at+len(s.Tokens); r++ {
			history.K = append(history.K, append([]float64(nil), in.Row(r)...))
			for c := range in.Width {
				sum := 0.0
				if d != nil {
					sum = d.Data[c] * in.Row(r)[c]
				}
				for j := range min(len(history.K), filter.Rows) {
					sum += filter.Row(j)[c] * history.K[len(history.K)-1-j][c]
				}
				y.Row(r)[c] = sum
			}
		}
		at += len(s.Tokens)
	}
	return nil
}
