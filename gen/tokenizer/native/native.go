// Package native encodes and decodes with the tokenizers library of Hugging Face itself, by github.com/daulet/tokenizers: an
// oracle for runtime/tokenizer, and a second backend for whoever wants one. It needs cgo, the build tag native_tokenizers
// and the library that `make native-tokenizers` builds; without the tag, Open returns ErrAbsent.
package native

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// ErrAbsent is returned where the library is not part of the program.
var ErrAbsent = errors.New("the native tokenizers library is not part of this program: build it with `make native-tokenizers`, " +
	"then with CGO_ENABLED=1 CGO_LDFLAGS=-L$PWD/bin/native go build -tags native_tokenizers ./cmd/tfgen")

// Encoding is what a text is encoded to; the lists have an element for each token. Offsets are in bytes.
type Encoding struct {
	IDs, TypeIDs, Mask, Special []int32
	Offsets                     [][2]int
}

// decoder decodes lists of ids.
type decoder interface {
	Decode(ids []int32, skipSpecial bool) string
}

// Stream decodes token by token, as the library's DecodeStream does: it decodes the tokens that are not yet certain again
// with each new one.
type Stream struct {
	decoder decoder
	skip    bool
	ids     []int32
	prefix  string
	read    int // tokens that prefix comes from
}

// Next returns the text that a token makes certain.
func (s *Stream) Next(id int32) string {
	if s.prefix == "" && len(s.ids) > 0 {
		if text := s.decoder.Decode(s.ids, s.skip); !strings.HasSuffix(text, string(utf8.RuneError)) {
			s.prefix, s.read = text, len(s.ids)
		}
	}
	s.ids = append(s.ids, id)
	text := s.decoder.Decode(s.ids, s.skip)
	if len(text) <= len(s.prefix) || strings.HasSuffix(text, string(utf8.RuneError)) || !strings.HasPrefix(text, s.prefix) {
		return ""
	}
	piece := text[len(s.prefix):]
	rest := len(s.ids) - s.read
	s.ids = append(s.ids[:0], s.ids[s.read:]...)
	s.prefix, s.read = s.decoder.Decode(s.ids, s.skip), rest
	return piece
}
