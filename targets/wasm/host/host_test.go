package host

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/build"
	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/checkpoint/synth"
	"github.com/tfgen/tfgen/gen/emit/wasmemit"
	"github.com/tfgen/tfgen/gen/golden"
	"github.com/tfgen/tfgen/gen/ref"
	"github.com/tfgen/tfgen/targets/wasm/wasmtest"
)

const root = "../../.."

// open runs one of the modules of a case.
func open(t *testing.T, c *wasmtest.Case, variant string, threads int) *Model {
	t.Helper()
	m, err := Open(context.Background(), c.Description, Options{Module: c.Modules[variant], Weights: c.Weights, Size: c.Size,
		Threads: threads, Shared: strings.HasSuffix(variant, "threads"), State: StateBytes(c.Description, c.Lengths()...)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// hold holds the module that wazero can run against golden cases, the size of all modules, and that the cases have every operation of
// the backend but some.
func hold(t *testing.T, dirs []string, except ...string) {
	t.Helper()
	seen := map[string]bool{"slice": true, "quantize": true} // the latter is where weights are quantised: wasmemit's own tests
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			c := wasmtest.Build(t, dir, "f32")
			for _, o := range c.Operations {
				seen[o] = true
			}
			for name, data := range c.Modules {
				if n := zipped(t, data); n > 12<<10 {
					t.Errorf("the module %s has %d bytes compressed, at most 12 KiB are wanted", name, n)
				}
			}
			c.Compare(t, "wasm simd", open(t, c, "simd", 1))
		})
	}
	for _, o := range wasmemit.Operations() {
		if !seen[o] && !slices.Contains(except, o) {
			t.Errorf("no golden case has the operation %s", o)
		}
	}
}

// TestGolden holds the checked-in cases that have all operations but that of Marian, which is in the suite of
// TestGoldenAll, and those of sentence vectors, see TestVector.
func TestGolden(t *testing.T) {
	hold(t, wasmtest.Cases(t, root), "sinusoid", "last", "l2norm")
}

// TestGoldenAll holds all cases of the suite.
func TestGoldenAll(t *testing.T) {
	hold(t, wasmtest.All(t, root), "last", "l2norm")
}

// TestVector holds the vector of a text by a decoder, the last row of the hidden states divided by its length, against the reference.
func TestVector(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, "gen/golden/testdata/llama"))); err != nil {
		t.Fatal(err)
	}
	modules := `[{"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"}, {"idx": 1, "path": "1_Pooling", "type":
"sentence_transformers.models.Pooling"}, {"idx": 2, "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]`
	err := errors.Join(os.Mkdir(filepath.Join(dir, "1_Pooling"), 0o755), os.WriteFile(filepath.Join(dir, "modules.json"), []byte(modules), 0o644),
		os.WriteFile(filepath.Join(dir, "1_Pooling/config.json"), []byte(`{"pooling_mode_cls_token": false, "pooling_mode_lasttoken": true}`), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	c := wasmtest.Build(t, dir, "f32")
	for _, o := range []string{"last", "l2norm"} {
		if !slices.Contains(c.Operations, o) {
			t.Fatalf("the model has no operation %s but %v", o, c.Operations)
		}
	}
	files, err := synth.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	src := bundle.FromCheckpoint(files)
	model, err := build.Model(src)
	if err != nil {
		t.Fatal(err)
	}
	reference, m := golden.Reference{Model: ref.New(model.Graph, src)}, open(t, c, "simd", 1)
	for i := range c.Inputs {
		segments := c.Inputs[i].Segments()[:1]
		want, err := reference.Full(segments)
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.Full(segments)
		if err != nil {
			t.Fatal(err)
		}
		for j, v := range want["embedding"].Data {
			if d := math.Abs(float64(got["embedding"].Data[j] - v)); d > 1e-6 {
				t.Fatalf("element %d is off by %v", j, d)
			}
		}
	}
}

func zipped(t *testing.T, data []byte) int {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}

// kinds are cases with different ways to share work; with TFGEN_SHARED, the exhaustive suites, all cases.
func kinds(t *testing.T) (list []string) {
	for _, dir := range wasmtest.Cases(t, root) {
		few := []string{"bert-masked-lm", "deepseek-v3", "gemma3-text", "jamba", "llama", "mixtral", "qwen3-next", "rwkv", "t5",
			"retnet", "deberta-v3", "fnet-odd", "linformer", "longformer-far", "performer", "hyena-shallow", "s4", "xlstm-mixed"}
		if os.Getenv("TFGEN_SHARED") != "" || slices.Contains(few, filepath.Base(dir)) {
			list = append(list, dir)
		}
	}
	return list
}

// TestThreads holds that results have the same bits for every number of threads.
func TestThreads(t *testing.T) {
	for _, dir := range kinds(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			c := wasmtest.Build(t, dir, "f32")
			one, many := open(t, c, "simd", 1), open(t, c, "simd-threads", 3)
			for i := range c.Inputs {
				segments := c.Inputs[i].Segments()
				want, err := one.Full(segments)
				if err != nil {
					t.Fatal(err)
				}
				got, err := many.Full(segments)
				if err != nil {
					t.Fatal(err)
				}
				for name, m := range want {
					if !slices.Equal(m.Data, got[name].Data) {
						t.Errorf("3 threads: %s differs", name)
					}
				}
			}
		})
	}
}

// TestValid runs wasm-validate, where it is installed, on every variant.
func TestValid(t *testing.T) {
	tool, err := exec.LookPath("wasm-validate")
	if err != nil {
		t.Skip("wasm-validate (wabt) is not installed")
	}
	for _, dir := range wasmtest.Cases(t, root) {
		formats := []string{"f32"}
		if filepath.Base(dir) == "llama" {
			formats = []string{"f32", "f16", "bf16", "q4", "q6k", "q8"}
		}
		for _, format := range formats {
			t.Run(filepath.Base(dir)+" "+format, func(t *testing.T) {
				gap := int64(0)
				if slices.Contains([]string{"llama", "t5", "mixtral", "longformer-far"}, filepath.Base(dir)) { // and variants with 64-bit addresses
					gap = 64
				}
				for name, data := range wasmtest.BuildFar(t, dir, format, gap).Modules {
					path := filepath.Join(t.TempDir(), name+".wasm")
					if err := os.WriteFile(path, data, 0o644); err != nil {
						t.Fatal(err)
					}
					if out, err := exec.Command(tool, "--enable-all", path).CombinedOutput(); err != nil {
						t.Errorf("%s: %v\n%s", name, err, out)
					}
				}
			})
		}
	}
}
