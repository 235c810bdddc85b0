package tokenizer

import (
	"slices"
	"sort"
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
func (e *editor) normalForm(t *formTables, compose, compat bool) {
	var run []mark
	for e.pos < len(e.in.b) {
		if n := e.inert(compose); n > 0 {
			e.copy(n)
			continue
		}
		run = e.segment(t, run[:0], compat)
		if compose {
			run = recompose(t, run)
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
func (e *editor) segment(t *formTables, run []mark, compat bool) []mark {
	pending := 0 // where the current run of combining characters begins
	taken := 0
	for i := e.pos; i < len(e.in.b); {
		r, n := utf8.DecodeRune(e.in.b[i:])
		if taken > 0 && t.boundary(r) {
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
			if run[k].ccc == 0 {
				order(run[pending:k])
				pending = k
			}
		}
		taken++
	}
	order(run[pending:])
	return run
}

func order(run []mark) {
	if len(run) > 1 {
		sort.SliceStable(run, func(i, j int) bool { return run[i].ccc < run[j].ccc })
	}
}

// recompose joins marks with the last starter before them where a composed character exists.
func recompose(t *formTables, run []mark) []mark {
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

// form is what the normal forms know of a character. The first entry stands for all that have nothing.
type form struct {
	canonical, compatible string // full decompositions, "" for none
	ccc                   uint8  // combining class
	joins                 bool   // a character before it may absorb it
}

// formTables are the tables of the normal forms, spread out for use.
type formTables struct {
	block [0x30000 >> blockBits]uint16
	entry [][blockSize]uint16
	list  []form
	pairs map[[2]rune]rune
}

// forms are the tables of the edition that the reference follows.
var forms = sync.OnceValue(func() *formTables { return newForms(formsUnknown) })

// newForms spreads the tables of formsVersion out, without the characters in the ranges of unknown.
func newForms(unknown []rune) *formTables {
	t := &formTables{entry: make([][blockSize]uint16, 1), list: make([]form, 1), pairs: map[[2]rune]rune{}}
	known := func(r rune) bool {
		i, exact := slices.BinarySearch(unknown, r)
		return !exact && i%2 == 0
	}
	spread(canonicalTable, func(r rune, d string) {
		if known(r) {
			t.add(r).canonical = d
		}
	})
	spread(compatibleTable, func(r rune, d string) {
		if known(r) {
			t.add(r).compatible = d
		}
	})
	class := uint8(0)
	for _, r := range cccTable {
		if r < 256 {
			class = uint8(r)
		} else if known(r) {
			t.add(r).ccc = class
		}
	}
	list := []rune(pairTable)
	for i := 0; i+2 < len(list); i += 3 {
		if known(list[i+2]) {
			t.pairs[[2]rune{list[i], list[i+1]}] = list[i+2]
			t.add(list[i+1]).joins = true
		}
	}
	for r := rune(hangulV); r < hangulV+countV; r++ {
		t.add(r).joins = true
	}
	for r := rune(hangulT + 1); r < hangulT+countT; r++ {
		t.add(r).joins = true
	}
	return t
}

// spread calls f for entries of a character, its decomposition, and a NUL.
func spread(table string, f func(r rune, d string)) {
	for len(table) > 0 {
		r, n := utf8.DecodeRuneInString(table)
		end := n
		for table[end] != 0 {
			end++
		}
		f(r, table[n:end])
		table = table[end+1:]
	}
}

func (t *formTables) add(r rune) *form {
	b := &t.block[r>>blockBits]
	if *b == 0 {
		*b = uint16(len(t.entry))
		t.entry = append(t.entry, [blockSize]uint16{})
	}
	e := &t.entry[*b][r&(blockSize-1)]
	if *e == 0 {
		*e = uint16(len(t.list))
		t.list = append(t.list, form{})
	}
	return &t.list[*e]
}

func (t *formTables) of(r rune) *form {
	if b := int(r >> blockBits); b < len(t.block) {
		return &t.list[t.entry[t.block[b]][r&(blockSize-1)]]
	}
	return &t.list[0]
}

// boundary reports whether normalisation never joins or moves anything across the start of r.
func (t *formTables) boundary(r rune) bool {
	if r < 0x300 {
		return true
	}
	f := t.of(r)
	if f.ccc != 0 || f.joins {
		return false
	}
	d := f.compatible
	if d == "" {
		d = f.canonical
	}
	if d == "" {
		return true
	}
	first, _ := utf8.DecodeRuneInString(d)
	f = t.of(first)
	return f.ccc == 0 && !f.joins
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
	f := t.of(r)
	d := f.canonical
	if compat && f.compatible != "" {
		d = f.compatible
	}
	if d == "" {
		return append(run, mark{r: r, ccc: f.ccc})
	}
	for _, c := range d {
		run = append(run, mark{r: c, ccc: t.of(c).ccc})
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
