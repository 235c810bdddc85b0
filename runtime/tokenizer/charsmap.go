package tokenizer

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"
)

// charsMap is a precompiled normalisation table of SentencePiece: a Darts double array (Yata et al. 2007) that
// leads from a text to an offset into a list of replacements, each ended by NUL.
type charsMap struct {
	units []uint32
	texts string
}

func newCharsMap(blob string) (*charsMap, error) {
	if len(blob) < 4 {
		return nil, fmt.Errorf("the characters map has %d bytes", len(blob))
	}
	size := int(binary.LittleEndian.Uint32([]byte(blob[:4])))
	if size < 4 || size%4 != 0 || size > len(blob)-4 {
		return nil, fmt.Errorf("the characters map says its trie has %d bytes and has %d in all", size, len(blob))
	}
	m := &charsMap{units: make([]uint32, size/4), texts: blob[4+size:]}
	for i := range m.units {
		m.units[i] = binary.LittleEndian.Uint32([]byte(blob[4+4*i : 8+4*i]))
	}
	if !utf8.ValidString(m.texts) {
		return nil, fmt.Errorf("the characters map's replacements are not UTF-8")
	}
	return m, nil
}

// find returns the replacement of the shortest prefix of b that has one.
func (m *charsMap) find(b []byte) (to string, ok bool) {
	offset := func(u uint32) uint32 { return u >> 10 << (u & (1 << 9) >> 6) }
	at := offset(m.units[0])
	for _, c := range b {
		if c == 0 {
			break
		}
		at ^= uint32(c)
		if at >= uint32(len(m.units)) {
			break
		}
		u := m.units[at]
		if u&(1<<31|0xff) != uint32(c) {
			break
		}
		at ^= offset(u)
		if at >= uint32(len(m.units)) {
			break
		}
		if u>>8&1 == 1 {
			return m.text(m.units[at] &^ (1 << 31))
		}
	}
	return "", false
}

// longest returns the replacement of the longest prefix of b that has one, and the length of that.
func (m *charsMap) longest(b []byte) (to string, size int, ok bool) {
	offset := func(u uint32) uint32 { return u >> 10 << (u & (1 << 9) >> 6) }
	at := offset(m.units[0])
	for i, c := range b {
		at ^= uint32(c)
		if at >= uint32(len(m.units)) {
			break
		}
		u := m.units[at]
		if u&(1<<31|0xff) != uint32(c) {
			break
		}
		if at ^= offset(u); at >= uint32(len(m.units)) {
			break
		}
		if u>>8&1 == 1 {
			if text, found := m.text(m.units[at] &^ (1 << 31)); found {
				to, size, ok = text, i+1, true
			}
		}
	}
	return to, size, ok
}

func (m *charsMap) text(at uint32) (string, bool) {
	if at >= uint32(len(m.texts)) || !utf8.RuneStart(m.texts[at]) {
		return "", at == uint32(len(m.texts))
	}
	text, _, _ := strings.Cut(m.texts[at:], "\x00")
	return text, true
}

// normalize replaces grapheme clusters of less than six bytes as a whole, and else characters one by one.
func (m *charsMap) normalize(e *editor) {
	var list []mark
	modified := false
	for i := 0; i < len(e.in.b); {
		n := grapheme(e.in.b[i:], true)
		part := e.in.b[i : i+n]
		i += n
		if n < 6 {
			if to, ok := m.find(part); ok {
				list, modified = replaceMarks(list, part, to), true
				continue
			}
		}
		for len(part) > 0 {
			r, n := utf8.DecodeRune(part)
			if to, ok := m.find(part[:n]); ok {
				list, modified = replaceMarks(list, part[:n], to), true
			} else {
				list = append(list, mark{r: r, chars: 1})
			}
			part = part[n:]
		}
	}
	if !modified {
		e.rest()
		return
	}
	for _, c := range list {
		e.take(c.r, c.chars)
	}
	e.skip(len(e.in.b) - e.pos)
}

// replaceMarks appends the characters that replace from. Where characters fall away the last one before counts
// for them; at the beginning of the text nothing does.
func replaceMarks(list []mark, from []byte, to string) []mark {
	first := len(list)
	for _, r := range to {
		list = append(list, mark{r: r, chars: 1})
	}
	diff := len(list) - first - utf8.RuneCount(from)
	for k := len(list) - 1; k >= first && diff > 0; k-- {
		list[k].chars = 0
		diff--
	}
	if diff < 0 && len(list) > 0 {
		list[len(list)-1].chars -= diff
	}
	return list
}
