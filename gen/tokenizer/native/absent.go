//go:build !native_tokenizers || !cgo

package native

// Tokenizer is a tokenizer of the library.
type Tokenizer struct{}

// Open returns ErrAbsent.
func Open(config []byte, literal bool) (*Tokenizer, error) { return nil, ErrAbsent }

// Close frees the tokenizer.
func (*Tokenizer) Close() error { return nil }

// VocabSize returns the number of tokens, added ones included.
func (*Tokenizer) VocabSize() int { return 0 }

// Encode returns ErrAbsent.
func (*Tokenizer) Encode(text string, special bool) (Encoding, error) { return Encoding{}, ErrAbsent }

// AppendEncode returns dst.
func (*Tokenizer) AppendEncode(dst []int32, text string, special bool) []int32 { return dst }

// Decode returns "".
func (*Tokenizer) Decode(ids []int32, skipSpecial bool) string { return "" }

// NewStream returns a decoder of a sequence of tokens.
func (t *Tokenizer) NewStream(skipSpecial bool) *Stream {
	return &Stream{decoder: t, skip: skipSpecial}
}
