package verify

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/tfgen/tfgen/gen/golden"
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
		t.Error("some backend is off", err)
	}
}

// TestGolden holds the checked-in cases on every backend of this machine.
func TestGolden(t *testing.T) {
	verify(t, Options{Cases: cases(t, "../golden/testdata", "*")})
}

// TestGoldenAll holds all cases of the supported architectures; it needs the suite that TFGEN_SHARED names.
func TestGoldenAll(t *testing.T) {
	shared := os.Getenv("TFGEN_SHARED")
	if shared == "" {
		t.Skip("TFGEN_SHARED is not set: the full golden suite is not here")
	}
	dir := filepath.Join(shared, "golden", "hf")
	verify(t, Options{Cases: cases(t, dir, "llama*", "mistral", "gemma3*", "gpt2*",
		"albert*", "bert*", "distilbert*", "electra*", "gte*", "modernbert*", "nomic*", "roberta*", "xlm-roberta*",
		"mixtral*", "qwen2-moe", "qwen3-moe", "mamba*", "jamba", "bamba", "granitemoehybrid", "lfm2", "deepseek*", "gpt-oss")})
}
