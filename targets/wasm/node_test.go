package wasm

import (
	"bufio"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tfgen/tfgen/gen/tokenizer"
	runtime "github.com/tfgen/tfgen/runtime/tokenizer"
	"github.com/tfgen/tfgen/tests/testfile"
)

// node returns the path of Node, and skips the test where there is none of version 20 or later.
func node(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed: the JavaScript of the target is not tested")
	}
	out, err := exec.Command(path, "-p", "+process.versions.node.split('.')[0] >= 20").Output()
	if err != nil || strings.TrimSpace(string(out)) != "true" {
		t.Skip("node is older than version 20: the JavaScript of the target is not tested")
	}
	return path
}

// script runs a script of testjs.
func script(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(node(t), append([]string{filepath.Join("testjs", name)}, args...)...)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// corpus are the texts of the tokenizers' golden tests that are Unicode, every step-th.
func corpus(t *testing.T, step int) (texts []string) {
	t.Helper()
	s := bufio.NewScanner(strings.NewReader(string(testfile.Bytes(t, "../../gen/tokenizer/conform/testdata/corpus.jsonl.gz"))))
	s.Buffer(nil, 1<<20)
	for i := 0; s.Scan(); i++ {
		var line struct{ Text string }
		if err := json.Unmarshal(s.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if i%step == 0 && utf8.ValidString(line.Text) {
			texts = append(texts, line.Text)
		}
	}
	if len(texts) == 0 {
		t.Fatal("no texts")
	}
	return texts
}

// encoding is what the Go tokenizer makes of a text.
type encoding struct {
	Text    string   `json:"text"`
	IDs     []int32  `json:"ids"`
	Special []int32  `json:"special"`
	Literal []int32  `json:"literal"`
	Decoded string   `json:"decoded"`
	Skipped string   `json:"skipped"`
	Stream  []string `json:"stream"`
	Pair    []int32  `json:"pair"`
	Types   []int32  `json:"types"`
}

func encode(tok *runtime.Tokenizer, text string) encoding {
	list := func(ids []int32) []int32 { return append([]int32{}, ids...) }
	e := encoding{Text: text, IDs: list(tok.Encode(text, false)), Special: list(tok.Encode(text, true)), Literal: list(tok.EncodeLiteral(text, false)), Stream: []string{}}
	e.Decoded, e.Skipped = tok.Decode(e.IDs, false), tok.Decode(e.Special, true)
	stream := tok.NewStream(false)
	for _, id := range e.IDs {
		e.Stream = append(e.Stream, stream.Next(id))
	}
	pair, types := tok.EncodePair(text, "b c")
	e.Pair, e.Types = list(pair), list(types)
	return e
}

// tokenizers are packed tokenizers of every form: those of Hugging Face and of SentencePiece.
func tokenizers(t *testing.T) map[string][]byte {
	t.Helper()
	forms := map[string][]byte{}
	for _, pattern := range []string{"testdata/*.json.gz", "testdata/*.model.gz", "conform/testdata/unigram-*.json.gz"} {
		files, err := filepath.Glob(filepath.Join("../../gen/tokenizer", pattern))
		if err != nil || len(files) == 0 {
			t.Fatal("no tokenizers", err)
		}
		for _, path := range files {
			read := tokenizer.FromJSON
			if strings.HasSuffix(path, ".model.gz") {
				read = func(data, _ []byte) ([]byte, error) { return tokenizer.FromSentencePiece(data) }
			}
			packed, err := read(testfile.Bytes(t, path), nil)
			if err != nil {
				t.Fatal(path, err)
			}
			forms[strings.TrimSuffix(filepath.Base(path), ".gz")] = packed
		}
	}
	return forms
}

// TestTokenizer holds the JavaScript tokenizer against the Go one for every form of tokenizer and a sample of the corpus.
func TestTokenizer(t *testing.T) {
	node(t)
	dir := t.TempDir()
	step := 20
	if os.Getenv("TFGEN_SHARED") != "" { // the exhaustive suites
		step = 1
	}
	texts := corpus(t, step)
	write(t, dir, "unicode.bin", runtime.PackClasses())
	forms := tokenizers(t)
	for _, name := range slices.Sorted(maps.Keys(forms)) {
		packed := forms[name]
		tok, err := runtime.Load(packed)
		if err != nil {
			t.Fatal(err)
		}
		var lines []encoding
		for _, text := range texts {
			lines = append(lines, encode(tok, text))
		}
		data, err := json.Marshal(lines)
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, name+".bin", packed)
		write(t, dir, name+".json", data)
	}
	script(t, "tokenizer.mjs", dir)
}
