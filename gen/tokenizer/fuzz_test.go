package tokenizer

import (
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/runtime/tokenizer"
	"github.com/tfgen/tfgen/tests/testfile"
)

// use runs everything that may go wrong with a tokenizer on a text.
func use(t *testing.T, tok *tokenizer.Tokenizer, text string) {
	ids := tok.Encode(text, true)
	withOff, off := tok.EncodeOffsets(text, true)
	if !slices.Equal(ids, withOff) || len(off) != len(ids) {
		t.Errorf("%q: %v with offsets, %v without", text, withOff, ids)
	}
	for i, o := range off {
		if o[0] < 0 || o[0] > o[1] || o[1] > len(text) {
			t.Errorf("%q: token %d has the range %v of %d bytes", text, i, o, len(text))
		}
	}
	for _, id := range ids {
		if id < 0 || int(id) >= tok.VocabSize() {
			t.Errorf("%q: id %d of %d", text, id, tok.VocabSize())
		}
	}
	tok.EncodePair(text, text)
	e, err := tok.EncodeInput(tokenizer.PairOfWords([]string{text, "a"}, []string{"", text}), tokenizer.Options{
		Special: true, Runes: true, Truncation: &tokenizer.Truncation{Max: 9, Stride: 1}, Padding: &tokenizer.Padding{Multiple: 4, Left: true},
	})
	if err == nil && len(e.IDs)%4 != 0 {
		t.Errorf("%q: %d tokens after padding", text, len(e.IDs))
	}
	tok.Decode(ids, true)
	s := tok.NewStream(false)
	for _, id := range ids {
		s.Next(id)
	}
}

var small = []string{
	`{"version":"1.0","added_tokens":[{"id":3,"content":"<s>","special":true}],"normalizer":{"type":"Sequence","normalizers":[{"type":"NFKC"},{"type":"Lowercase"},{"type":"Strip","strip_left":true,"strip_right":true}]},"pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":true},"decoder":{"type":"Metaspace","replacement":"▁"},"model":{"type":"BPE","byte_fallback":true,"unk_token":"u","vocab":{"a":0,"▁":1,"▁a":2,"u":4,"<0x41>":5},"merges":["▁ a"]}}`,
	`{"added_tokens":[{"content":"x y","lstrip":true,"single_word":true,"normalized":true}],"normalizer":{"type":"BertNormalizer"},"pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":{"type":"BertProcessing","sep":["a",0],"cls":["b",1]},"decoder":{"type":"WordPiece","prefix":"##","cleanup":true},"model":{"type":"WordPiece","unk_token":"b","continuing_subword_prefix":"##","max_input_chars_per_word":10,"vocab":{"a":0,"b":1,"##a":2}}}`,
	`{"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},{"type":"Punctuation","behavior":"MergedWithNext"},{"type":"ByteLevel"}]},"post_processor":{"type":"RobertaProcessing","sep":["a",0],"cls":["b",1]},"model":{"type":"BPE","end_of_word_suffix":"</w>","continuing_subword_prefix":"","vocab":{"a":0,"b":1,"b</w>":2,"ab</w>":7},"merges":[["a","b</w>"]],"ignore_merges":true}}`,
	`{"model":{"type":"WordLevel","unk_token":"a","vocab":{"a":65536}}}`,
	`{"model":{"type":"Unigram","vocab":[["a",0]]}}`,
	`{"normalizer":{"type":"Sequence","normalizers":[{"type":"Nmt"},{"type":"Replace","pattern":{"Regex":"(?<=a)\\s+|x*"},"content":"y"}]},"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"UnicodeScripts"},{"type":"Split","pattern":{"Regex":"(?i)(?:ss|a+)+b|\\X"},"behavior":"MergedWithPrevious","invert":true},{"type":"FixedLength","length":2},{"type":"CharDelimiterSplit","delimiter":" "}]},"post_processor":{"type":"Sequence","processors":[{"type":"ByteLevel"},{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"b","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[{"Sequence":{"id":"B","type_id":0}},{"Sequence":{"id":"A","type_id":1}}],"special_tokens":{"b":{"id":"b","ids":[1],"tokens":["b"]}}}]},"model":{"type":"Unigram","unk_id":0,"byte_fallback":true,"vocab":[["u",0],["b",-1],["ab",-1.5],["<0x62>",-3],["a",-2]]}}`,
}

