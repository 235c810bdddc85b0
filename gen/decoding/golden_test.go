package decoding

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/tests/testfile"
)

// verify fails for every record that differs and returns the number of records that agree.
func verify(t *testing.T, path string) (passed int) {
	t.Helper()
	r, err := Verify(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(r.String())
	if len(r.Failed) > 0 {
		t.Errorf("%s: %d records differ", path, len(r.Failed))
	}
	for _, n := range r.Passed {
		passed += n
	}
	return passed
}

func TestGolden(t *testing.T) {
	for name, least := range map[string]int{"processors": 280, "chains": 17, "decode": 60, "decode-v4": 52} {
		if n := verify(t, "testdata/golden/"+name+".jsonl.gz"); n < least {
			t.Errorf("%s: only %d records", name, n)
		}
	}
}

// TestGoldenAll checks the whole suite, where it is.
func TestGoldenAll(t *testing.T) {
	shared := os.Getenv("TFGEN_SHARED")
	if shared == "" {
		t.Skip("TFGEN_SHARED is not set")
	}
	files, err := filepath.Glob(filepath.Join(shared, "golden/generation/*.jsonl.gz"))
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		verify(t, path)
	}
}

// TestStop checks stop texts with the tokenizers of package gen/tokenizer's tests.
func TestStop(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "tokenizers/synthetic"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bpe-gpt2", "bpe-llama2", "wordpiece-uncased"} {
		unpack(t, filepath.Join("../tokenizer/testdata", name+".json.gz"), filepath.Join(dir, "tokenizers/synthetic", name+".json"))
	}
	text, err := os.ReadFile("testdata/golden/stop.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "generation", "stop.jsonl.gz")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if n := verify(t, path); n != 24 {
		t.Errorf("%d records", n)
	}
}

// unpack writes a compressed file.
func unpack(t *testing.T, from, to string) {
	t.Helper()
	if err := os.WriteFile(to, testfile.Bytes(t, from), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestVerifyFindsDifferences changes a recorded value.
func TestVerifyFindsDifferences(t *testing.T) {
	lines := `{"vectors":{"v":[[1,2,3]]},"input_ids":[[0]]}
{"processor":"TemperatureLogitsWarper","args":{"temperature":0.5},"vector":"v","expected":[[2,4,6]]}
{"processor":"TemperatureLogitsWarper","args":{"temperature":0.5},"vector":"v","expected":[[2,4,6.001]]}
{"processor":"NoSuchProcessor","args":{},"vector":"v","expected":[[2,4,6]]}
{"processor":"TopKLogitsWarper","args":{"top_k":1},"vector":"v","expected":[[null,2,null]]}
`
	path := filepath.Join(t.TempDir(), "p.jsonl")
	if err := os.WriteFile(path, []byte(lines), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := Verify(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Failed) != 2 || !strings.Contains(r.Failed[0], "token 2 is 6, expected 6.001") || r.Passed["TemperatureLogitsWarper"] != 1 || r.Skipped["NoSuchProcessor"] != 1 {
		t.Errorf("%+v", r)
	}
}

func TestVerifyErrors(t *testing.T) {
	for text, says := range map[string]string{
		"{}\n":               "none of vectors",
		"[]\n":               "p.jsonl:1",
		`{"vectors":`:        "p.jsonl:1",
		`{"model":"absent"}`: "absent",
	} {
		path := filepath.Join(t.TempDir(), "p.jsonl")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(path); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
	}
}
