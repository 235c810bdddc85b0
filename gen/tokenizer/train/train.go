// Package train trains tokenizers from texts: BPE (Sennrich et al. 2016), WordPiece by the same merges, Unigram (Kudo
// 2018) and WordLevel. The results are those of the trainers of the Hugging Face tokenizers library wherever these do
// not depend on the order of its hash tables; where they do, words and characters count in the order of their code
// points here.
package train

import (
	"context"
	"fmt"
	"slices"
)

// Kinds of models.
const (
	BPE       = "BPE"
	WordPiece = "WordPiece"
	Unigram   = "Unigram"
	WordLevel = "WordLevel"
)

// Options are those of the library's trainers. Zero values are their defaults, except where a comment says otherwise.
type Options struct {
	Model           string
	VocabSize       int // 30,000, Unigram 8,000
	MinFrequency    int
	Special         []string // tokens that come first and are never cut
	Unknown         string   // the unknown token; Unigram puts it first if it is not among Special
	LimitAlphabet   int      // characters at most, 0 for no limit
	InitialAlphabet []rune   // characters that are there in any case
	Prefix          string   // of tokens that continue a word; WordPiece has ## if it is empty
	NoPrefix        bool     // WordPiece has none either
	Suffix          string   // of tokens that end a word
	MaxTokenLength  int      // characters at most, 0 for no limit
	ByteFallback    bool     // of the trained model, whose byte tokens are special tokens here

	ShrinkingFactor float64 // 0.75: Unigram keeps that part in each round
	SubIterations   int     // 2: rounds of expectation and maximisation between
	MaxPieceLength  int     // 16
	SeedSize        int     // 1,000,000

	Workers  int                                 // goroutines, one a processor if 0; the result does not depend on it
	Progress func(stage string, done, total int) // may be nil
}

func (o *Options) progress(stage string, done, total int) {
	if o.Progress != nil {
		o.Progress(stage, done, total)
	}
}

// Token is a token of a trained model. Score is a Unigram model's.
type Token struct {
	Text  string
	Score float64
}

// Model is a trained model. Tokens are in order of their ids, merges in order of their ranks.
type Model struct {
	Kind           string
	Tokens         []Token
	Merges         [][2]string
	Prefix, Suffix string
	Unknown        string
	UnknownID      int // of a Unigram model, −1 for none
	ByteFallback   bool
}

// Words are pieces of text with how often each occurs.
type Words map[string]int

// counted is a word in the order of words.
type counted struct {
	text string
	n    int
}

func (w Words) sorted() []counted {
	out := make([]counted, 0, len(w))
	for text, n := range w {
		out = append(out, counted{text, n})
	}
	slices.SortFunc(out, func(a, b counted) int {
		if a.text < b.text {
			return -1
		}
		return 1
	})
	return out
}

// maxVocab bounds what can be asked for.
const maxVocab = 1 << 24

// Train trains a model on words. It stops with the context's error when that ends.
func Train(ctx context.Context, words Words, o Options) (*Model, error) {
	if o.VocabSize == 0 {
		o.VocabSize = 30000
		if o.Model == Unigram {
			o.VocabSize = 8000
		}
	}
	if o.VocabSize < 0 || o.VocabSize > maxVocab || o.MinFrequency < 0 || o.LimitAlphabet < 0 {
		return nil, fmt.Errorf("a vocabulary of %d tokens, allowed are 1 to %d", o.VocabSize, maxVocab)
	}
	switch o.Model {
	case BPE:
		return trainBPE(ctx, words, &o)
	case WordPiece:
		if o.Prefix == "" && !o.NoPrefix {
			o.Prefix = "##"
		}
		return trainBPE(ctx, words, &o)
	case Unigram:
		return trainUnigram(ctx, words, &o)
	case WordLevel:
		return trainWordLevel(words, &o), nil
	}
	return nil, fmt.Errorf("no model is called %q; there are %s, %s, %s and %s", o.Model, BPE, WordPiece, Unigram, WordLevel)
}

// trainWordLevel keeps the most frequent words.
func trainWordLevel(words Words, o *Options) *Model {
	list := words.sorted()
	slices.SortStableFunc(list, func(a, b counted) int { return b.n - a.n })
	m := &Model{Kind: WordLevel, Unknown: o.Unknown, UnknownID: -1}
	add := func(text string) {
		if len(m.Tokens) < o.VocabSize {
			m.Tokens = append(m.Tokens, Token{Text: text})
		}
	}
	for _, s := range o.Special {
		add(s)
	}
	for _, w := range list {
		if w.n >= o.MinFrequency && !slices.Contains(o.Special, w.text) {
			add(w.text)
		}
	}
	return m
}
