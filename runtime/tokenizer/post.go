package tokenizer

import (
	"math"
	"unicode/utf8"
)

// slot is an element of a template: a token, or the first or second text.
type slot struct{ what, typeID int32 }

const firstText, secondText = -1, -2

// template says how texts and special tokens follow each other.
type template []slot

// postProcessor holds the templates for one and for two texts.
type postProcessor struct {
	single, pair template
	trim         bool // offsets leave out white space
	prefixSpace  bool
}

func (p *postProcessor) add(a *args, v *vocab) {
	var t template
	switch a.Kind {
	case PostTrim:
		p.trim, p.prefixSpace = true, a.flag()
	case PostTemplate, PostPair:
		for i := 0; i < len(a.Ints); i += 2 {
			t = append(t, slot{a.num(secondText, int32(v.size())-1), a.num(0, math.MaxInt32)})
		}
		if a.Kind == PostTemplate {
			p.single = t
		} else {
			p.pair = t
		}
	default:
		a.fail("no such post-processor")
	}
}

// fill sets the templates that nobody asked for.
func (p *postProcessor) fill() {
	if p.single == nil {
		p.single = template{{firstText, 0}}
	}
	if p.pair == nil {
		p.pair = template{{firstText, 0}, {secondText, 1}}
	}
}

func (t template) appendIDs(dst []int32, special bool, a, b []int32) []int32 {
	for _, s := range t {
		switch {
		case s.what == firstText:
			dst = append(dst, a...)
		case s.what == secondText:
			dst = append(dst, b...)
		case special:
			dst = append(dst, s.what)
		}
	}
	return dst
}

func (t template) types(special bool, a, b int) []int32 {
	var out []int32
	for _, s := range t {
		n := 0
		switch {
		case s.what == firstText:
			n = a
		case s.what == secondText:
			n = b
		case special:
			n = 1
		}
		for range n {
			out = append(out, s.typeID)
		}
	}
	return out
}

func (t template) offsets(special bool, a [][2]int) [][2]int {
	out := make([][2]int, 0, len(a)+len(t))
	for _, s := range t {
		if s.what == firstText {
			out = append(out, a...)
		} else if s.what >= 0 && special {
			out = append(out, [2]int{})
		}
	}
	return out
}

// trimOffset takes the white space at the ends of token i out of its offsets. token is its text.
func (s *state) trimOffset(in string, i int, token []byte) {
	lead, trail := countSpaces(token, false), countSpaces(token, true)
	o := &s.off[i]
	if lead == 1 && s.t.post.prefixSpace && (i == 0 || o[0] == 0) {
		lead = 0 // the space was put there before the text
	}
	for ; lead > 0 && o[0] < o[1]; lead-- {
		_, n := utf8.DecodeRuneInString(in[o[0]:])
		o[0] += n
	}
	for ; trail > 0 && o[1] > o[0]; trail-- {
		_, n := utf8.DecodeLastRuneInString(in[:o[1]])
		o[1] -= n
	}
}

// countSpaces counts the white space at one end of a token, GPT-2's sign for a space included.
func countSpaces(b []byte, end bool) int {
	for n := 0; ; n++ {
		r, size := utf8.DecodeRune(b)
		if end {
			r, size = utf8.DecodeLastRune(b)
		}
		if size == 0 || r != 'Ġ' && !isSpace(r) {
			return n
		}
		if end {
			b = b[:len(b)-size]
		} else {
			b = b[size:]
		}
	}
}
