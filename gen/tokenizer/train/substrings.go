package train

import (
	"cmp"
	"slices"
)

// substring is a piece of text that occurs several times and is followed by different characters.
type substring struct {
	text  []rune
	count int
}

// substrings lists the substrings of 2 to most characters that occur in different surroundings to their right: the
// inner nodes of the suffix tree of all words, each ended by NUL, that do not contain one.
func substrings(list []counted, most int) []substring {
	var flat []rune
	for _, w := range list {
		if w.text != "" {
			flat = append(append(flat, []rune(w.text)...), 0)
		}
	}
	// no more than the first characters of a suffix count, up to the end of its word
	suffix := func(i int32) []rune {
		s := flat[i:min(int(i)+most+1, len(flat))]
		if k := slices.Index(s, 0); k >= 0 {
			s = s[:k+1]
		}
		return s
	}
	order := make([]int32, 0, len(flat))
	for i, r := range flat {
		if r != 0 {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Or(slices.Compare(suffix(a), suffix(b)), cmp.Compare(a, b)) })
	return nodes(order, suffix, most)
}

// nodes walks over the sorted suffixes with a stack of the nodes that are open.
func nodes(order []int32, suffix func(int32) []rune, most int) []substring {
	type open struct{ first, depth int }
	var out []substring
	var stack []open
	closeTo := func(depth, end int) (first int) {
		first = end - 1
		for len(stack) > 0 && stack[len(stack)-1].depth > depth {
			n := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			first = n.first
			text := suffix(order[n.first])[:n.depth]
			if n.depth >= 2 && n.depth <= most && text[n.depth-1] != 0 {
				out = append(out, substring{text, end - n.first})
			}
		}
		return first
	}
	for i := 1; i <= len(order); i++ {
		depth := 0
		if i < len(order) {
			depth = common(suffix(order[i-1]), suffix(order[i]))
		}
		first := closeTo(depth, i)
		if depth > 0 && (len(stack) == 0 || stack[len(stack)-1].depth < depth) {
			stack = append(stack, open{first, depth})
		}
	}
	return out
}

// common returns how many characters two texts begin with in common.
func common(a, b []rune) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
