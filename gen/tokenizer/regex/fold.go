package regex

import (
	"slices"
	"unicode"
)

// laterCases are pairs of cases assigned since the edition of Unicode that package unicode has.
var laterCases = func() map[rune]rune {
	m := map[rune]rune{0x1c89: 0x1c8a, 0xa7cb: 0x264, 0xa7cc: 0xa7cd, 0xa7da: 0xa7db, 0xa7dc: 0x19b}
	for r := rune(0x10d50); r <= 0x10d65; r++ {
		m[r] = r + 0x20
	}
	for a, b := range m {
		m[b] = a
	}
	return m
}()

// orbit returns the characters that fold to the same as r by themselves, r among them.
func orbit(r rune) set {
	out := set{r, r}
	if o, ok := laterCases[r]; ok {
		return union(out, set{o, o})
	}
	for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
		out = union(out, set{o, o})
	}
	return out
}

// fold returns the least character of r's orbit, which stands for all of them.
func fold(r rune) rune { return orbit(r)[0] }

// multi are the characters that fold to several (CaseFolding.txt, status F), by what they fold to.
var multi = func() map[string][]rune {
	m := map[string][]rune{}
	for r, to := range fullFolds {
		m[folded(to)] = append(m[folded(to)], r)
	}
	for _, l := range m {
		slices.Sort(l)
	}
	return m
}()

func folded(s string) string {
	var out []rune
	for _, r := range s {
		out = append(out, fold(r))
	}
	return string(out)
}

// closeFold adds the other cases of a set's characters.
func closeFold(s set) set {
	var more set
	add := func(r rune) {
		if s.has(r) {
			more = append(more, orbit(r)...)
		}
	}
	for _, table := range []*unicode.RangeTable{unicode.L, unicode.Mn, unicode.Nl, unicode.So} {
		for _, r := range table.R16 {
			for c := rune(r.Lo); c <= rune(r.Hi); c += rune(r.Stride) {
				if unicode.SimpleFold(c) != c {
					add(c)
				}
			}
		}
		for _, r := range table.R32 {
			for c := rune(r.Lo); c <= rune(r.Hi); c += rune(r.Stride) {
				if unicode.SimpleFold(c) != c {
					add(c)
				}
			}
		}
	}
	for r := range laterCases {
		add(r)
	}
	return union(s, more)
}

// foldSet is a set whose characters are closed under case, and what those of them fold to that fold to several.
func foldSet(s set) *node {
	alt := &node{kind: alternation, list: []*node{single(s)}}
	var texts []string
	for text, list := range multi {
		if slices.ContainsFunc(list, s.has) {
			texts = append(texts, text)
		}
	}
	slices.Sort(texts)
	for _, text := range texts {
		alt.list = append(alt.list, orbits([]rune(text)))
	}
	if len(alt.list) == 1 {
		return alt.list[0]
	}
	return alt
}

// orbits is a sequence of characters, each in any case.
func orbits(text []rune) *node {
	seq := &node{kind: sequence}
	for _, r := range text {
		seq.list = append(seq.list, single(orbit(r)))
	}
	return seq
}

// foldText is a text in any case, whose parts may be written as one character that folds to them, and whose
// characters may be written as several that they fold to.
func foldText(text []rune) *node { return foldSuffix(text, map[int]*node{}) }

// foldSuffix shares what follows between the ways to read what stands before.
func foldSuffix(text []rune, done map[int]*node) *node {
	if len(text) == 0 {
		return &node{kind: sequence}
	}
	if n := done[len(text)]; n != nil {
		return n
	}
	n := foldFirst(text, done)
	done[len(text)] = n
	return n
}

func foldFirst(text []rune, done map[int]*node) *node {
	one := &node{kind: alternation, list: []*node{single(orbit(text[0]))}}
	if to, ok := fullFolds[text[0]]; ok {
		key := folded(to)
		one.list = append(one.list, orbits([]rune(key)))
		one.list[0] = single(union(one.list[0].set, runes(multi[key])))
	}
	first := one.list[0]
	if len(one.list) > 1 {
		first = one
	}
	rest := &node{kind: sequence, list: []*node{first, foldSuffix(text[1:], done)}}
	alt := &node{kind: alternation, list: []*node{rest}}
	for n := 2; n <= min(3, len(text)); n++ {
		if list := multi[folded(string(text[:n]))]; len(list) > 0 {
			alt.list = append(alt.list, &node{kind: sequence, list: []*node{single(runes(list)), foldSuffix(text[n:], done)}})
		}
	}
	if len(alt.list) == 1 {
		return rest
	}
	return alt
}

func runes(list []rune) (s set) {
	for _, r := range list {
		s = union(s, set{r, r})
	}
	return s
}
