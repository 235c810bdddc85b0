package weights

import (
	"fmt"
	"sort"
	"strings"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
)

// formats is the table of weight formats that a user can choose: the layout of matrices that are multiplied with and of
// tables that are only looked up in. Vectors (norms, biases) are always float32.
var formats = map[string]struct{ matrix, table string }{
	"f32":  {"tile16_f32", "rows_f32"},
	"bf16": {"tile16_bf16", "rows_bf16"},
}

// Formats returns the names of the weight formats in order.
func Formats() []string {
	names := make([]string, 0, len(formats))
	for n := range formats {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Assign chooses a layout for every weight of a graph, in the order of first use. A table that is also multiplied with
// (a tied output projection) has the layout of a matrix.
func Assign(g *ir.Graph, format string) (packed []*Packed, place map[*ir.Weight]*Packed, err error) {
	f, ok := formats[format]
	if !ok {
		return nil, nil, fmt.Errorf("weight format %q is not supported; supported are %s", format, strings.Join(Formats(), ", "))
	}
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
				layout = f.matrix
			case op.Table:
				layout = f.table
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
