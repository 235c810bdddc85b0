package host

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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

// TestGolden holds the module that wazero can run against the golden cases.
func TestGolden(t *testing.T) {
	for _, dir := range wasmtest.Cases(t, root) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			c := wasmtest.Build(t, dir, "f32")
			c.Compare(t, "wasm simd", open(t, c, "simd", 1))
		})
	}
}

// TestGoldenAll holds all cases of the suite whose operations the backend supports.
func TestGoldenAll(t *testing.T) {
	for _, dir := range wasmtest.All(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			c := wasmtest.Build(t, dir, "f32")
			c.Compare(t, "wasm simd", open(t, c, "simd", 1))
		})
	}
}

// kinds are cases with different ways to share work; with TFGEN_SHARED, the exhaustive suites, all cases.
func kinds(t *testing.T) (list []string) {
	for _, dir := range wasmtest.Cases(t, root) {
		few := []string{"bert-masked-lm", "deepseek-v3", "gemma3-text", "jamba", "llama", "mixtral", "qwen3-next", "rwkv", "t5"}
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
				for name, data := range wasmtest.Build(t, dir, format).Modules {
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
