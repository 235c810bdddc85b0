package python

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestHeads builds a package for each head of a small BERT and compares what it makes of texts with transformers.
func TestHeads(t *testing.T) {
	bin := environment(t)
	work := t.TempDir()
	for _, name := range []string{"classify", "several", "rank", "tag", "answer", "fill", "embed"} {
		model := t.TempDir()
		for _, from := range []string{name, "tokenizer"} {
			if err := os.CopyFS(model, os.DirFS(filepath.Join(root, "tests", "heads", "testdata", from))); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Rename(build(t, model, name), filepath.Join(work, name)); err != nil {
			t.Fatal(err)
		}
	}
	recorded := filepath.Join(root, "tests", "heads", "testdata", "recorded.json")
	out := command(t, filepath.Join(bin, "python"), filepath.Join("testdata", "heads.py"), recorded, work)
	if !strings.HasSuffix(out, "ok\n") {
		t.Error(out)
	}
}
