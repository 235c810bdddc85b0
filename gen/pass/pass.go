// Package pass rewrites the graph: an ordered list of passes, each small, each leaving a graph that verifies.
package pass

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/ir"
)

// Pass is one rewriting of the graph.
type Pass struct {
	Name string
	Why  string // the reason for the pass and for its place in the list
	Run  func(*ir.Graph) error
}

// All is the list of passes in the order in which they run.
var All = []Pass{
	{"ShareEqual", "specifications repeat pure operations (rotary angles in every layer); sharing comes first so that later passes count uses rightly", ShareEqual},
	{"SplitCross", "keys and values of the encoder belong to the encoder's pass; before FuseLinears, which joins them within a region", SplitCross},
	{"DropDead", "what no output needs is not generated; before fusion, so that dead uses do not block it", DropDead},
	{"FuseLinears", "projections of the same input become one stream of weights (q|k|v, gate|up); before FuseGLU, which then reads the halves", FuseLinears},
	{"FuseGLU", "the gate's activation and its product with up are one sweep", FuseGLU},
	{"FuseAddNorm", "a sum that is normalised next is one sweep; before FuseResidual, which takes the sums that remain", FuseAddNorm},
	{"FuseResidual", "a projection without bias starts its sums at the residual", FuseResidual},
	{"QuantizeInputs", "products with quantised weights take inputs of 8 bits; last, because fusion looks for float32 inputs", QuantizeInputs},
}

// Run verifies the graph, runs all passes with a verification after each, and calls after (if it is not nil) with the
// name of each pass when it is done; the name before the first pass is "expand".
func Run(g *ir.Graph, after func(name string, g *ir.Graph)) error {
	if err := Verify(g); err != nil {
		return err
	}
	if after != nil {
		after("expand", g)
	}
	for _, p := range All {
		if err := p.Run(g); err != nil {
			return fmt.Errorf("pass %s: %w", p.Name, err)
		}
		if err := Verify(g); err != nil {
			return fmt.Errorf("after pass %s: %w", p.Name, err)
		}
		if after != nil {
			after(p.Name, g)
		}
	}
	return nil
}
