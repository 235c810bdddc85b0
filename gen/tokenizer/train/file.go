package train

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/runtime/tokenizer"

	source "github.com/tfgen/tfgen/gen/tokenizer"
)

// Template is a tokenizer.json without its model: what a trained model is put into.
type Template struct {
	Truncation    json.RawMessage `json:"truncation"`
	Padding       json.RawMessage `json:"padding"`
	Added         json.RawMessage `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Decoder       json.RawMessage `json:"decoder"`
	Model         json.RawMessage `json:"model"`
}

// forms are templates of customary tokenizers, by name, with what their models need.
var forms = map[string]struct {
	template Template
	options  Options
}{
	"bytes": { // GPT-2
		Template{PreTokenizer: raw(`{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}`), PostProcessor: raw(`{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":false,"use_regex":true}`),
			Decoder: raw(`{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true}`)},
		Options{Model: BPE, InitialAlphabet: []rune(tokenizer.SpellBytes(allBytes()))},
	},
	"bert": {
		Template{Normalizer: raw(`{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true}`), PreTokenizer: raw(`{"type":"BertPreTokenizer"}`),
			Decoder: raw(`{"type":"WordPiece","prefix":"##","cleanup":true}`)},
		Options{Model: WordPiece, Unknown: "[UNK]", Special: []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}},
	},
	"metaspace": { // SentencePiece
		Template{Normalizer: raw(`{"type":"NFKC"}`), PreTokenizer: raw(`{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true}`),
			Decoder: raw(`{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true}`)},
		Options{Model: Unigram, Unknown: "<unk>", Special: []string{"<unk>", "<s>", "</s>"}},
	},
	"words": {
		Template{PreTokenizer: raw(`{"type":"Whitespace"}`)},
		Options{Model: WordLevel, Unknown: "[UNK]", Special: []string{"[UNK]"}},
	},
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }

func allBytes() []byte {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// Forms lists the names that Form knows.
func Forms() []string { return slices.Sorted(maps.Keys(forms)) }

// Form returns a customary template and the options that go with it.
func Form(name string) (*Template, Options, error) {
	f, ok := forms[name]
	if !ok {
		return nil, Options{}, fmt.Errorf("no form is called %q; there are %s", name, strings.Join(Forms(), ", "))
	}
	return &f.template, f.options, nil
}

// ReadTemplate reads a tokenizer.json, whose model counts only for its options.
func ReadTemplate(src []byte) (*Template, Options, error) {
	t := &Template{}
	o := Options{Model: BPE}
	if err := json.Unmarshal(src, t); err != nil {
		return nil, o, err
	}
	var m struct {
		Type   string  `json:"type"`
		Prefix *string `json:"continuing_subword_prefix"`
		Suffix *string `json:"end_of_word_suffix"`
		Unk    *string `json:"unk_token"`
		Bytes  bool    `json:"byte_fallback"`
	}
	if len(t.Model) > 0 {
		if err := json.Unmarshal(t.Model, &m); err != nil {
			return nil, o, fmt.Errorf("model: %w", err)
		}
	}
	if m.Type != "" {
		o.Model = m.Type
	}
	for _, s := range []struct {
		from *string
		to   *string
	}{{m.Prefix, &o.Prefix}, {m.Suffix, &o.Suffix}, {m.Unk, &o.Unknown}} {
		if s.from != nil {
			*s.to = *s.from
		}
	}
	o.ByteFallback = m.Bytes
	o.NoPrefix = m.Prefix != nil && *m.Prefix == ""
	return t, o, nil
}

// Splitter returns the function that cuts texts into words as the template says.
func (t *Template) Splitter() (func(string) []string, error) {
	p := &tokenizer.Pipeline{}
	for _, c := range []struct {
		stage string
		raw   json.RawMessage
	}{{"normalizer", t.Normalizer}, {"pre_tokenizer", t.PreTokenizer}} {
		steps, err := source.Component(c.stage, c.raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.stage, err)
		}
		p.Steps = append(p.Steps, steps...)
	}
	return tokenizer.Splitter(p)
}

