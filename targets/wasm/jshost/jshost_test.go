package jshost

import (
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/targets/wasm/wasmtest"
)

const root = "../../.."

// start starts an engine, and skips the test where it is not installed.
func start(t *testing.T, name string) *Engine {
	t.Helper()
	e, err := map[string]func() (*Engine, error){"node": Node, "chromium": Chromium}[name]()
	if errors.Is(err, ErrNone) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// features are what an engine has.
func features(t *testing.T, e *Engine) Features {
	t.Helper()
	f, err := e.Features()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// threads is the number of threads to run a variant with.
func threads(variant string) int {
	if strings.Contains(variant, "threads") {
		return 2
	}
	return 1
}

// hold holds every variant that an engine can run against golden cases.
func hold(t *testing.T, e *Engine, dirs []string) {
	can := features(t, e)
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			compare(t, e, can, wasmtest.Build(t, dir, "f32"))
		})
	}
}

// compare holds all variants of a case that an engine can run, in order, and says which.
func compare(t *testing.T, e *Engine, can Features, c *wasmtest.Case) (ran []string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(c.Modules)) {
		if can.Lacks(name) != "" {
			continue
		}
		d := *c.Description
		d.Wide = strings.HasSuffix(name, "-64")
		if err := e.Open(&d, c.Modules[name], c.Weights.Name(), threads(name)); err != nil {
			t.Fatal(err)
		}
		c.Compare(t, "wasm "+name, e)
		ran = append(ran, name)
	}
	return ran
}

// TestWide holds variants with 64-bit addresses, the weights beyond 4 GiB, in the engines that have such memories.
func TestWide(t *testing.T) {
	llama := filepath.Join(root, "gen/golden/testdata/llama")
	for _, name := range []string{"chromium", "node"} {
		t.Run(name, func(t *testing.T) {
			e := start(t, name)
			can := features(t, e)
			if !can.Wide {
				t.Skip("this engine has no memories with 64-bit addresses")
			}
			dirs := []string{llama}
			if os.Getenv("TFGEN_SHARED") != "" { // the exhaustive suites
				dirs = wasmtest.Cases(t, root)
			}
			for _, dir := range dirs {
				t.Run(filepath.Base(dir), func(t *testing.T) {
					if ran := compare(t, e, can, wasmtest.BuildFar(t, dir, "f32", 5<<30)); len(ran) == 0 || slices.Contains(ran, "simd") {
						t.Errorf("the variants %v ran", ran)
					}
				})
			}
			sameBits(t, e, wasmtest.BuildFar(t, llama, "q4", 64), "simd", "simd-64")
		})
	}
}

// sameBits holds that two variants give the same bits.
func sameBits(t *testing.T, e *Engine, c *wasmtest.Case, names ...string) {
	t.Helper()
	var logits [2][]float32
	for i, name := range names {
		d := *c.Description
		d.Wide = strings.HasSuffix(name, "-64")
		if err := e.Open(&d, c.Modules[name], c.Weights.Name(), threads(name)); err != nil {
			t.Fatal(err)
		}
		rows, err := e.Full(c.Inputs[0].Segments())
		if err != nil {
			t.Fatal(err)
		}
		logits[i] = rows["logits"].Data
	}
	if !slices.Equal(logits[0], logits[1]) {
		t.Errorf("%v differ", names)
	}
}

// few are cases of the kinds of model: a decoder, one with windows, an encoder.
func few(t *testing.T) (list []string) {
	for _, dir := range wasmtest.Cases(t, root) {
		if slices.Contains([]string{"llama", "gemma3-text", "bert-masked-lm", "t5"}, filepath.Base(dir)) {
			list = append(list, dir)
		}
	}
	return list
}

func TestNode(t *testing.T) { hold(t, start(t, "node"), few(t)) }

func TestChromium(t *testing.T) {
	e := start(t, "chromium")
	if !features(t, e).Relaxed {
		t.Log("this Chromium has no relaxed SIMD")
	}
	hold(t, e, few(t))
}

func TestNodeAll(t *testing.T) {
	all := wasmtest.All(t, root)
	hold(t, start(t, "node"), all)
}

func TestChromiumAll(t *testing.T) {
	all := wasmtest.All(t, root)
	hold(t, start(t, "chromium"), all)
}

// TestError holds that an error of the engine arrives.
func TestError(t *testing.T) {
	e := start(t, "node")
	c := wasmtest.Build(t, few(t)[0], "f32")
	err := e.Open(c.Description, []byte("no module"), c.Weights.Name(), 1)
	if err == nil || !strings.Contains(err.Error(), "WebAssembly") {
		t.Errorf("the error is %v", err)
	}
}

// TestQuantised holds that relaxed dot products, which only browsers have, give the integers of the exact ones.
func TestQuantised(t *testing.T) {
	e := start(t, "chromium")
	if !features(t, e).Relaxed {
		t.Skip("this Chromium has no relaxed SIMD")
	}
	for _, format := range []string{"q4", "q4k", "q5m", "q6k", "q8"} {
		c := wasmtest.Build(t, few(t)[2], format)
		var logits [2][]float32
		for i, variant := range []string{"simd", "relaxed"} {
			if err := e.Open(c.Description, c.Modules[variant], c.Weights.Name(), 1); err != nil {
				t.Fatal(err)
			}
			rows, err := e.Full(c.Inputs[0].Segments())
			if err != nil {
				t.Fatal(err)
			}
			logits[i] = rows["logits"].Data
		}
		for i, v := range logits[0] {
			if d := math.Abs(float64(v - logits[1][i])); d > 1e-2 { // an input at the border of two codes may round to the other
				t.Fatalf("%s: logit %d is %v, with relaxed SIMD %v", format, i, v, logits[1][i])
			}
		}
	}
}
