package tokenizer

import (
	"slices"
	"strings"
)

// Encoder encodes a text that is written to it in parts. It gives the ids of the whole text, as Encode does.
type Encoder struct {
	t       *Tokenizer
	emit    func(ids []int32) error
	special bool
	buf     []byte
	tail    []int32 // special tokens behind the text
	begun   bool
	err     error
}

// NewEncoder returns an encoder that calls emit with the next ids; the list is only valid during the call. With special
// the post-processor's tokens are added, as in Encode.
func (t *Tokenizer) NewEncoder(special bool, emit func(ids []int32) error) *Encoder {
	return &Encoder{t: t, emit: emit, special: special}
}

// Streams reports whether an Encoder needs bounded memory for text that has words between spaces. Where it does not,
// because what stands at one end of a text can change the tokens at the other, the Encoder keeps the text until Close.
func (t *Tokenizer) Streams() bool { return t.stream.splits && !t.stream.spans && t.post.simple }

// streamWindow is how much text an Encoder keeps before it looks for a place to cut.
const streamWindow = 64 << 10

// Write takes the next part of the text. It always takes all of it, unless emit has failed.
func (e *Encoder) Write(p []byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	e.buf = append(e.buf, p...)
	if len(e.buf) >= 2*streamWindow && e.t.Streams() {
		if cut := lastCut(e.buf); cut > 0 {
			e.flush(cut)
		}
	}
	if e.err != nil {
		return 0, e.err
	}
	return len(p), nil
}

// Close encodes what is left.
func (e *Encoder) Close() error {
	if e.err != nil {
		return e.err
	}
	if !e.begun {
		ids := e.t.Encode(string(e.buf), e.special)
		e.buf = nil
		return e.emit(ids)
	}
	e.flush(len(e.buf))
	if e.err == nil && len(e.tail) > 0 {
		e.err = e.emit(e.tail)
	}
	return e.err
}

// flush encodes the first n bytes.
func (e *Encoder) flush(n int) {
	ids := e.t.Encode(string(e.buf[:n]), false)
	if !e.begun && e.special {
		head, tail := e.t.post.single.around()
		ids, e.tail = append(head, ids...), tail
	}
	e.begun = true
	e.buf = e.buf[:copy(e.buf, e.buf[n:])]
	e.err = e.emit(ids)
}

// around returns the special tokens before and behind a text.
func (t template) around() (head, tail []int32) {
	at := slices.IndexFunc(t, func(s slot) bool { return s.what == firstText })
	for i, s := range t {
		switch {
		case s.what < 0:
		case i < at:
			head = append(head, s.what)
		default:
			tail = append(tail, s.what)
		}
	}
	return head, tail
}

// lastCut returns the last place before a space that stands alone between an ASCII letter or digit and an ASCII letter,
// 0 if there is none.
func lastCut(b []byte) int {
	letter := func(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
	for i := len(b) - 2; i > 0; i-- {
		if b[i] == ' ' && letter(b[i+1]) && (letter(b[i-1]) || isDigit(b[i-1])) {
			return i
		}
	}
	return 0
}

// streaming says how a tokenizer treats a place that lastCut finds.
type streaming struct {
	splits bool // no piece goes over it
	spans  bool // something may look over it
}

// note takes a step into account. Steps behind one that splits work on one side only.
func (s *streaming) note(step Step) {
	if s.splits || step.Kind >= ModelBPE {
		return
	}
	switch step.Kind {
	case NormStrip, NormPrepend, NormPattern, NormProgram, NormSentencePiece, NormByteLevel, PreProgram, PreScripts, PreLength:
		s.spans = true
	case NormReplace:
		space := step.Strs[0] == " " && step.Strs[1] == "▁"
		s.spans = s.spans || strings.Contains(step.Strs[0], " ") && !space
	case PreText:
		s.splits = step.Strs[0] == " " && (step.Ints[0] == Removed || step.Ints[0] == Isolated || step.Ints[0] == MergedWithNext) && step.Ints[1] == 0
		s.spans = s.spans || strings.Contains(step.Strs[0], " ") && !s.splits
	case PreWhitespace, PreSpaceSplit, PreBert:
		s.splits = true
	case PreByteLevel:
		s.splits = len(step.Ints) > 1 && step.Ints[1] == 1
		s.spans = s.spans || !s.splits
	case PreMetaspace:
		s.splits = len(step.Ints) > 1 && step.Ints[1] == 1
		s.spans = s.spans || !s.splits
	case PrePattern:
		words := []string{PatternGPT2, PatternLlama3, PatternQwen2, PatternO200k, PatternTekken, PatternDeepSeek}
		if slices.Contains(words, step.Strs[0]) {
			s.splits = step.Ints[0] == Isolated
		}
		s.spans = s.spans || step.Ints[0] != Isolated
	}
}

// noteAdded takes an added token into account.
func (s *streaming) noteAdded(a AddedToken) {
	p := a.Pattern
	letter := func(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || isDigit(c) }
	if strings.Contains(p, " ") || strings.Contains(p, "▁") || a.Flags&AddedLeftStrip != 0 && letter(p[0]) || a.Flags&AddedRightStrip != 0 && letter(p[len(p)-1]) {
		s.spans = true
	}
}
