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
		if f, ok := first[key]; ok && (f.Region == o.Region || fromInputs(f) && f.Region.Tower == o.Region.Tower) {
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
		o.Region = firstOf(g, o.Region.Tower)
	}
	g.Ops = inOrder(g, slices.Concat(hoisted, kept))
	return nil
}

// firstOf is the first region of a tower.
func firstOf(g *ir.Graph, tower string) *ir.Region {
	return g.Regions[slices.IndexFunc(g.Regions, func(r *ir.Region) bool { return r.Tower == tower })]
}

// inOrder sorts operations by their regions; those of one region stay as they are.
func inOrder(g *ir.Graph, ops []*ir.Op) []*ir.Op {
	at := map[*ir.Region]int{}
	for i, r := range g.Regions {
		at[r] = i
	}
	slices.SortStableFunc(ops, func(a, b *ir.Op) int { return at[a.Region] - at[b.Region] })
	return ops
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
			return o.Kind != "keep" && !slices.ContainsFunc(o.Out, func(v *ir.Value) bool { return uses[v] > 0 })
		})
		if len(g.Ops) == n {
			return nil
		}
	}
}
