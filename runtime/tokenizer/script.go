package tokenizer

import (
	"slices"
	"unicode/utf8"
)

// script returns the number of a character's script, 0 for any.
func script(r rune) uint32 {
	i, found := slices.BinarySearchFunc(scriptTable[:], uint32(r), func(e, r uint32) int { return int(e>>8) - int(r) })
	if !found {
		i--
	}
	return scriptTable[i] & 0xff
}

// scriptSplit cuts before a character of another script than the one before it. What stands before the first
// character that has a script is dropped, as the reference does.
type scriptSplit struct{}

func (scriptSplit) split(s *state) {
	s.next = s.next[:0]
	for _, p := range s.pieces {
		if p.id >= 0 {
			s.next = append(s.next, p)
			continue
		}
		before, open := int64(-1), false
		for i := p.lo; i < p.hi; {
			r, n := utf8.DecodeRune(s.cur.b[i:p.hi])
			if c := int64(script(r)); c != 0 {
				if c != before {
					s.next = append(s.next, piece{i, p.hi, -1})
					if open {
						s.next[len(s.next)-2].hi = i
					}
					open = true
				}
				before = c
			}
			i += n
		}
	}
	s.pieces, s.next = s.next, s.pieces
}

// lengthSplit cuts into pieces of n characters.
type lengthSplit struct{ n int }

func (l lengthSplit) split(s *state) {
	s.next = s.next[:0]
	for _, p := range s.pieces {
		if p.id >= 0 {
			s.next = append(s.next, p)
			continue
		}
		for lo, i, n := p.lo, p.lo, 0; i < p.hi; {
			_, size := utf8.DecodeRune(s.cur.b[i:p.hi])
			i += size
			if n++; n == l.n || i == p.hi {
				s.next = append(s.next, piece{lo, i, -1})
				lo, n = i, 0
			}
		}
	}
	s.pieces, s.next = s.next, s.pieces
}
