package tokenizer

import (
	"bytes"
	"slices"
	"unsafe"
)

// Stream decodes a sequence of ids one by one. It belongs to one caller.
type Stream struct {
	t      *Tokenizer
	skip   bool
	ids    []int32 // what the next piece may depend on
	prefix []byte  // text of ids that was handed out
	done   int     // ids that prefix comes from
	run    byteRun
	open   bool // the text of ids ends with U+FFFD
	d      decodeState
	arena  []byte // where pieces live; never written twice
}

// NewStream returns a decoder for one sequence.
func (t *Tokenizer) NewStream(skipSpecial bool) *Stream { return &Stream{t: t, skip: skipSpecial} }

// Next returns the text that id adds to what was returned before. It is "" as long as the bytes of a
// character are not complete, and for tokens that have no text.
func (s *Stream) Next(id int32) string {
	if len(s.prefix) == 0 && len(s.ids) > 0 && !s.open {
		if b := s.decode(); !incomplete(b) {
			s.prefix, s.done = append(s.prefix[:0], b...), len(s.ids)
		}
	}
	if !s.t.shows(id, s.skip) {
		return ""
	}
	s.ids = append(s.ids, id)
	if s.follow(id); s.held() {
		s.open = true
		return ""
	}
	b := s.decode()
	s.open = incomplete(b)
	if len(b) <= len(s.prefix) || s.open || !bytes.HasPrefix(b, s.prefix) {
		return ""
	}
	piece := s.keep(b[len(s.prefix):])
	rest := len(s.ids) - s.done
	s.ids = slices.Delete(s.ids, 0, s.done)
	s.refollow()
	s.prefix = append(s.prefix[:0], s.decode()...)
	s.done = rest
	return piece
}

func (s *Stream) decode() []byte { return s.t.decode(&s.d, s.ids, s.skip) }

// incomplete reports whether a text ends with U+FFFD, which more bytes may turn into a character.
func incomplete(b []byte) bool { return bytes.HasSuffix(b, []byte("\ufffd")) }

// keep copies b to memory that outlives the next call, one allocation for many pieces.
func (s *Stream) keep(b []byte) string {
	const chunk = 4096
	if cap(s.arena)-len(s.arena) < len(b) {
		s.arena = make([]byte, 0, max(chunk, len(b)))
	}
	at := len(s.arena)
	s.arena = append(s.arena, b...)
	return unsafe.String(unsafe.SliceData(s.arena[at:]), len(b))
}

// Rest returns the text that is still held back, U+FFFD for bytes that make no character.
func (s *Stream) Rest() string {
	b := s.decode()
	if len(b) <= len(s.prefix) || !bytes.HasPrefix(b, s.prefix) {
		return ""
	}
	return s.keep(b[len(s.prefix):])
}
