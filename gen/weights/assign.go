package weights

import (
	"cmp"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
)

// Assign gives every weight of a graph the layout of its format, in the order of first use: a table that is also
// multiplied with (a tied output projection) that of a matrix. What is neither (norms, biases) is always float32.
func Assign(g *ir.Graph) (packed []*Packed, place map[*ir.Weight]*Packed, err error) {
	uses := usesOf(g)
	place = map[*ir.Weight]*Packed{}
	for _, o := range g.Ops {
		for _, w := range o.Weights {
			if w == nil || place[w] != nil {
				continue
			}
			layout := "vector_f32"
			switch uses[w].use {
			case op.Product:
				layout = "tile16_" + cmp.Or(w.Format, "f32")
			case op.Tiled:
				if len(w.Shape) == 2 {
					layout = "tile16_f32"
				}
			case op.Table:
				layout = tableLayout(cmp.Or(w.Format, "f32"))
			}
			p, err := New(w.Name, layout, w)
			if err == nil {
				err = p.group(uses[w].groups)
			}
			if err != nil {
				return nil, nil, err
			}
			place[w] = p
			packed = append(packed, p)
		}
	}
	return packed, place, nil
}

// tableLayout is the layout of rows that are only looked up: one after the other, but for quantised formats.
func tableLayout(format string) string {
	if quantised(format) {
		return "tile16_" + format
	}
	return "rows_" + format
}

// use is how operations read a weight: as a matrix if any multiplies with it, and in how many groups of rows.
type use struct {
	use    op.Use
	groups int
}

func usesOf(g *ir.Graph) map[*ir.Weight]use {
	uses := map[*ir.Weight]use{}
	for _, o := range g.Ops {
		row, _ := op.Lookup(o.Kind)
		for i, w := range o.Weights {
			if w == nil {
				continue
			}
			u, role := uses[w], row.Weights[i]
			if role.Use == op.Product || u.use == op.Parameter {
				u.use = role.Use
			}
			if role.Groups != "" {
				u.groups = o.Attrs.Int(role.Groups)
			}
			uses[w] = u
		}
	}
	return uses
}
