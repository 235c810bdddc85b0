package tokenizer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/runtime/tokenizer"
	"github.com/tfgen/tfgen/tests/testfile"
)

// TestSentencePiece compares with what SentencePiece 0.2 returns for models of all types.
func TestSentencePiece(t *testing.T) {
	for _, name := range []string{"sp-unigram", "sp-unigram-bytes", "sp-bpe", "sp-char"} {
		t.Run(name, func(t *testing.T) {
			packed, err := FromSentencePiece(testfile.Bytes(t, "testdata/"+name+".model.gz"))
			if err != nil {
				t.Fatal(err)
			}
			sameIDs(t, name, packed, (*tokenizer.Tokenizer).EncodeLiteral)
		})
	}
}

// TestTiktoken compares with what tiktoken 0.14 returns.
func TestTiktoken(t *testing.T) {
	packed, err := FromTiktoken(testfile.Bytes(t, "testdata/r50k_base.tiktoken.gz"), "r50k_base.tiktoken", nil)
	if err != nil {
		t.Fatal(err)
	}
	sameIDs(t, "tiktoken", packed, (*tokenizer.Tokenizer).Encode)
}

func sameIDs(t *testing.T, name string, packed []byte, encode func(*tokenizer.Tokenizer, string, bool) []int32) {
	tok, err := tokenizer.Load(packed)
	if err != nil {
		t.Fatal(err)
	}
	src := testfile.Bytes(t, "testdata/"+name+".ids.gz")
	var cases []struct {
		Text string  `json:"text"`
		IDs  []int32 `json:"ids"`
	}
	if err := json.Unmarshal(src, &cases); err != nil || len(cases) < 50 {
		t.Fatal("cases", len(cases), err)
	}
	bad := 0 // the rest is only counted
	for _, c := range cases {
		if got := encode(tok, c.Text, false); !slices.Equal(got, c.IDs) {
			if bad++; bad < 8 {
				t.Errorf("%q\n got %v\nwant %v", c.Text, got, c.IDs)
			}
		}
		if bad == 0 && len(cases) < 200 {
			use(t, tok, c.Text)
		}
	}
}

// TestPresets compiles every name that llama.cpp knows, and encodes with it.
func TestPresets(t *testing.T) {
	for name := range presets {
		var tokens []string
		for c := range 256 {
			tokens = append(tokens, tokenizer.SpellBytes([]byte{byte(c)}))
		}
		m := map[string]any{"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": name, "tokenizer.ggml.tokens": append(tokens, "<s>"), "tokenizer.ggml.merges": []string{},
			"tokenizer.ggml.bos_token_id": uint32(256)}
		packed, err := FromGGUF(m)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		tok, err := tokenizer.Load(packed)
		if err != nil {
			t.Fatal(err)
		}
		text := "I'll pay 1234567 for it,\n\n  don't ask. Ünïcödé 漢字かな 한국어!\t"
		if got := tok.Decode(tok.Encode(text, false), false); got != text && !presets[name].spaces && !presets[name].plain && !presets[name].nfc {
			t.Errorf("%s turns the text into %q", name, got)
		}
	}
}

// TestNotes names the regular expressions that have no scanner.
func TestNotes(t *testing.T) {
	for expr, want := range map[string]string{`x+|\\d`: `expression "x+|\\d": it runs`, strings.ReplaceAll(tokenizer.PatternGPT2, `\`, `\\`): ""} {
		src := `{"pre_tokenizer":{"type":"Split","pattern":{"Regex":"` + expr + `"},"behavior":"Isolated","invert":false},"model":{"type":"WordLevel","unk_token":"a","vocab":{"a":0}}}`
		packed, err := FromJSON([]byte(src), nil)
		if err != nil {
			t.Fatal(err)
		}
		notes, err := Notes(packed)
		if err != nil || len(notes) != min(len(want), 1) || !strings.Contains(strings.Join(notes, ""), want) {
			t.Errorf("%s: %q %v, expected %q", expr, notes, err, want)
		}
	}
	if _, err := Notes([]byte("x")); err == nil {
		t.Error("a damaged tokenizer has notes")
	}
}

// TestEmptySequences checks that a Sequence of nothing is not the same as none: the decoder joins tokens without spaces, and
// the post-processor numbers the windows of a text.
func TestEmptySequences(t *testing.T) {
	const file = `{"pre_tokenizer":{"type":"Whitespace"},"post_processor":%s,"decoder":%s,"model":{"type":"WordLevel","unk_token":"u","vocab":{"u":0,"a":1}}}`
	for _, c := range []struct {
		post, decoder, text string
		sequence            int32
	}{{"null", "null", "a a a", 0}, {`{"type":"Sequence","processors":[]}`, `{"type":"Sequence","decoders":[{"type":"Sequence","decoders":[]}]}`, "aaa", 1}} {
		tok := loaded(t, fmt.Appendf(nil, file, c.post, c.decoder))
		if got := tok.Decode([]int32{1, 1, 1}, false); got != c.text {
			t.Errorf("decoder %s: %q, want %q", c.decoder, got, c.text)
		}
		e, err := tok.EncodeInput(tokenizer.Pair("a a a", "a a a"), tokenizer.Options{Truncation: &tokenizer.Truncation{Max: 4}})
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Overflow[0].Sequences(); got[len(got)-1] != c.sequence {
			t.Errorf("post-processor %s: sequences %v", c.post, got)
		}
	}
}
