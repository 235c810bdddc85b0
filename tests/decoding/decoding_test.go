// Package decoding generates a package of a small Llama and compares the sequences that it finds with those recorded of
// Hugging Face transformers: greedy, beams, diverse beams, forced words, contrastive search, prompt lookup and DoLa.
package decoding

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/checkpoint/synth"
)

// golden is where the model and the records are.
const golden = "../../gen/decoding/testdata/golden"

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

// emit writes the package, with early layers, and its weights.
func emit(t *testing.T, work string) {
	t.Helper()
	c, err := synth.Open(filepath.Join(golden, "model"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b, err := bundle.New(bundle.FromCheckpoint(c), nil, bundle.Options{Package: "small", Title: "small", Early: "0,1"})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(work, "small.weights"))
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
		write(t, file.Data, work, "small", file.Name)
	}
}

// run runs the records of a file with the package.
func run(t *testing.T, work, records string) []byte {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(golden, records))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "run", "-mod=mod", ".", path)
	cmd.Dir = work
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0", "GOPROXY=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	return out
}

// TestSequences compares all records of one prompt. Those of transformers hold the token that ends the text, and padding.
func TestSequences(t *testing.T) {
	module, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	emit(t, work)
	write(t, read(t, "testdata", "main.go.txt"), work, "main.go")
	write(t, fmt.Appendf(nil, "module generated\n\ngo 1.26\n\nrequire github.com/tfgen/tfgen v0.0.0\n\nreplace github.com/tfgen/tfgen => %s\n", module), work, "go.mod")
	write(t, read(t, module, "go.sum"), work, "go.sum")
	kinds := map[string]int{}
	for _, name := range []string{"decode.jsonl.gz", "decode-v4.jsonl.gz"} {
		got := bufio.NewScanner(bytes.NewReader(run(t, work, name)))
		got.Buffer(nil, 1<<20)
		for _, want := range recorded(t, name) {
			if !got.Scan() {
				t.Fatal("the program prints too few lines")
			}
			compare(t, got.Bytes(), want)
			kinds[want.Kind]++
		}
	}
	t.Log(kinds)
	for _, kind := range []string{"greedy", "beam", "diverse-beam", "constrained-beam", "contrastive", "prompt-lookup", "dola"} {
		if kinds[kind] == 0 {
			t.Errorf("no record is of kind %s", kind)
		}
	}
}

// record is what transformers found.
type record struct {
	Kind      string          `json:"kind"`
	Prompts   [][]int32       `json:"prompts"`
	Config    json.RawMessage `json:"config"`
	Sequences [][]int32       `json:"sequences"`
}

func recorded(t *testing.T, name string) (list []record) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(read(t, golden, name)))
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if len(r.Prompts) == 1 {
			list = append(list, r)
		}
	}
	return list
}

func compare(t *testing.T, line []byte, want record) {
	t.Helper()
	var got record
	if err := json.Unmarshal(line, &got); err != nil {
		t.Fatal(err)
	}
	var config struct {
		EOS []int32 `json:"eos_token_id"`
	}
	if err := json.Unmarshal(want.Config, &config); err != nil {
		t.Fatal(err)
	}
	ends := append(config.EOS, 2)
	for i, s := range want.Sequences {
		if at := slices.IndexFunc(s, func(id int32) bool { return slices.Contains(ends, id) }); at >= 0 {
			want.Sequences[i] = s[:at]
		}
	}
	if !slices.EqualFunc(got.Sequences, want.Sequences, slices.Equal[[]int32]) {
		t.Errorf("%s %s after %v: %v, want %v", want.Kind, want.Config, want.Prompts, got.Sequences, want.Sequences)
	}
}
