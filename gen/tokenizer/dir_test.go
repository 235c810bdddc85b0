package tokenizer

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/runtime/tokenizer"
	"github.com/tfgen/tfgen/tests/testfile"
)

func write(t *testing.T, files map[string]string) string {
	dir := t.TempDir()
	for name, s := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFromDir(t *testing.T) {
	for _, c := range []struct {
		files map[string]string
		text  string
		want  []int32
	}{
		{map[string]string{"vocab.txt": "[PAD]\n[UNK]\n[CLS]\n[SEP]\nun\n##a\n,\n"}, "Una, x [SEP]", []int32{2, 4, 5, 6, 1, 3, 3}},
		{map[string]string{"vocab.txt": "[UNK]\n[CLS]\n[SEP]\nU\n", "tokenizer_config.json": `{"do_lower_case":false}`}, "U u", []int32{1, 3, 0, 2}},
		{map[string]string{"vocab.json": `{"a":0,"b":1,"ab":2,"Ġ":3,"<|endoftext|>":4}`, "merges.txt": "#version: 0.2\na b\n"}, "ab a<|endoftext|>", []int32{2, 3, 0, 4}},
	} {
		packed, err := FromDir(write(t, c.files))
		if err != nil {
			t.Fatal(err)
		}
		tok, err := tokenizer.Load(packed)
		if err != nil {
			t.Fatal(err)
		}
		if got := tok.Encode(c.text, true); !slices.Equal(got, c.want) {
			t.Errorf("%q gives %v, want %v", c.text, got, c.want)
		}
	}
}

func TestFromDirErrors(t *testing.T) {
	for want, files := range map[string]map[string]string{
		"supported are tokenizer.json":    {},
		"vocab.txt has no [CLS]":          {"vocab.txt": "[UNK]\n[SEP]\n"},
		"vocab.txt:3":                     {"vocab.txt": "[UNK]\na\na\n"},
		"tokenizer_config.json: not JSON": {"tokenizer.json": small[0], "tokenizer_config.json": "{"},
		"merges.txt: merge 1":             {"vocab.json": `{"a":0}`, "merges.txt": "#version: 0.2\na\n"},
	} {
		if _, err := FromDir(write(t, files)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, expected %q", err, want)
		}
	}
}

// TestSameBytes packs twice.
func TestSameBytes(t *testing.T) {
	src := testfile.Bytes(t, "testdata/bpe-added.json.gz")
	a, err := FromJSON(src, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if b, err := FromJSON(src, nil); err != nil || !slices.Equal(a, b) {
			t.Fatal("the same source gives other bytes", err)
		}
	}
}
