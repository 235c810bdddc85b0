package wasmemit

import (
	"slices"
	"testing"

	"github.com/tfgen/tfgen/gen/op"
)

// TestEveryOperation holds that the backend has every operation of the table with all of its attributes, but for inputs that are
// quantised by whole rows: these belong to the weight format int8, which has no kernel here.
func TestEveryOperation(t *testing.T) {
	for _, kind := range op.Kinds() {
		if !Supports(kind) {
			t.Errorf("the operation %s has no lowering", kind)
		}
	}
	for kind, l := range lowerings {
		row, ok := op.Lookup(kind)
		if !ok {
			t.Errorf("%s is no operation", kind)
			continue
		}
		known := []string{}
		for _, a := range row.Attrs {
			known = append(known, a.Name)
		}
		for _, a := range l.attributes() {
			if !slices.Contains(known, a) {
				t.Errorf("%s has no attribute %s, only %v", kind, a, known)
			}
		}
		for _, a := range known {
			if !slices.Contains(l.attributes(), a) && kind+" "+a != "quantize rows" {
				t.Errorf("the lowering of %s does not know the attribute %s", kind, a)
			}
		}
	}
}
