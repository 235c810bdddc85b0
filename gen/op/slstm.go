package op

import (
	"fmt"
	"math"

	"github.com/tfgen/tfgen/gen/ir"
)

// slstmRow is the scalar memory of xLSTM, whose gates also see the result of the token before.
var slstmRow = Row{
	Kind: "slstm", Doc: "c = f c + i tanh(z), n = f n + i, y = σ(o) c / n, with i = e^(input - m), f = σ(forget) e^(m before - m) and m the larger of both exponents; each of the gates also has r · (y before) + b of its head, the first token neither f nor y; the state is y, c, n and m (Beck et al. 2024, xLSTM)",
	In: []string{"input", "forget", "z", "o"}, State: "slstm", Size: func(o *ir.Op) int { return 4 * o.In[0].Type.Width() },
	Weights: []Role{
		{Name: "r", Shape: func(o *ir.Op) []int { // rows: heads and y before; columns: gates in the order of the inputs, and outputs
			w := o.In[0].Type.Width()
			return []int{w, 4 * w / o.Attrs.Int("heads")}
		}},
		{Name: "b", Optional: true, Shape: func(o *ir.Op) []int { return []int{4 * o.In[0].Type.Width()} }}, // heads, gates, outputs
	},
	Attrs: []Attr{{Name: "heads", Kind: "int", Doc: "heads; r is block-diagonal"}},
	Infer: inferSLSTM, Ref: refSLSTM,
}

func inferSLSTM(o *ir.Op) ([]ir.Type, error) {
	heads, t := o.Attrs.Int("heads"), o.In[0].Type
	if heads < 1 || t.Width()%heads != 0 {
		return nil, fmt.Errorf("%d heads of %s", heads, t)
	}
	if d := t.Width() / heads; d > MaxHeadDim {
		return nil, fmt.Errorf("heads of %d, at most %d is supported", d, MaxHeadDim)
	}
	return []ir.Type{t}, wantWidths(o, []string{"input", "forget", "z", "o"}, t.Width(), t.Width(), t.Width(), t.Width())
}

func refSLSTM(x *Exec, o *ir.Op) error {
	recurrent, err := x.weight(o, 0)
	if err != nil {
		return err
	}
	bias, err := x.weight(o, 1)
	if err != nil {
		return err
	}
	y := x.out(o, 0)
	d, dim := y.Width, y.Width/o.Attrs.Int("heads")
	eachRow(x, o, func(row int, first bool, state []float64) {
		h, c, n, m := state[:d], state[d:2*d], state[2*d:3*d], state[3*d:]
		before := append([]float64(nil), h...)
		for j := range d {
			at := j / dim * dim // where the head begins
			var gate [4]float64
			for g := range gate {
				gate[g] = x.in(o, g).Row(row)[j]
				for k, v := range before[at:][:dim] {
					gate[g] += recurrent.Row(at + k)[g*dim+j-at] * v
				}
				if bias != nil {
					gate[g] += bias.Data[4*at+g*dim+j-at]
				}
			}
			in, keep := gate[0], -softplus(-gate[1])+m[j]
			if first {
				keep = math.Inf(-1)
			}
			m[j] = math.Max(in, keep)
			i, f := math.Exp(in-m[j]), math.Exp(keep-m[j])
			c[j], n[j] = f*c[j]+i*math.Tanh(gate[2]), f*n[j]+i
			h[j] = sigmoid(gate[3]) * c[j] / n[j]
			y.Row(row)[j] = h[j]
		}
	})
	return nil
}
