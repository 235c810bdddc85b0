package build_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tfgen/tfgen/gen/build"
	"github.com/tfgen/tfgen/gen/checkpoint"
)

// openReal opens a file below a directory that an environment variable names, or skips the test.
func openReal(t *testing.T, variable, pattern string) *build.Result {
	t.Helper()
	dir := os.Getenv(variable)
	if dir == "" {
		t.Skipf("%s is not set: it names the directory with %s", variable, pattern)
	}
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(found) != 1 {
		t.Skipf("%s is not in %s", pattern, dir)
	}
	c, err := checkpoint.Open(found[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	m, err := build.Model(build.Checkpoint{Checkpoint: c})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSentenceTransformer(t *testing.T) {
	m := openReal(t, "TFGEN_MODELS", "all-minilm-l6-v2")
	if m.Class != "SentenceTransformer" || m.Context != 256 || len(m.Values.Unused) > 0 {
		t.Errorf("class %s, context %d, unused keys %v", m.Class, m.Context, m.Values.Unused)
	}
	if v := m.Graph.Output("embedding"); v == nil || v.Type.String() != "f32[S, 384]" || v.Def.Kind != "l2norm" {
		t.Errorf("embedding is %v", v)
	}
}

func TestGemmaGGUF(t *testing.T) {
	m := openReal(t, "TFGEN_MODELS", "gemma-3-270m/*.gguf")
	if m.Task != "causal-lm" || m.Context != 32768 || m.Graph.Vocab != 262144 || len(m.Graph.States) != 18 {
		t.Errorf("task %s, context %d, vocabulary %d, %d states", m.Task, m.Context, m.Graph.Vocab, len(m.Graph.States))
	}
	if len(m.BOS) != 1 || m.BOS[0] != 2 || len(m.EOS) != 1 || m.EOS[0] != 1 {
		t.Errorf("bos %v, eos %v", m.BOS, m.EOS)
	}
	for _, s := range m.Graph.States {
		want := 512
		if s.Name == "kv05" || s.Name == "kv11" || s.Name == "kv17" {
			want = 0
		}
		if s.Attrs.Int("window") != want {
			t.Errorf("%s has a window of %d, expected %d", s.Name, s.Attrs.Int("window"), want)
		}
	}
	for _, w := range m.Graph.Weights {
		if len(w.Parts) != 1 || len(w.Parts[0].Steps) > 0 {
			t.Errorf("%s is made by %v, expected a stored tensor as it is", w.Name, w.Parts)
		}
	}
}

func TestDemoModel(t *testing.T) {
	m := openReal(t, "TFGEN_SHARED", "demo-model")
	if len(m.EOS) != 1 || m.EOS[0] != 1 || m.Context != 512 || len(m.Values.Unused) > 0 {
		t.Errorf("eos %v, context %d, unused %v", m.EOS, m.Context, m.Values.Unused)
	}
}
