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
	cSpace // White_Space
	cWord  // Alphabetic, mark, decimal digit, connector punctuation or join control (UTS #18, \w)
	cMn
	cOther // control, format or private use

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
		{unicode.M, cM | cWord}, {unicode.Mn, cMn}, {unicode.N, cN}, {unicode.Nd, cWord}, {unicode.Nl, cWord},
		{unicode.P, cP}, {unicode.Pc, cWord}, {unicode.S, cS}, {unicode.White_Space, cSpace},
		{unicode.Other_Alphabetic, cWord}, {unicode.Join_Control, cWord}, {unicode.Cc, cOther}, {unicode.Cf, cOther}, {unicode.Co, cOther},
	} {
		for _, r := range e.table.R16 {
			t.add(rune(r.Lo), rune(r.Hi), rune(r.Stride), e.class)
		}
		for _, r := range e.table.R32 {
			t.add(rune(r.Lo), rune(r.Hi), rune(r.Stride), e.class)
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
		t.data[int(*b)<<blockBits|int(r)&(blockSize-1)] |= class
	}
}

func (t *classTable) of(r rune) uint16 {
	if uint32(r) > unicode.MaxRune {
		return 0
	}
	return t.data[int(t.block[r>>blockBits])<<blockBits|int(r)&(blockSize-1)]
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

// isPunct is BERT's: Unicode's punctuation and all ASCII symbols.
func isPunct(r rune) bool {
	c := class(r)
	return c&cP != 0 || r < 128 && c&cS != 0
}
