package tokenizer

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// normalizer writes a changed copy of the editor's input.
type normalizer func(e *editor)

// normalizers make a normalizer from its step's arguments.
var normalizers = map[Kind]func(a *args) normalizer{
	NormNFC:         func(*args) normalizer { return func(e *editor) { e.normalForm(forms(), true, false) } },
	NormNFD:         func(*args) normalizer { return func(e *editor) { e.normalForm(forms(), false, false) } },
	NormNFKC:        func(*args) normalizer { return func(e *editor) { e.normalForm(forms(), true, true) } },
	NormNFKD:        func(*args) normalizer { return func(e *editor) { e.normalForm(forms(), false, true) } },
	NormLowercase:   func(*args) normalizer { return lowercase },
	NormAccents:     func(*args) normalizer { return remove(cAccent) },
	NormBertAccents: func(*args) normalizer { return remove(cMn) },
	NormBertClean:   func(*args) normalizer { return bertClean },
	NormBertHan:     func(*args) normalizer { return bertHan },
	NormNmt:         func(*args) normalizer { return nmt },
	NormByteLevel:   func(*args) normalizer { return mapBytes },
	NormStrip: func(a *args) normalizer {
		left, right := a.flag(), a.flag()
		return func(e *editor) { strip(e, left, right) }
	},
	NormReplace: func(a *args) normalizer {
		from, to := a.str(), a.str()
		if from == "" {
			a.fail("an empty text to replace")
		}
		return func(e *editor) { replaceText(e, from, to) }
	},
	NormPattern: func(a *args) normalizer {
		scan, to := a.scanner(), a.str()
		return func(e *editor) { replacePattern(e, scan, to) }
	},
	NormProgram: func(a *args) normalizer {
		program, to := a.program(), a.str()
		return func(e *editor) { replaceProgram(e, program, to) }
	},
	NormCharsMap: func(a *args) normalizer {
		m, err := newCharsMap(a.str())
		if err != nil {
			a.fail("%w", err)
			return nil
		}
		return m.normalize
	},
	NormSentencePiece: newSPNormalizer,
	NormPrepend: func(a *args) normalizer {
		s := a.str()
		return func(e *editor) {
			if len(e.in.b) > 0 {
				prepend(e, s)
			}
			e.rest()
		}
	},
}

func newNormalizer(a *args) normalizer {
	f, ok := normalizers[a.Kind]
	if !ok {
		a.fail("no such normalizer")
		return nil
	}
	return f(a)
}

// program reads a compiled regular expression and passes over the text behind it that it comes from.
func (a *args) program() *Program {
	p, err := ReadProgram(a.str())
	if err != nil {
		a.fail("%w", err)
	}
	a.str()
	return p
}

// scanner reads a pattern.
func (a *args) scanner() scanner {
	pattern := a.str()
	scan, ok := patterns[pattern]
	if !ok {
		a.fail("pattern %q is not known", pattern)
	}
	return scan
}

// ascii copies the bytes up to the next character beyond ASCII.
func (e *editor) ascii() {
	i := e.pos
	for i < len(e.in.b) && e.in.b[i] < utf8.RuneSelf {
		i++
	}
	e.copy(i - e.pos)
}

// lowercase maps each character by itself; U+0130 becomes two characters.
func lowercase(e *editor) {
	for e.pos < len(e.in.b) {
		c := e.in.b[e.pos]
		if c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				e.replace(rune(c)|0x20, 1)
			} else {
				e.copy(1)
			}
			continue
		}
		r, n := e.peek()
		if r == 'İ' {
			e.replace('i', n)
			e.insert('\u0307')
		} else if l := toLower(r); l != r {
			e.replace(l, n)
		} else {
			e.copy(n)
		}
	}
}

func toLower(r rune) rune {
	for _, l := range laterLower {
		if l[0] <= r && r <= l[1] {
			return r + l[2]
		}
	}
	return unicode.ToLower(r)
}

