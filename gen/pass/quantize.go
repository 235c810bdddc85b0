package pass

import (
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/runtime/quant"
)

// QuantizeInputs puts a quantize operation before linear operations with quantised weights. Those of one region that read
// the same value share it.
func QuantizeInputs(g *ir.Graph) error {
	type input struct {
		x      *ir.Value
		region *ir.Region
		rows   bool
	}
	done := map[input]*ir.Value{}
	var ops []*ir.Op
	for _, o := range g.Ops {
		if o.Kind != "linear" {
			ops = append(ops, o)
			continue
		}
		if f, err := quant.Lookup(o.Weights[0].Format); err == nil && o.In[0].Type.DType == ir.F32 {
			from := input{o.In[0], o.Region, f.Whole}
			if done[from] == nil {
				q := quantize(g, o, f.Whole)
				done[from] = q.Out[0]
				ops = append(ops, q)
			}
			o.In[0] = done[from]
		}
		ops = append(ops, o)
	}
	g.Ops = ops
	return nil
}

// quantize makes the operation that quantises the input of another, in blocks or rows as a whole.
func quantize(g *ir.Graph, user *ir.Op, rows bool) *ir.Op {
	x, d, attrs := user.In[0], ir.Q8, ir.Attrs{}
	if rows {
		d, attrs = ir.I8, ir.Attrs{"rows": true}
	}
	q := &ir.Op{Kind: "quantize", In: []*ir.Value{x}, Attrs: attrs, Region: user.Region, Pos: user.Pos}
	y := g.NewValue(x.Name+"8", ir.Type{DType: d, Rows: x.Type.Rows, Dims: x.Type.Dims})
	y.Def, q.Out = q, []*ir.Value{y}
	return q
}
