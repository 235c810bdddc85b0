package tokenizer

import (
	"sync"
	"unicode"
)

// Classes of characters, as bits.
const (
	cLu = 1 << iota
	cLl
	cLt
	cLm
	cLo
	cM
	cN
	cP
	cS
	cSpace   // White_Space
	cWord    // Alphabetic, mark, decimal digit, connector punctuation or join control (UTS #18, \w)
	cNumeric // numbers, as Digits sees them
	cPunct   // punctuation and ASCII's symbols, as BERT sees them
	cMn      // nonspacing marks, as BERT sees them
	cAccent  // marks, as StripAccents sees them
	cOther   // control, format and private use, as BERT sees them

	cL = cLu | cLl | cLt | cLm | cLo
)

const (
	blockBits = 7
	blockSize = 1 << blockBits
)

// classTable is a two-stage table of classes by code point.
type classTable struct {
	block [(unicode.MaxRune + 1) >> blockBits]uint16
	data  []uint16
	ascii [128]uint16
}

// classes is built once from the tables of package unicode: 0.2 ms and 200 KB are not worth a generated file.
var classes = sync.OnceValue(buildClasses)

func buildClasses() *classTable {
	t := &classTable{data: make([]uint16, blockSize)}
	for _, e := range []struct {
		table *unicode.RangeTable
		class uint16
	}{
		{unicode.Lu, cLu | cWord}, {unicode.Ll, cLl | cWord}, {unicode.Lt, cLt | cWord}, {unicode.Lm, cLm | cWord}, {unicode.Lo, cLo | cWord},
		{unicode.M, cM | cAccent | cWord}, {unicode.Mn, cMn}, {unicode.N, cN | cNumeric}, {unicode.Nd, cWord}, {unicode.Nl, cWord},
		{unicode.P, cP | cPunct}, {unicode.Pc, cWord}, {unicode.S, cS}, {unicode.White_Space, cSpace},
		{unicode.Other_Alphabetic, cWord}, {unicode.Join_Control, cWord}, {unicode.Cc, cOther}, {unicode.Cf, cOther}, {unicode.Co, cOther},
	} {
		for _, r := range e.table.R16 {
			t.add(rune(r.Lo), rune(r.Hi), rune(r.Stride), e.class)
		}
		for _, r := range e.table.R32 {
			t.add(rune(r.Lo), rune(r.Hi), rune(r.Stride), e.class)
		}
	}
	for _, e := range classEdits {
		for i := 0; i < len(e.add); i += 2 {
			t.add(e.add[i], e.add[i+1], 1, e.class)
		}
		for i := 0; i < len(e.drop); i += 2 {
			for r := e.drop[i]; r <= e.drop[i+1]; r++ {
				*t.at(r) &^= e.class
			}
		}
	}
	for r := range rune(128) {
		if *t.at(r)&(cS|cP) != 0 {
			*t.at(r) |= cPunct
		}
	}
	for r := range t.ascii {
		t.ascii[r] = t.of(rune(r))
	}
	return t
}

func (t *classTable) add(lo, hi, stride rune, class uint16) {
	for r := lo; r <= hi; r += stride {
		b := &t.block[r>>blockBits]
		if *b == 0 {
			*b = uint16(len(t.data) >> blockBits)
			t.data = append(t.data, make([]uint16, blockSize)...)
		}
		*t.at(r) |= class
	}
}

// at returns the entry of a character whose block exists.
func (t *classTable) at(r rune) *uint16 {
	return &t.data[int(t.block[r>>blockBits])<<blockBits|int(r)&(blockSize-1)]
}

func (t *classTable) of(r rune) uint16 {
	if uint32(r) > unicode.MaxRune {
		return 0
	}
	return *t.at(r)
}

func class(r rune) uint16 {
	t := classes()
	if uint32(r) < 128 {
		return t.ascii[r]
	}
	return t.of(r)
}

func isSpace(r rune) bool { return class(r)&cSpace != 0 }
func isWord(r rune) bool  { return class(r)&cWord != 0 }
