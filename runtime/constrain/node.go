package constrain

import (
	"slices"
	"sort"
	"unicode"
	"unicode/utf8"
)

// node is an expression over characters. Expressions are trees; rules, which may
// refer to each other, make them a context-free grammar.
type node interface{}

// span is a range of characters, its ends included.
type span struct{ lo, hi rune }

type (
	chars  []span   // one character of a set, sorted, not overlapping
	seq    []node   // one after the other
	choice []node   // one of them
	repeat struct { // min to max times; max −1 is without end
		node
		min, max int
	}
	ref int // a rule, by its number
)

// empty matches the empty text, nothing matches no text.
var (
	empty   = seq{}
	nothing = choice{}
)

// literal matches a text.
func literal(s string) node {
	var list seq
	for _, r := range s {
		list = append(list, chars{{r, r}})
	}
	return list
}

// opt matches n or nothing.
func opt(n node) node { return repeat{n, 0, 1} }

// many matches n any number of times.
func many(n node) node { return repeat{n, 0, -1} }

// anyChar is every character that UTF-8 can spell.
var anyChar = chars{{0, 0xd7ff}, {0xe000, unicode.MaxRune}}

// set makes a sorted set of ranges, without surrogates, which no text has.
func set(spans ...span) chars {
	spans = slices.Clone(spans)
	sort.Slice(spans, func(i, j int) bool { return spans[i].lo < spans[j].lo })
	var out chars
	for _, s := range spans {
		if s.lo > s.hi {
			continue
		}
		if n := len(out); n > 0 && s.lo <= out[n-1].hi+1 {
			out[n-1].hi = max(out[n-1].hi, s.hi)
			continue
		}
		out = append(out, s)
	}
	return out.and(anyChar)
}

// and is the intersection of two sets.
func (c chars) and(d chars) (out chars) {
	for i, j := 0, 0; i < len(c) && j < len(d); {
		if lo, hi := max(c[i].lo, d[j].lo), min(c[i].hi, d[j].hi); lo <= hi {
			out = append(out, span{lo, hi})
		}
		if c[i].hi < d[j].hi {
			i++
		} else {
			j++
		}
	}
	return out
}

// not is the set of all other characters.
func (c chars) not() (out chars) {
	next := rune(0)
	for _, s := range c {
		if next < s.lo {
			out = append(out, span{next, s.lo - 1})
		}
		next = s.hi + 1
	}
	if next <= unicode.MaxRune {
		out = append(out, span{next, unicode.MaxRune})
	}
	return out.and(anyChar)
}

// byteSpan is a range of bytes, its ends included.
type byteSpan struct{ lo, hi byte }

// utf8Spans calls f with sequences of byte ranges that together spell exactly
// the characters of a range in UTF-8 (Thompson's construction, as in RE2).
func utf8Spans(s span, f func([]byteSpan)) {
	for _, limit := range [...]rune{0x7f, 0x7ff, 0xffff} {
		if s.lo <= limit && limit < s.hi {
			utf8Spans(span{s.lo, limit}, f)
			utf8Spans(span{limit + 1, s.hi}, f)
			return
		}
	}
	for shift := 6; shift <= 18; shift += 6 { // align to blocks of continuation bytes
		m := rune(1)<<shift - 1
		if s.lo&^m == s.hi&^m {
			break
		}
		if s.lo&m != 0 {
			utf8Spans(span{s.lo, s.lo | m}, f)
			utf8Spans(span{s.lo | m + 1, s.hi}, f)
			return
		}
		if s.hi&m != m {
			utf8Spans(span{s.lo, s.hi&^m - 1}, f)
			utf8Spans(span{s.hi &^ m, s.hi}, f)
			return
		}
	}
	var lo, hi [utf8.UTFMax]byte
	n := utf8.EncodeRune(lo[:], s.lo)
	utf8.EncodeRune(hi[:], s.hi)
	spans := make([]byteSpan, n)
	for i := range spans {
		spans[i] = byteSpan{lo[i], hi[i]}
	}
	f(spans)
}
