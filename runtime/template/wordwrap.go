package template

import (
	"strings"
	"unicode"

	"github.com/tfgen/tfgen/runtime/template/py"
)

// wordwrap is textwrap.wrap of every line.
func wordwrap(s *State, a []Value) Value {
	text, ok := py.Text(a[0])
	if !ok {
		s.method(a[0], "splitlines")
	}
	w := wrapper{width: py.WantInt(a[1], 79), breakLong: a[2] == nil || s.Truth(a[2]), hyphens: a[4] == nil || s.Truth(a[4])}
	glue := "\n"
	if sep := given(a[3], py.None); sep != Value(py.None) {
		glue = textOf(sep)
	}
	var out []string
	for _, line := range py.SplitLines(text, false) {
		s.Alloc(8 * len(line))
		if w.width <= 0 {
			py.Throw("ValueError", "invalid width %d (must be > 0)", w.width)
		}
		wrapped := w.wrap([]rune(line))
		s.AllocTimes(len(glue), int64(len(wrapped)))
		out = append(out, strings.Join(wrapped, glue))
	}
	return strings.Join(out, glue)
}

// wrapper is textwrap.TextWrapper.
type wrapper struct {
	width              int
	breakLong, hyphens bool
}

func (w *wrapper) wrap(text []rune) (lines []string) {
	chunks := w.chunks(text)
	for len(chunks) > 0 {
		if blank(chunks[0]) && len(lines) > 0 {
			chunks = chunks[1:]
		}
		var line [][]rune
		n := 0
		for len(chunks) > 0 && n+len(chunks[0]) <= w.width {
			line = append(line, chunks[0])
			n += len(chunks[0])
			chunks = chunks[1:]
		}
		if len(chunks) > 0 && len(chunks[0]) > w.width {
			line, chunks = w.long(line, n, chunks)
		}
		if k := len(line) - 1; k >= 0 && blank(line[k]) {
			line = line[:k]
		}
		if len(line) > 0 {
			var b strings.Builder
			for _, c := range line {
				b.WriteString(string(c))
			}
			lines = append(lines, b.String())
		}
	}
	return lines
}

// long deals with a word that is longer than a line.
func (w *wrapper) long(line [][]rune, n int, chunks [][]rune) ([][]rune, [][]rune) {
	chunk := chunks[0]
	if !w.breakLong {
		if len(line) == 0 {
			return append(line, chunk), chunks[1:]
		}
		return line, chunks
	}
	end := w.width - n
	if w.hyphens && len(chunk) > end {
		for h := end - 1; h > 0; h-- {
			if chunk[h] == '-' {
				if strings.Trim(string(chunk[:h]), "-") != "" {
					end = h + 1
				}
				break
			}
		}
	}
	if end == len(chunk) {
		return append(line, chunk), chunks[1:]
	}
	return append(line, chunk[:end]), append([][]rune{chunk[end:]}, chunks[1:]...)
}

func blank(chunk []rune) bool { return strings.TrimFunc(string(chunk), py.IsSpace) == "" }

func wrapSpace(r rune) bool  { return r == ' ' || r >= '\t' && r <= '\r' }
func wordRune(r rune) bool   { return r == '_' || py.IsAlnum(r) }
func wordPunct(r rune) bool  { return wordRune(r) || strings.ContainsRune("!\"'&.,?", r) }
func letterRune(r rune) bool { return wordRune(r) && !unicode.Is(unicode.Nd, r) }

// chunks splits text into white space and pieces that are not broken.
func (w *wrapper) chunks(text []rune) (out [][]rune) {
	for i := 0; i < len(text); {
		end := i
		switch {
		case wrapSpace(text[i]):
			for end < len(text) && wrapSpace(text[end]) {
				end++
			}
		case w.hyphens:
			end = wordEnd(text, i)
		default:
			for end < len(text) && !wrapSpace(text[end]) {
				end++
			}
		}
		out = append(out, text[i:end])
		i = end
	}
	return out
}

// wordEnd is where the word at i ends: wordsep_re of textwrap.
func wordEnd(text []rune, i int) int {
	at := func(k int, is func(rune) bool) bool { return k >= 0 && k < len(text) && is(text[k]) }
	dash := func(k int) bool { return k >= 0 && k < len(text) && text[k] == '-' }
	dashes := func(k int) int { // the end of an em-dash between words at k, or 0
		e := k
		for dash(e) {
			e++
		}
		if e-k >= 2 && at(k-1, wordPunct) && at(e, wordRune) {
			return e
		}
		return 0
	}
	if e := dashes(i); e > 0 {
		return e
	}
	for j := i + 1; ; j++ {
		if j == len(text) || wrapSpace(text[j]) || dashes(j) > 0 {
			return j
		}
		hyphenated := at(j-1, letterRune) && at(j-2, letterRune) || at(j-1, wordPunct) && dash(j-2) && at(j-3, letterRune)
		if dash(j) && hyphenated && at(j+1, letterRune) && (at(j+2, letterRune) || dash(j+2) && at(j+3, letterRune)) {
			return j + 1
		}
	}
}
