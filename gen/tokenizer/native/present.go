//go:build native_tokenizers && cgo

package native

import (
	"errors"
	"strings"

	"github.com/daulet/tokenizers"
)

// errNUL is returned for texts that C strings cannot hold.
var errNUL = errors.New("the native tokenizers library takes no NUL in texts")

// Tokenizer is a tokenizer of the library. It may be used by several goroutines.
type Tokenizer struct{ t *tokenizers.Tokenizer }

// Open makes a tokenizer of a tokenizer.json. With literal, special tokens in texts are text.
func Open(config []byte, literal bool) (*Tokenizer, error) {
	var options []tokenizers.TokenizerOption
	if literal {
		options = append(options, tokenizers.WithEncodeSpecialTokens())
	}
	t, err := tokenizers.FromBytes(config, options...)
	if err != nil {
		return nil, err
	}
	return &Tokenizer{t}, nil
}

// Close frees the tokenizer.
func (t *Tokenizer) Close() error { return t.t.Close() }

// VocabSize returns the number of tokens, added ones included.
func (t *Tokenizer) VocabSize() int { return int(t.t.VocabSize()) }

// Encode encodes a text; invalid UTF-8 counts as U+FFFD. With special it adds the tokens that the model expects. A text that
// the library cannot encode gives no tokens.
func (t *Tokenizer) Encode(text string, special bool) (Encoding, error) {
	if strings.IndexByte(text, 0) >= 0 {
		return Encoding{}, errNUL
	}
	e := t.t.EncodeWithOptions(text, special, tokenizers.WithReturnTypeIDs(), tokenizers.WithReturnSpecialTokensMask(),
		tokenizers.WithReturnAttentionMask(), tokenizers.WithReturnOffsets())
	out := Encoding{IDs: int32s(e.IDs), TypeIDs: int32s(e.TypeIDs), Special: int32s(e.SpecialTokensMask), Mask: int32s(e.AttentionMask)}
	for _, o := range e.Offsets {
		out.Offsets = append(out.Offsets, [2]int{int(o[0]), int(o[1])})
	}
	return out, nil
}

// AppendEncode appends the ids of a text, none if it cannot be encoded.
func (t *Tokenizer) AppendEncode(dst []int32, text string, special bool) []int32 {
	if strings.IndexByte(text, 0) >= 0 {
		return dst
	}
	e := t.t.EncodeWithOptions(text, special)
	return append(dst, int32s(e.IDs)...)
}

// Decode returns the text of ids, up to a NUL.
func (t *Tokenizer) Decode(ids []int32, skipSpecial bool) string {
	list := make([]uint32, len(ids))
	for i, id := range ids {
		list[i] = uint32(id)
	}
	return t.t.Decode(list, skipSpecial)
}

// NewStream returns a decoder of a sequence of tokens.
func (t *Tokenizer) NewStream(skipSpecial bool) *Stream {
	return &Stream{decoder: t, skip: skipSpecial}
}

func int32s(ids []uint32) []int32 {
	out := make([]int32, len(ids))
	for i, id := range ids {
		out[i] = int32(id)
	}
	return out
}