func strip(e *editor, left, right bool) {
	lo, hi := 0, len(e.in.b)
	if left {
		lo = spaceRun(e.in.b)
	}
	if right && lo < hi {
		hi = spaceBefore(e.in.b, hi)
	}
	e.skip(lo)
	e.copy(hi - lo)
	e.skip(len(e.in.b) - hi)
}

// remove leaves the characters of a class out.
func remove(set uint16) normalizer {
	return func(e *editor) {
		for e.pos < len(e.in.b) {
			r, n := e.peek()
			if class(r)&set != 0 {
				e.skip(n)
			} else {
				e.copy(n)
			}
		}
	}
}

// replaceText writes to wherever from stands. The new text has the span of the last byte it replaces.
func replaceText(e *editor, from, to string) {
	for {
		i := bytes.Index(e.in.b[e.pos:], viewBytes(from))
		if i < 0 {
			e.rest()
			return
		}
		e.copy(i)
		e.skip(len(from))
		e.insertString(to)
	}
}

func replacePattern(e *editor, scan scanner, to string) {
	for e.pos < len(e.in.b) {
		if n := scan(e.in.b, e.pos); n > 0 {
			e.skip(n)
			e.insertString(to)
			continue
		}
		_, n := e.peek()
		e.copy(n)
	}
}

func replaceProgram(e *editor, p *Program, to string) {
	e.matcher.each(p, e.in.b, func(lo, hi int) {
		e.copy(lo - e.pos)
		e.skip(hi - lo)
		e.insertString(to)
	})
	e.rest()
}

// bertClean drops NUL, U+FFFD and control characters, and writes all white space as a space.
func bertClean(e *editor) {
	for e.pos < len(e.in.b) {
		r, n := e.peek()
		switch c := class(r); {
		case r == '\t' || r == '\n' || r == '\r':
			e.replace(' ', n)
		case r == 0 || r == 0xfffd || c&cOther != 0:
			e.skip(n)
		case c&cSpace != 0:
			e.replace(' ', n)
		default:
			e.copy(n)
		}
	}
}

// bertHan sets each ideograph between spaces.
func bertHan(e *editor) {
	for e.pos < len(e.in.b) {
		e.ascii()
		if e.pos == len(e.in.b) {
			return
		}
		r, n := e.peek()
		if !isIdeograph(r) {
			e.copy(n)
			continue
		}
		e.replace(' ', n)
		e.insert(r)
		e.insert(' ')
	}
}

// isIdeograph holds for the blocks that BERT's reference code lists.
func isIdeograph(r rune) bool {
	for _, b := range [...][2]rune{{0x4e00, 0x9fff}, {0x3400, 0x4dbf}, {0x20000, 0x2a6df}, {0x2a700, 0x2b73f}, {0x2b740, 0x2b81f}, {0x2b920, 0x2ceaf}, {0xf900, 0xfaff}, {0x2f800, 0x2fa1f}} {
		if b[0] <= r && r <= b[1] {
			return true
		}
	}
	return false
}

// nmt is SentencePiece's nmt rule set without its charsmap.
func nmt(e *editor) {
	for e.pos < len(e.in.b) {
		r, n := e.peek()
		switch {
		case r >= 1 && r <= 8 || r == 0xb || r >= 0xe && r <= 0x1f || r == 0x7f || r == 0x8f || r == 0x9f:
			e.skip(n)
		case r >= 0x200b && r <= 0x200f || strings.ContainsRune("\t\n\f\r\u1680\u2028\u2029\u2581\ufeff\ufffd", r):
			e.replace(' ', n)
		default:
			e.copy(n)
		}
	}
}

// Normalizer returns the function that the normalizers among steps make together.
func Normalizer(steps []Step) (func(string) string, error) {
	var list []normalizer
	for _, s := range steps {
		if s.Kind >= PreByteLevel {
			continue
		}
		a := &args{Step: s}
		list = append(list, newNormalizer(a))
		if err := a.finish(); err != nil {
			return nil, err
		}
	}
	return func(s string) string {
		e := &editor{in: text{b: []byte(s)}}
		for _, n := range list {
			n(e)
			e.flip()
		}
		return string(e.in.b)
	}, nil
}
