package tokenizer

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// Types of tokens in tokenizer.ggml.token_type.
const (
	ggufNormal      = 1
	ggufUnknown     = 2
	ggufControl     = 3
	ggufUserDefined = 4
)

// ggufVocab is the part of a GGUF file's metadata under tokenizer.ggml.
type ggufVocab struct {
	*builder
	meta    map[string]any
	tokens  []string
	types   []int64
	unknown int32
	escaped bool // the model reads "▁" for a space, and user-defined tokens are written with spaces
}

// ggufModels are the values of tokenizer.ggml.model: how the vocabulary is read, and the name of the pre-tokenizer of a
// file that names none.
var ggufModels = map[string]struct {
	read func(v *ggufVocab, pre string) error
	pre  string
}{
	"gpt2":   {(*ggufVocab).byteLevel, "default"},
	"gemma4": {(*ggufVocab).byteLevel, "gemma4"},
	"llama":  {(*ggufVocab).sentencePiece, ""},
	"bert":   {(*ggufVocab).bert, ""},
	"t5":     {(*ggufVocab).unigram, ""},
}

// FromGGUF packs the vocabulary inside a GGUF file. meta holds its metadata as Go values.
func FromGGUF(meta map[string]any) ([]byte, error) {
	v := &ggufVocab{builder: &builder{}, meta: meta}
	if err := v.read(); err != nil {
		return nil, err
	}
	model, err := v.text("model", "")
	if err != nil {
		return nil, err
	}
	m, ok := ggufModels[model]
	if !ok {
		return nil, fmt.Errorf("gguf: tokenizer.ggml.model is %q; supported are %s", model, strings.Join(slices.Sorted(maps.Keys(ggufModels)), ", "))
	}
	if err := m.read(v, m.pre); err != nil {
		return nil, fmt.Errorf("gguf: %w", err)
	}
	var list []added
	for i, t := range v.types {
		switch t {
		case ggufControl:
			list = append(list, added{text: v.tokens[i], special: true})
		case ggufUserDefined:
			list = append(list, added{text: v.tokens[i], norm: v.escaped && strings.Contains(v.tokens[i], " ")})
		}
	}
	v.literalSpaces()
	return v.pack(list)
}

// literalSpaces lets the user-defined runs of spaces stand for runs of "▁" in the text as well, as
// tokenizer.json writes them.
func (v *ggufVocab) literalSpaces() {
	for i, t := range v.types {
		s := strings.ReplaceAll(v.tokens[i], " ", "▁")
		if _, taken := v.ids[s]; v.escaped && t == ggufUserDefined && !taken {
			v.Added = append(v.Added, tokenizer.AddedToken{ID: v.ids[v.tokens[i]], Pattern: s})
		}
	}
}

func (v *ggufVocab) read() (err error) {
	if v.tokens, err = listOf(v.meta, "tokens", func(x any) (string, bool) { s, ok := x.(string); return s, ok }); err != nil {
		return err
	}
	if len(v.tokens) == 0 {
		return fmt.Errorf("gguf: tokenizer.ggml.tokens is missing or empty")
	}
	if v.types, err = listOf(v.meta, "token_type", integer); err != nil {
		return err
	}
	if v.types == nil {
		v.types = slices.Repeat([]int64{ggufNormal}, len(v.tokens))
	}
	if len(v.types) != len(v.tokens) {
		return fmt.Errorf("gguf: %d token types for %d tokens", len(v.types), len(v.tokens))
	}
	v.unknown, err = v.id("unknown_token_id")
	return err
}

// vocabulary makes the tokens table. Tokens of one text keep their ids; the last is the one that is found.
func (v *ggufVocab) vocabulary() {
	v.ids = make(map[string]int32, len(v.tokens))
	v.size = int32(len(v.tokens))
	for i, t := range v.tokens {
		v.ids[t] = int32(i)
		v.Tokens = append(v.Tokens, tokenizer.Entry{Text: t, Model: true})
	}
}

func (v *ggufVocab) byteLevel(absent string) error {
	name, err := v.text("pre", absent)
	if err != nil {
		return err
	}
	p, ok := presets[name]
	if !ok {
		return fmt.Errorf("tokenizer.ggml.pre is %q; supported are %s", name, strings.Join(slices.Sorted(maps.Keys(presets)), ", "))
	}
	v.vocabulary()
	if err := v.prepare(p); err != nil {
		return err
	}
	lines, err := listOf(v.meta, "merges", func(x any) (string, bool) { s, ok := x.(string); return s, ok })
	if err != nil {
		return err
	}
	merges, err := splitMerges(lines)
	if err != nil {
		return err
	}
	for _, m := range merges {
		if err := v.merge(m[0], m[1], ""); err != nil {
			return err
		}
	}
	flags := bit(p.ignoreMerges) * tokenizer.BPEIgnoreMerges
	if !p.spaces && !p.plain {
		v.bpeStep(flags, -1, "", "")
		v.step(tokenizer.DecodeByteLevel, nil)
		return v.ends(p.bos, false)
	}
	v.bpeStep(flags|tokenizer.BPEByteFallback, v.unknown, "", "")
	v.step(tokenizer.DecodeReplace, nil, "▁", " ")
	v.step(tokenizer.DecodeByteFallback, nil)
	v.step(tokenizer.DecodeFuse, nil)
	return v.ends(p.bos, false)
}

