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
	pos, y := x.in(o, 0), x.out(o, 0)
	for i, s := range x.spans(o.In[0].Type.Rows) {
		inv := rope.Frequencies(max(x.Segments[i].Total, s.pos+s.rows))
		for r := s.at; r < s.at+s.rows; r++ {
			row := y.Row(r)
			for i, f := range inv {
				sin, cos := math.Sincos(pos.Data[r] * f)
				row[i], row[len(inv)+i] = cos*rope.Factor, sin*rope.Factor
			}
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
	k, v := x.in(o, 1), x.in(o, 2)
	sinks, err := x.weight(o, 0)
	if err != nil {
		return err
	}
	relative, err := x.weight(o, 1)
	if err != nil {
		return err
	}
	keys := x.spans(o.In[1].Type.Rows)
	x.attend(o, sinks, x.scoreBias(o, relative), func(i int, cache *KV) {
		for r := keys[i].at; r < keys[i].at+keys[i].rows; r++ {
			cache.K = append(cache.K, kept(o, k.Row(r)))
			cache.V = append(cache.V, kept(o, v.Row(r)))
		}
	})
	return nil
}

// kept returns a copy of a row of keys or values as the state keeps it. The rounding of float16 is left out: it is less
// than what any tolerance is for.
func kept(o *ir.Op, row []float64) []float64 {
	y := append([]float64(nil), row...)
	if o.State != nil && o.State.Attrs.Str("format") == "q8" {
		width := o.Attrs.Int("head_dim")
		rotate(y, width)
		toBits8(y, y, width)
		rotate(y, width)
	}
	return y
}

// refKeep stores keys and values of the encoder's rows.
func refKeep(x *Exec, o *ir.Op) error {
	k, v := x.in(o, 0), x.in(o, 1)
	for i, s := range x.spans(ir.Source) {
		cache := x.Segments[i].cache(o.State)
		for r := s.at; r < s.at+s.rows; r++ {
			cache.K = append(cache.K, append([]float64(nil), k.Row(r)...))
			cache.V = append(cache.V, append([]float64(nil), v.Row(r)...))
		}
	}
	return nil
}

// refAttendKept is attention to what refKeep has stored.
func refAttendKept(x *Exec, o *ir.Op) error {
	x.attend(o, nil, func(span, int, int, int) float64 { return 0 }, func(int, *KV) {})
	return nil
}

// cache is the memory of a state for the segment; without a state or a session it lasts for one operation.
func (s *Segment) cache(state *ir.State) *KV {
	if state == nil || s.KV == nil {
		return &KV{}
	}
	if s.KV[state] == nil {
		s.KV[state] = &KV{}
	}
	return s.KV[state]
}

// scoreBias returns what is added to the scaled score of row r of a segment and the key at a position, for a head.
func (x *Exec) scoreBias(o *ir.Op, relative *Tensor) func(s span, r, head, key int) float64 {
	both, alibi := o.Attrs.Str("mask") != "causal", NewALiBi(o.Attrs)
	byQuery, byKey := x.distances(o)
	return func(s span, r, head, key int) float64 {
		pos := s.pos + r
		b := alibi.Bias(head, pos, key)
		if relative != nil {
			b += relative.Row(RelativeBucket(key-pos, o.Attrs.Int("buckets"), o.Attrs.Int("max_distance"), both))[head]
		}
		if byQuery == nil && byKey == nil {
			return b
		}
		at := head*2*o.Attrs.Int("span") + DistanceRow(o.Attrs, pos-key)
		if byQuery != nil {
			b += o.Attrs.Float("scale") * byQuery.Row(s.at + r)[at]
		}
		if byKey != nil {
			b += o.Attrs.Float("scale") * byKey.Row(s.at + key)[at]
		}
		return b
	}
}

// attend computes the output of every query; store adds the segment's keys and values to its cache first.
func (x *Exec) attend(o *ir.Op, sinks *Tensor, bias func(s span, r, head, key int) float64, store func(segment int, cache *KV)) {
	q, y := x.in(o, 0), x.out(o, 0)
	causal, window := o.Attrs.Str("mask") == "causal", o.Attrs.Int("window")
	var marks *Tensor
	if _, v := Extras(o); v != nil {
		marks = x.Values[v]
	}
	for i, s := range x.spans(o.In[0].Type.Rows) {
		cache := x.Segments[i].cache(o.State)
		store(i, cache)
		for r := range s.rows {
			from, to, pos := 0, len(cache.K), s.pos+r
			if causal {
				to = pos + 1
			}
			low, high := 0, to
			if window > 0 {
				low, high = max(0, pos+1-window), min(to, pos+window)
			}
			if marks == nil {
				from, to = low, high
			}
			ofKey := func(head, key int) float64 {
				if marks != nil && (key < low || key >= high) && marks.Row(s.at + key)[0] == 0 {
					return math.Inf(-1)
				}
				return bias(s, r, head, key)
			}
			attendRow(o, q.Row(s.at+r), cache, sinks, ofKey, from, to, y.Row(s.at+r))
		}
	}
}

// attendRow computes one query's output over the cached positions from ≤ p < to; bias is added to the scaled scores.
func attendRow(o *ir.Op, q []float64, cache *KV, sinks *Tensor, bias func(head, key int) float64, from, to int, y []float64) {
	heads, kv, dim := o.Attrs.Int("heads"), o.Attrs.Int("kv_heads"), o.Attrs.Int("head_dim")
	scale, softcap := o.Attrs.Float("scale"), o.Attrs.Float("softcap")
	scores := make([]float64, to-from)
	for h := range heads {
		g := h / (heads / kv) * dim
		top := math.Inf(-1)
		for p := range scores {
			dot := 0.0
			for i := range dim {
				dot += q[h*dim+i] * cache.K[from+p][g+i]
			}
			dot = dot*scale + bias(h, from+p)
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
