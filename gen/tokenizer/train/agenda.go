package train

// hypothesis is a way from some edge to the end: gx is its score, fx that of the best whole way along it.
type hypothesis struct {
	edge   int32
	next   *hypothesis
	fx, gx float64
}

// notAbove says whether the library puts h no higher than k. It never calls two equal, so that among equal ones the
// later moves up.
func (h *hypothesis) notAbove(k *hypothesis) bool { return h.fx < k.fx }

// agenda is a heap of hypotheses, the best first. Ways of equal score come out in the order of the library's heap of
// four children a node (crate dary_heap, QuaternaryHeap), on which the pieces that stay depend.
type agenda []*hypothesis

const arity = 4

func (a *agenda) push(h *hypothesis) {
	*a = append(*a, h)
	a.up(len(*a) - 1)
}

// up moves an element to where its parent is above it.
func (a agenda) up(at int) {
	h := a[at]
	for at > 0 {
		parent := (at - 1) / arity
		if h.notAbove(a[parent]) {
			break
		}
		a[at] = a[parent]
		at = parent
	}
	a[at] = h
}

// pop takes the best out: the last element takes its place, sinks to the bottom, and rises from there.
func (a *agenda) pop() *hypothesis {
	list := *a
	n := len(list) - 1
	last := list[n]
	list[n] = nil
	list = list[:n]
	*a = list
	if n == 0 {
		return last
	}
	top := list[0]
	at := 0
	for child := 1; child < n; child = arity*at + 1 {
		child = list.best(child)
		list[at] = list[child]
		at = child
	}
	list[at] = last
	list.up(at)
	return top
}

// best returns the best of the children from first on. All four are compared in two pairs, fewer one by one.
func (a agenda) best(first int) int {
	better := func(i, k int) int {
		if a[i].notAbove(a[k]) {
			return k
		}
		return i
	}
	if first+arity <= len(a) {
		return better(better(first, first+1), better(first+2, first+3))
	}
	best := first
	for k := first + 1; k < len(a); k++ {
		best = better(best, k)
	}
	return best
}
