package tokenizer

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Regular expressions of published tokenizers.
const (
	PatternGPT2     = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
	PatternLlama3   = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	PatternQwen2    = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	PatternO200k    = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	PatternTekken   = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	PatternDeepSeek = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"
	PatternCLIP     = `<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`
	PatternHan      = "[一-龥぀-ゟ゠-ヿ]+"
	PatternNumbers  = `\p{N}{1,3}`
)

// patterns are the regular expressions that tokenizers split by, with the scanner that does what each says.
// The scanners give Oniguruma's leftmost match: the first alternative that matches, greedy, with backtracking.
var patterns = map[string]scanner{
	PatternGPT2: scanGPT2,

	PatternLlama3: wordScanner{letters: cL, digits: 3}.scan,
	PatternQwen2:  wordScanner{letters: cL, digits: 1}.scan,

	PatternO200k:  caseScanner{contractions: true, digits: 3}.scan,
	PatternTekken: caseScanner{digits: 1}.scan,

	PatternDeepSeek: scanDeepSeek,
	PatternCLIP:     scanCLIP,

	PatternHan: func(b []byte, i int) int {
		return runOf(b, i, func(r rune) bool { return r >= 0x4e00 && r <= 0x9fa5 || r >= 0x3040 && r <= 0x30ff })
	},
	PatternNumbers: func(b []byte, i int) int { return runClass(b, i, cN, 3) },
	`[0-9][0-9][0-9]`: func(b []byte, i int) int {
		if len(b)-i >= 3 && isDigit(b[i]) && isDigit(b[i+1]) && isDigit(b[i+2]) {
			return 3
		}
		return 0
	},
	`\s+`: func(b []byte, i int) int { return runClass(b, i, cSpace, -1) },
	` {2,}`: func(b []byte, i int) int {
		if n := runOf(b, i, func(r rune) bool { return r == ' ' }); n >= 2 {
			return n
		}
		return 0
	},
	`[\s\S]`:         func(b []byte, i int) int { _, n := utf8.DecodeRune(b[i:]); return n },
	`\p{N}{1,3}|\s+`: func(b []byte, i int) int { return max(runClass(b, i, cN, 3), runClass(b, i, cSpace, -1)) },
	`\p{P}+`:         func(b []byte, i int) int { return runClass(b, i, cP, -1) },
}

