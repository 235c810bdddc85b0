package tokenizer

import (
	"fmt"
	"unicode/utf8"
)

// addedSet finds added tokens in a text: at each place the longest, then goes on behind it.
type addedSet struct {
	tokens []AddedToken // sorted by pattern
	first  [257]int32   // tokens[first[c]:first[c+1]] begin with byte c
}

// setAdded splits the added tokens by the text they are matched against.
func (t *Tokenizer) setAdded(all []AddedToken) error {
	for i, a := range all {
		switch {
		case !t.vocab.has(a.ID):
			return fmt.Errorf("tokenizer: added token %q has id %d, which does not exist", a.Pattern, a.ID)
		case a.Pattern == "" || len(a.Pattern) > maxAddedLen:
			return fmt.Errorf("tokenizer: added token %d has %d bytes, allowed are 1 to %d", a.ID, len(a.Pattern), maxAddedLen)
		case i > 0 && all[i-1].Pattern > a.Pattern:
			return fmt.Errorf("tokenizer: added tokens are not sorted")
		}
		set := &t.added
		if a.Flags&AddedNormalized != 0 {
			set = &t.normed
		}
		if n := len(set.tokens); n > 0 && set.tokens[n-1].Pattern == a.Pattern {
			return fmt.Errorf("tokenizer: added tokens %d and %d are both looked for as %q", set.tokens[n-1].ID, a.ID, a.Pattern)
		}
		set.append(a)
	}
	return nil
}

// append appends a token whose pattern comes behind all others.
func (a *addedSet) append(t AddedToken) {
	a.tokens = append(a.tokens, t)
	if t.Pattern == "" {
		return
	}
	for c := int(t.Pattern[0]) + 1; c < len(a.first); c++ {
		a.first[c] = int32(len(a.tokens))
	}
}

// longest returns the index of the longest token that b begins with, −1 for none.
func (a *addedSet) longest(b []byte) int {
	lo, hi := int(a.first[b[0]]), int(a.first[int(b[0])+1])
	best := -1
	for depth := 1; lo < hi; depth++ {
		if len(a.tokens[lo].Pattern) == depth {
			best = lo
			lo++
		}
		if depth == len(b) {
			break
		}
		lo, hi = a.narrow(lo, hi, depth, b[depth])
	}
	return best
}

// narrow returns the part of tokens[lo:hi], which agree in their first depth bytes, that goes on with c.
func (a *addedSet) narrow(lo, hi, depth int, c byte) (int, int) {
	end := hi
	for lo < hi {
		m := (lo + hi) / 2
		if p := a.tokens[m].Pattern; p[depth] < c {
			lo = m + 1
		} else {
			hi = m
		}
	}
	start := lo
	for hi = end; lo < hi; {
		m := (lo + hi) / 2
		if a.tokens[m].Pattern[depth] <= c {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return start, lo
}

// cutAdded calls f for the added tokens of set in b and for what lies between, with id −1, in order. A token that takes
// the white space behind it may reach over the next ones, which are found all the same, as in the reference.
func (s *state) cutAdded(set *addedSet, b []byte, f func(lo, hi int, id int32)) {
	done, run := 0, 0 // run is where the white space that was looked at last ends
	for at := 0; at < len(b) && len(set.tokens) > 0; {
		if set.first[b[at]] == set.first[int(b[at])+1] {
			at++
			continue
		}
		i := set.longest(b[at:])
		if i < 0 {
			at++
			continue
		}
		tok := &set.tokens[i]
		lo, hi := at, at+len(tok.Pattern)
		at = hi
		if s.literal && tok.Flags&AddedSpecial != 0 || tok.Flags&AddedSingleWord != 0 && !aloneWord(b, lo, hi) {
			continue
		}
		if tok.Flags&AddedLeftStrip != 0 {
			if lo = done + spaceBefore(b[done:max(lo, done)], max(lo-done, 0)); lo >= hi {
				continue // another token took all of its text: the reference gives up
			}
		}
		if tok.Flags&AddedRightStrip != 0 {
			if run <= hi {
				run = hi + spaceRun(b[hi:])
			}
			hi = run
		}
		if done < lo {
			f(done, lo, -1)
		}
		f(lo, hi, tok.ID)
		done = hi
	}
	if done < len(b) {
		f(done, len(b), -1)
	}
}

func aloneWord(b []byte, lo, hi int) bool {
	before, _ := utf8.DecodeLastRune(b[:lo])
	after, _ := utf8.DecodeRune(b[hi:])
	return (lo == 0 || !isWord(before)) && (hi == len(b) || !isWord(after))
}

// spaceBefore returns where the white space that ends at i begins.
func spaceBefore(b []byte, i int) int {
	for i > 0 {
		r, n := utf8.DecodeLastRune(b[:i])
		if !isSpace(r) {
			break
		}
		i -= n
	}
	return i
}

// spaceRun returns the bytes of white space at the start of b.
func spaceRun(b []byte) int {
	i := 0
	for i < len(b) {
		r, n := utf8.DecodeRune(b[i:])
		if !isSpace(r) {
			break
		}
		i += n
	}
	return i
}
