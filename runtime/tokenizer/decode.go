package tokenizer

import (
	"bytes"
	"math"
	"strings"
	"sync"
	"unicode/utf8"
)

// tokens is a list of texts in one buffer: text i ends at ends[i].
type tokens struct {
	b    []byte
	ends []int
}

func (t *tokens) reset() { t.b, t.ends = t.b[:0], t.ends[:0] }

func (t *tokens) end() { t.ends = append(t.ends, len(t.b)) }

// each calls f for each text.
func (t *tokens) each(f func(i int, b []byte)) {
	lo := 0
	for i, hi := range t.ends {
		f(i, t.b[lo:hi])
		lo = hi
	}
}

// decoder writes the texts of in, changed, to out.
type decoder func(in, out *tokens)

// Decode returns the text of ids. Ids without a token count for nothing; skipSpecial leaves out special tokens.
func (t *Tokenizer) Decode(ids []int32, skipSpecial bool) string {
	d := decoding.Get().(*decodeState)
	defer decoding.Put(d)
	return string(t.decode(d, ids, skipSpecial))
}

// shows reports whether decoding takes an id into account.
func (t *Tokenizer) shows(id int32, skipSpecial bool) bool {
	return t.vocab.has(id) && !(skipSpecial && t.vocab.flags[id]&flagSpecial != 0)
}

// decodeState is the scratch space of decoding.
type decodeState struct{ a, b tokens }

var decoding = sync.Pool{New: func() any { return new(decodeState) }}

// decode returns the text of ids in a buffer of d's.
func (t *Tokenizer) decode(d *decodeState, ids []int32, skipSpecial bool) []byte {
	in, out := &d.a, &d.b
	in.reset()
	for _, id := range ids {
		if !t.shows(id, skipSpecial) {
			continue
		}
		if len(t.decoders) == 0 && len(in.ends) > 0 {
			in.b = append(in.b, ' ')
		}
		if t.vocab.flags[id]&flagForm != 0 {
			in.b = append(in.b, t.vocab.forms[id]...)
		} else {
			in.b = append(in.b, t.vocab.text(id)...)
		}
		in.end()
	}
	for _, f := range t.decoders {
		out.reset()
		f(in, out)
		in, out = out, in
	}
	return in.b
}

// decoders make a decoder from its step's arguments.
var decoders = map[Kind]func(a *args) decoder{
	DecodeByteLevel:    func(*args) decoder { return decodeBytes },
	DecodeByteFallback: func(*args) decoder { return decodeFallback },
	DecodeFuse:         func(*args) decoder { return decodeFuse },
	DecodeWordPiece: func(a *args) decoder {
		clean, prefix := a.flag(), []byte(a.str())
		return func(in, out *tokens) { decodeWordPiece(in, out, clean, prefix) }
	},
	DecodeMetaspace: func(a *args) decoder {
		scheme, replacement := a.num(PrependFirst, PrependAlways), a.character()
		return perToken(func(out *tokens, b []byte, i, _ int) {
			to := " "
			if i == 0 && scheme != PrependNever {
				to = ""
			}
			out.replaced(b, replacement, to)
		})
	},
	DecodeStrip: func(a *args) decoder {
		start, stop, what := int(a.num(0, math.MaxInt32)), int(a.num(0, math.MaxInt32)), a.character()
		return perToken(func(out *tokens, b []byte, _, _ int) {
			for n := 0; n < start && bytes.HasPrefix(b, what); n++ {
				b = b[len(what):]
			}
			for n := 0; n < stop && bytes.HasSuffix(b, what); n++ {
				b = b[:len(b)-len(what)]
			}
			out.b = append(out.b, b...)
		})
	},
	DecodeBPE: func(a *args) decoder {
		suffix := []byte(a.str())
		return perToken(func(out *tokens, b []byte, i, n int) {
			to := " "
			if i == n-1 {
				to = ""
			}
			out.replaced(b, suffix, to)
		})
	},
	DecodeReplace: func(a *args) decoder {
		from, to := []byte(a.str()), a.str()
		if len(from) == 0 {
			a.fail("an empty text to replace")
		}
		return perToken(func(out *tokens, b []byte, _, _ int) { out.replaced(b, from, to) })
	},
	DecodeProgram: func(a *args) decoder {
		program, to := a.program(), a.str()
		return perToken(func(out *tokens, b []byte, _, _ int) { out.replacedProgram(b, program, to) })
	},
	DecodeCTC: func(a *args) decoder {
		clean, pad, delimiter := a.flag(), []byte(a.str()), []byte(a.str())
		return func(in, out *tokens) { decodeCTC(in, out, clean, pad, delimiter) }
	},
}

