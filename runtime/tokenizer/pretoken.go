package tokenizer

import (
	"math"
	"unicode/utf8"
)

// preTokenizer cuts the pieces of a state smaller, and may change their text.
type preTokenizer interface{ split(s *state) }

// scanner returns how many bytes of b match at i, 0 for no match. b ends where the piece ends.
type scanner func(b []byte, i int) int

// cut is a range of a piece; match says whether the pattern matched it.
type cut struct {
	lo, hi int
	match  bool
}

// preTokenizers make a pre-tokenizer from its step's arguments.
var preTokenizers = map[Kind]func(a *args) preTokenizer{
	PreByteLevel: func(a *args) preTokenizer { return byteLevel{prefix: a.flag(), words: a.flag()} },
	PrePattern: func(a *args) preTokenizer {
		return cutter{behaviour: a.num(Removed, Contiguous), invert: a.flag(), scan: a.scanner()}
	},
	PreText: func(a *args) preTokenizer {
		c := cutter{behaviour: a.num(Removed, Contiguous), invert: a.flag()}
		s := a.str()
		if s == "" {
			a.fail("an empty text to split at")
		}
		c.scan = literal(s)
		return c
	},
	PreWhitespace: func(*args) preTokenizer { return cutter{scan: scanWords, behaviour: Removed, invert: true} },
	PreSpaceSplit: func(*args) preTokenizer { return cutter{scan: one(cSpace), behaviour: Removed} },
	PreBert:       func(*args) preTokenizer { return bertSplit{} },
	PreScripts:    func(*args) preTokenizer { return scriptSplit{} },
	PreLength:     func(a *args) preTokenizer { return lengthSplit{int(a.num(1, math.MaxInt32))} },
	PreProgram: func(a *args) preTokenizer {
		return cutter{behaviour: a.num(Removed, Contiguous), invert: a.flag(), program: a.program()}
	},
	PrePunctuation: func(a *args) preTokenizer {
		return cutter{scan: one(cPunct), behaviour: a.num(Removed, Contiguous)}
	},
	PreDigits: func(a *args) preTokenizer {
		if a.flag() {
			return cutter{scan: one(cNumeric), behaviour: Isolated}
		}
		return cutter{scan: one(cNumeric), behaviour: Contiguous}
	},
	PreMetaspace: func(a *args) preTokenizer {
		return metaspace{scheme: a.num(PrependFirst, PrependAlways), cut: a.flag(), replacement: string(a.character())}
	},
}

func newPreTokenizer(a *args) preTokenizer {
	f, ok := preTokenizers[a.Kind]
	if !ok {
		a.fail("no such pre-tokenizer")
		return nil
	}
	return f(a)
}

// literal matches a text.
func literal(s string) scanner {
	return func(b []byte, i int) int {
		if len(b)-i >= len(s) && string(b[i:i+len(s)]) == s {
			return len(s)
		}
		return 0
	}
}

// one matches a single character of a class.
func one(set uint16) scanner {
	return func(b []byte, i int) int {
		if c, n := at(b, i); c&set != 0 {
			return n
		}
		return 0
	}
}

// cutter splits each piece where scan, or a program in its place, matches.
type cutter struct {
	scan      scanner
	program   *Program
	behaviour int32
	invert    bool
}

func (c cutter) split(s *state) {
	s.next = s.next[:0]
	for _, p := range s.pieces {
		if p.id >= 0 {
			s.next = append(s.next, p)
			continue
		}
		c.cuts(s, p)
		s.keep(c.behaviour)
	}
	s.pieces, s.next = s.next, s.pieces
}

// cuts lists the matches of a piece and what lies between.
func (c cutter) cuts(s *state, p piece) {
	s.cuts = s.cuts[:0]
	if c.program != nil {
		c.programCuts(s, p)
		return
	}
	b := s.cur.b[:p.hi]
	done := p.lo
	for i := p.lo; i < p.hi; {
		n := c.scan(b, i)
		if n == 0 {
			if b[i] < utf8.RuneSelf {
				i++
			} else {
				_, size := utf8.DecodeRune(b[i:])
				i += size
			}
			continue
		}
		if done < i {
			s.cuts = append(s.cuts, cut{done, i, c.invert})
		}
		s.cuts = append(s.cuts, cut{i, i + n, !c.invert})
		i += n
		done = i
	}
	if done < p.hi {
		s.cuts = append(s.cuts, cut{done, p.hi, c.invert})
	}
}

// programCuts is cuts with a program, whose matches can be empty.
func (c cutter) programCuts(s *state, p piece) {
	done := p.lo
	s.matcher.each(c.program, s.cur.b[p.lo:p.hi], func(lo, hi int) {
		lo, hi = lo+p.lo, hi+p.lo
		if done < lo {
			s.cuts = append(s.cuts, cut{done, lo, c.invert})
		}
		s.cuts = append(s.cuts, cut{lo, hi, !c.invert})
		done = hi
	})
	if done < p.hi {
		s.cuts = append(s.cuts, cut{done, p.hi, c.invert})
	}
}

