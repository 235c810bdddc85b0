package tokenizer

// Matches returns the ranges of bytes of a text that a program matches, in order.
func (p *Program) Matches(text string) [][2]int {
	m := matchers.Get().(*matcher)
	defer matchers.Put(m)
	var out [][2]int
	m.each(p, viewBytes(text), func(lo, hi int) { out = append(out, [2]int{lo, hi}) })
	return out
}
