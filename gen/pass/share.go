package pass

import (
	"fmt"
	"slices"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
)

// ShareEqual replaces pure operations that are equal by the first of them. One that depends on the graph's inputs only
// moves to the first region, so that no layer depends on another's intermediate values.
func ShareEqual(g *ir.Graph) error {
	first := map[string]*ir.Op{}
	var kept, hoisted []*ir.Op
	for _, o := range g.Ops {
		row, ok := op.Lookup(o.Kind)
		if !ok || !row.Pure || len(o.Weights) > 0 {
			kept = append(kept, o)
			continue
		}
		key := o.Kind + o.Attrs.String()
		for _, v := range o.In {
			key += fmt.Sprintf(" %p", v)
		}
		if f, ok := first[key]; ok && (f.Region == o.Region || fromInputs(f)) {
			for i := range o.Out {
				g.Replace(o.Out[i], f.Out[i])
			}
			continue
		}
		first[key] = o
		if fromInputs(o) {
			hoisted = append(hoisted, o)
		} else {
			kept = append(kept, o)
		}
	}
	for _, o := range hoisted {
		o.Region = g.Regions[0]
	}
	g.Ops = slices.Concat(hoisted, kept)
	return nil
}

func fromInputs(o *ir.Op) bool {
	for _, v := range o.In {
		if v.Def != nil {
			return false
		}
	}
	return true
}

// DropDead removes operations none of whose results is used.
func DropDead(g *ir.Graph) error {
	for {
		uses := g.Uses()
		n := len(g.Ops)
		g.Ops = slices.DeleteFunc(g.Ops, func(o *ir.Op) bool {
			return !slices.ContainsFunc(o.Out, func(v *ir.Value) bool { return uses[v] > 0 })
		})
		if len(g.Ops) == n {
			return nil
		}
	}
}
