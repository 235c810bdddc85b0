package build_test

import (
	"testing"

	"github.com/tfgen/tfgen/gen/build"
	"github.com/tfgen/tfgen/gen/spec"
)

// TestFitEndsEarly tries a specification with 61 layers of 256 experts on a checkpoint that has none of its tensors: the fit names
// each kind of tensor that is missing once and does not go through all layers and experts.
func TestFitEndsEarly(t *testing.T) {
	s, err := spec.Load("deepseek_v3")
	if err != nil {
		t.Fatal(err)
	}
	c := readCase(t, "gpt-j")
	f, err := build.FitTo(s, c.source(c.Config))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Found) > 1 || len(f.Missing) < 10 || len(f.Left) < 10 {
		t.Errorf("%d groups found, %d missing, %d left: expected hardly any, many, many", len(f.Found), len(f.Missing), len(f.Left))
	}
	for _, m := range f.Missing {
		if m.Count > 2 { // queries and keys are cut from one tensor
			t.Errorf("%s is missing %d times, expected once or twice", m.Pattern, m.Count)
		}
	}
}
