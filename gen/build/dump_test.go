package build_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/tfgen/tfgen/gen/build"
)

var update = flag.Bool("update", false, "write the golden text dumps")

// TestDumps compares the graphs of one small model for every architecture and head with checked-in text.
func TestDumps(t *testing.T) {
	for _, name := range []string{"llama3-rope", "llama-attn-mlp-bias", "mistral", "gemma3-text", "gpt2-prefix", "bert-base",
		"bert-masked-lm", "bert-question-answering", "bert-sequence-classification", "bert-token-classification"} {
		t.Run(name, func(t *testing.T) {
			c := readCase(t, name)
			m, err := build.Model(c.source(c.Config))
			if err != nil {
				t.Fatal(err)
			}
			compareGolden(t, filepath.Join("testdata", "graphs", name+".txt"), m.Graph.Dump())
		})
	}
}

func compareGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; if the change is meant, run go test ./gen/build -update\n%s", file, got)
	}
}
