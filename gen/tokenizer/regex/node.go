package regex

import (
	"slices"
	"unicode"
)

// kind is what a node of the syntax tree is.
type kind uint8

const (
	character kind = iota
	class
	sequence
	alternation
	repeat
	look
	atomic
	assertion
	grapheme
)

// node is a node of the syntax tree.
type node struct {
	kind      kind
	list      []*node
	char      rune
	fold      bool // a character in any case
	set       set
	low, high int // of a repetition, high −1 for no limit; low is an assertion's kind
	greedy    bool
	behind    bool
	negative  bool
}

func single(s set) *node { return &node{kind: class, set: s} }

// set is a set of characters: pairs of first and last, in order and apart from each other.
type set []rune

// anySet holds all characters. Surrogates are none.
var anySet = set{0, 0xd7ff, 0xe000, unicode.MaxRune}

func (s set) has(r rune) bool {
	for i := 0; i < len(s); i += 2 {
		if r <= s[i+1] {
			return r >= s[i]
		}
	}
	return false
}

func union(a, b set) set {
	var pairs [][2]rune
	for _, s := range [...]set{a, b} {
		for i := 0; i < len(s); i += 2 {
			pairs = append(pairs, [2]rune{s[i], s[i+1]})
		}
	}
	slices.SortFunc(pairs, func(a, b [2]rune) int { return int(a[0] - b[0]) })
	var out set
	for _, p := range pairs {
		if n := len(out); n > 0 && p[0] <= out[n-1]+1 {
			out[n-1] = max(out[n-1], p[1])
		} else {
			out = append(out, p[0], p[1])
		}
	}
	return out
}

func invert(s set) set {
	var out set
	next := rune(0)
	for i := 0; i < len(s); i += 2 {
		if next < s[i] {
			out = append(out, next, s[i]-1)
		}
		next = s[i+1] + 1
	}
	if next <= unicode.MaxRune {
		out = append(out, next, unicode.MaxRune)
	}
	return withoutSurrogates(out)
}

func withoutSurrogates(s set) set {
	var out set
	for i := 0; i < len(s); i += 2 {
		if s[i] < 0xd800 {
			out = append(out, s[i], min(s[i+1], 0xd7ff))
		}
		if s[i+1] > 0xdfff {
			out = append(out, max(s[i], 0xe000), s[i+1])
		}
	}
	return out
}

func intersect(a, b set) set { return invert(union(invert(a), invert(b))) }

// nullable reports whether a node can match without a character.
func (n *node) nullable() bool {
	switch n.kind {
	case character, class, grapheme:
		return false
	case sequence, atomic:
		return !slices.ContainsFunc(n.list, func(n *node) bool { return !n.nullable() })
	case alternation:
		return slices.ContainsFunc(n.list, (*node).nullable)
	case repeat:
		return n.low == 0 || n.list[0].nullable()
	}
	return true
}

// width returns how many characters a node can match, high −1 for any number.
func (n *node) width() (low, high int) {
	switch n.kind {
	case character:
		if n.fold {
			return 1, 3
		}
		return 1, 1
	case class:
		return 1, 1
	case grapheme:
		return 1, -1
	case sequence, atomic:
		for _, e := range n.list {
			l, h := e.width()
			low += l
			if high = high + h; h < 0 || high < h {
				return low, -1
			}
		}
		return low, high
	case alternation:
		low, high = n.list[0].width()
		for _, e := range n.list[1:] {
			l, h := e.width()
			low = min(low, l)
			if high >= 0 {
				high = max(high, h)
			}
			if h < 0 {
				high = -1
			}
		}
		return low, high
	case repeat:
		l, h := n.list[0].width()
		if n.high < 0 || h < 0 {
			return l * n.low, -1
		}
		return l * n.low, h * n.high
	}
	return 0, 0
}
