package tokenizer

import (
	"encoding/binary"
	"unicode"
)

// PackClasses returns the classes of all characters for tokenizers in other languages: for each run of characters of one
// class the distance from the end of the run before, its length and its class, as unsigned LEB128 numbers. Characters of no
// class are left out. The bits of a class are, from the lowest: Lu, Ll, Lt, Lm, Lo, M, N, P, S, white space, word, numeric,
// punctuation as BERT sees it, Mn, accent, other.
func PackClasses() []byte {
	var out []byte
	end := rune(0)
	for r := rune(0); r <= unicode.MaxRune; {
		c, first := class(r), r
		for r <= unicode.MaxRune && class(r) == c {
			r++
		}
		if c == 0 {
			continue
		}
		for _, v := range []uint64{uint64(first - end), uint64(r - first), uint64(c)} {
			out = binary.AppendUvarint(out, v)
		}
		end = r
	}
	return out
}
