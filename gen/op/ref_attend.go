package op

import (
	"math"

	"github.com/tfgen/tfgen/gen/ir"
)

func refAngles(x *Exec, o *ir.Op) error {
	rope, err := NewRope(o.Attrs)
	if err != nil {
		return err
	}
	pos, y, at := x.in(o, 0), x.out(o, 0), 0
	for _, s := range x.Segments {
		inv := rope.Frequencies(max(s.Total, s.Pos+len(s.Tokens)))
		for range s.Tokens {
			row := y.Row(at)
			for i, f := range inv {
				sin, cos := math.Sincos(pos.Data[at] * f)
				row[i], row[len(inv)+i] = cos*rope.Factor, sin*rope.Factor
			}
			at++
		}
	}
	return nil
}

func refRope(x *Exec, o *ir.Op) error {
	in, angles, y := x.in(o, 0), x.in(o, 1), x.out(o, 0)
	copy(y.Data, in.Data)
	dim, half := o.Attrs.Int("head_dim"), o.Attrs.Int("rot")/2
	for r := 0; r < in.Rows; r++ {
		a := angles.Row(r)
		for h := 0; h < o.Attrs.Int("heads"); h++ {
			head := y.Row(r)[h*dim : (h+1)*dim]
			for i := 0; i < half; i++ {
				p, q := i, i+half
				if o.Attrs.Str("style") == "interleaved" {
					p, q = 2*i, 2*i+1
				}
				u, v := head[p], head[q]
				head[p], head[q] = u*a[i]-v*a[half+i], v*a[i]+u*a[half+i]
			}
		}
	}
	return nil
}

func refAttend(x *Exec, o *ir.Op) error {
	q, k, v, y := x.in(o, 0), x.in(o, 1), x.in(o, 2), x.out(o, 0)
	causal := o.Attrs.Str("mask") == "causal"
	sinks, err := x.weight(o, 0)
	if err != nil {
		return err
	}
	at := 0
	for _, s := range x.Segments {
		cache := &KV{}
		if o.State != nil && s.KV != nil {
			if s.KV[o.State] == nil {
				s.KV[o.State] = cache
			}
			cache = s.KV[o.State]
		}
		n := len(s.Tokens)
		for i := range n {
			cache.K = append(cache.K, append([]float64(nil), k.Row(at+i)...))
			cache.V = append(cache.V, append([]float64(nil), v.Row(at+i)...))
		}
		for i := range n {
			from, to := 0, len(cache.K)
			if causal {
				to = s.Pos + i + 1
			}
			if w := o.Attrs.Int("window"); w > 0 {
				from, to = max(0, s.Pos+i+1-w), min(to, s.Pos+i+w)
			}
			attendRow(o, q.Row(at+i), cache, sinks, s.Pos+i, from, to, y.Row(at+i))
		}
		at += n
	}
	return nil
}

// attendRow computes the output of the query at position pos over the cached positions from ≤ p < to.
func attendRow(o *ir.Op, q []float64, cache *KV, sinks *Tensor, pos, from, to int, y []float64) {
	heads, kv, dim := o.Attrs.Int("heads"), o.Attrs.Int("kv_heads"), o.Attrs.Int("head_dim")
	scale, softcap := o.Attrs.Float("scale"), o.Attrs.Float("softcap")
	scores := make([]float64, to-from)
	alibi := NewALiBi(o.Attrs)
	for h := range heads {
		g := h / (heads / kv) * dim
		top := math.Inf(-1)
		for p := range scores {
			dot := 0.0
			for i := range dim {
				dot += q[h*dim+i] * cache.K[from+p][g+i]
			}
			dot = dot*scale + alibi.Bias(h, pos, from+p)
			if softcap > 0 {
				dot = softcap * math.Tanh(dot/softcap)
			}
			scores[p], top = dot, math.Max(top, dot)
		}
		sum := 0.0
		if sinks != nil {
			top = math.Max(top, sinks.Data[h])
			sum = math.Exp(sinks.Data[h] - top)
		}
		for p := range scores {
			scores[p] = math.Exp(scores[p] - top)
			sum += scores[p]
		}
		for p, e := range scores {
			for i := range dim {
				y[h*dim+i] += e / sum * cache.V[from+p][g+i]
			}
		}
	}
}
