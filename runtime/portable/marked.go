package portable

// Hidden is where scores of keys start that a query does not see: below every score that occurs, yet finite.
const Hidden = -1e30

// Marks writes which tokens of a sequence attend to all: given[i], or where that is negative what rule says of the index i
// of the token and that of the first token of this id, -1 if there is none. given may be nil.
func Marks(y []float32, ldy int, given, tokens []int32, id int32, rule func(i, found int) bool) {
	found := -1
	for i, t := range tokens {
		if t == id {
			found = i
			break
		}
	}
	for i := range tokens {
		mark := given[i] > 0
		if given[i] < 0 && rule != nil {
			mark = rule(i, found)
		}
		y[i*ldy] = 0
		if mark {
			y[i*ldy] = 1
		}
	}
}

// MarkFirst is the rule that marks the first token.
func MarkFirst(i, _ int) bool { return i == 0 }

// MarkBefore is the rule that marks what stands before the first token of the id.
func MarkBefore(i, found int) bool { return i < found }

// MarkAfter is the rule that marks what stands behind the first token of the id and the one after it.
func MarkAfter(i, found int) bool { return found >= 0 && i > found+1 }

// Marked reports whether one of n marks is set.
func Marked(marks []float32, ld, n int) bool {
	for i := range n {
		if marks[i*ld] != 0 {
			return true
		}
	}
	return false
}

// MarkedRun is the number of marks set one behind another from the first on, at most n.
func MarkedRun(marks []float32, ld, n int) int {
	for i := range n {
		if marks[i*ld] == 0 {
			return i
		}
	}
	return n
}

// SeeMarked writes where the scores of one query against a block of n keys start when it sees those from lo to hi-1 and
// all that are marked, and returns the range of keys that count. some says whether any is marked.
func SeeMarked(y, marks []float32, ld, n int, lo, hi int32, some bool) (int32, int32) {
	clear(y)
	if !some {
		return lo, hi
	}
	for i := range n {
		if (int32(i) < lo || int32(i) >= hi) && marks[i*ld] == 0 {
			y[i] = Hidden
		}
	}
	return 0, int32(n)
}