// Write returns the tokenizer.json of a trained model in the template, whose added tokens are the special ones.
func (t *Template) Write(m *Model, special []string) ([]byte, error) {
	ids := map[string]int{}
	for i, tok := range m.Tokens {
		ids[tok.Text] = i
	}
	added := []map[string]any{}
	for _, s := range special {
		id, ok := ids[s]
		if !ok {
			return nil, fmt.Errorf("the special token %q is not in the vocabulary", s)
		}
		added = append(added, map[string]any{"id": id, "content": s, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true})
	}
	model, err := m.json(ids)
	if err != nil {
		return nil, err
	}
	var w bytes.Buffer
	w.WriteString("{\n")
	for i, f := range []struct {
		name  string
		value any
	}{
		{"version", "1.0"}, {"truncation", null(t.Truncation)}, {"padding", null(t.Padding)}, {"added_tokens", added}, {"normalizer", null(t.Normalizer)},
		{"pre_tokenizer", null(t.PreTokenizer)}, {"post_processor", null(t.PostProcessor)}, {"decoder", null(t.Decoder)}, {"model", model},
	} {
		if i > 0 {
			w.WriteString(",\n")
		}
		b, err := marshal(f.value, "  ")
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&w, "  %q: %s", f.name, b)
	}
	w.WriteString("\n}\n")
	return w.Bytes(), nil
}

func null(r json.RawMessage) json.RawMessage {
	if len(r) == 0 {
		return raw("null")
	}
	return r
}

// marshal writes JSON without escaping what HTML would.
func marshal(v any, prefix string) ([]byte, error) {
	var w bytes.Buffer
	e := json.NewEncoder(&w)
	e.SetEscapeHTML(false)
	e.SetIndent(prefix, "  ")
	err := e.Encode(v)
	return bytes.TrimSuffix(w.Bytes(), []byte("\n")), err
}

// vocab is a vocabulary that is written in order of ids.
type vocab []Token

func (v vocab) MarshalJSON() ([]byte, error) {
	var w bytes.Buffer
	w.WriteByte('{')
	for i, t := range v {
		if i > 0 {
			w.WriteByte(',')
		}
		b, err := marshal(t.Text, "")
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&w, "%s:%d", b, i)
	}
	w.WriteByte('}')
	return w.Bytes(), nil
}

// json returns the model as tokenizer.json has it.
func (m *Model) json(ids map[string]int) (any, error) {
	optional := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	if _, ok := ids[m.Unknown]; !ok && m.Unknown != "" && m.Kind != Unigram {
		return nil, fmt.Errorf("the unknown token %q is not in the vocabulary: make it a special token", m.Unknown)
	}
	switch m.Kind {
	case BPE:
		merges := m.Merges
		if merges == nil {
			merges = [][2]string{}
		}
		return struct {
			Type         string      `json:"type"`
			Dropout      any         `json:"dropout"`
			Unknown      any         `json:"unk_token"`
			Prefix       any         `json:"continuing_subword_prefix"`
			Suffix       any         `json:"end_of_word_suffix"`
			FuseUnknown  bool        `json:"fuse_unk"`
			ByteFallback bool        `json:"byte_fallback"`
			IgnoreMerges bool        `json:"ignore_merges"`
			Vocab        vocab       `json:"vocab"`
			Merges       [][2]string `json:"merges"`
		}{BPE, nil, optional(m.Unknown), optional(m.Prefix), optional(m.Suffix), false, m.ByteFallback, false, vocab(m.Tokens), merges}, nil
	case WordPiece:
		return struct {
			Type    string `json:"type"`
			Unknown string `json:"unk_token"`
			Prefix  string `json:"continuing_subword_prefix"`
			Longest int    `json:"max_input_chars_per_word"`
			Vocab   vocab  `json:"vocab"`
		}{WordPiece, m.Unknown, m.Prefix, 100, vocab(m.Tokens)}, nil
	case WordLevel:
		return struct {
			Type    string `json:"type"`
			Vocab   vocab  `json:"vocab"`
			Unknown string `json:"unk_token"`
		}{WordLevel, vocab(m.Tokens), m.Unknown}, nil
	}
	list := [][2]any{}
	for _, t := range m.Tokens {
		list = append(list, [2]any{t.Text, t.Score})
	}
	var unknown any
	if m.UnknownID >= 0 {
		unknown = m.UnknownID
	}
	return struct {
		Type         string   `json:"type"`
		UnknownID    any      `json:"unk_id"`
		Vocab        [][2]any `json:"vocab"`
		ByteFallback bool     `json:"byte_fallback"`
	}{Unigram, unknown, list, m.ByteFallback}, nil
}
