package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tfgen/tfgen/runtime/tokenizer"
	"github.com/tfgen/tfgen/tests/testfile"
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

// texts reads the whole corpus, by line.
func texts(t *testing.T, path string) map[int]string {
	out := map[int]string{}
	for i, l := range testfile.Lines[corpusLine](t, path) {
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