func newDecoder(a *args) decoder {
	f, ok := decoders[a.Kind]
	if !ok {
		a.fail("no such decoder")
		return nil
	}
	return f(a)
}

// perToken makes a decoder of a function that appends what becomes of token i of n.
func perToken(f func(out *tokens, b []byte, i, n int)) decoder {
	return func(in, out *tokens) {
		in.each(func(i int, b []byte) {
			f(out, b, i, len(in.ends))
			out.end()
		})
	}
}

// character reads a text of one character.
func (a *args) character() []byte {
	s := a.str()
	if utf8.RuneCountInString(s) != 1 {
		a.fail("%q is not one character", s)
	}
	return []byte(s)
}

func decodeFuse(in, out *tokens) {
	out.b = append(out.b, in.b...)
	out.end()
}

// replaced appends b with from replaced by to.
func (t *tokens) replaced(b, from []byte, to string) {
	if len(from) == 0 {
		t.between(b, to)
		return
	}
	for {
		i := bytes.Index(b, from)
		if i < 0 {
			break
		}
		t.b = append(t.b, b[:i]...)
		t.b = append(t.b, to...)
		b = b[i+len(from):]
	}
	t.b = append(t.b, b...)
}

// between appends b with a text before and behind each character: what replacing the empty text means.
func (t *tokens) between(b []byte, text string) {
	t.b = append(t.b, text...)
	for len(b) > 0 {
		_, n := utf8.DecodeRune(b)
		t.b = append(append(t.b, b[:n]...), text...)
		b = b[n:]
	}
}

func (t *tokens) replacedProgram(b []byte, p *Program, to string) {
	m := matchers.Get().(*matcher)
	defer matchers.Put(m)
	done := 0
	m.each(p, b, func(lo, hi int) {
		t.b = append(append(t.b, b[done:lo]...), to...)
		done = hi
	})
	t.b = append(t.b, b[done:]...)
}

var matchers = sync.Pool{New: func() any { return new(matcher) }}

// decodeBytes maps GPT-2's characters back to bytes. A token with any other character stands for itself.
func decodeBytes(in, out *tokens) {
	dirty := false
	in.each(func(_ int, b []byte) {
		at := len(out.b)
		for i := 0; i < len(b); {
			r, n := rune(b[i]), 1
			if r >= utf8.RuneSelf {
				r, n = utf8.DecodeRune(b[i:])
			}
			if int(r) >= len(charBytes) || charBytes[r] < 0 {
				out.b = append(out.b[:at], b...)
				return
			}
			out.b = append(out.b, byte(charBytes[r]))
			dirty = dirty || charBytes[r] >= utf8.RuneSelf
			i += n
		}
	})
	if dirty && !utf8.Valid(out.b) {
		out.b = append(out.b[:0], lossy(out.b)...)
	}
	out.end()
}

// lossy replaces each longest start of a character that does not go on by U+FFFD (Unicode 3.9, substitution
// of maximal subparts).
func lossy(b []byte) []byte {
	out := make([]byte, 0, len(b)+16)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r != utf8.RuneError || n > 1 {
			out = append(out, b[:n]...)
			b = b[n:]
			continue
		}
		out = append(out, "\ufffd"...)
		b = b[subpart(b):]
	}
	return out
}

