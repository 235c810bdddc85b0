package tokenizer

import (
	"strings"
	"unicode/utf8"
)

// tail says what a stream may conclude of the end of a text from its last tokens, so that it need not decode all that it
// holds back with each new one.
type tail struct {
	unknown bool // nothing: a step may look at the whole text
	joined  bool // the steps so far have made one text of all tokens
	runs    bool // bytes fall back: the end depends on the whole run of byte tokens that it belongs to
}

// add takes a step of the decoders into account.
func (t *tail) add(s Step) {
	switch s.Kind {
	case DecodeByteLevel, DecodeFuse:
		t.unknown = t.unknown || t.joined && s.Kind == DecodeByteLevel
		t.joined = true
	case DecodeByteFallback:
		t.unknown = t.unknown || t.joined || t.runs
		t.runs = true
	case DecodeReplace:
		// one that could make or break <0x..> changes what falls back
		t.unknown = t.unknown || t.joined || len(s.Strs) == 0 || strings.Trim(s.Strs[0], "<>+x0123456789abcdefABCDEF") == ""
	case DecodeMetaspace:
		t.unknown = t.unknown || t.joined || len(s.Strs) == 0 || s.Strs[0] == string(utf8.RuneError)
	case DecodeStrip:
		t.unknown = t.unknown || len(s.Strs) == 0 || s.Strs[0] == string(utf8.RuneError)
	default:
		t.unknown = t.unknown || t.joined || t.runs
	}
}

// least is the number of tokens whose text is long enough for its last character: at most 4 bytes of one byte each, and
// some that a step drops.
const least = 8

// byteRun is the run of byte tokens at the end of a stream's tokens.
type byteRun struct {
	length  int
	bad     bool // it is not UTF-8, however it goes on
	ends    bool // with U+FFFD
	pending []byte
}

// add takes note of the next token.
func (r *byteRun) add(c byte, isByte bool) {
	if !isByte {
		r.length, r.bad, r.ends, r.pending = 0, false, false, r.pending[:0]
		return
	}
	r.length++
	r.pending = append(r.pending, c)
	if r.bad || !utf8.FullRune(r.pending) {
		if r.bad {
			r.pending = r.pending[:0]
		}
		return
	}
	c0, size := utf8.DecodeRune(r.pending)
	r.bad, r.ends = c0 == utf8.RuneError && size == 1, c0 == utf8.RuneError
	r.pending = r.pending[:0]
}

// incomplete reports whether the text of the run ends with U+FFFD.
func (r *byteRun) incomplete() bool { return r.bad || r.ends || len(r.pending) > 0 }

// byteOf returns the byte that an id names.
func (t *Tokenizer) byteOf(id int32) (byte, bool) {
	if t.vocab.flags[id]&flagForm != 0 {
		return byteToken([]byte(t.vocab.forms[id]))
	}
	return byteToken(t.vocab.text(id))
}

// follow notes the last token, which belongs to the run at the end or ends it.
func (s *Stream) follow(id int32) {
	if s.t.tail.runs {
		s.run.add(s.t.byteOf(id))
	}
}

// refollow finds the run at the end anew, after tokens were dropped at the beginning.
func (s *Stream) refollow() {
	if s.run.length <= len(s.ids) || !s.t.tail.runs {
		return
	}
	s.run.add(0, false)
	for _, id := range s.ids {
		s.follow(id)
	}
}

// held reports whether the text of all tokens surely ends with U+FFFD, by a look at the last ones.
func (s *Stream) held() bool {
	if s.t.tail.unknown || len(s.ids) < 4*least {
		return false
	}
	if s.run.length > 0 {
		return s.run.incomplete()
	}
	from := len(s.ids) - least
	for s.t.tail.runs && from > 0 {
		if _, ok := s.t.byteOf(s.ids[from]); !ok {
			break
		}
		from--
	}
	return incomplete(s.t.decode(&s.d, s.ids[from:], s.skip))
}
