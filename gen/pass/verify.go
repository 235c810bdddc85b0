package pass

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
)

// Verify checks a graph: each value is defined once and before its uses, each operation fits its row of the op table,
// regions are contiguous and in order, and outputs and region results exist.
func Verify(g *ir.Graph) error {
	defined := map[*ir.Value]bool{}
	for _, v := range g.Inputs {
		defined[v] = true
	}
	next := 0
	for _, o := range g.Ops {
		for next < len(g.Regions) && g.Regions[next] != o.Region {
			next++
		}
		if next == len(g.Regions) {
			return fmt.Errorf("%s: %s stands outside its region or the regions are out of order", o.Pos, o.Kind)
		}
		for i, v := range o.In {
			if !defined[v] {
				return fmt.Errorf("%s: %s: input %d (%s) is used before it is defined", o.Pos, o.Kind, i, v.Name)
			}
		}
		if err := op.Check(o); err != nil {
			return err
		}
		for _, v := range o.Out {
			if defined[v] || v.Def != o {
				return fmt.Errorf("%s: %s: result %s is defined twice", o.Pos, o.Kind, v.Name)
			}
			defined[v] = true
		}
	}
	for _, r := range g.Regions {
		if r.Result != nil && !defined[r.Result] {
			return fmt.Errorf("%s: the result of %s is not defined", r.Pos, r.Name)
		}
	}
	for _, o := range g.Outputs {
		if !defined[o.Value] {
			return fmt.Errorf("output %s is not defined", o.Name)
		}
	}
	return nil
}
