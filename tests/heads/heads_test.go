// Package heads generates packages of small BERT models and compares what they make of texts with the pipelines of
// Hugging Face transformers: classes, ranks, tags, answers, words for masks and embeddings.
package heads

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/checkpoint/synth"
)

// models are the packages: one for each head.
var models = []string{"classify", "several", "rank", "tag", "answer", "fill", "embed"}

// write writes a file, and its folder.
func write(t *testing.T, data []byte, path ...string) {
	t.Helper()
	name := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// emit writes the package of a model and its weights below a folder.
func emit(t *testing.T, work, name string) {
	t.Helper()
	dir := t.TempDir()
	for _, from := range []string{name, "tokenizer"} {
		if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", from))); err != nil {
			t.Fatal(err)
		}
	}
	c, err := synth.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	source := bundle.FromCheckpoint(c)
	b, err := bundle.New(source, nil, bundle.Options{Package: name, Title: name})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if b.Tokenizer, err = source.Tokenizer(); err != nil || b.Tokenizer == nil {
		t.Fatalf("%s: tokenizer: %v", name, err)
	}
	f, err := os.Create(filepath.Join(work, name+".weights"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := b.WriteWeights(context.Background(), f, nil); err != nil {
		t.Fatal(err)
	}
	files, err := b.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		write(t, file.Data, work, name, file.Name)
	}
}

// TestHeads compiles all models into one program, and compares what it prints.
func TestHeads(t *testing.T) {
	module, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	for _, name := range models {
		emit(t, work, name)
	}
	recorded := read(t, "testdata", "recorded.json")
	write(t, recorded, work, "recorded.json")
	write(t, read(t, "testdata", "main.go.txt"), work, "main.go")
	write(t, fmt.Appendf(nil, "module generated\n\ngo 1.26\n\nrequire github.com/tfgen/tfgen v0.0.0\n\nreplace github.com/tfgen/tfgen => %s\n", module), work, "go.mod")
	write(t, read(t, module, "go.sum"), work, "go.sum")
	cmd := exec.Command("go", "run", "-mod=mod", ".")
	cmd.Dir = work
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0", "GOPROXY=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	var got, want map[string]any
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(recorded, &want); err != nil {
		t.Fatal(err)
	}
	delete(want, "texts")
	delete(want, "documents")
	delete(want, "masked")
	delete(want, "question")
	compare(t, "", got, want)
}

// compare compares JSON values: numbers up to what float32 leaves open, everything else exactly.
func compare(t *testing.T, at string, got, want any) {
	t.Helper()
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(g) != len(w) {
			t.Fatalf("%s: got %v, want %v", at, got, want)
		}
		for k := range w {
			compare(t, at+"/"+k, g[k], w[k])
		}
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			t.Fatalf("%s: got %v, want %v", at, got, want)
		}
		for i := range w {
			compare(t, fmt.Sprintf("%s/%d", at, i), g[i], w[i])
		}
	case float64:
		if g, ok := got.(float64); !ok || math.Abs(g-w) > 2e-5*max(1, math.Abs(w)) {
			t.Errorf("%s: got %v, want %v", at, got, want)
		}
	default:
		if got != want {
			t.Errorf("%s: got %v, want %v", at, got, want)
		}
	}
}
