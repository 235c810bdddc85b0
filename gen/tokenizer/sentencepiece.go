package tokenizer

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// Types of pieces in a SentencePiece model.
const (
	pieceNormal      = 1
	pieceUnknown     = 2
	pieceControl     = 3
	pieceUserDefined = 4
	pieceUnused      = 5
	pieceByte        = 6
)

// Types of SentencePiece models.
const (
	spUnigram = 1
	spBPE     = 2
	spChar    = 4
)

// spPiece is a token of a SentencePiece model.
type spPiece struct {
	text  string
	score float64
	kind  uint64
}

// spModel is what counts of sentencepiece_model.proto.
type spModel struct {
	pieces       []spPiece
	kind         uint64
	suffix       bool // white space belongs to the word before it
	charsMap     []byte
	prefix       bool // a space is put before a text
	squeeze      bool // spaces at the ends go away, and all but one between
	escape       bool // a space is written as U+2581
	denormalizer bool
}

// FromSentencePiece packs a model of SentencePiece (tokenizer.model, spiece.model). Without special tokens in it, a
// text is encoded as SentencePiece does; nothing is put about it. Control symbols that stand in a text are recognised
// unless it is encoded as literal.
func FromSentencePiece(src []byte) ([]byte, error) {
	m, err := readSentencePiece(src)
	if err != nil {
		return nil, fmt.Errorf("sentencepiece model: %w", err)
	}
	b := &builder{}
	if err := b.sentencePiece(m); err != nil {
		return nil, fmt.Errorf("sentencepiece model: %w", err)
	}
	var list []added
	for i, p := range m.pieces {
		if p.kind == pieceControl && p.text != "" {
			list = append(list, added{text: p.text, special: true})
		}
		if p.kind == pieceUnknown {
			b.Tokens[i].Special = true
		}
	}
	return b.pack(list)
}

