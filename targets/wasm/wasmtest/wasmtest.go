// Package wasmtest compiles golden cases to WebAssembly for the tests of the hosts.
package wasmtest

import (
	"context"
	"errors"
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
	Modules map[string][]byte // by variant
	Weights *os.File
	Size    int64
}

// supported are checked-in cases that must compile.
var supported = []string{"albert-masked-lm", "bert-masked-lm", "bert-sequence-classification", "deepseek-v3", "gemma3-text", "gpt-oss", "gpt2",
	"jamba", "llama", "mamba2", "mixtral", "modernbert-sequence-classification", "qwen3-next", "recurrent-gemma",
	"roberta-sequence-classification", "rwkv", "t5", "mamba"}

// Build compiles the golden case of a directory. What the backend does not support is skipped.
func Build(t testing.TB, dir, format string) *Case {
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
	o := bundle.Options{Package: "model", Title: c.Name, Weights: format, Trace: true}
	for i := range c.Inputs {
		o.Context = max(o.Context, longest(&c.Inputs[i]))
	}
	b, err := bundle.New(bundle.FromCheckpoint(src), nil, o)
	if err != nil { // learned positions end where they end
		o.Context = 0
		b, err = bundle.New(bundle.FromCheckpoint(src), nil, o)
	}
	if err != nil {
		t.Skip(err) // the architecture's own tests hold that it compiles
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
	if errors.Is(err, wasmemit.ErrUnsupported) && !slices.Contains(supported, filepath.Base(dir)) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	out := &Case{Case: c, Modules: map[string][]byte{}, Description: d, Weights: f, Size: b.WeightsSize()}
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

// Cases are the directories of the checked-in golden cases.
func Cases(t testing.TB, root string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(root, "gen/golden/testdata/*"))
	if err != nil || len(list) == 0 {
		t.Fatal("no golden cases", err)
	}
	return list
}

// All are the directories of the suite that TFGEN_SHARED names; without it the test is skipped.
func All(t testing.TB) []string {
	t.Helper()
	shared := os.Getenv("TFGEN_SHARED")
	if shared == "" {
		t.Skip("TFGEN_SHARED is not set: the full golden suite is not here")
	}
	list, err := filepath.Glob(filepath.Join(shared, "golden", "hf", "*"))
	if err != nil || len(list) == 0 {
		t.Fatal("no golden cases", err)
	}
	return list
}
