package pass

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/ir"
)

// SplitCross divides attention to the encoder's rows: their keys and values are computed once, behind the encoder, and
// kept in the state; the decoder's step only reads them.
func SplitCross(g *ir.Graph) error {
	bridges := map[*ir.Region]*ir.Region{}
	for _, o := range g.Ops {
		if o.Region.Tower == "" && len(o.Out) > 0 && o.Out[0].Type.Rows == ir.Source {
			o.Region = bridge(g, bridges, o.Region)
		}
	}
	var ops []*ir.Op
	for _, o := range g.Ops {
		if o.Kind == "attend" && o.State != nil && o.State.Kind == "cross" {
			keep := &ir.Op{Kind: "keep", In: o.In[1:3], State: o.State, Region: bridge(g, bridges, o.Region), Pos: o.Pos,
				Attrs: ir.Attrs{"kv_heads": o.Attrs["kv_heads"], "head_dim": o.Attrs["head_dim"]}}
			ops = append(ops, keep)
			o.Kind, o.In, o.Weights = "attend_kept", o.In[:1], nil
			o.Attrs = ir.Attrs{"heads": o.Attrs["heads"], "scale": o.Attrs["scale"], "kv_heads": o.Attrs["kv_heads"], "head_dim": o.Attrs["head_dim"]}
		}
		ops = append(ops, o)
	}
	g.Ops = inOrder(g, ops)
	return nil
}

// bridge is the region for what a region of the decoder makes of the encoder's rows: "cross03" for "layer03", in front of
// the decoder.
func bridge(g *ir.Graph, made map[*ir.Region]*ir.Region, of *ir.Region) *ir.Region {
	if r := made[of]; r != nil {
		return r
	}
	r := &ir.Region{Kind: ir.Bridge, Tower: "encoder", Name: "crossOf" + of.Name, Index: of.Index, Pos: of.Pos}
	if of.Kind == ir.Layer {
		r.Name = fmt.Sprintf("cross%s", of.Name[len("layer"):])
	}
	made[of] = r
	at := 0
	for g.Regions[at].Tower != "" {
		at++
	}
	g.Regions = append(g.Regions[:at:at], append([]*ir.Region{r}, g.Regions[at:]...)...)
	return r
}
