package verify

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/tfgen/tfgen/gen/golden"
	"github.com/tfgen/tfgen/runtime/cpu"
)

// TestQuantised compiles cases with quantised and float16 weights and compares every level with the reference of the
// same graph over the weights that were packed.
func TestQuantised(t *testing.T) {
	formats := []struct{ name, policy, kv string }{
		{"llama", "f32", "f16"}, {"llama", "q4,down_proj=q5m,embed_tokens=q4m", ""}, {"llama", "f16", ""},
		{"mixtral", "q5", ""}, {"bert-masked-lm", "q4m", ""}, {"gpt2", "q8", ""}, {"gemma3-text", "f32", "f16"}, {"llama", "f32", "q8"}, {"gpt-oss", "f32", "q8"},
		{"bert-masked-lm", "int8", ""}, {"mixtral", "int8", "q8"},
	}
	if testing.Short() {
		formats = formats[:2]
	}
	module, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	o := &Options{Module: module, Work: t.TempDir(), Progress: func(string, ...any) {}}
	h := &harness{o: o}
	for i, f := range formats {
		j := &job{dir: filepath.Join("../golden/testdata", f.name), name: f.name + " " + f.policy, pkg: packageName(i, f.name), weights: f.policy, kv: f.kv}
		if j.c, err = golden.Open(j.dir); err != nil {
			t.Fatal(err)
		}
		j.c.Inputs = j.c.Inputs[:1]
		if err := j.emit(context.Background(), o); err != nil {
			t.Fatalf("%s: %v", j.name, err)
		}
		h.jobs = append(h.jobs, j)
	}
	if err := h.compile(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, level := range cpu.Available() {
		reports, err := h.level(context.Background(), level.String())
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := golden.Print(os.Stdout, reports); !ok {
			t.Errorf("%v is off: %v", level, err)
		}
		for i, r := range reports { // in these cases no code falls to the other side: 1 % of the largest value holds
			if formats[i].policy != "f16" && r.Share*codeShare > 0.01 {
				t.Errorf("%s at %v is off by %.2f %% of the largest value", r.Case, level, 100*r.Share*codeShare)
			}
		}
	}
	for _, j := range h.jobs {
		if j.open(o); j.err != nil {
			t.Errorf("%s: what was recorded cannot be read: %v", j.name, j.err)
		}
	}
}
