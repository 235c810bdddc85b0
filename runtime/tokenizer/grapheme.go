package tokenizer

import (
	"slices"
	"unicode/utf8"
)

// Grapheme break classes (UAX #29), as graphemeTable numbers them.
const (
	gOther = iota
	gCR
	gLF
	gControl
	gExtend
	gZWJ
	gRegional
	gPrepend
	gSpacing
	gL
	gV
	gT
	gLV
	gLVT
	gPicture   // Extended_Pictographic
	gConsonant // Indic_Conjunct_Break=Consonant
	gLinker    // Extend and Indic_Conjunct_Break=Linker
	gExtend17  // Extend since Unicode 17
	gSpacing17 // SpacingMark since Unicode 17
)

// graphemeClass returns a character's class in Unicode 17, or in Unicode 16.
func graphemeClass(r rune, latest bool) uint32 {
	switch c := latestClass(r); {
	case c == gExtend17 && latest:
		return gExtend
	case c == gSpacing17 && latest:
		return gSpacing
	case c == gOther && !latest && within(earlierPictures, r):
		return gPicture
	case c >= gExtend17:
		return gOther
	default:
		return c
	}
}

// within reports whether a sorted list of ranges, first and last, has r.
func within(ranges []rune, r rune) bool {
	i, exact := slices.BinarySearch(ranges, r)
	return exact || i%2 == 1
}

func latestClass(r rune) uint32 {
	if r < 0x300 && r >= ' ' && r < 0x7f {
		return gOther
	}
	i, found := slices.BinarySearchFunc(graphemeTable[:], uint32(r), func(e, r uint32) int { return int(e>>5) - int(r) })
	if !found {
		i--
	}
	if i < 0 {
		return gOther
	}
	c := graphemeTable[i] & 31
	if c == gLV && (r-hangulS)%countT != 0 {
		return gLVT
	}
	return c
}

// grapheme returns the bytes of the extended grapheme cluster that b begins with (UAX #29), 0 for no bytes: of Unicode
// 17, as the reference's characters map has it, or of Unicode 16 without GB9c (conjuncts), as Oniguruma's \X.
func grapheme(b []byte, latest bool) int {
	if len(b) == 0 {
		return 0
	}
	r, n := utf8.DecodeRune(b)
	s := cluster{before: graphemeClass(r, latest), conjuncts: latest}
	s.start()
	for n < len(b) {
		if s.before == gOther && b[n] >= ' ' && b[n] < 0x7f {
			return n
		}
		r, size := utf8.DecodeRune(b[n:])
		if c := graphemeClass(r, latest); s.breaks(c) {
			return n
		}
		n += size
	}
	return n
}

// cluster is what the rules need to know of the cluster so far.
type cluster struct {
	before    uint32 // class of the last character
	conjuncts bool   // GB9c counts
	regional  int    // regional indicators at the end
	picture   bool   // it ends with a picture and what extends it
	conjunct  int    // 1 after a consonant and what extends it, 2 if there is a linker among that
}

// start takes the class in before into account.
func (s *cluster) start() {
	switch s.before {
	case gRegional:
		s.regional++
	case gPicture:
		s.picture = true
	case gConsonant:
		s.conjunct = b2i(s.conjuncts)
	}
}

// breaks reports whether a cluster ends before a character of class c, and else takes it in.
func (s *cluster) breaks(c uint32) bool {
	if !s.joins(c) {
		return true
	}
	extends := c == gExtend || c == gZWJ || c == gLinker
	if c != gRegional {
		s.regional = 0
	}
	s.picture = s.picture && (extends || c == gPicture)
	if c == gLinker && s.conjunct > 0 {
		s.conjunct = 2
	} else if !extends {
		s.conjunct = 0
	}
	s.before = c
	s.start()
	return false
}

// joins holds where the rules GB3 to GB13 keep two characters together.
func (s *cluster) joins(c uint32) bool {
	b := s.before
	switch {
	case b == gCR || b == gLF || b == gControl || c == gCR || c == gLF || c == gControl:
		return b == gCR && c == gLF
	case b == gL && (c == gL || c == gV || c == gLV || c == gLVT),
		(b == gLV || b == gV) && (c == gV || c == gT),
		(b == gLVT || b == gT) && c == gT,
		c == gExtend || c == gZWJ || c == gLinker || c == gSpacing,
		b == gPrepend,
		c == gConsonant && s.conjunct == 2,
		b == gZWJ && c == gPicture && s.picture,
		b == gRegional && c == gRegional && s.regional%2 == 1:
		return true
	}
	return false
}
