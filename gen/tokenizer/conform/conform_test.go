package conform

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// shared returns the folder of the full golden data, or skips.
func shared(t testing.TB) string {
	dir := os.Getenv("TFGEN_SHARED")
	if dir == "" {
		t.Skip("TFGEN_SHARED is not set: the full corpus is not here")
	}
	return filepath.Join(dir, "golden/tokenizers")
}

func verify(t *testing.T, path string, o Options) {
	t.Helper()
	r, err := Verify(path, o)
	if missing := (*MissingError)(nil); errors.As(err, &missing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Compared) == 0 {
		t.Error("nothing was compared")
	}
	t.Log(r)
	shown := map[string]int{}
	for _, d := range r.Differences {
		if shown[d.What]++; shown[d.What] <= 2 {
			t.Error(d)
		}
	}
}

// TestShared verifies every family and the components, with one goroutine and with many.
func TestShared(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared(t), "expected/*.jsonl.gz"))
	if err != nil || len(files) == 0 {
		t.Fatal("no expectations", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".jsonl.gz"), func(t *testing.T) {
			verify(t, f, Options{Models: os.Getenv("TFGEN_MODELS")})
			verify(t, f, Options{Models: os.Getenv("TFGEN_MODELS"), Workers: 4 * runtime.GOMAXPROCS(0)})
		})
	}
}

// tokenizerOf returns the packed tokenizer.json of a family.
func tokenizerOf(name string) string {
	if strings.HasPrefix(name, "unigram") {
		return "testdata/" + name + ".json.gz"
	}
	return "../testdata/" + name + ".json.gz"
}

// TestSubset verifies the extract that the repository holds.
func TestSubset(t *testing.T) {
	files, err := filepath.Glob("testdata/*.expected.jsonl.gz")
	if err != nil || len(files) != 27 {
		t.Fatalf("%d expectations, %v", len(files), err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".expected.jsonl.gz")
		t.Run(name, func(t *testing.T) {
			o := Options{Corpus: "testdata/corpus.jsonl.gz", AnyCorpus: true, Workers: 2}
			if name != "components" {
				src, err := readFile(tokenizerOf(name))
				if err != nil {
					t.Fatal(err)
				}
				o.Tokenizer = filepath.Join(t.TempDir(), "tokenizer.json")
				if err := os.WriteFile(o.Tokenizer, src, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			verify(t, f, o)
		})
	}
}

// TestDifference changes a recorded result, which has to be found.
func TestDifference(t *testing.T) {
	src, err := readFile("../testdata/byte.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"tokenizer.json": string(src), "corpus.jsonl": `{"cat":"x","text":"a"}` + "\n",
		"expected.jsonl": `{"family":"byte","file":"tokenizer.json"}` + "\n" + `{"i":0,"ids":[98],"off":[0,1]}` + "\n" + `{"i":0,"ids":[98],"off":[0,2]}` + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Verify(filepath.Join(dir, "expected.jsonl"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Differences) != 2 {
		t.Fatalf("the differences are %v", r.Differences)
	}
	for _, d := range r.Differences {
		if d.Line != 3 || !strings.HasPrefix(d.What, "offsets in") {
			t.Errorf("unexpected: %v", d)
		}
	}
}
