package op

import (
	"fmt"
	"math"

	"github.com/tfgen/tfgen/gen/ir"
)

// latentTable has attention over compressed keys and values.
var latentTable = []Row{{
	Kind: "attend_latent", Doc: "softmax(scale · (q cᵀ + q_rope k_ropeᵀ)) c for each head, causal: all heads share the latent c, which is key and value, and the rotated part of the key (DeepSeek-AI 2024, DeepSeek-V2)",
	In: []string{"q", "q_rope", "c", "k_rope"}, State: "latent",
	Attrs: []Attr{
		{Name: "heads", Kind: "int", Doc: "query heads"},
		{Name: "rank", Kind: "int", Doc: "width of the latent, and of a head's query against it"},
		{Name: "rope_dim", Kind: "int", Doc: "width of the rotated part"},
		{Name: "scale", Kind: "float", Doc: "factor of the scores"},
	},
	Infer: inferAttendLatent, Ref: refAttendLatent,
}}

func inferAttendLatent(o *ir.Op) ([]ir.Type, error) {
	heads, rank, rot := o.Attrs.Int("heads"), o.Attrs.Int("rank"), o.Attrs.Int("rope_dim")
	if heads < 1 || rank < 1 || rot < 1 {
		return nil, fmt.Errorf("%d heads, a latent of %d, a rotated part of %d", heads, rank, rot)
	}
	t := ir.Type{DType: ir.F32, Rows: ir.Tokens, Dims: []int{heads * rank}}
	return []ir.Type{t}, wantWidths(o, []string{"q", "q_rope", "c", "k_rope"}, heads*rank, heads*rot, rank, rot)
}

func refAttendLatent(x *Exec, o *ir.Op) error {
	q, qr, c, kr, y := x.in(o, 0), x.in(o, 1), x.in(o, 2), x.in(o, 3), x.out(o, 0)
	at := 0
	for i := range x.Segments {
		s := &x.Segments[i]
		cache := &KV{}
		if o.State != nil && s.KV != nil {
			if s.KV[o.State] == nil {
				s.KV[o.State] = cache
			}
			cache = s.KV[o.State]
		}
		for r := range s.Tokens {
			cache.K = append(cache.K, append([]float64(nil), c.Row(at+r)...))
			cache.V = append(cache.V, append([]float64(nil), kr.Row(at+r)...))
			for h := range o.Attrs.Int("heads") {
				latentHead(o, q.Row(at + r)[h*c.Width:][:c.Width], qr.Row(at + r)[h*kr.Width:][:kr.Width], cache, y.Row(at + r)[h*c.Width:][:c.Width])
			}
		}
		at += len(s.Tokens)
	}
	return nil
}

// latentHead computes one head of one query over everything that is cached.
func latentHead(o *ir.Op, q, qr []float64, cache *KV, y []float64) {
	scores := make([]float64, len(cache.K))
	for p := range scores {
		scores[p] = o.Attrs.Float("scale") * (dot(q, cache.K[p]) + dot(qr, cache.V[p]))
	}
	top, sum := math.Inf(-1), 0.0
	for _, v := range scores {
		top = math.Max(top, v)
	}
	for p, v := range scores {
		scores[p] = math.Exp(v - top)
		sum += scores[p]
	}
	for p, w := range scores {
		for j, v := range cache.K[p] {
			y[j] += w / sum * v
		}
	}
}
