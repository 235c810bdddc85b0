package tokenizer

import "unicode/utf8"

// piece is a range of the text under change. id ≥ 0 makes it an added token.
type piece struct {
	lo, hi int
	id     int32
}

// state is the scratch space of one encoding.
type state struct {
	t       *Tokenizer
	track   bool // keep alignments
	literal bool // special tokens in the text are text
	trim    bool // offsets leave out white space

	cur     text // all sections of the text, normalised
	edit    editor
	spare   text // a buffer of the editor's while its input is the caller's text
	pieces  []piece
	next    []piece
	cuts    []cut
	ids     []int32
	spans   [][2]int   // range of each id of the current piece in it, if alignments are kept
	off     [][2]int   // byte range of each id in the original text
	spaces  [][2]int32 // white space at both ends of each token, if the post-processor asks
	words   []int32    // piece that each id comes from, if alignments are kept
	symbols []symbol
	heap    []uint64
	key     []byte
	matcher matcher
	path    []pathNode
}

// forget drops what refers to the caller's text.
func (s *state) forget() { s.edit.in = text{}; s.cur.reset() }

// cut cuts a text into pieces.
func (s *state) cut(in string) {
	s.pieces = s.pieces[:0]
	s.cur.reset()
	s.edit.track = s.track
	s.sections(in)
	for _, p := range s.t.pre {
		p.split(s)
	}
}

// encode fills ids, and off, words and spaces if alignments are kept.
func (s *state) encode(in string) {
	s.ids, s.off, s.words, s.spaces = s.ids[:0], s.off[:0], s.words[:0], s.spaces[:0]
	s.cut(in)
	for i, p := range s.pieces {
		s.spans = s.spans[:0]
		first := len(s.ids)
		if p.id >= 0 {
			s.emit(p.id, 0, p.hi-p.lo)
		} else {
			s.t.model.encode(s, s.cur.b[p.lo:p.hi])
		}
		if s.track {
			s.place(i)
		}
		if s.trim {
			s.countSpaces(p, first)
		}
	}
}

// countSpaces notes the white space at the ends of the tokens of a piece, from the token numbered first on. An added
// token has the text that was found, and so has an unknown one of a Unigram model.
func (s *state) countSpaces(p piece, first int) {
	b := s.cur.b[p.lo:p.hi]
	u, _ := s.t.model.(*unigram)
	for k, id := range s.ids[first:] {
		text := b
		switch {
		case p.id >= 0:
		case u != nil && id == u.unknown:
			text = b[s.spans[k][0]:s.spans[k][1]]
		default:
			text = s.t.vocab.text(id)
		}
		s.spaces = append(s.spaces, [2]int32{countSpaces(text, false), countSpaces(text, true)})
	}
}

// emit appends a token that stands for a range of the current piece.
func (s *state) emit(id int32, lo, hi int) {
	s.ids = append(s.ids, id)
	if s.track {
		s.spans = append(s.spans, [2]int{lo, hi})
	}
}

// place appends the offsets of the tokens of a piece.
func (s *state) place(index int) {
	p := s.pieces[index]
	for _, r := range s.spans {
		lo := min(p.lo+r[0], p.hi-1)
		hi := max(min(p.lo+r[1], p.hi)-1, lo)
		s.off = append(s.off, [2]int{s.cur.al[lo].lo, s.cur.al[hi].hi})
		s.words = append(s.words, int32(index))
	}
}

// sections cuts the text at added tokens, normalises what lies between and cuts that again.
func (s *state) sections(in string) {
	b := viewBytes(in)
	if !utf8.ValidString(in) {
		s.sectionsInvalid(b)
		return
	}
	var al []span
	if s.track {
		al = identity(b)
	}
	s.cutAdded(&s.t.added, b, func(lo, hi int, id int32) { s.section(b, al, lo, hi, id) })
}

// sectionsInvalid reads each byte that is not UTF-8 as U+FFFD.
func (s *state) sectionsInvalid(b []byte) {
	e := editor{in: text{b: b}, track: s.track}
	if s.track {
		e.in.al = identity(b)
	}
	for e.pos < len(b) {
		r, n := e.peek()
		e.replace(r, n)
	}
	s.cutAdded(&s.t.added, e.out.b, func(lo, hi int, id int32) { s.section(e.out.b, e.out.al, lo, hi, id) })
}

// identity aligns each byte of a text with its own character.
func identity(b []byte) []span {
	al := make([]span, len(b))
	for i := 0; i < len(b); {
		_, n := utf8.DecodeRune(b[i:])
		for k := range n {
			al[i+k] = span{i, i + n}
		}
		i += n
	}
	return al
}

func (s *state) section(b []byte, al []span, lo, hi int, id int32) {
	e := &s.edit
	e.in = text{b: b[lo:hi]}
	e.out.reset()
	e.base, e.pos = lo, 0
	if al != nil {
		e.in.al = al[lo:hi]
		e.base = al[lo].lo
	}
	if id < 0 {
		for i, n := range s.t.norm {
			n(e)
			if i == 0 {
				e.in, e.out = e.out, s.spare
				s.spare = text{}
				e.out.reset()
				e.pos = 0
			} else {
				e.flip()
			}
		}
	}
	at := len(s.cur.b)
	s.cur.b = append(s.cur.b, e.in.b...)
	s.cur.al = append(s.cur.al, e.in.al...)
	if id >= 0 {
		s.pieces = append(s.pieces, piece{at, len(s.cur.b), id})
		return
	}
	if len(s.t.norm) > 0 {
		s.spare = e.in
	}
	if len(s.cur.b) > at {
		s.cutAdded(&s.t.normed, s.cur.b[at:], func(lo, hi int, id int32) {
			s.pieces = append(s.pieces, piece{at + lo, at + hi, id})
		})
	}
}
