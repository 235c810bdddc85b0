package verify

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tfgen/tfgen/gen/golden"
	"github.com/tfgen/tfgen/gen/spec"
)

// cases returns the golden cases of a directory, by patterns.
func cases(t *testing.T, dir string, patterns ...string) []string {
	t.Helper()
	var list []string
	for _, p := range patterns {
		found, err := filepath.Glob(filepath.Join(dir, p))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, found...)
	}
	if len(list) == 0 {
		t.Fatalf("no golden cases in %s", dir)
	}
	return list
}

func verify(t *testing.T, o Options) {
	t.Helper()
	module, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	o.Module, o.Work = module, t.TempDir()
	reports, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	ok, err := golden.Print(os.Stdout, reports)
	if err != nil || !ok {
		t.Fatal("some backend is off", err)
	}
	sameBits(t, o)
}

// fewDecoders are cases of testdata/decoders that together have the operations and attributes that only they use; the
// reference is held to all of them (gen/golden), every backend to all of them where TFGEN_SHARED is set.
var fewDecoders = []string{"apertus", "bloom-post", "cohere-bias", "falcon-alibi-rounded", "olmo", "opt-plain", "phi-qk-norm"}

// fewEncoders are cases of testdata/encoders that together have the operations that only encoders use.
var fewEncoders = []string{"deberta-v2-groups", "deberta-v3", "fnet-odd", "jina-bert-v2", "linformer", "longformer-far", "performer"}

// fewSequences are cases of testdata/sequences that together have the operations that only they use.
var fewSequences = []string{"hyena", "s4", "xlstm-mixed"}

// TestGolden holds the checked-in cases on every backend of this machine.
func TestGolden(t *testing.T) {
	verify(t, Options{Cases: slices.Concat(cases(t, "../golden/testdata", "*"), cases(t, "testdata/decoders", fewDecoders...),
		cases(t, "testdata/encoders", fewEncoders...), cases(t, "testdata/sequences", fewSequences...))})
}

// TestGoldenAll holds all cases of the supported architectures; it needs the suite that TFGEN_SHARED names.
func TestGoldenAll(t *testing.T) {
	shared := os.Getenv("TFGEN_SHARED")
	if shared == "" {
		t.Skip("TFGEN_SHARED is not set: the full golden suite is not here")
	}
	dir := filepath.Join(shared, "golden", "hf")
	verify(t, Options{Cases: slices.Concat(supported(t, cases(t, dir, "*")), cases(t, "testdata/decoders", "*"), encoders(t), cases(t, "testdata/sequences", "*"))})
}

// encoders are the cases of testdata/encoders.
func encoders(t *testing.T) []string {
	t.Helper()
	list := cases(t, "testdata/encoders", "*/golden.json")
	for i := range list {
		list[i] = filepath.Dir(list[i])
	}
	return list
}

// supported are the cases whose model type some specification is for.
func supported(t *testing.T, dirs []string) []string {
	t.Helper()
	all, err := spec.List()
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, dir := range dirs {
		data, err := os.ReadFile(filepath.Join(dir, "config.json"))
		if err != nil {
			t.Fatal(err)
		}
		var config struct {
			ModelType string `json:"model_type"`
		}
		if err := json.Unmarshal(data, &config); err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(all, func(s *spec.Spec) bool { return slices.Contains(s.ModelTypes, config.ModelType) }) {
			list = append(list, dir)
		} else {
			t.Logf("%s: no specification is for %s yet", filepath.Base(dir), config.ModelType)
		}
	}
	return list
}
