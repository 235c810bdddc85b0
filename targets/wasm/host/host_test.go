package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/checkpoint/synth"
	"github.com/tfgen/tfgen/gen/emit/wasmemit"
	"github.com/tfgen/tfgen/gen/golden"
)

// built is a golden case compiled to WebAssembly.
type built struct {
	*golden.Case
	modules map[string][]byte
	*wasmemit.Description
	weights *os.File
	size    int64
}

// build compiles a golden case with the probes of hidden states.
func build(t *testing.T, dir, format string) *built {
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
		o.Context = max(o.Context, len(c.Inputs[i].IDs[0])+24)
	}
	b, err := bundle.New(bundle.FromCheckpoint(src), nil, o)
	if err != nil { // learned positions end where they end
		o.Context = 0
		if b, err = bundle.New(bundle.FromCheckpoint(src), nil, o); err != nil {
			t.Fatal(err)
		}
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
	if err != nil {
		t.Fatal(err)
	}
	out := &built{Case: c, modules: map[string][]byte{}, Description: d, weights: f, size: b.WeightsSize()}
	for _, file := range files {
		out.modules[strings.TrimSuffix(file.Name, ".wasm")] = file.Data
	}
	return out
}

// open runs one of the modules.
func (b *built) open(t *testing.T, variant string, threads int) *Model {
	t.Helper()
	var lengths []int
	for i := range b.Inputs {
		for range b.Inputs[i].IDs {
			lengths = append(lengths, len(b.Inputs[i].IDs[0])+24)
		}
	}
	m, err := Open(context.Background(), b.Description, Options{Module: b.modules[variant], Weights: b.weights, Size: b.size,
		Threads: threads, Shared: strings.HasSuffix(variant, "threads"), State: StateBytes(b.Description, lengths...)})
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

// compare holds a module against the recorded values.
func compare(t *testing.T, b *built, name string, m *Model) {
	t.Helper()
	r := golden.Summarise(b.Case, name, golden.Compare(b.Case, m))
	ok, err := golden.Print(os.Stdout, []golden.Report{r})
	if err != nil || !ok {
		t.Errorf("%s is off: %v", name, err)
	}
}

// cases are the checked-in golden cases whose operations the backend supports.
func cases(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("../../../gen/golden/testdata/*")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, dir := range all {
		if err := compiles(dir); err == nil {
			list = append(list, dir)
		} else if !errors.Is(err, errUnsupported) {
			t.Fatal(err)
		}
	}
	if len(list) == 0 {
		t.Fatal("no golden cases")
	}
	return list
}

// errUnsupported says that a case has an operation without a lowering.
var errUnsupported = errors.New("no lowering")

// TestGolden holds the modules that wazero can run against the golden cases.
func TestGolden(t *testing.T) {
	for _, dir := range cases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			b := build(t, dir, "f32")
			compare(t, b, "wasm simd", b.open(t, "simd", 1))
		})
	}
}

// TestGoldenAll holds all cases of the suite that TFGEN_SHARED names whose operations the backend supports.
func TestGoldenAll(t *testing.T) {
	shared := os.Getenv("TFGEN_SHARED")
	if shared == "" {
		t.Skip("TFGEN_SHARED is not set: the full golden suite is not here")
	}
	list, err := filepath.Glob(filepath.Join(shared, "golden", "hf", "*"))
	if err != nil || len(list) == 0 {
		t.Fatal("no golden cases", err)
	}
	for _, dir := range list {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			if err := compiles(dir); err != nil {
				t.Skip(err)
			}
			b := build(t, dir, "f32")
			compare(t, b, "wasm simd", b.open(t, "simd", 1))
		})
	}
}

// compiles reports why a case is not compiled: the architecture or an operation is not supported.
func compiles(dir string) error {
	src, err := synth.Open(dir)
	if err != nil {
		return err
	}
	defer src.Close()
	b, err := bundle.New(bundle.FromCheckpoint(src), nil, bundle.Options{Package: "model", Title: "model"})
	if err != nil {
		return err
	}
	for _, o := range b.Plan.Graph.Ops {
		if !wasmemit.Supports(o.Kind) {
			return fmt.Errorf("%s: %w for %s", o.Pos, errUnsupported, o.Kind)
		}
	}
	return nil
}

// TestThreads holds that results have the same bits for every number of threads.
func TestThreads(t *testing.T) {
	for _, dir := range cases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			b := build(t, dir, "f32")
			one := b.open(t, "simd", 1)
			for _, n := range []int{3} {
				many := b.open(t, "simd-threads", n)
				for i := range b.Inputs {
					segments := b.Inputs[i].Segments()
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
							t.Errorf("%d threads: %s differs", n, name)
						}
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
	for _, dir := range cases(t) {
		for _, format := range []string{"f32", "bf16"} {
			for name, data := range build(t, dir, format).modules {
				path := filepath.Join(t.TempDir(), name+".wasm")
				if err := os.WriteFile(path, data, 0o644); err != nil {
					t.Fatal(err)
				}
				if out, err := exec.Command(tool, "--enable-all", path).CombinedOutput(); err != nil {
					t.Errorf("%s, %s %s: %v\n%s", filepath.Base(dir), name, format, err, out)
				}
			}
		}
	}
}
