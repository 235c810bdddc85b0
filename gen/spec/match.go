package spec

import "strings"

// Match reports whether a name fits a pattern in which every "*" stands for any text, and returns what each stood for.
// The first stars take as little as they can. The time is bounded by the product of the lengths.
func Match(pattern, name string) ([]string, bool) {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return nil, pattern == name
	}
	if !strings.HasPrefix(name, head) {
		return nil, false
	}
	m := matcher{strings.Split(rest, "*"), name, map[[2]int]bool{}}
	return m.from(0, len(head))
}

// matcher finds the literals between stars one after the other; failed remembers (literal, place) without a match.
type matcher struct {
	literals []string
	name     string
	failed   map[[2]int]bool
}

func (m matcher) from(k, at int) ([]string, bool) {
	if m.failed[[2]int{k, at}] {
		return nil, false
	}
	lit := m.literals[k]
	if k == len(m.literals)-1 {
		if len(m.name)-at >= len(lit) && strings.HasSuffix(m.name, lit) {
			return []string{m.name[at : len(m.name)-len(lit)]}, true
		}
		return nil, false
	}
	for i := at; i+len(lit) <= len(m.name); i++ {
		if !strings.HasPrefix(m.name[i:], lit) {
			continue
		}
		if more, ok := m.from(k+1, i+len(lit)); ok {
			return append([]string{m.name[at:i]}, more...), true
		}
	}
	m.failed[[2]int{k, at}] = true
	return nil, false
}

// Fill puts texts in the place of the stars of a pattern.
func Fill(pattern string, texts []string) string {
	for _, t := range texts {
		pattern = strings.Replace(pattern, "*", t, 1)
	}
	return pattern
}

// Equal compares values of the language: numbers by value, everything else by type and value.
func Equal(x, y any) bool { return equal(x, y) }
