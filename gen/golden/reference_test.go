package golden_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/build"
	"github.com/tfgen/tfgen/gen/golden"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/pass"
	"github.com/tfgen/tfgen/gen/ref"
)

func open(t *testing.T, dir string) *golden.Case {
	t.Helper()
	c, err := golden.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// model builds the reference of a case, before or after the passes.
func model(t *testing.T, c *golden.Case, config string, passes bool) *ref.Model {
	t.Helper()
	checkpoint, err := c.Checkpoint(config)
	if err != nil {
		t.Fatal(err)
	}
	m, err := build.Model(build.Checkpoint{Checkpoint: checkpoint})
	if err != nil {
		t.Fatal(err)
	}
	if passes {
		if err := pass.Run(m.Graph, nil); err != nil {
			t.Fatal(err)
		}
	}
	return ref.New(m.Graph, checkpoint)
}

func verify(t *testing.T, c *golden.Case, backend string, m *ref.Model) {
	t.Helper()
	r := golden.Summarise(c, backend, golden.Compare(c, golden.Reference{Model: m}))
	var b bytes.Buffer
	ok, err := golden.Print(&b, []golden.Report{r})
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + b.String())
	if !ok {
		t.Error("the reference differs from the recorded values")
	}
}

// TestReference holds the reference to the cases in testdata, as built and after all passes.
func TestReference(t *testing.T) {
	dirs, err := filepath.Glob("testdata/*/golden.json")
	more, err2 := filepath.Glob("../verify/testdata/*/*/golden.json")
	if err != nil || err2 != nil || len(dirs) < 5 || len(more) < 40 {
		t.Fatal("no cases", err, err2)
	}
	for _, path := range append(dirs, more...) {
		c := open(t, filepath.Dir(path))
		for _, config := range c.Configs() {
			t.Run(c.Name+"/"+config, func(t *testing.T) {
				verify(t, c, "built", model(t, c, config, false))
				verify(t, c, "passes", model(t, c, config, true))
			})
		}
	}
}

// supported reports whether some specification is for the model type of a case.
func supported(t *testing.T, c *golden.Case) bool {
	t.Helper()
	checkpoint, err := c.Checkpoint("config.json")
	if err != nil {
		t.Fatal(err)
	}
	_, err = build.Find(build.Checkpoint{Checkpoint: checkpoint})
	return err == nil
}

// TestAllCases holds it to all cases of the shared folder.
func TestAllCases(t *testing.T) {
	shared := os.Getenv("TFGEN_SHARED")
	if shared == "" {
		t.Skip("TFGEN_SHARED is not set to the folder with golden/hf")
	}
	dirs, err := filepath.Glob(filepath.Join(shared, "golden", "hf", "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatal("no cases", err)
	}
	for _, dir := range dirs {
		name, c := filepath.Base(dir), open(t, dir)
		if !supported(t, c) {
			t.Logf("%s: no specification yet", name)
			continue
		}
		for _, config := range c.Configs() {
			t.Run(name+"/"+config, func(t *testing.T) {
				verify(t, c, "built", model(t, c, config, false))
				verify(t, c, "passes", model(t, c, config, true))
			})
		}
	}
}

// TestReferenceIsChecked changes one number of a model at a time: the comparison must notice. (The eps of the case is
// so small beside its activations that only a much larger one shows.)
func TestReferenceIsChecked(t *testing.T) {
	for _, c := range []struct {
		kind, attr string
		factor     float64
	}{{"attend", "scale", 1.01}, {"rmsnorm", "eps", 100}, {"rope_angles", "theta", 1.01}} {
		t.Run(c.kind, func(t *testing.T) {
			k := open(t, "testdata/llama")
			m := model(t, k, "config.json", false)
			for _, o := range m.Graph().Ops {
				if o.Kind == c.kind {
					o.Attrs[c.attr] = o.Attrs.Float(c.attr) * c.factor
				}
			}
			r := golden.Summarise(k, "changed", golden.Compare(k, golden.Reference{Model: m}))
			if r.OK || !strings.HasPrefix(r.FirstOff, "short hidden/1") {
				t.Errorf("ok %v, first off %q at %g of the tolerance", r.OK, r.FirstOff, r.Share)
			}
		})
	}
}

// TestOpen checks what is read of a case: segments without padding, and every kind of output.
func TestOpen(t *testing.T) {
	c := open(t, "testdata/bert-sequence-classification")
	if got, want := c.Outputs("batch"), []string{"hidden/0", "hidden/1", "hidden/2", "hidden/3", "final", "logits"}; !slices.Equal(got, want) {
		t.Errorf("outputs are %v, expected %v", got, want)
	}
	var lengths []int
	for _, s := range c.Inputs[2].Segments() {
		lengths = append(lengths, len(s.Tokens))
	}
	if want := []int{11, 17, 5}; !slices.Equal(lengths, want) {
		t.Errorf("rows have %v tokens, expected %v", lengths, want)
	}
	ids, ok := open(t, "testdata/llama").Expected("short", "greedy")
	if !ok || len(ids.Ints) != 24 {
		t.Errorf("greedy is %+v, expected 24 tokens", ids)
	}
	if _, err := golden.Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "golden.json") {
		t.Errorf("error %v, expected one about golden.json", err)
	}
}

// TestDecodeNeedsCache asks an encoder to generate.
func TestDecodeNeedsCache(t *testing.T) {
	m := golden.Reference{Model: model(t, open(t, "testdata/bert-masked-lm"), "config.json", false)}
	if _, err := m.Greedy([]int32{1, 2}, 2); err == nil || !strings.Contains(err.Error(), "does not generate") {
		t.Errorf("error %v, expected one about generating", err)
	}
	if _, err := m.Full([]op.Segment{{}}); err == nil {
		t.Error("an empty segment was run")
	}
}