func readSentencePiece(src []byte) (*spModel, error) {
	m := &spModel{kind: spUnigram, prefix: true, squeeze: true, escape: true}
	err := message(src).each(func(f field) error {
		switch f.number {
		case 1:
			return m.piece(f.bytes)
		case 2:
			return message(f.bytes).each(m.trainer)
		case 3:
			return message(f.bytes).each(m.normalizer)
		case 5:
			return message(f.bytes).each(func(f field) error {
				m.denormalizer = m.denormalizer || f.number == 2 && len(f.bytes) > 0
				return nil
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	switch {
	case len(m.pieces) == 0:
		return nil, fmt.Errorf("it has no pieces")
	case m.denormalizer:
		return nil, fmt.Errorf("a denormalizer is not supported")
	case m.suffix:
		return nil, fmt.Errorf("white space as a suffix is not supported; supported is as a prefix")
	case m.kind != spUnigram && m.kind != spBPE && m.kind != spChar:
		return nil, fmt.Errorf("model type %d; supported are 1 (unigram), 2 (BPE) and 4 (char)", m.kind)
	}
	return m, nil
}

func (m *spModel) piece(b []byte) error {
	p := spPiece{kind: pieceNormal}
	err := message(b).each(func(f field) error {
		switch f.number {
		case 1:
			p.text = string(f.bytes)
		case 2:
			p.score = f.float()
		case 3:
			p.kind = f.value
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case len(m.pieces) >= maxTokens:
		return fmt.Errorf("more than %d pieces", maxTokens)
	case p.kind < pieceNormal || p.kind > pieceByte || !utf8.ValidString(p.text) || math.IsNaN(p.score):
		return fmt.Errorf("piece %d, %.40q, has the type %d and the score %v", len(m.pieces), p.text, p.kind, p.score)
	}
	m.pieces = append(m.pieces, p)
	return nil
}

func (m *spModel) trainer(f field) error {
	switch f.number {
	case 3:
		m.kind = f.value
	case 24:
		m.suffix = f.value != 0
	}
	return nil
}

func (m *spModel) normalizer(f field) error {
	switch f.number {
	case 2:
		m.charsMap = f.bytes
	case 3:
		m.prefix = f.value != 0
	case 4:
		m.squeeze = f.value != 0
	case 5:
		m.escape = f.value != 0
	}
	return nil
}

// sentencePiece makes the vocabulary, the normalizer, the model and the decoders.
func (b *builder) sentencePiece(m *spModel) error {
	if len(m.charsMap) > maxCharsMap {
		return fmt.Errorf("a characters map of %d bytes, at most %d are supported", len(m.charsMap), maxCharsMap)
	}
	unknown, fallback := b.spVocabulary(m)
	if unknown < 0 {
		return fmt.Errorf("it has no piece for what is unknown")
	}
	normalize := append([]string{string(m.charsMap)}, m.userDefined()...)
	b.step(tokenizer.NormSentencePiece, []int32{bit(m.prefix), bit(m.squeeze), bit(m.escape)}, normalize...)
	if _, err := tokenizer.Normalizer(b.Steps); err != nil {
		return err
	}
	switch m.kind {
	case spUnigram:
		b.step(tokenizer.ModelUnigram, []int32{unknown, bit(fallback) | tokenizer.UnigramSingle})
	case spBPE:
		b.spMerges(m)
		b.bpeStep(tokenizer.BPEFuseUnknown|bit(fallback)*tokenizer.BPEByteFallback, unknown, "", "")
	case spChar:
		b.bpeStep(tokenizer.BPEFuseUnknown|bit(fallback)*tokenizer.BPEByteFallback, unknown, "", "")
	}
	b.step(tokenizer.DecodeReplace, nil, "▁", " ")
	b.step(tokenizer.DecodeByteFallback, nil)
	b.step(tokenizer.DecodeFuse, nil)
	if m.prefix {
		b.step(tokenizer.DecodeStrip, []int32{1, 0}, " ")
	}
	return nil
}

// spVocabulary makes the tokens table. Only pieces that a text can be made of belong to the model.
func (b *builder) spVocabulary(m *spModel) (unknown int32, fallback bool) {
	unknown = -1
	b.ids, b.size = map[string]int32{}, int32(len(m.pieces))
	greatest := math.Inf(-1)
	for _, p := range m.pieces {
		if p.kind == pieceNormal {
			greatest = max(greatest, p.score)
		}
	}
	for i, p := range m.pieces {
		e := tokenizer.Entry{Text: p.text, Score: p.score}
		switch p.kind {
		case pieceNormal:
			e.Model = true
		case pieceUserDefined:
			// it is worth more than any other way to write it
			e.Model, e.Score = true, float64(float32(float64(float32(len(p.text))*float32(greatest))-0.1))
		case pieceUnknown:
			unknown = int32(i)
		}
		fallback = fallback || p.kind == pieceByte
		e.Byte = p.kind == pieceByte
		e.Added = !e.Model && !e.Byte
		if p.kind != pieceUnused {
			b.ids[p.text] = int32(i)
		}
		b.Tokens = append(b.Tokens, e)
	}
	b.spUserDefined(m)
	return unknown, fallback
}

// spUserDefined lets user-defined pieces be found in the normalised text.
func (b *builder) spUserDefined(m *spModel) {
	for i, p := range m.pieces {
		if p.kind == pieceUserDefined && p.text != "" {
			b.Added = append(b.Added, tokenizer.AddedToken{ID: int32(i), Flags: tokenizer.AddedNormalized, Pattern: p.text})
			b.Tokens[i].Added = true
		}
	}
}

func (m *spModel) userDefined() []string {
	var out []string
	for _, p := range m.pieces {
		if p.kind == pieceUserDefined && p.text != "" {
			out = append(out, p.text)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// spMerges makes the merges that the scores of a BPE model stand for.
func (b *builder) spMerges(m *spModel) {
	joins := func(text string) (int32, bool) {
		id, ok := b.ids[text]
		return id, ok && m.pieces[id].kind == pieceNormal
	}
	b.scoreMerges(joins, func(id int32) float64 { return m.pieces[id].score })
}

// scored is a merge with what orders it.
type scored struct {
	tokenizer.Merge
	score float64
	left  int // characters
}

// scoreMerges makes the merges that scores of tokens stand for: every pair of tokens that joins to a token, those
// with the highest score first, and of one token's pairs those with the longest left part. joins tells which texts
// are tokens that take part.
func (b *builder) scoreMerges(joins func(string) (int32, bool), score func(int32) float64) {
	var list []scored
	for text, id := range b.ids {
		if _, ok := joins(text); !ok {
			continue
		}
		n := 0
		for i := range text {
			if i > 0 {
				l, okL := joins(text[:i])
				r, okR := joins(text[i:])
				if okL && okR {
					list = append(list, scored{tokenizer.Merge{Left: l, Right: r, Result: id}, score(id), n})
				}
			}
			n++
		}
	}
	slices.SortFunc(list, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(b.left, a.left), cmp.Compare(a.Result, b.Result), cmp.Compare(a.Left, b.Left))
	})
	for _, s := range list {
		b.Merges = append(b.Merges, s.Merge)
	}
}
