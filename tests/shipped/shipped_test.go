// Package shipped generates packages of golden cases and runs the tests that ship with them: decoding equals prefill to
// the bit, for every number of threads and in any batch; sessions can go back, be copied and saved; a step allocates
// nothing.
package shipped

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/checkpoint/synth"
)

// emit writes the package of a case and its weights below a folder, for so many tokens; 0: as many as the model has.
func emit(t *testing.T, work, dir string, tokens int) {
	t.Helper()
	c, err := synth.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	name := strings.NewReplacer("-", "", ".", "", "_", "").Replace(filepath.Base(dir))
	b, err := bundle.New(bundle.FromCheckpoint(c), nil, bundle.Options{Package: name, Title: filepath.Base(dir), Context: tokens})
	if err != nil {
		t.Fatalf("%s: %v", dir, err)
	}
	out := filepath.Join(work, name)
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(out, name+".weights"))
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
		path := filepath.Join(out, file.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// run emits cases into one module and runs its tests.
func run(t *testing.T, tokens int, dirs []string) {
	t.Helper()
	module, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	for _, dir := range dirs {
		emit(t, work, dir, tokens)
	}
	mod := fmt.Sprintf("module generated\n\ngo 1.26\n\nrequire github.com/tfgen/tfgen v0.0.0\n\nreplace github.com/tfgen/tfgen => %s\n", module)
	if err := os.WriteFile(filepath.Join(work, "go.mod"), []byte(mod), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "test", "-mod=mod", "./...")
	cmd.Dir = work
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0", "GOPROXY=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if n := bytes.Count(out, []byte("ok  \t")); n != len(dirs) {
		t.Errorf("%d of %d packages passed\n%s", n, len(dirs), out)
	}
}

// TestShipped runs a case of each kind of state.
func TestShipped(t *testing.T) {
	var dirs []string
	for _, name := range []string{"jamba", "qwen3-next", "deepseek-v3", "t5"} {
		dirs = append(dirs, filepath.Join("..", "..", "gen", "golden", "testdata", name))
	}
	run(t, 192, append(dirs, sequences+"hyena"))
}

// sequences has cases of models that have convolutions and systems instead of attention.
const sequences = "../../gen/verify/testdata/sequences/"

// TestShippedAll runs all decoders whose operations go beyond dense attention, and encoders with operations of their own; it needs the suite that TFGEN_SHARED names.
func TestShippedAll(t *testing.T) {
	shared := os.Getenv("TFGEN_SHARED")
	if shared == "" {
		t.Skip("TFGEN_SHARED is not set: the full golden suite is not here")
	}
	var dirs []string
	for _, name := range []string{"mixtral", "qwen2-moe", "deepseek-v2", "gpt-oss", "mamba", "mamba2", "bamba", "granitemoehybrid", "lfm2",
		"recurrent-gemma", "rwkv", "xlstm"} {
		dirs = append(dirs, filepath.Join(shared, "golden", "hf", name))
	}
	for _, name := range []string{"s4", "s4d", "xlstm-mixed", "xlstm-mixed-plain", "hyena-shallow"} {
		dirs = append(dirs, sequences+name)
	}
	run(t, 192, dirs)
	dirs = nil
	for _, name := range []string{"deberta-v2-groups", "fnet-odd", "linformer-layerwise", "longformer-far", "mpnet-long", "performer", "bart-untied", "pegasus", "umt5-untied"} {
		dirs = append(dirs, filepath.Join("..", "..", "gen", "verify", "testdata", "encoders", name))
	}
	run(t, 0, dirs)
}

// TestSmallContexts runs them for contexts that the tests' own samples do not fit into: a decoder, a recurrence, an encoder and
// an encoder–decoder.
func TestSmallContexts(t *testing.T) {
	if os.Getenv("TFGEN_ALL") == "" {
		t.Skip("TFGEN_ALL is not set")
	}
	for _, tokens := range []int{3, 32} {
		run(t, tokens, []string{"../../gen/golden/testdata/llama", "../../gen/golden/testdata/rwkv", "../../gen/golden/testdata/bert-masked-lm",
			"../../gen/golden/testdata/t5"})
	}
}
