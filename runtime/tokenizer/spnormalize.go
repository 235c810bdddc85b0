package tokenizer

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// spNormalizer normalises as SentencePiece does: the longest match of its characters map at each place, user-defined
// pieces left as they are, a space before the text, and spaces squeezed and written as U+2581.
type spNormalizer struct {
	chars                   *charsMap
	prefix, squeeze, escape bool
	user                    addedSet // user-defined pieces
}

func newSPNormalizer(a *args) normalizer {
	n := &spNormalizer{prefix: a.flag(), squeeze: a.flag(), escape: a.flag()}
	if blob := a.str(); blob != "" {
		var err error
		if n.chars, err = newCharsMap(blob); err != nil {
			a.fail("%w", err)
			return nil
		}
	}
	for a.strs < len(a.Strs) {
		n.user.append(AddedToken{Pattern: a.str()})
	}
	if !slices.IsSortedFunc(n.user.tokens, func(a, b AddedToken) int { return strings.Compare(a.Pattern, b.Pattern) }) || len(n.user.tokens) > 0 && n.user.tokens[0].Pattern == "" {
		a.fail("user-defined pieces are not sorted or empty")
	}
	return n.normalize
}

func (n *spNormalizer) space() string {
	if n.escape {
		return "▁"
	}
	return " "
}

// next returns what the characters at the start of b become, and how many bytes they are.
func (n *spNormalizer) next(b []byte) (to []byte, size int) {
	if i := n.user.longest(b); i >= 0 {
		size = len(n.user.tokens[i].Pattern)
		return b[:size], size
	}
	if n.chars != nil {
		if text, size, ok := n.chars.longest(b); ok {
			return viewBytes(text), size
		}
	}
	_, size = utf8.DecodeRune(b)
	return b[:size], size
}

func (n *spNormalizer) normalize(e *editor) {
	if n.squeeze {
		for e.pos < len(e.in.b) {
			to, size := n.next(e.in.b[e.pos:])
			if string(to) != " " {
				break
			}
			e.skip(size)
		}
	}
	if e.pos == len(e.in.b) {
		return
	}
	if n.prefix {
		prepend(e, n.space())
	}
	before := n.squeeze // the last character was a space
	for e.pos < len(e.in.b) {
		to, size := n.next(e.in.b[e.pos:])
		for before && len(to) > 0 && to[0] == ' ' {
			to = to[1:]
		}
		if len(to) > 0 {
			before = n.squeeze && to[len(to)-1] == ' '
			n.write(e, to, size)
		}
		e.skip(size)
	}
	if n.squeeze {
		e.trimRight(n.space())
	}
}

// write writes what the next size bytes of the input become. All of it stands for all of them.
func (n *spNormalizer) write(e *editor, to []byte, size int) {
	at := len(e.out.b)
	for _, c := range to {
		if c == ' ' {
			e.out.b = append(e.out.b, n.space()...)
		} else {
			e.out.b = append(e.out.b, c)
		}
	}
	if e.track {
		e.align(len(e.out.b)-at, span{e.in.al[e.pos].lo, e.in.al[e.pos+size-1].hi})
	}
}

// trimRight takes a text off the end of the output as often as it stands there.
func (e *editor) trimRight(s string) {
	for bytes.HasSuffix(e.out.b, viewBytes(s)) {
		e.out.b = e.out.b[:len(e.out.b)-len(s)]
		if e.track {
			e.out.al = e.out.al[:len(e.out.b)]
		}
	}
}
