package tokenizer

import (
	"slices"
	"sync"
	"unicode/utf8"
)

// mark is a character on its way through normalisation: its combining class, and how many characters of the
// input it stands for.
type mark struct {
	r     rune
	ccc   uint8
	chars int
}

// Hangul syllables are composed by arithmetic (The Unicode Standard, 3.12).
const (
	hangulS, hangulL, hangulV, hangulT = 0xac00, 0x1100, 0x1161, 0x11a7
	countL, countV, countT             = 19, 21, 28
	countS                             = countL * countV * countT
)

// normalForm writes NFC, NFD, NFKC or NFKD of the input (UAX #15).
func (e *editor) normalForm(compose, compat bool) {
	var run []mark
	for e.pos < len(e.in.b) {
		if n := e.inert(compose); n > 0 {
			e.copy(n)
			continue
		}
		run = e.segment(run[:0], compat)
		if compose {
			run = recompose(run)
		}
		for _, m := range run {
			e.take(m.r, m.chars)
		}
	}
}

// inert returns the bytes up to a character that normalisation may change, less the last one before it,
// which that may join.
func (e *editor) inert(compose bool) int {
	i := e.pos
	for i < len(e.in.b) && e.in.b[i] < utf8.RuneSelf {
		i++
	}
	if i < len(e.in.b) && compose && i > e.pos {
		i--
	}
	return i - e.pos
}

// segment decomposes characters up to the next place that nothing is joined over, in canonical order. The
// input stays where it is until the marks are taken.
func (e *editor) segment(run []mark, compat bool) []mark {
	t := forms()
	pending := 0 // where the current run of combining characters begins
	starters := 0
	for i := e.pos; i < len(e.in.b); {
		r, n := utf8.DecodeRune(e.in.b[i:])
		if starters > 0 && t.boundary(r) {
			break
		}
		i += n
		first := len(run)
		run = t.decompose(run, r, compat)
		for k := first; k < len(run); k++ {
			run[k].chars = 0
			if k == first {
				run[k].chars = 1
			}
			run[k].ccc = t.ccc[run[k].r]
			if run[k].ccc == 0 {
				order(run[pending:k])
				pending = k
			}
		}
		starters++
	}
	order(run[pending:])
	return run
}

func order(run []mark) {
	if len(run) > 1 {
		slices.SortStableFunc(run, func(a, b mark) int { return int(a.ccc) - int(b.ccc) })
	}
}

// recompose joins marks with the last starter before them where a composed character exists.
func recompose(run []mark) []mark {
	t := forms()
	starter, last := -1, 0 // index of the starter; class of the last character kept behind it, −1 for none
	out := run[:0]
	for _, m := range run {
		if starter >= 0 && (last < 0 || last < int(m.ccc)) {
			if r := t.join(out[starter].r, m.r); r != 0 {
				out[starter].r = r
				out[starter].chars += m.chars
				continue
			}
		}
		if m.ccc == 0 {
			starter, last = len(out), -1
		} else {
			last = int(m.ccc)
		}
		out = append(out, m)
	}
	return out
}

// formTables are the tables of the normal forms, spread out for use.
type formTables struct {
	canonical, compatible map[rune]string // full decompositions
	ccc                   map[rune]uint8
	pairs                 map[[2]rune]rune
	joins                 map[rune]bool // second of a pair
}

var forms = sync.OnceValue(func() *formTables {
	t := &formTables{canonical: map[rune]string{}, compatible: map[rune]string{}, ccc: map[rune]uint8{}, pairs: map[[2]rune]rune{}, joins: map[rune]bool{}}
	spread(canonicalTable, t.canonical)
	spread(compatibleTable, t.compatible)
	class := uint8(0)
	for _, r := range cccTable {
		if r < 256 {
			class = uint8(r)
		} else {
			t.ccc[r] = class
		}
	}
	list := []rune(pairTable)
	for i := 0; i+2 < len(list); i += 3 {
		t.pairs[[2]rune{list[i], list[i+1]}] = list[i+2]
		t.joins[list[i+1]] = true
	}
	return t
})

// spread reads entries of a character, its decomposition, and a NUL.
func spread(table string, m map[rune]string) {
	for len(table) > 0 {
		r, n := utf8.DecodeRuneInString(table)
		end := n
		for table[end] != 0 {
			end++
		}
		m[r] = table[n:end]
		table = table[end+1:]
	}
}

// boundary reports whether normalisation never joins or moves anything across the start of r.
func (t *formTables) boundary(r rune) bool {
	if r < 0x300 {
		return true
	}
	if r >= hangulV && r < hangulV+countV || r > hangulT && r < hangulT+countT || t.ccc[r] != 0 || t.joins[r] {
		return false
	}
	d, ok := t.compatible[r]
	if !ok {
		if d, ok = t.canonical[r]; !ok {
			return true
		}
	}
	first, _ := utf8.DecodeRuneInString(d)
	return t.ccc[first] == 0 && !t.joins[first] && !(first >= hangulV && first < hangulV+countV) && !(first > hangulT && first < hangulT+countT)
}

func (t *formTables) decompose(run []mark, r rune, compat bool) []mark {
	if r >= hangulS && r < hangulS+countS {
		s := r - hangulS
		run = append(run, mark{r: hangulL + s/(countV*countT)}, mark{r: hangulV + s%(countV*countT)/countT})
		if s%countT != 0 {
			run = append(run, mark{r: hangulT + s%countT})
		}
		return run
	}
	d, ok := "", false
	if compat {
		d, ok = t.compatible[r]
	}
	if !ok {
		d, ok = t.canonical[r]
	}
	if !ok {
		return append(run, mark{r: r})
	}
	for _, c := range d {
		run = append(run, mark{r: c})
	}
	return run
}

// join returns the composition of two characters, 0 for none.
func (t *formTables) join(a, b rune) rune {
	if a >= hangulL && a < hangulL+countL && b >= hangulV && b < hangulV+countV {
		return hangulS + ((a-hangulL)*countV+b-hangulV)*countT
	}
	if a >= hangulS && a < hangulS+countS && (a-hangulS)%countT == 0 && b > hangulT && b < hangulT+countT {
		return a + b - hangulT
	}
	return t.pairs[[2]rune{a, b}]
}