// subpart returns the length of the maximal subpart of an ill-formed sequence that b begins with.
func subpart(b []byte) int {
	lo, hi, more := byte(0x80), byte(0xbf), 0
	switch c := b[0]; {
	case c >= 0xc2 && c <= 0xdf:
		more = 1
	case c >= 0xe0 && c <= 0xef:
		more = 2
		if c == 0xe0 {
			lo = 0xa0
		} else if c == 0xed {
			hi = 0x9f
		}
	case c >= 0xf0 && c <= 0xf4:
		more = 3
		if c == 0xf0 {
			lo = 0x90
		} else if c == 0xf4 {
			hi = 0x8f
		}
	}
	n := 1
	for ; n <= more && n < len(b) && b[n] >= lo && b[n] <= hi; n++ {
		lo, hi = 0x80, 0xbf
	}
	return n
}

// decodeFallback turns runs of <0x..> into the bytes they name, or U+FFFD for each where those are no UTF-8.
func decodeFallback(in, out *tokens) {
	run := 0 // byte tokens at the end of out.b that have no end yet
	flush := func() {
		b := out.b[len(out.b)-run:]
		if run > 0 && !utf8.Valid(b) {
			out.b = out.b[:len(out.b)-run]
			for range run {
				out.b = append(out.b, "\ufffd"...)
				out.end()
			}
		} else if run > 0 {
			out.end()
		}
		run = 0
	}
	in.each(func(_ int, b []byte) {
		if c, ok := byteToken(b); ok {
			out.b = append(out.b, c)
			run++
			return
		}
		flush()
		out.b = append(out.b, b...)
		out.end()
	})
	flush()
}

// byteToken reads <0x..>. The reference parses the digits as an unsigned number and so takes "+A" as well.
func byteToken(b []byte) (byte, bool) {
	if len(b) != 6 || string(b[:3]) != "<0x" || b[5] != '>' {
		return 0, false
	}
	hi, lo := strings.IndexByte(hexDigits, b[3]|0x20), strings.IndexByte(hexDigits, b[4]|0x20)
	if b[3] == '+' {
		hi = 0
	}
	if hi < 0 || lo < 0 || b[3] < '0' && b[3] != '+' || b[4] < '0' {
		return 0, false
	}
	return byte(hi<<4 | lo), true
}

const hexDigits = "0123456789abcdef"

// decodeWordPiece joins the tokens that continue a word and puts a space before the others.
func decodeWordPiece(in, out *tokens, clean bool, prefix []byte) {
	in.each(func(i int, b []byte) {
		at := len(out.b)
		if i > 0 {
			if rest, ok := bytes.CutPrefix(b, prefix); ok {
				b = rest
			} else {
				out.b = append(out.b, ' ')
			}
		}
		out.b = append(out.b, b...)
		if clean {
			out.clean(at)
		}
		out.end()
	})
}

// artifacts are what tokenisation leaves before punctuation and in contractions, and what it was.
var artifacts = strings.Fields(". ? ! ,")

// clean takes tokenisation artifacts out of the text from at on.
func (t *tokens) clean(at int) {
	if bytes.IndexByte(t.b[at:], ' ') < 0 {
		return
	}
	s := string(t.b[at:])
	for _, p := range artifacts {
		s = strings.ReplaceAll(s, " "+p, p)
	}
	for _, p := range [...][2]string{{" ' ", "'"}, {" n't", "n't"}, {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}} {
		s = strings.ReplaceAll(s, p[0], p[1])
	}
	t.b = append(t.b[:at], s...)
}

// decodeCTC drops repetitions and padding (Graves et al. 2006).
func decodeCTC(in, out *tokens, clean bool, pad, delimiter []byte) {
	var before []byte
	in.each(func(i int, b []byte) {
		repeated := i > 0 && bytes.Equal(b, before)
		before = b
		if repeated {
			return
		}
		at := len(out.b)
		out.replaced(b, pad, "")
		if clean {
			out.clean(at)
			b := append([]byte(nil), out.b[at:]...)
			out.b = out.b[:at]
			out.replaced(b, delimiter, " ")
		}
		if len(out.b) > at {
			out.end()
		}
	})
}
