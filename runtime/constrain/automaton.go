package constrain

import (
	"errors"
	"fmt"
	"slices"
)

// Limits of a compiled grammar. What exceeds them is an error, not a long wait.
const (
	maxNodes  = 1 << 18 // of the nondeterministic automata
	maxStates = 1 << 16
	maxRules  = 1 << 14
	maxDepth  = 1000 // of nested expressions
	maxRepeat = 1 << 14
	inlined   = 24  // rules of at most so many nodes are put in the place of their name
	compact   = 512 // rules that have at most so many nodes with all rules in them call none
)

var errTooLarge = errors.New("the grammar is too large: it repeats or nests too much")

// edge is a transition of a nondeterministic automaton: over a range of bytes, a
// call of a rule, or nothing.
type edge struct {
	kind edgeKind
	span byteSpan
	rule int
	to   int32
}

type edgeKind uint8

const (
	overByte edgeKind = iota
	overCall
	overNothing
)

// builder makes the nondeterministic automata of all rules (Thompson 1968).
type builder struct {
	rules  []node
	calls  []bool // rules that are called, not put in their place
	states [][]edge
	depth  int
	failed error

	compact bool // the rule that is built calls no other
}

func (b *builder) state() int32 {
	if len(b.states) >= maxNodes {
		b.failed = errTooLarge
		return 0
	}
	b.states = append(b.states, nil)
	return int32(len(b.states) - 1)
}

func (b *builder) edge(from int32, e edge) { b.states[from] = append(b.states[from], e) }

func (b *builder) empty(from, to int32) { b.edge(from, edge{kind: overNothing, to: to}) }

// build adds n between two states.
func (b *builder) build(n node, from, to int32) {
	if b.depth++; b.depth > maxDepth {
		b.failed = errors.New("the grammar nests too deeply")
	}
	defer func() { b.depth-- }()
	if b.failed != nil {
		return
	}
	switch n := n.(type) {
	case chars:
		b.chars(n, from, to)
	case seq:
		for i, part := range n {
			next := to
			if i < len(n)-1 {
				next = b.state()
			}
			b.build(part, from, next)
			from = next
		}
		if len(n) == 0 {
			b.empty(from, to)
		}
	case choice:
		for _, part := range n {
			b.build(part, from, to)
		}
	case repeat:
		b.repeat(n, from, to)
	case ref:
		if b.calls[n] && !b.compact {
			b.edge(from, edge{kind: overCall, rule: int(n), to: to})
			return
		}
		b.build(b.rules[n], from, to)
	default:
		b.failed = fmt.Errorf("no expression: %T", n)
	}
}

// chars adds the bytes of characters. Sequences that begin alike stay apart;
// making the automaton deterministic joins them.
func (b *builder) chars(c chars, from, to int32) {
	for _, s := range c {
		utf8Spans(s, func(spans []byteSpan) {
			at := from
			for i, bytes := range spans {
				next := to
				if i < len(spans)-1 {
					next = b.state()
				}
				b.edge(at, edge{kind: overByte, span: bytes, to: next})
				at = next
			}
		})
	}
}

// repeat adds n.min copies and n.max−n.min that may be left out, or a loop.
func (b *builder) repeat(n repeat, from, to int32) {
	if n.min > maxRepeat || n.max > maxRepeat {
		b.failed = fmt.Errorf("a repetition of %d to %d times, at most %d are possible", n.min, n.max, maxRepeat)
		return
	}
	for range n.min {
		next := b.state()
		b.build(n.node, from, next)
		from = next
	}
	if n.max < 0 {
		loop := b.state()
		b.empty(from, loop)
		back := b.state()
		b.build(n.node, loop, back)
		b.empty(back, loop)
		b.empty(loop, to)
		return
	}
	for range n.max - n.min {
		b.empty(from, to)
		next := b.state()
		b.build(n.node, from, next)
		from = next
	}
	b.empty(from, to)
}

// call is a transition over a rule.
type call struct {
	rule int32
	to   int32
}

// automaton holds the deterministic automata of all rules. States are numbered
// through; the transition of state q over byte c is next[q·classes+class[c]], −1
// for none.
type automaton struct {
	class   [256]uint8
	classes int
	next    []int32
	calls   [][]call
	final   []bool
	dead    []bool  // a final state that nothing leads out of
	reads   []bool  // a state with a transition over a byte
	start   []int32 // by rule
	loud    []bool  // a state from which a call can come
}

// determinize makes the deterministic automaton of a rule from its
// nondeterministic one (Rabin & Scott 1959); calls are symbols like bytes.
func (a *automaton) determinize(b *builder, from, to int32) error {
	d := &subsets{a: a, b: b, to: to, seen: map[string]int32{}}
	a.start = append(a.start, d.add([]int32{from}))
	for len(d.open) > 0 {
		s := d.open[0]
		d.open = d.open[1:]
		d.expand(s)
		if len(a.final) > maxStates {
			return errTooLarge
		}
	}
	return nil
}

// subsets is a subset construction at work.
type subsets struct {
	a    *automaton
	b    *builder
	to   int32
	seen map[string]int32
	open []subset
	mark []bool
}