// FuzzFromJSON reads any tokenizer.json, and uses those that compile.
func FuzzFromJSON(f *testing.F) {
	for _, s := range small {
		f.Add([]byte(s), "a b 12, A\u0301\xffé x y<s>")
	}
	f.Fuzz(func(t *testing.T, src []byte, text string) {
		if len(text) > 1<<10 {
			return
		}
		packed, err := FromJSON(src, nil)
		if err != nil {
			return
		}
		tok, err := tokenizer.Load(packed)
		if err != nil {
			t.Fatal(err)
		}
		use(t, tok, text)
	})
}

// FuzzRoundTrip encodes and decodes with tokenizers that lose nothing.
func FuzzRoundTrip(f *testing.F) {
	var toks []*tokenizer.Tokenizer
	for _, name := range []string{"bpe-gpt2", "bpe-llama3", "bpe-o200k", "bpe-deepseek", "bpe-falcon", "bpe-starcoder", "bpe-gemma"} {
		packed, err := FromJSON(testfile.Bytes(f, "testdata/"+name+".json.gz"), nil)
		if err != nil {
			f.Fatal(err)
		}
		tok, err := tokenizer.Load(packed)
		if err != nil {
			f.Fatal(err)
		}
		toks = append(toks, tok)
	}
	for _, s := range []string{"", "Hello, world! 'tis 1234", "a\x00\r\n \u3000é\u0301 你好", "<|endoftext|>'S'ſ\xff\xe2\x82", strings.Repeat(" \n", 50)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<14 {
			return
		}
		valid := string([]rune(text))
		for i, tok := range toks {
			use(t, tok, text)
			want := valid
			if i == len(toks)-1 { // writes spaces and "▁" alike
				want = strings.ReplaceAll(want, "▁", " ")
			}
			if got := tok.Decode(tok.EncodeLiteral(text, false), false); got != want {
				t.Errorf("tokenizer %d turns %q into %q", i, want, got)
			}
		}
	})
}

func TestUnsupported(t *testing.T) {
	for src, want := range map[string]string{
		`{"model":{"type":"Own","vocab":{}}}`:                                                                                "Own: not supported; supported are BPE",
		`{"model":{"type":"Unigram","vocab":[]}}`:                                                                            "a vocabulary of 0 tokens",
		`{"model":{"type":"Unigram","unk_id":1,"vocab":[["a",0]]}}`:                                                          "unk_id is 1",
		`{"model":{"type":"Unigram","vocab":[["a"]]}}`:                                                                       `token "a" has no score`,
		`{"normalizer":{"type":"Precompiled","precompiled_charsmap":"AAAA"},"model":{"type":"BPE"}}`:                         "the characters map has 3 bytes",
		`{"pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a)\\1"},"behavior":"Isolated","invert":false}}`:               "a back-reference is not supported",
		`{"pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a"},"behavior":"Isolated","invert":false}}`:                   "without its closing bracket",
		`{"pre_tokenizer":{"type":"FixedLength","length":0}}`:                                                                "length is 0",
		`{"truncation":{"max_length":-1,"strategy":"LongestFirst","stride":0},"model":{"type":"Unigram","vocab":[["a",0]]}}`: "truncation: max_length -1",
		`{"post_processor":{"type":"Own"}}`:                                                                                  "Own: not supported",
		`{"decoder":{"type":"Own"}}`:                                                                                         "Own: not supported",
		`{"model":{"type":"BPE","dropout":0.1,"vocab":{"a":0},"merges":[]}}`:                                                 "dropout 0.1",
		`{"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}}`:                                                          `joins "a" and "b"`,
		`{"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":["a b"]}}`:                                                    `makes "ab"`,
		`{"model":{"type":"BPE","vocab":{"a":0},"merges":["a"]}}`:                                                            "is not two texts",
		`{"model":{"type":"BPE","vocab":{"a":0}}}`:                                                                           "merges are missing",
		`{"model":{"type":"BPE","vocab":{"a":0,"b":0},"merges":[]}}`:                                                         "have the same id 0",
		`{"model":{"type":"BPE","vocab":{"a":9999999},"merges":[]}}`:                                                         "out of range for 1 tokens",
		`{"model":{"type":"BPE","vocab":{"a":-1},"merges":[]}}`:                                                              `id "-1"`,
		`{"model":{"type":"BPE","vocab":{},"merges":[]}}`:                                                                    "vocabulary is empty",
		`{"model":{"type":"WordPiece","unk_token":"u","vocab":{"a":0}}}`:                                                     `unknown token "u"`,
		`{"version":"2.0"}`: `version "2.0"`,
		`{}`:                "model: missing",
		`{"model"`:          "unexpected end",
	} {
		if _, err := FromJSON([]byte(src), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s gives %v, expected %q", src, err, want)
		}
	}
}

