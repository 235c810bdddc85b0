package tokenizer

import (
	"bytes"
	"unicode/utf8"
)

// AppendBytes appends the bytes of a token in the middle of a text to dst, nothing
// for special tokens. For many tokens, Pieces is faster.
func (t *Tokenizer) AppendBytes(dst []byte, id int32) []byte {
	p, ok := t.pieces.Get().(*Pieces)
	if !ok {
		p = t.NewPieces()
	}
	defer t.pieces.Put(p)
	return p.Append(dst, id)
}

// Pieces gives the bytes that tokens stand for in the middle of a text, which
// may be a part of a character. It belongs to one caller.
type Pieces struct {
	t      *Tokenizer
	d      decodeState
	ids    []int32 // an ordinary text, then the token
	before []byte  // the text
}

// anchor is an ordinary text for tokens to stand behind.
const anchor = "abcdef"

// NewPieces returns the pieces of t's tokens.
func (t *Tokenizer) NewPieces() *Pieces {
	p := &Pieces{t: t, ids: t.Encode(anchor, false)}
	p.before = bytes.Clone(t.decode(&p.d, p.ids, false))
	p.ids = append(p.ids, 0)
	return p
}

// Append appends the bytes of a token to dst, nothing for special tokens and ids
// without a token.
func (p *Pieces) Append(dst []byte, id int32) []byte {
	if !p.t.shows(id, true) {
		return dst
	}
	p.ids[len(p.ids)-1] = id
	b := p.t.decode(&p.d, p.ids, false)
	if !bytes.HasPrefix(b, p.before) {
		return dst
	}
	b = b[len(p.before):]
	if !bytes.Contains(b, []byte("\ufffd")) {
		return append(dst, b...)
	}
	return append(dst, p.t.rawBytesOf(id, b)...)
}

// rawBytesOf returns the bytes of a token that is no text on its own: a byte token, or
// one in GPT-2's characters. Any other token is its text.
func (t *Tokenizer) rawBytesOf(id int32, text []byte) []byte {
	b := t.vocab.text(id)
	if c, ok := byteToken(b); ok {
		return []byte{c}
	}
	var raw []byte
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if int(r) >= len(charBytes) || charBytes[r] < 0 {
			return text
		}
		raw = append(raw, byte(charBytes[r]))
		b = b[n:]
	}
	return raw
}
