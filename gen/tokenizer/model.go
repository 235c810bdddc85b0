package tokenizer

import (
	"cmp"
	"fmt"
	"math"

	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// modelFile is the model of a tokenizer.json.
type modelFile struct {
	Type         string     `json:"type"`
	Vocab        vocabTable `json:"vocab"`
	Merges       mergeList  `json:"merges"`
	Dropout      *float64   `json:"dropout"`
	Unknown      *string    `json:"unk_token"`
	Prefix       *string    `json:"continuing_subword_prefix"`
	Suffix       *string    `json:"end_of_word_suffix"`
	FuseUnknown  *bool      `json:"fuse_unk"`
	ByteFallback *bool      `json:"byte_fallback"`
	IgnoreMerges *bool      `json:"ignore_merges"`
	MaxChars     *int64     `json:"max_input_chars_per_word"`
	UnknownID    *int64     `json:"unk_id"`
}

func (b *builder) model(m *modelFile) error {
	if m == nil {
		return fmt.Errorf("missing")
	}
	if m.Type == "" { // files written before the type was: told apart as the reference does
		switch {
		case m.Merges.present:
			m.Type = "BPE"
		case m.MaxChars != nil:
			m.Type = "WordPiece"
		case m.Vocab.scored != nil:
			m.Type = "Unigram"
		default:
			m.Type = "WordLevel"
		}
	}
	switch m.Type {
	case "BPE", "WordPiece", "WordLevel", "Unigram":
	default:
		return fmt.Errorf("%s: %w", m.Type, unsupported("BPE", "WordPiece", "Unigram", "WordLevel"))
	}
	if m.Vocab.err != nil {
		return m.Vocab.err
	}
	if m.Type == "Unigram" {
		return b.unigram(m)
	}
	vocab := m.Vocab.ids
	if err := b.setVocab(vocab); err != nil {
		return err
	}
	unknown := int32(-1)
	if m.Unknown != nil {
		id, ok := vocab[*m.Unknown]
		if !ok && m.Type != "BPE" {
			return fmt.Errorf("the unknown token %q is not in the vocabulary", *m.Unknown)
		}
		if ok {
			unknown = id
		}
	}
	switch m.Type {
	case "BPE":
		return b.bpe(m, unknown)
	case "WordPiece":
		return b.wordPiece(m, unknown)
	}
	b.step(tokenizer.ModelWordLevel, []int32{unknown})
	return nil
}

// unigram takes a list of tokens, whose order gives their ids. Of several of one text the last is the one that is
// found.
func (b *builder) unigram(m *modelFile) error {
	list := m.Vocab.scored
	if len(list) == 0 || len(list) > maxTokens {
		return fmt.Errorf("a vocabulary of %d tokens with scores, supported are 1 to %d", len(list), maxTokens)
	}
	unknown := int32(-1)
	if m.UnknownID != nil {
		if *m.UnknownID < 0 || *m.UnknownID >= int64(len(list)) {
			return fmt.Errorf("unk_id is %d, the vocabulary has %d tokens", *m.UnknownID, len(list))
		}
		unknown = int32(*m.UnknownID)
	}
	b.setScored(list)
	b.step(tokenizer.ModelUnigram, []int32{unknown, bit(or(m.ByteFallback, false))})
	return nil
}

func text(s *string, absent string) string {
	if s == nil {
		return absent
	}
	return *s
}

func (b *builder) wordPiece(m *modelFile, unknown int32) error {
	longest := int64(100)
	if m.MaxChars != nil {
		longest = *m.MaxChars
	}
	if longest < 0 {
		return fmt.Errorf("max_input_chars_per_word is %d", longest)
	}
	b.step(tokenizer.ModelWordPiece, []int32{unknown, int32(min(longest, math.MaxInt32))}, text(m.Prefix, "##"))
	return nil
}

func (b *builder) bpe(m *modelFile, unknown int32) error {
	if m.Dropout != nil && *m.Dropout != 0 {
		return fmt.Errorf("dropout %v makes encoding random; supported is none", *m.Dropout)
	}
	prefix := text(m.Prefix, "")
	if m.Merges.err != nil || !m.Merges.present {
		return cmp.Or(m.Merges.err, fmt.Errorf("merges are missing"))
	}
	for _, p := range m.Merges.pairs {
		if err := b.merge(p[0], p[1], prefix); err != nil {
			return err
		}
	}
	flags := bit(or(m.FuseUnknown, false))*tokenizer.BPEFuseUnknown | bit(or(m.ByteFallback, false))*tokenizer.BPEByteFallback | bit(or(m.IgnoreMerges, false))*tokenizer.BPEIgnoreMerges
	b.bpeStep(flags, unknown, prefix, text(m.Suffix, ""))
	return nil
}

func (b *builder) bpeStep(flags, unknown int32, prefix, suffix string) {
	b.step(tokenizer.ModelBPE, []int32{flags, unknown}, prefix, suffix)
}
