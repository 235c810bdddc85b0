package tokenizer

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/checkpoint/gguf"
	"github.com/tfgen/tfgen/runtime/tokenizer"
	"github.com/tfgen/tfgen/tests/testfile"
)

// models returns the folder of published models, or skips.
func models(t *testing.T) string {
	dir := os.Getenv("TFGEN_MODELS")
	if dir == "" {
		t.Skip("TFGEN_MODELS is not set: the published models are not here")
	}
	return dir
}

func metadata(t *testing.T, path string) map[string]any {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Skip("not fetched: ", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	g, err := gguf.Read(f, st.Size(), filepath.Base(path), 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	return g.Metadata
}

func fromGGUF(t *testing.T, path string) ([]byte, *tokenizer.Tokenizer) {
	t.Helper()
	packed, err := FromGGUF(metadata(t, path))
	if err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.Load(packed)
	if err != nil {
		t.Fatal(err)
	}
	return packed, tok
}

// TestGGUFVocab compares with the ids that lie beside llama.cpp's vocabulary files.
func TestGGUFVocab(t *testing.T) {
	dir := models(t)
	for _, name := range []string{"gpt-2", "mpt", "llama-spm", "llama-bpe", "qwen2", "bert-bge"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, "ggml-vocab/ggml-vocab-"+name+".gguf")
			_, tok := fromGGUF(t, path)
			in, err := os.ReadFile(path + ".inp")
			if err != nil {
				t.Fatal(err)
			}
			out, err := os.ReadFile(path + ".out")
			if err != nil {
				t.Fatal(err)
			}
			texts := strings.Split(string(in), "\n__ggml_vocab_test__\n")
			want := strings.Split(string(out), "\n")
			if len(want) < len(texts) {
				t.Fatalf("%d lines for %d texts", len(want), len(texts))
			}
			for i, s := range texts {
				if got := tok.Encode(s, false); fmt.Sprint(strings.Fields(want[i])) != fmt.Sprint(got) {
					t.Errorf("%q\n got %v\nwant %v", s, got, strings.Fields(want[i]))
				}
			}
		})
	}
}

// TestGemmaFromGGUF compares the vocabulary inside Gemma 3's GGUF file with its tokenizer.json.
func TestGemmaFromGGUF(t *testing.T) {
	dir := models(t)
	golds := shared(t)
	corpus := texts(t, filepath.Join(golds, "corpus.jsonl"))
	_, tok := fromGGUF(t, filepath.Join(dir, "gemma-3-270m/gemma-3-270m-q4_k_m.gguf"))
	same, all := 0, 0
	for _, g := range testfile.Lines[golden](t, filepath.Join(golds, "expected/gemma3.jsonl.gz")) {
		if g.I == nil {
			continue
		}
		text := corpus[*g.I]
		if strings.Contains(text, "<image_soft_token>") {
			continue // only tokenizer.json has it
		}
		all++
		want := g.Sp
		if want == nil {
			want = g.IDs
		}
		if got := tok.Encode(text, true); fmt.Sprint(got) == fmt.Sprint(want) {
			same++
		} else {
			t.Errorf("line %d %.100q\n got %v\nwant %v", *g.I, text, got, want)
		}
	}
	t.Logf("%d of %d lines", same, all)
}
