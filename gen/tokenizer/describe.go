package tokenizer

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// names are the steps as `tfgen tokenizer inspect` lists them.
var names = map[tokenizer.Kind]string{
	tokenizer.NormNFC: "NFC", tokenizer.NormNFD: "NFD", tokenizer.NormNFKC: "NFKC", tokenizer.NormNFKD: "NFKD", tokenizer.NormLowercase: "lower case",
	tokenizer.NormStrip: "strip", tokenizer.NormAccents: "strip accents", tokenizer.NormReplace: "replace", tokenizer.NormPattern: "replace by scanner",
	tokenizer.NormPrepend: "prepend", tokenizer.NormBertClean: "BERT: clean", tokenizer.NormBertHan: "BERT: space ideographs", tokenizer.NormBertAccents: "BERT: strip accents",
	tokenizer.NormNmt: "NMT", tokenizer.NormByteLevel: "bytes to characters", tokenizer.NormCharsMap: "characters map", tokenizer.NormProgram: "replace by program",
	tokenizer.NormSentencePiece: "SentencePiece",
	tokenizer.PreByteLevel:      "bytes to characters", tokenizer.PrePattern: "split by scanner", tokenizer.PreText: "split at text", tokenizer.PreWhitespace: "words and signs",
	tokenizer.PreSpaceSplit: "split at white space", tokenizer.PreBert: "BERT: words and signs", tokenizer.PrePunctuation: "split at punctuation", tokenizer.PreDigits: "split at digits",
	tokenizer.PreMetaspace: "metaspace", tokenizer.PreProgram: "split by program", tokenizer.PreScripts: "split by script", tokenizer.PreLength: "split by length",
	tokenizer.ModelBPE: "BPE", tokenizer.ModelWordPiece: "WordPiece", tokenizer.ModelWordLevel: "WordLevel", tokenizer.ModelUnigram: "Unigram",
	tokenizer.PostTemplate: "template of one text", tokenizer.PostPair: "template of two texts", tokenizer.PostTrim: "offsets without white space",
	tokenizer.PostBert: "BERT's template", tokenizer.PostRoberta: "RoBERTa's template",
	tokenizer.DecodeByteLevel: "characters to bytes", tokenizer.DecodeWordPiece: "join word pieces", tokenizer.DecodeMetaspace: "metaspace", tokenizer.DecodeByteFallback: "byte tokens",
	tokenizer.DecodeFuse: "fuse", tokenizer.DecodeStrip: "strip", tokenizer.DecodeBPE: "join at suffixes", tokenizer.DecodeReplace: "replace", tokenizer.DecodeCTC: "CTC",
	tokenizer.DecodeProgram:     "replace by program",
	tokenizer.DefaultTruncation: "truncation, where asked for", tokenizer.DefaultPadding: "padding, where asked for",
}

// stageOf returns the name of a step's stage.
func stageOf(k tokenizer.Kind) string {
	switch {
	case k < tokenizer.PreByteLevel:
		return "normalizer"
	case k < tokenizer.ModelBPE:
		return "pre-tokenizer"
	case k < tokenizer.PostTemplate:
		return "model"
	case k < tokenizer.DecodeByteLevel:
		return "post-processor"
	case k < tokenizer.DefaultTruncation:
		return "decoder"
	}
	return "option"
}

// Describe says what a step does, in a line.
func Describe(s tokenizer.Step) (stage, text string) {
	text = names[s.Kind]
	strs := s.Strs
	switch s.Kind {
	case tokenizer.NormProgram, tokenizer.PreProgram, tokenizer.DecodeProgram, tokenizer.NormCharsMap, tokenizer.NormSentencePiece:
		text += fmt.Sprintf(" (%d bytes)", len(strs[0]))
		strs = strs[1:]
	}
	if len(s.Ints) > 0 {
		text += " " + strings.Trim(fmt.Sprint(s.Ints), "[]")
	}
	for _, v := range strs {
		text += fmt.Sprintf(" %.200q", v)
	}
	return stageOf(s.Kind), text
}
