package jshost

import (
	"errors"
	"math"
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

// variants are those that an engine can run, with the number of threads.
func variants(t *testing.T, e *Engine) map[string]int {
	t.Helper()
	list := map[string]int{"simd": 1, "simd-threads": 2}
	relaxed, err := e.Relaxed()
	if err != nil {
		t.Fatal(err)
	}
	if relaxed {
		list["relaxed"], list["relaxed-threads"] = 1, 2
	}
	return list
}

// hold holds every variant that an engine can run against golden cases.
func hold(t *testing.T, e *Engine, dirs []string) {
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			c := wasmtest.Build(t, dir, "f32")
			for name, threads := range variants(t, e) {
				if err := e.Open(c.Description, c.Modules[name], c.Weights.Name(), threads); err != nil {
					t.Fatal(err)
				}
				c.Compare(t, "wasm "+name, e)
			}
		})
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
	if _, ok := variants(t, e)["relaxed"]; !ok {
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
	if _, ok := variants(t, e)["relaxed"]; !ok {
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
