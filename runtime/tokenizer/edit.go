package tokenizer

import "unicode/utf8"

// span is the range of bytes of the original text that a byte of a changed text stands for.
type span struct{ lo, hi int }

// text is a text under change. al has a span for each byte, or is nil where nobody asks for offsets.
type text struct {
	b  []byte
	al []span
}

func (t *text) reset() { t.b, t.al = t.b[:0], t.al[:0] }

// editor writes a changed copy of in to out and keeps the alignment. A character that replaces another one
// has its span; one that is put in shares the span of what stands before it in the input.
type editor struct {
	in, out text
	pos     int // in in.b
	base    int // where the input begins in the original text
	track   bool
	matcher matcher
}

// flip makes the output the next step's input.
func (e *editor) flip() {
	e.in, e.out = e.out, e.in
	e.out.reset()
	e.pos = 0
}

// peek returns the character at pos and its bytes, 0 at the end.
func (e *editor) peek() (rune, int) {
	if e.pos < len(e.in.b) && e.in.b[e.pos] < utf8.RuneSelf {
		return rune(e.in.b[e.pos]), 1
	}
	return utf8.DecodeRune(e.in.b[e.pos:])
}

// copy copies the next n bytes.
func (e *editor) copy(n int) {
	e.out.b = append(e.out.b, e.in.b[e.pos:e.pos+n]...)
	if e.track {
		e.out.al = append(e.out.al, e.in.al[e.pos:e.pos+n]...)
	}
	e.pos += n
}

// rest copies what is left.
func (e *editor) rest() { e.copy(len(e.in.b) - e.pos) }

// skip leaves the next n bytes out.
func (e *editor) skip(n int) { e.pos += n }

// replace writes r for the next n bytes.
func (e *editor) replace(r rune, n int) {
	at := len(e.out.b)
	e.out.b = utf8.AppendRune(e.out.b, r)
	if e.track {
		e.align(len(e.out.b)-at, e.spanAt(e.pos))
	}
	e.pos += n
}

// insert writes r and takes nothing.
func (e *editor) insert(r rune) {
	at := len(e.out.b)
	e.out.b = utf8.AppendRune(e.out.b, r)
	if e.track {
		e.align(len(e.out.b)-at, e.spanAt(e.pos-1))
	}
}

// insertString writes s and takes nothing.
func (e *editor) insertString(s string) {
	e.out.b = append(e.out.b, s...)
	if e.track {
		e.align(len(s), e.spanAt(e.pos-1))
	}
}

// take writes r for as many characters as it stands for: 1 or more replaces them, 0 is an insertion.
func (e *editor) take(r rune, chars int) {
	if chars <= 0 {
		e.insert(r)
		return
	}
	e.replace(r, 0)
	for ; chars > 0; chars-- {
		_, n := e.peek()
		e.pos += n
	}
}

func (e *editor) align(n int, s span) {
	for range n {
		e.out.al = append(e.out.al, s)
	}
}

// spanAt returns the span of an input byte; before the first it is the empty range where the input begins.
func (e *editor) spanAt(i int) span {
	if i >= 0 && i < len(e.in.al) {
		return e.in.al[i]
	}
	if i >= 0 && len(e.in.al) > 0 {
		return e.in.al[len(e.in.al)-1]
	}
	return span{e.base, e.base}
}
