// Package tokenizer turns text into token ids and back. It executes a packed tokenizer, which package
// gen/tokenizer makes from a tokenizer.json, a GGUF vocabulary or vocabulary files, and gives the ids, offsets
// and texts of the Hugging Face tokenizers library for it.
//
// A text goes through added-token matching, normalizers, pre-tokenizers, the model (BPE, WordPiece or
// WordLevel) and a post-processor; ids go back through decoders. Each stage is a list of steps in the packed
// form, so that a tokenizer is data and this package is the machine that runs it.
package tokenizer

import "sync"

// Tokenizer is a loaded tokenizer. It is immutable and safe for concurrent use.
type Tokenizer struct {
	vocab    vocab
	added    addedSet // matched in the text as it is
	normed   addedSet // matched after normalisation
	model    model
	norm     []normalizer
	pre      []preTokenizer
	decoders []decoder
	tail     tail
	post     postProcessor

	rawBytes   bool // the last pre-tokenizer maps bytes to characters and the model takes the bytes themselves
	stream     streaming
	truncation *Truncation
	padding    *Padding

	position bool // a pre-tokenizer asks where in the text a piece begins, so that alignments are always kept

	states sync.Pool // *state
	pieces sync.Pool // *Pieces
}

// VocabSize returns the number of ids: one more than the greatest.
func (t *Tokenizer) VocabSize() int { return t.vocab.size() }

// TokenID returns the id of a token by its text in the vocabulary, added tokens first.
func (t *Tokenizer) TokenID(token string) (int32, bool) {
	id := t.vocab.find([]byte(token), flagAdded)
	if id < 0 {
		id = t.vocab.find([]byte(token), flagModel)
	}
	return id, id >= 0
}

// Token returns the text of an id as the vocabulary writes it, "" for an id without token.
func (t *Tokenizer) Token(id int32) string {
	if !t.vocab.has(id) {
		return ""
	}
	return string(t.vocab.text(id))
}

// IsSpecial reports whether decoding with skipSpecial leaves the id out.
func (t *Tokenizer) IsSpecial(id int32) bool {
	return t.vocab.has(id) && t.vocab.flags[id]&flagSpecial != 0
}

// Encode returns the ids of text. With special the post-processor's tokens (begin of text, …) are added.
// Special tokens that stand in the text are recognised either way. Bytes that are not UTF-8 count as U+FFFD.
func (t *Tokenizer) Encode(text string, special bool) []int32 {
	return t.AppendEncode(nil, text, special)
}

// AppendEncode appends the ids that Encode returns to dst.
func (t *Tokenizer) AppendEncode(dst []int32, text string, special bool) []int32 {
	return t.appendEncode(dst, text, special, false)
}

// EncodeLiteral is Encode for text that is not trusted to name special tokens: a special token's text in it
// is encoded as any other text.
func (t *Tokenizer) EncodeLiteral(text string, special bool) []int32 {
	return t.appendEncode(nil, text, special, true)
}

func (t *Tokenizer) appendEncode(dst []int32, text string, special, literal bool) []int32 {
	if special && !t.post.simple {
		if e, err := t.EncodeInput(Text(text), Options{Special: true, Literal: literal}); err == nil {
			return append(dst, e.IDs...)
		}
	}
	s := t.acquire(t.position, literal)
	defer t.release(s)
	s.encode(text)
	if t.post.simple {
		return t.post.single.appendIDs(dst, special, s.ids)
	}
	return append(dst, s.ids...)
}

// EncodePair returns the ids of two texts joined by the post-processor's pair template, with its special
// tokens, and the type id of each (0 or 1 in most templates).
func (t *Tokenizer) EncodePair(a, b string) (ids, typeIDs []int32) {
	e, err := t.EncodeInput(Pair(a, b), Options{Special: true})
	if err != nil {
		return nil, nil
	}
	return e.IDs, e.TypeIDs
}

// EncodeOffsets returns the ids of text and for each the range of bytes of text that it stands for, [0, 0]
// for an added special token. A token that holds only some bytes of a character has the whole character.
func (t *Tokenizer) EncodeOffsets(text string, special bool) (ids []int32, off [][2]int) {
	e, err := t.EncodeInput(Text(text), Options{Special: special})
	if err != nil {
		return nil, nil
	}
	return e.IDs, e.Offsets
}

func (t *Tokenizer) acquire(track, literal bool) *state {
	s, ok := t.states.Get().(*state)
	if !ok {
		s = &state{t: t}
	}
	s.track, s.literal, s.trim = track, literal, false
	return s
}

// release gives the scratch space back unless it grew beyond what is worth keeping.
func (t *Tokenizer) release(s *state) {
	const keep = 1 << 20
	s.forget()
	if cap(s.ids) <= keep && cap(s.edit.out.b) <= keep && cap(s.symbols) <= keep && cap(s.pieces) <= keep {
		t.states.Put(s)
	}
}
