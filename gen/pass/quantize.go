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
	}
	done := map[input]*ir.Value{}
	var ops []*ir.Op
	for _, o := range g.Ops {
		if o.Kind == "linear" && quant.Known(o.Weights[0].Format) && o.In[0].Type.DType == ir.F32 {
			from := input{o.In[0], o.Region}
			if done[from] == nil {
				q := quantize(g, o)
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

// quantize makes the operation that quantises the input of another.
func quantize(g *ir.Graph, user *ir.Op) *ir.Op {
	x := user.In[0]
	q := &ir.Op{Kind: "quantize", In: []*ir.Value{x}, Attrs: ir.Attrs{}, Region: user.Region, Pos: user.Pos}
	y := g.NewValue(x.Name+"8", ir.Type{DType: ir.Q8, Rows: x.Type.Rows, Dims: x.Type.Dims})
	y.Def, q.Out = q, []*ir.Value{y}
	return q
}
