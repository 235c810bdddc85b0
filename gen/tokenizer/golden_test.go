package tokenizer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// golden is a line of an expectation file.
type golden struct {
	I   *int    `json:"i"`
	IDs []int32 `json:"ids"`
	Sp  []int32 `json:"sp"`
}

type corpusLine struct {
	I    int    `json:"i"`
	Cat  string `json:"cat"`
	Text string `json:"text"`
}

// lines decodes a file of JSON lines, packed by gzip or not.
func lines[T any](t testing.TB, path string) []T {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var r io.Reader = bytes.NewReader(b)
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(r); err != nil {
			t.Fatal(err)
		}
	}
	var out []T
	d := json.NewDecoder(bufio.NewReader(r))
	for d.More() {
		var v T
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// texts reads the whole corpus, by line.
func texts(t *testing.T, path string) map[int]string {
	out := map[int]string{}
	for i, l := range lines[corpusLine](t, path) {
		if l.I == 0 {
			l.I = i
		}
		out[l.I] = l.Text
	}
	return out
}

// shared returns the folder of the full golden data, or skips.
func shared(t testing.TB) string {
	dir := os.Getenv("TFGEN_SHARED")
	if dir == "" {
		t.Skip("TFGEN_SHARED is not set: the full corpus is not here")
	}
	return filepath.Join(dir, "golden/tokenizers")
}

func unzip(t testing.TB, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestDemoModel encodes the prompts of the model that ships with the project.
func TestDemoModel(t *testing.T) {
	dir := filepath.Join(filepath.Dir(filepath.Dir(shared(t))), "demo-model")
	packed, err := FromDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.Load(packed)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Prompt string  `json:"prompt"`
		IDs    []int32 `json:"input_ids"`
		Greedy []int32 `json:"greedy"`
		Text   string  `json:"text"`
	}
	if err := json.Unmarshal(b, &cases); err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, c := range cases {
		if got := tok.Encode(c.Prompt, true); !slices.Equal(got, c.IDs) {
			t.Errorf("%q\n got %v\nwant %v", c.Prompt, got, c.IDs)
		}
		if got := tok.Decode(c.Greedy, true); got != c.Text {
			t.Errorf("%v\n got %q\nwant %q", c.Greedy, got, c.Text)
		}
	}
}
