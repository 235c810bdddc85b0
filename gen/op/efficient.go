package op

import (
	"fmt"
	"math"

	"github.com/tfgen/tfgen/gen/ir"
)

// efficientTable has attention whose cost grows with the length of a sequence, not with its square: over projected keys
// (Linformer) and by features of queries and keys (Performer). They are for whole sequences, as in encoders.
var efficientTable = []Row{
	{
		Kind: "attend_projected", Doc: "softmax(scale · q (E k)ᵀ) (F v) for each head, E and F being matrices [rows, length] that a shorter sequence uses the first columns of; F is E where it is absent (Wang et al. 2020, Linformer)",
		In: []string{"q", "k", "v"},
		Weights: []Role{
			{Name: "e", Shape: shapeProjected},
			{Name: "f", Optional: true, Shape: shapeProjected},
		},
		Attrs: []Attr{
			{Name: "heads", Kind: "int", Doc: "heads"},
			{Name: "head_dim", Kind: "int", Doc: "width of a head"},
			{Name: "scale", Kind: "float", Doc: "factor of the scores"},
			{Name: "rows", Kind: "int", Doc: "keys and values after the projection"},
			{Name: "length", Kind: "int", Doc: "tokens of the longest sequence"},
			{Name: "each", Kind: "bool", Default: false, Doc: "each head has matrices of its own: e and f have heads · rows"},
		},
		Infer: inferAttendProjected, Ref: refAttendProjected,
	},
	{
		Kind: "attend_features", Doc: "y = (φ(q) Σ φ(k) vᵀ) / (φ(q) Σ φ(k)) for each head, from the products of queries and keys with features: φ = e^(product - |x|²/(2√d) - c) + eps, or max(product, 0) + eps (Choromanski et al. 2021, Performer)",
		In: []string{"q_features", "k_features", "q", "k", "v"},
		Attrs: []Attr{
			{Name: "heads", Kind: "int", Doc: "heads"},
			{Name: "head_dim", Kind: "int", Doc: "width of a head"},
			{Name: "kernel", Kind: "string", Enum: []string{"softmax", "relu"}, Doc: "what φ approximates; c is the largest product of the query, or of all keys of the head"},
			{Name: "eps", Kind: "float", Doc: "added to every feature"},
		},
		Infer: inferAttendFeatures, Ref: refAttendFeatures,
	},
}

func shapeProjected(o *ir.Op) []int {
	rows := o.Attrs.Int("rows")
	if o.Attrs.Bool("each") {
		rows *= o.Attrs.Int("heads")
	}
	return []int{rows, o.Attrs.Int("length")}
}

func inferAttendProjected(o *ir.Op) ([]ir.Type, error) {
	heads, dim, rows, length := o.Attrs.Int("heads"), o.Attrs.Int("head_dim"), o.Attrs.Int("rows"), o.Attrs.Int("length")
	if heads < 1 || dim < 1 || rows < 1 || length < 1 {
		return nil, fmt.Errorf("%d heads of %d, %d rows for up to %d tokens", heads, dim, rows, length)
	}
	t := o.In[0].Type
	if t.Rows != ir.Tokens {
		return nil, fmt.Errorf("q is %s, expected one row a token", t)
	}
	return []ir.Type{t}, wantWidths(o, []string{"q", "k", "v"}, heads*dim, heads*dim, heads*dim)
}