func TestGGUFErrors(t *testing.T) {
	base := func() map[string]any {
		return map[string]any{
			"tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": []string{"<unk>", "▁", "a", "▁a"},
			"tokenizer.ggml.scores": []float32{0, -1, -2, -3}, "tokenizer.ggml.token_type": []int32{2, 1, 1, 1},
			"tokenizer.ggml.unknown_token_id": uint32(0), "tokenizer.ggml.add_bos_token": false,
		}
	}
	packed, err := FromGGUF(base())
	if err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.Load(packed)
	if err != nil {
		t.Fatal(err)
	}
	if got := tok.Encode("a aé", true); !slices.Equal(got, []int32{3, 3, 0}) {
		t.Errorf("ids %v", got)
	}
	for _, c := range []struct {
		key   string
		value any
		want  string
	}{
		{"model", "own", "supported are bert, gemma4, gpt2, llama, t5"}, {"model", 5, "expected a string"}, {"tokens", nil, "missing or empty"},
		{"tokens", []any{"a", 5}, "element 1"}, {"scores", []float32{1}, "1 scores for 4 tokens"}, {"token_type", []int8{1}, "1 token types for 4"},
		{"unknown_token_id", int64(9), "expected an id below 4"}, {"add_bos_token", true, "is not named"}, {"add_space_prefix", "x", "expected a bool"},
	} {
		m := base()
		m["tokenizer.ggml."+c.key] = c.value
		if c.value == nil {
			delete(m, "tokenizer.ggml."+c.key)
		}
		if _, err := FromGGUF(m); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s = %v gives %v, expected %q", c.key, c.value, err, c.want)
		}
	}
	m := base()
	m["tokenizer.ggml.model"], m["tokenizer.ggml.pre"] = "gpt2", "own"
	if _, err := FromGGUF(m); err == nil || !strings.Contains(err.Error(), `"own"; supported are`) {
		t.Errorf("an unknown pre-tokenizer gives %v", err)
	}
}

// FuzzSentencePiece reads any SentencePiece model, and uses those that compile.
func FuzzSentencePiece(f *testing.F) {
	for _, name := range []string{"sp-unigram", "sp-bpe", "sp-char", "sp-unigram-bytes"} {
		f.Add(testfile.Bytes(f, "testdata/"+name+".model.gz"), "a b  c\u3000é x")
	}
	f.Add([]byte("\x0a\x0a\x0a\x01a\x15\x00\x00\x00\x00\x18\x01"), "aa")
	f.Fuzz(func(t *testing.T, src []byte, text string) {
		packed, err := FromSentencePiece(src)
		if err != nil || len(text) > 1<<10 {
			return
		}
		tok, err := tokenizer.Load(packed)
		if err != nil {
			t.Fatal(err)
		}
		use(t, tok, text)
	})
}

// FuzzTiktoken reads any tiktoken file under the name of each known one.
func FuzzTiktoken(f *testing.F) {
	f.Add(testfile.Bytes(f, "testdata/r50k_base.tiktoken.gz"), []byte(nil), "a b c")
	f.Add([]byte("YQ== 0\nYg== 1\nYWI= 2\n"), []byte(`{"added_tokens_decoder":{"3":{"content":"<x>"}}}`), "ab<x>")
	f.Fuzz(func(t *testing.T, src, config []byte, text string) {
		if len(text) > 1<<10 {
			return
		}
		for _, name := range []string{"r50k_base.tiktoken", "cl100k_base.tiktoken", "o200k_base.tiktoken", "qwen.tiktoken", "tokenizer.model"} {
			packed, err := FromTiktoken(src, name, config)
			if err != nil {
				continue
			}
			tok, err := tokenizer.Load(packed)
			if err != nil {
				t.Fatal(err)
			}
			use(t, tok, text)
		}
	})
}