// subset is a deterministic state and the states that it stands for.
type subset struct {
	id  int32
	set []int32
}

// add returns the deterministic state of a set of states and what they reach
// over nothing.
func (d *subsets) add(set []int32) int32 {
	set = d.close(set)
	key := make([]byte, 0, 4*len(set))
	for _, s := range set {
		key = append(key, byte(s), byte(s>>8), byte(s>>16), byte(s>>24))
	}
	if id, ok := d.seen[string(key)]; ok {
		return id
	}
	a := d.a
	id := int32(len(a.final))
	d.seen[string(key)] = id
	a.final = append(a.final, slices.Contains(set, d.to))
	a.calls = append(a.calls, nil)
	for range a.classes {
		a.next = append(a.next, -1)
	}
	d.open = append(d.open, subset{id, set})
	return id
}

// close adds what is reached over nothing, and sorts.
func (d *subsets) close(set []int32) []int32 {
	if d.mark == nil {
		d.mark = make([]bool, len(d.b.states))
	}
	out := make([]int32, 0, len(set))
	add := func(s int32) {
		if !d.mark[s] {
			d.mark[s] = true
			out = append(out, s)
		}
	}
	for _, s := range set {
		add(s)
	}
	for i := 0; i < len(out); i++ {
		for _, e := range d.b.states[out[i]] {
			if e.kind == overNothing {
				add(e.to)
			}
		}
	}
	for _, s := range out {
		d.mark[s] = false
	}
	slices.Sort(out)
	return out
}

// expand adds the transitions of a deterministic state.
func (d *subsets) expand(s subset) {
	a := d.a
	byClass := make([][]int32, a.classes)
	var calls []call
	targets := map[int32][]int32{}
	for _, state := range s.set {
		for _, e := range d.b.states[state] {
			switch e.kind {
			case overByte:
				last := -1
				for c := int(e.span.lo); c <= int(e.span.hi); c++ {
					if k := int(a.class[c]); k != last {
						byClass[k] = append(byClass[k], e.to)
						last = k
					}
				}
			case overCall:
				if targets[int32(e.rule)] == nil {
					calls = append(calls, call{rule: int32(e.rule)})
				}
				targets[int32(e.rule)] = append(targets[int32(e.rule)], e.to)
			}
		}
	}
	for k, set := range byClass {
		if set != nil {
			id := d.add(set)
			a.next[int(s.id)*a.classes+k] = id
		}
	}
	for _, c := range calls {
		c.to = d.add(targets[c.rule])
		a.calls[s.id] = append(a.calls[s.id], c)
	}
}

// classify divides the bytes into classes that no transition tells apart.
func (a *automaton) classify(b *builder) {
	var cut [257]bool
	for _, edges := range b.states {
		for _, e := range edges {
			if e.kind == overByte {
				cut[e.span.lo], cut[int(e.span.hi)+1] = true, true
			}
		}
	}
	k := 0
	for c := range 256 {
		if cut[c] && c > 0 {
			k++
		}
		a.class[c] = uint8(k)
	}
	a.classes = k + 1
}

// finish drops what cannot be completed and marks the states that nothing leads
// out of, and those that read bytes.
func (a *automaton) finish() {
	a.prune()
	a.mark()
	a.dead, a.reads = make([]bool, len(a.final)), make([]bool, len(a.final))
	for q := range a.final {
		for _, to := range a.next[q*a.classes : (q+1)*a.classes] {
			a.reads[q] = a.reads[q] || to >= 0
		}
		a.dead[q] = a.final[q] && len(a.calls[q]) == 0 && !a.reads[q]
	}
}

// mark finds the states from which a call can come before their rule is over.
func (a *automaton) mark() {
	a.loud = make([]bool, len(a.final))
	for changed := true; changed; {
		changed = false
		for q := len(a.loud) - 1; q >= 0; q-- {
			if !a.loud[q] && (len(a.calls[q]) > 0 || slices.ContainsFunc(a.next[q*a.classes:(q+1)*a.classes], func(to int32) bool { return to >= 0 && a.loud[to] })) {
				a.loud[q], changed = true, true
			}
		}
	}
}

// prune removes the transitions to states from which the end of their rule
// cannot be reached.
func (a *automaton) prune() {
	useful := slices.Clone(a.final)
	can := func(c call) bool { return useful[c.to] && useful[a.start[c.rule]] }
	for changed := true; changed; {
		changed = false
		for q := len(useful) - 1; q >= 0; q-- {
			if !useful[q] && (slices.ContainsFunc(a.calls[q], can) ||
				slices.ContainsFunc(a.next[q*a.classes:(q+1)*a.classes], func(to int32) bool { return to >= 0 && useful[to] })) {
				useful[q], changed = true, true
			}
		}
	}
	for i, to := range a.next {
		if to >= 0 && !useful[to] {
			a.next[i] = -1
		}
	}
	for q := range a.calls {
		a.calls[q] = slices.DeleteFunc(a.calls[q], func(c call) bool { return !can(c) })
	}
}