func refAttendProjected(x *Exec, o *ir.Op) error {
	e, err := x.weight(o, 0)
	if err != nil {
		return err
	}
	f, err := x.weight(o, 1)
	if err != nil {
		return err
	}
	if f == nil {
		f = e
	}
	heads, dim, rows := o.Attrs.Int("heads"), o.Attrs.Int("head_dim"), o.Attrs.Int("rows")
	one := &ir.Op{Attrs: ir.Attrs{"heads": 1, "kv_heads": 1, "head_dim": dim, "scale": o.Attrs["scale"]}}
	q, y := x.in(o, 0), x.out(o, 0)
	for _, s := range x.spans(ir.Tokens) {
		if s.rows > e.Width {
			return fmt.Errorf("%s: a sequence of %d tokens, the projection has columns for %d", o.Pos, s.rows, e.Width)
		}
		for h := range heads {
			first := 0
			if o.Attrs.Bool("each") {
				first = h * rows
			}
			cache := &KV{K: projected(e, first, rows, x.in(o, 1), s, h*dim, dim), V: projected(f, first, rows, x.in(o, 2), s, h*dim, dim)}
			for r := s.at; r < s.at+s.rows; r++ {
				attendRow(one, q.Row(r)[h*dim:][:dim], cache, nil, func(int, int) float64 { return 0 }, 0, rows, y.Row(r)[h*dim:][:dim])
			}
		}
	}
	return nil
}

// projected is rows first … first+n-1 of w times the part of a sequence's rows that belongs to a head.
func projected(w *Tensor, first, n int, x *Tensor, s span, at, dim int) [][]float64 {
	out := make([][]float64, n)
	for j := range out {
		out[j] = make([]float64, dim)
		for t := range s.rows {
			for i, v := range x.Row(s.at + t)[at:][:dim] {
				out[j][i] += w.Row(first + j)[t] * v
			}
		}
	}
	return out
}

func inferAttendFeatures(o *ir.Op) ([]ir.Type, error) {
	heads, dim, w := o.Attrs.Int("heads"), o.Attrs.Int("head_dim"), o.In[0].Type.Width()
	if heads < 1 || dim < 1 || w%heads != 0 || o.Attrs.Float("eps") < 0 {
		return nil, fmt.Errorf("%d heads of %d, %d features, eps %v", heads, dim, w, o.Attrs.Float("eps"))
	}
	t := o.In[2].Type
	if t.Rows != ir.Tokens {
		return nil, fmt.Errorf("q is %s, expected one row a token", t)
	}
	return []ir.Type{t}, wantWidths(o, []string{"q_features", "k_features", "q", "k", "v"}, w, w, heads*dim, heads*dim, heads*dim)
}

func refAttendFeatures(x *Exec, o *ir.Op) error {
	qf, kf, q, k, v, y := x.in(o, 0), x.in(o, 1), x.in(o, 2), x.in(o, 3), x.in(o, 4), x.out(o, 0)
	heads, dim := o.Attrs.Int("heads"), o.Attrs.Int("head_dim")
	m := qf.Width / heads
	for _, s := range x.spans(ir.Tokens) {
		for h := range heads {
			part := func(t *Tensor, r, n int) []float64 { return t.Row(s.at + r)[h*n:][:n] }
			top := math.Inf(-1)
			for r := range s.rows {
				top = math.Max(top, largest(part(kf, r, m)))
			}
			sums, total := NewTensor(m, dim), make([]float64, m)
			for r := range s.rows {
				for j, w := range features(o, part(kf, r, m), part(k, r, dim), top) {
					total[j] += w
					for i, u := range part(v, r, dim) {
						sums.Row(j)[i] += w * u
					}
				}
			}
			for r := range s.rows {
				weights := features(o, part(qf, r, m), part(q, r, dim), largest(part(qf, r, m)))
				for j, w := range weights {
					for i, u := range sums.Row(j) {
						part(y, r, dim)[i] += w * u / dot(weights, total)
					}
				}
			}
		}
	}
	return nil
}

func largest(x []float64) float64 {
	top := math.Inf(-1)
	for _, v := range x {
		top = math.Max(top, v)
	}
	return top
}

// features are φ of one query or key x of d elements, from its products with the feature vectors.
func features(o *ir.Op, products, x []float64, top float64) []float64 {
	out := make([]float64, len(products))
	half := dot(x, x) / 2 / math.Sqrt(float64(len(x)))
	for j, p := range products {
		if o.Attrs.Str("kernel") == "relu" {
			out[j] = math.Max(p, 0) + o.Attrs.Float("eps")
		} else {
			out[j] = math.Exp(p-half-top) + o.Attrs.Float("eps")
		}
	}
	return out
}
