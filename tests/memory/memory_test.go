// Package memory holds generated models to what tfgen inspect says of their memory.
package memory

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/checkpoint"
)

// allowance is what a process may have beside the model: the program, the Go runtime and its heap.
const allowance = 16 << 20

const workers = 2

var (
	//go:embed decoder.txt
	decoder string
	//go:embed encoder.txt
	encoder string
)

// run is a model, and how it is compiled.
type run struct {
	path, weights, kv string
	context           int
	program           string
}

func TestPeakIsWhatInspectSays(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the peak is read from /proc")
	}
	runs := []run{{"../demo-model", "q4", "q8", 0, decoder}}
	if os.Getenv("TFGEN_ALL") != "" {
		for _, w := range []string{"f32", "bf16", "q8", "q4k"} {
			runs = append(runs, run{"../demo-model", w, "f32", 0, decoder})
		}
		if models := os.Getenv("TFGEN_MODELS"); models != "" {
			gemma := filepath.Join(models, "gemma-3-270m", "gemma-3-270m-q4_k_m.gguf")
			minilm := filepath.Join(models, "all-minilm-l6-v2")
			runs = append(runs, run{gemma, "source", "f32", 1024, decoder}, run{gemma, "f32", "f16", 256, decoder}, run{gemma, "q8", "q8", 1024, decoder},
				run{minilm, "f32", "", 0, encoder}, run{minilm, "int8", "", 0, encoder})
		}
	}
	for _, path := range filepath.SplitList(os.Getenv("TFGEN_DECODERS")) { // further files or directories
		runs = append(runs, run{path, "source", "f32", 512, decoder})
	}
	for _, r := range runs {
		t.Run(fmt.Sprintf("%s-%s", filepath.Base(r.path), r.weights), func(t *testing.T) { r.check(t) })
	}
}

// check compiles and runs a model, and compares its peak of resident memory with what the report says.
func (r run) check(t *testing.T) {
	if _, err := os.Stat(r.path); err != nil {
		t.Skipf("no %s", r.path)
	}
	dir := t.TempDir()
	says := r.emit(t, dir)
	cmd := exec.Command("go", "build", "-mod=mod", "-o", "memory", "./cmd")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOPROXY=off", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(filepath.Join(dir, "memory"), filepath.Join(dir, "model.weights"), strconv.Itoa(workers)).Output()
	if err != nil {
		t.Fatal(err)
	}
	peak, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	const mib = 1 << 20
	t.Logf("peak %.1f MiB, inspect says %.1f MiB", float64(peak)/mib, float64(says)/mib)
	if peak > says+allowance {
		t.Errorf("peak %d bytes, %.1f MiB more than the %d of inspect; 16 MiB are allowed", peak, float64(peak-says)/mib, says)
	}
	if peak < says/2 {
		t.Errorf("peak %d bytes, less than half of the %d of inspect", peak, says)
	}
}

// emit writes the module of a model with its measuring program, and returns the peak that the report says.
func (r run) emit(t *testing.T, dir string) int64 {
	c, err := checkpoint.Open(r.path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	src := bundle.FromCheckpoint(c)
	b, err := bundle.New(src, nil, bundle.Options{Package: "model", Weights: r.weights, KV: r.kv, Context: r.context})
	if err != nil {
		t.Fatal(err)
	}
	if b.Tokenizer, err = src.Tokenizer(); err != nil {
		t.Fatal(err)
	}
	weights, err := os.Create(filepath.Join(dir, "model.weights"))
	if err != nil {
		t.Fatal(err)
	}
	defer weights.Close()
	if err := b.WriteWeights(context.Background(), weights, nil); err != nil {
		t.Fatal(err)
	}
	files, err := b.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		write(t, filepath.Join(dir, f.Name), f.Data)
	}
	module, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "cmd", "main.go"), []byte(r.program))
	write(t, filepath.Join(dir, "go.mod"), []byte("module tfgen.local/model\n\ngo 1.26\n\nrequire github.com/tfgen/tfgen v0.0.0\n\nreplace github.com/tfgen/tfgen => "+module+"\n"))
	return b.Memory().Peak(workers)
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}