func (v *ggufVocab) sentencePiece(string) error {
	scores, err := listOf(v.meta, "scores", float)
	if err != nil {
		return err
	}
	if len(scores) != len(v.tokens) {
		return fmt.Errorf("%d scores for %d tokens", len(scores), len(v.tokens))
	}
	space, err := v.flag("add_space_prefix", true)
	if err != nil {
		return err
	}
	// SentencePiece looks for user-defined tokens in the normalised text. Behind a prefix that would not be the
	// token's text alone.
	v.escaped = !space
	v.vocabulary()
	v.scoreMerges(scores)
	if space {
		v.step(tokenizer.NormPrepend, nil, "▁")
	}
	v.step(tokenizer.NormReplace, nil, " ", "▁")
	v.bpeStep(tokenizer.BPEFuseUnknown|tokenizer.BPEByteFallback, v.unknown, "", "")
	v.step(tokenizer.DecodeReplace, nil, "▁", " ")
	v.step(tokenizer.DecodeByteFallback, nil)
	v.step(tokenizer.DecodeFuse, nil)
	if space {
		v.step(tokenizer.DecodeStrip, []int32{1, 0}, " ")
	}
	return v.ends(true, false)
}

// scoreMerges makes the merges that SentencePiece's scores stand for.
func (v *ggufVocab) scoreMerges(scores []float64) {
	v.builder.scoreMerges(func(text string) (int32, bool) {
		id, ok := v.ids[text]
		return id, ok && (v.types[id] == ggufNormal || v.types[id] == ggufUserDefined)
	}, func(id int32) float64 { return scores[id] })
}

// unigram is the vocabulary of T5 and its like.
func (v *ggufVocab) unigram(string) error {
	m := &spModel{kind: spUnigram, escape: true}
	scores, err := listOf(v.meta, "scores", float)
	if err != nil {
		return err
	}
	if len(scores) != len(v.tokens) {
		return fmt.Errorf("%d scores for %d tokens", len(scores), len(v.tokens))
	}
	for i, t := range v.tokens {
		if v.types[i] < pieceNormal || v.types[i] > pieceByte {
			return fmt.Errorf("token %d has the type %d", i, v.types[i])
		}
		m.pieces = append(m.pieces, spPiece{t, scores[i], uint64(v.types[i])})
	}
	chars, err := listOf(v.meta, "precompiled_charsmap", integer)
	if err != nil {
		return err
	}
	for _, c := range chars {
		m.charsMap = append(m.charsMap, byte(c))
	}
	if m.prefix, err = v.flag("add_space_prefix", true); err != nil {
		return err
	}
	if m.squeeze, err = v.flag("remove_extra_whitespaces", true); err != nil {
		return err
	}
	if err := v.builder.sentencePiece(m); err != nil {
		return err
	}
	return v.ends(false, true)
}

// bert undoes the form that GGUF gives a WordPiece vocabulary: the start of a word has "▁" before it, and
// what continues one has nothing.
func (v *ggufVocab) bert(string) error {
	for i, t := range v.tokens {
		rest, start := strings.CutPrefix(t, "▁")
		switch {
		case v.types[i] != ggufNormal || strings.HasPrefix(t, "[") && strings.HasSuffix(t, "]") && utf8.RuneCountInString(t) > 2:
		case start:
			v.tokens[i] = rest
		default:
			v.tokens[i] = "##" + t
		}
	}
	v.vocabulary()
	cls, err := v.id("cls_token_id")
	if err != nil {
		return err
	}
	sep, err := v.id("seperator_token_id") // as the format spells it
	if err != nil {
		return err
	}
	return v.bertSteps(v.unknown, cls, sep, true)
}

// ends sets the template from the begin- and end-of-text tokens.
func (v *ggufVocab) ends(bosDefault, eosDefault bool) error {
	single, pair := []int32{}, []int32{}
	addBOS, err := v.flag("add_bos_token", bosDefault)
	if err != nil {
		return err
	}
	addEOS, err := v.flag("add_eos_token", eosDefault)
	if err != nil {
		return err
	}
	bos, err := v.id("bos_token_id")
	if err != nil {
		return err
	}
	eos, err := v.id("eos_token_id")
	if err != nil {
		return err
	}
	if addBOS && bos < 0 || addEOS && eos < 0 {
		return fmt.Errorf("the token that begins or ends a text is not named")
	}
	if !addBOS && !addEOS {
		return nil
	}
	for n := range int32(2) {
		var part []int32
		if addBOS {
			part = append(part, bos, n)
		}
		part = append(part, first-n, n)
		if addEOS {
			part = append(part, eos, n)
		}
		if n == 0 {
			single = part
		}
		pair = append(pair, part...)
	}
	v.templates(single, pair)
	return nil
}