// keep appends the cuts as pieces in the way the behaviour says, those without text excepted.
func (s *state) keep(behaviour int32) {
	first := len(s.next)
	s.join(behaviour)
	kept := s.next[:first]
	for _, p := range s.next[first:] {
		if p.lo < p.hi {
			kept = append(kept, p)
		}
	}
	s.next = kept
}

func (s *state) join(behaviour int32) {
	first := len(s.next)
	before := false // whether the previous cut was a match
	switch behaviour {
	case Removed:
		for _, c := range s.cuts {
			if !c.match {
				s.next = append(s.next, piece{c.lo, c.hi, -1})
			}
		}
	case Isolated:
		for _, c := range s.cuts {
			s.next = append(s.next, piece{c.lo, c.hi, -1})
		}
	case MergedWithPrevious, Contiguous:
		for _, c := range s.cuts {
			join := c.match && !before
			if behaviour == Contiguous {
				join = c.match == before
			}
			if join && len(s.next) > first {
				s.next[len(s.next)-1].hi = c.hi
			} else {
				s.next = append(s.next, piece{c.lo, c.hi, -1})
			}
			before = c.match
		}
	case MergedWithNext:
		for _, c := range s.cuts {
			if before && !c.match {
				s.next[len(s.next)-1].hi = c.hi
			} else {
				s.next = append(s.next, piece{c.lo, c.hi, -1})
			}
			before = c.match
		}
	}
}

// bertSplit drops white space and sets punctuation alone.
type bertSplit struct{}

func (bertSplit) split(s *state) {
	cutter{scan: one(cSpace), behaviour: Removed}.split(s)
	cutter{scan: one(cPunct), behaviour: Isolated}.split(s)
}

// rewrite replaces the text of each piece that is no added token by what f makes of it.
func (s *state) rewrite(f func(e *editor, p piece)) {
	e := editor{in: s.cur, out: s.edit.out, track: s.track}
	e.out.reset()
	for i, p := range s.pieces {
		e.pos = p.lo
		at := len(e.out.b)
		e.in.b = s.cur.b[:p.hi]
		if p.id >= 0 {
			e.rest()
		} else {
			if s.track && p.lo < p.hi {
				e.base = s.cur.al[p.lo].lo
			}
			f(&e, p)
		}
		s.pieces[i].lo, s.pieces[i].hi = at, len(e.out.b)
	}
	s.cur, s.edit.out = e.out, s.cur
}

// byteLevel writes each byte as a printable character (GPT-2), after splitting by GPT-2's pattern if wanted.
type byteLevel struct {
	prefix, words bool
	raw           bool // the model takes bytes: nothing is written
}

func (l byteLevel) split(s *state) {
	if l.prefix {
		s.rewrite(func(e *editor, p piece) {
			if e.in.b[p.lo] != ' ' {
				prepend(e, " ")
			}
			e.rest()
		})
	}
	if l.words {
		cutter{scan: scanGPT2, behaviour: Isolated}.split(s)
	}
	if !l.raw {
		s.rewrite(func(e *editor, _ piece) { mapBytes(e) })
	}
}

// prepend puts text before the input; it shares the span of the first character.
func prepend(e *editor, text string) {
	e.out.b = append(e.out.b, text...)
	if e.track {
		e.align(len(text), e.spanAt(e.pos))
	}
}

func mapBytes(e *editor) {
	for e.pos < len(e.in.b) {
		e.replace(byteChars[e.in.b[e.pos]], 1)
	}
}

// SpellBytes writes bytes as GPT-2's characters, as the tokens of byte-level models are spelled.
func SpellBytes(b []byte) string {
	var out []rune
	for _, c := range b {
		out = append(out, byteChars[c])
	}
	return string(out)
}

// byteChars is GPT-2's bytes_to_unicode: printable bytes stand for themselves, the others follow from U+0100.
var byteChars = func() (t [256]rune) {
	n := rune(256)
	for b := range t {
		if b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae {
			t[b] = rune(b)
		} else {
			t[b] = n
			n++
		}
	}
	return t
}()

// charBytes is the inverse of byteChars, −1 for no byte.
var charBytes = func() (t [324]int16) {
	for i := range t {
		t[i] = -1
	}
	for b, r := range byteChars {
		t[r] = int16(b)
	}
	return t
}()

// metaspace writes a replacement for spaces, puts one before a text, and splits before each.
type metaspace struct {
	scheme      int32
	cut         bool
	replacement string
}

func (m metaspace) split(s *state) {
	s.rewrite(func(e *editor, p piece) {
		if b := e.in.b[p.lo:]; b[0] != ' ' && literal(m.replacement)(b, 0) == 0 {
			if m.scheme == PrependAlways || m.scheme == PrependFirst && e.spanAt(p.lo).lo == 0 {
				prepend(e, m.replacement)
			}
		}
		replaceText(e, " ", m.replacement)
	})
	if m.cut {
		cutter{scan: literal(m.replacement), behaviour: MergedWithNext}.split(s)
	}
}
