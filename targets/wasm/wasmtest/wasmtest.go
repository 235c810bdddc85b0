// Package wasmtest compiles golden cases to WebAssembly for the tests of the hosts.
package wasmtest

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/checkpoint/synth"
	"github.com/tfgen/tfgen/gen/emit/wasmemit"
	"github.com/tfgen/tfgen/gen/golden"
)

// greedyTokens is how far greedy continuations of golden cases go.
const greedyTokens = 24

// Case is a golden case compiled to WebAssembly, with the probes of hidden states.
type Case struct {
	*golden.Case
	*wasmemit.Description
	Operations []string          // that the model has
	Modules    map[string][]byte // by variant
	Weights    *os.File
	Size       int64
}

// Build compiles the golden case of a directory.
func Build(t testing.TB, dir, format string) *Case {
	t.Helper()
	return BuildFar(t, dir, format, 0)
}

// BuildFar is Build with a gap in the memory before the weights; with one there are all variants that such a memory has.
func BuildFar(t testing.TB, dir, format string, gap int64) *Case {
	t.Helper()
	c, err := golden.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	src, err := synth.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	o := bundle.Options{Package: "model", Title: c.Name, Weights: format, Trace: true, Gap: gap}
	for i := range c.Inputs {
		o.Context = max(o.Context, longest(&c.Inputs[i]))
	}
	b, err := bundle.New(bundle.FromCheckpoint(src), nil, o)
	if err != nil { // learned positions end where they end
		o.Context = 0
		b, err = bundle.New(bundle.FromCheckpoint(src), nil, o)
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.CreateTemp(t.TempDir(), "weights")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := b.WriteWeights(context.Background(), f, nil); err != nil {
		t.Fatal(err)
	}
	files, d, err := b.Modules()
	if err != nil {
		t.Fatal(err)
	}
	out := &Case{Case: c, Modules: map[string][]byte{}, Description: d, Weights: f, Size: b.WeightsSize()}
	for _, o := range b.Plan.Graph.Ops {
		if !slices.Contains(out.Operations, o.Kind) {
			out.Operations = append(out.Operations, o.Kind)
		}
	}
	for _, file := range files {
		out.Modules[strings.TrimSuffix(file.Name, ".wasm")] = file.Data
	}
	return out
}

// Lengths are the longest sequences that comparing the case makes, one for each that exists at the same time.
func (c *Case) Lengths() (list []int) {
	for i := range c.Inputs {
		sequences := len(c.Inputs[i].IDs)
		if c.Inputs[i].Decoder != nil { // beams exist at the same time
			sequences *= 8
		}
		for range sequences {
			list = append(list, longest(&c.Inputs[i]))
		}
	}
	return list
}

// longest is the length of the longest sequence that comparing an input makes.
func longest(in *golden.Input) int {
	n := len(in.IDs[0])
	if in.Decoder != nil {
		n = max(n, len(in.Decoder[0]))
	}
	return n + greedyTokens
}

// Compare holds a host of the case against the recorded values.
func (c *Case) Compare(t testing.TB, backend string, r golden.Runner) {
	t.Helper()
	report := golden.Summarise(c.Case, backend, golden.Compare(c.Case, r))
	var text strings.Builder
	ok, err := golden.Print(&text, []golden.Report{report})
	t.Log("\n" + text.String())
	if err != nil || !ok {
		t.Errorf("%s is off: %v", backend, err)
	}
}

// more are cases of gen/verify/testdata that together have the operations and attributes that those of gen/golden do not have.
var more = []string{"decoders/apertus", "decoders/falcon-alibi-rounded", "encoders/deberta-v2-groups", "encoders/deberta-v3", "encoders/fnet-odd",
	"encoders/jina-bert-v2", "encoders/linformer", "encoders/longformer-far", "encoders/performer", "sequences/hyena-shallow", "sequences/s4", "sequences/s4d",
	"sequences/xlstm-mixed", "sequences/xlstm-mixed-plain"}

// Cases are the directories of checked-in golden cases that together have every operation and every way to share work.
func Cases(t testing.TB, root string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(root, "gen/golden/testdata/*"))
	if err != nil || len(list) == 0 {
		t.Fatal("no golden cases", err)
	}
	for _, name := range more {
		list = append(list, filepath.Join(root, "gen/verify/testdata", name))
	}
	return list
}

// All are the directories of the suite that TFGEN_SHARED names and of all checked-in cases; without it the test is skipped.
func All(t testing.TB, root string) []string {
	t.Helper()
	shared := os.Getenv("TFGEN_SHARED")
	if shared == "" {
		t.Skip("TFGEN_SHARED is not set: the full golden suite is not here")
	}
	list := Cases(t, root)
	for _, pattern := range []string{filepath.Join(shared, "golden/hf/*/golden.json"), filepath.Join(root, "gen/verify/testdata/*coders/*/golden.json"),
		filepath.Join(root, "gen/verify/testdata/sequences/*/golden.json")} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatal("no golden cases", err)
		}
		for _, path := range found {
			list = append(list, filepath.Dir(path))
		}
	}
	return list
}
