package tokenizer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/runtime/tokenizer"
	"github.com/tfgen/tfgen/tests/testfile"
)

// published packs a tokenizer under TFGEN_MODELS, or skips.
func published(b testing.TB, rel string) []byte {
	b.Helper()
	if os.Getenv("TFGEN_MODELS") == "" {
		b.Skip("TFGEN_MODELS is not set: the published tokenizers are not here")
	}
	src, err := os.ReadFile(filepath.Join(os.Getenv("TFGEN_MODELS"), rel))
	if err != nil {
		b.Skip("not fetched: ", err)
	}
	packed, err := FromJSON(src, nil)
	if err != nil {
		b.Fatal(err)
	}
	return packed
}

var benchmarked = []string{"tokenizers/llama3_1", "tokenizers/qwen3", "tokenizers/gemma3", "tokenizers/llama2", "all-minilm-l6-v2"}

func BenchmarkLoad(b *testing.B) {
	for _, name := range benchmarked {
		packed := published(b, name+"/tokenizer.json")
		b.Run(filepath.Base(name), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(packed)))
			for b.Loop() {
				if _, err := tokenizer.Load(packed); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func benchText(b *testing.B) string {
	var s strings.Builder
	for _, l := range testfile.Lines[corpusLine](b, filepath.Join(shared(b), "long.jsonl.gz")) {
		if l.Cat == "prose" || l.Cat == "languages" || l.Cat == "code" {
			s.WriteString(l.Text)
		}
	}
	return s.String()
}

func BenchmarkEncode(b *testing.B) {
	text := benchText(b)
	for _, name := range benchmarked {
		tok, err := tokenizer.Load(published(b, name+"/tokenizer.json"))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(filepath.Base(name), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			var ids []int32
			for b.Loop() {
				ids = tok.AppendEncode(ids[:0], text, true)
			}
		})
	}
}

func BenchmarkMegabyte(b *testing.B) {
	text := strings.Repeat("a", 1<<20)
	for _, name := range benchmarked {
		tok, err := tokenizer.Load(published(b, name+"/tokenizer.json"))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(filepath.Base(name), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				tok.Encode(text, false)
			}
		})
	}
}

func BenchmarkStream(b *testing.B) {
	text := benchText(b)
	for _, name := range benchmarked {
		tok, err := tokenizer.Load(published(b, name+"/tokenizer.json"))
		if err != nil {
			b.Fatal(err)
		}
		ids := tok.Encode(text, false)
		b.Run(filepath.Base(name), func(b *testing.B) {
			b.ReportAllocs()
			s := tok.NewStream(true)
			for i := 0; b.Loop(); i++ {
				s.Next(ids[i%len(ids)])
			}
		})
	}
}