// Patterns returns the regular expressions that PrePattern and NormPattern know, sorted.
func Patterns() []string {
	var out []string
	for p := range patterns {
		out = append(out, p)
	}
	slices.Sort(out)
	return out
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// runOf returns the bytes of the longest run of characters at i that f holds for.
func runOf(b []byte, i int, f func(rune) bool) int {
	n := i
	for n < len(b) {
		r, size := utf8.DecodeRune(b[n:])
		if !f(r) {
			break
		}
		n += size
	}
	return n - i
}

// runClass returns the bytes of the longest run at i of at most limit characters of the classes; limit −1
// is none.
func runClass(b []byte, i int, set uint16, limit int) int {
	return run(b, i, set, true, limit)
}

// runOther is runClass for characters of none of the classes.
func runOther(b []byte, i int, set uint16) int {
	return run(b, i, set, false, -1)
}

// run returns the bytes of the longest run at i of at most limit characters that are of the classes, or that
// are not.
func run(b []byte, i int, set uint16, of bool, limit int) int {
	t := classes()
	n := i
	for n < len(b) && limit != 0 {
		var c uint16
		size := 1
		if b[n] < utf8.RuneSelf {
			c = t.ascii[b[n]]
		} else {
			var r rune
			r, size = utf8.DecodeRune(b[n:])
			c = t.of(r)
		}
		if (c&set != 0) != of {
			break
		}
		n += size
		limit--
	}
	return n - i
}

// at returns the class and size of the character at i, 0, 0 at the end.
func at(b []byte, i int) (class uint16, size int) {
	if i >= len(b) {
		return 0, 0
	}
	if b[i] < utf8.RuneSelf {
		return classes().ascii[b[i]], 1
	}
	r, n := utf8.DecodeRune(b[i:])
	return classes().of(r), n
}

// contraction matches 's 't 're 've 'm 'll 'd. Folding case, s has a third form, the long s.
func contraction(b []byte, i int, fold bool) int {
	if i+1 >= len(b) || b[i] != '\'' {
		return 0
	}
	lower := func(k int) byte {
		if k >= len(b) {
			return 0
		}
		c := b[k]
		if fold && 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		return c
	}
	switch c, d := lower(i+1), lower(i+2); {
	case c == 's' || c == 't' || c == 'm' || c == 'd':
		return 2
	case (c == 'r' || c == 'v') && d == 'e', c == 'l' && d == 'l':
		return 3
	case fold && c == 0xc5 && d == 0xbf:
		return 3
	}
	return 0
}

// spaces matches \s+(?!\S)|\s+: a run of white space, less its last character if something follows.
func spaces(b []byte, i int) int {
	n := runClass(b, i, cSpace, -1)
	if n == 0 || i+n == len(b) {
		return n
	}
	if _, last := utf8.DecodeLastRune(b[i : i+n]); last < n {
		return n - last
	}
	return n
}

// lines matches \s*[\r\n]+: white space up to the last line end in it.
func lines(b []byte, i int) int {
	n := runClass(b, i, cSpace, -1)
	for n > 0 && b[i+n-1] != '\n' && b[i+n-1] != '\r' {
		n--
	}
	return n
}

// punctuation matches a space or none, then what run matches, then any of the trailing characters.
func punctuation(b []byte, i int, run func(b []byte, i int) int, trail string) int {
	k := i
	if b[k] == ' ' {
		k++
	}
	n := run(b, k)
	if n == 0 {
		return 0
	}
	for k += n; k < len(b) && strings.IndexByte(trail, b[k]) >= 0; k++ {
	}
	return k - i
}

func notWordOrSpace(b []byte, i int) int { return runOther(b, i, cSpace|cL|cN) }
func marksOrSigns(b []byte, i int) int   { return runClass(b, i, cP|cS, -1) }

// scanGPT2 is the pattern of GPT-2.
func scanGPT2(b []byte, i int) int {
	if n := contraction(b, i, false); n > 0 {
		return n
	}
	k := i
	if b[k] == ' ' {
		k++
	}
	c, _ := at(b, k)
	switch {
	case k == len(b):
	case c&cL != 0:
		return k - i + runClass(b, k, cL, -1)
	case c&cN != 0:
		return k - i + runClass(b, k, cN, -1)
	case c&cSpace == 0:
		return k - i + notWordOrSpace(b, k)
	}
	return spaces(b, i)
}

// wordScanner is the pattern of cl100k (GPT-4, Llama 3) and of Qwen, which differ in the length of numbers.
type wordScanner struct {
	letters uint16
	digits  int
}

func (w wordScanner) scan(b []byte, i int) int {
	if n := contraction(b, i, true); n > 0 {
		return n
	}
	c, size := at(b, i)
	switch {
	case c&w.letters != 0:
		return runClass(b, i, w.letters, -1)
	case c&cN != 0:
		return runClass(b, i, cN, w.digits)
	case b[i] != '\r' && b[i] != '\n':
		if n := runClass(b, i+size, w.letters, -1); n > 0 {
			return size + n
		}
	}
	if n := punctuation(b, i, notWordOrSpace, "\r\n"); n > 0 {
		return n
	}
	if n := lines(b, i); n > 0 {
		return n
	}
	return spaces(b, i)
}

// caseScanner is the pattern of o200k (GPT-4o) and of Mistral's Tekken: words also end before a capital.
type caseScanner struct {
	contractions bool
	digits       int
}

const (
	upper = cLu | cLt | cLm | cLo | cM
	lower = cLl | cLm | cLo | cM
)

func (s caseScanner) scan(b []byte, i int) int {
	c, size := at(b, i)
	prefix := 0
	if c&(cL|cN) == 0 && b[i] != '\r' && b[i] != '\n' {
		prefix = size
	}
	for _, word := range [...]func([]byte, int) int{lowerWord, upperWord} {
		n := word(b, i+prefix)
		if n > 0 {
			n += prefix
		} else if prefix > 0 {
			n = word(b, i)
		}
		if n > 0 {
			if s.contractions {
				n += contraction(b, i+n, true)
			}
			return n
		}
	}
	if c&cN != 0 {
		return runClass(b, i, cN, s.digits)
	}
	if n := punctuation(b, i, notWordOrSpace, "\r\n/"); n > 0 {
		return n
	}
	if n := lines(b, i); n > 0 {
		return n
	}
	return spaces(b, i)
}

// lowerWord matches [upper]*[lower]+, where marks and letters without case are both.
func lowerWord(b []byte, i int) int {
	n := runClass(b, i, upper, -1)
	if tail := runClass(b, i+n, lower, -1); tail > 0 {
		return n + tail
	}
	for n > 0 {
		r, size := utf8.DecodeLastRune(b[i : i+n])
		if class(r)&lower != 0 {
			return n
		}
		n -= size
	}
	return 0
}

// upperWord matches [upper]+[lower]*.
func upperWord(b []byte, i int) int {
	n := runClass(b, i, upper, -1)
	if n == 0 {
		return 0
	}
	return n + runClass(b, i+n, lower, -1)
}

// scanDeepSeek is the last pattern of DeepSeek V3. It leaves numbers and control characters unmatched.
func scanDeepSeek(b []byte, i int) int {
	c, size := at(b, i)
	if c&cPunct != 0 && b[i] < utf8.RuneSelf {
		n := 1
		for i+n < len(b) && (b[i+n]|0x20) >= 'a' && (b[i+n]|0x20) <= 'z' {
			n++
		}
		if n > 1 {
			return n
		}
	}
	if c&(cL|cP|cS) == 0 && b[i] != '\r' && b[i] != '\n' {
		if n := runClass(b, i+size, cL|cM, -1); n > 0 {
			return size + n
		}
	}
	if n := runClass(b, i, cL|cM, -1); n > 0 {
		return n
	}
	if n := punctuation(b, i, marksOrSigns, "\r\n"); n > 0 {
		return n
	}
	if n := lines(b, i); n > 0 {
		return n
	}
	return spaces(b, i)
}

// scanCLIP is the pattern of CLIP, which matches no white space.
func scanCLIP(b []byte, i int) int {
	for _, s := range [...]string{"<|startoftext|>", "<|endoftext|>"} {
		if len(b)-i >= len(s) && string(b[i:i+len(s)]) == s {
			return len(s)
		}
	}
	if n := contraction(b, i, false); n > 0 {
		return n
	}
	if n := runClass(b, i, cL, -1); n > 0 {
		return n
	}
	if n := runClass(b, i, cN, 1); n > 0 {
		return n
	}
	return notWordOrSpace(b, i)
}

// scanWords matches \w+|[^\w\s]+.
func scanWords(b []byte, i int) int {
	if n := runClass(b, i, cWord, -1); n > 0 {
		return n
	}
	return runOther(b, i, cWord|cSpace)
}
