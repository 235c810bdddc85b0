package build_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/build"
)

// TestExpertsStoredTogether builds a model whose experts are stored in one tensor a layer, as transformers 5 keeps them
// in memory, and compares it with one that stores a tensor for each.
func TestExpertsStoredTogether(t *testing.T) {
	for _, name := range []string{"mixtral", "qwen2-moe", "qwen3-moe"} {
		c := readCase(t, name)
		apart, err := build.Model(c.source(c.Config))
		if err != nil {
			t.Fatal(err)
		}
		fused := map[string][]int{}
		for tensor, shape := range c.Shapes {
			stack, rest, ok := strings.Cut(tensor, ".experts.")
			if !ok {
				fused[tensor] = shape
				continue
			}
			stack = strings.Replace(stack, "block_sparse_moe", "mlp", 1) + ".experts."
			var e int
			if _, err := fmt.Sscanf(rest, "%d.", &e); err != nil {
				t.Fatal(err)
			}
			switch _, part, _ := strings.Cut(rest, "."); part {
			case "w1.weight", "gate_proj.weight":
				n := max(e+1, at(fused[stack+"gate_up_proj"], 0))
				fused[stack+"gate_up_proj"] = []int{n, 2 * shape[0], shape[1]}
			case "w2.weight", "down_proj.weight":
				n := max(e+1, at(fused[stack+"down_proj"], 0))
				fused[stack+"down_proj"] = []int{n, shape[0], shape[1]}
			}
		}
		c.Shapes = fused
		together, err := build.Model(c.source(c.Config))
		if err != nil {
			t.Fatal(err)
		}
		if a, b := apart.Graph.Dump(), together.Graph.Dump(); a != b {
			t.Errorf("%s: experts stored together give another graph:\n%s\nexpected\n%s", name, b, a)
		}
		fused["model.layers.1.mlp.experts.down_proj"][2]++
		if _, err := build.Model(c.source(c.Config)); err == nil || !strings.Contains(err.Error(), "down_proj") {
			t.Errorf("%s: a stack of a wrong shape gives the error %v", name, err)
		}
	}
}

func at(shape []int, i int) int {
	if i < len(shape) {
		return shape[i]
	}
	return 0
}

// TestExpertsInMXFP4 builds a model whose experts are stored in blocks, as the reader shows them: [experts, out, in].
func TestExpertsInMXFP4(t *testing.T) {
	c := readCase(t, "gpt-oss")
	plain, err := build.Model(c.source(c.Config))
	if err != nil {
		t.Fatal(err)
	}
	for name, shape := range c.Shapes {
		if strings.HasSuffix(name, "_proj") {
			delete(c.Shapes, name)
			c.Shapes[name+"_blocks"] = []int{shape[0], shape[2], shape[1]}
		}
	}
	blocks, err := build.Model(c.source(c.Config))
	if err != nil {
		t.Fatal(err)
	}
	if a, b := plain.Graph.Dump(), blocks.Graph.Dump(); a != b {
		t.Errorf("experts in blocks give another graph:\n%s\nexpected\n%s", b, a)
	}
}
