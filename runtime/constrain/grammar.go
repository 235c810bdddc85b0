// Package constrain makes generated text follow a grammar: a regular expression,
// a JSON Schema, a GBNF grammar or a list of choices.
//
// A grammar is compiled to deterministic automata over bytes, one for each rule
// that has to be called because it is recursive or large, and a State runs them
// with stacks. Which tokens may follow is found by walking a trie of the
// vocabulary; what a state allows within its rule is remembered, so that a token
// costs little once a grammar has been used for a while. Everything works on
// bytes: tokens that are parts of characters need no special treatment.
package constrain

import (
	"errors"
	"fmt"
	"sync"
)

// Grammar is a compiled grammar. It is immutable and safe for concurrent use.
type Grammar struct {
	auto automaton
	root int32 // its state to start from

	mu    sync.Mutex
	masks map[*Vocabulary]*masks
}

// compile makes a grammar of rules, of which root is the first to be used.
func compile(rules []node, names []string, root int) (*Grammar, error) {
	if len(rules) > maxRules {
		return nil, errTooLarge
	}
	info, err := analyse(rules, names)
	if err != nil {
		return nil, err
	}
	b := &builder{rules: rules, calls: info.calls}
	b.calls[root] = true
	type ends struct{ from, to int32 }
	all := make([]ends, len(rules))
	for i, n := range rules {
		if b.calls[i] {
			all[i] = ends{b.state(), b.state()}
			b.compact = info.size[i] <= compact
			b.build(n, all[i].from, all[i].to)
		}
	}
	if b.failed != nil {
		return nil, b.failed
	}
	g := &Grammar{masks: map[*Vocabulary]*masks{}}
	g.auto.classify(b)
	for i := range rules {
		if !b.calls[i] {
			g.auto.start = append(g.auto.start, -1)
			continue
		}
		if err := g.auto.determinize(b, all[i].from, all[i].to); err != nil {
			return nil, err
		}
	}
	g.auto.finish()
	g.root = g.auto.start[root]
	if s := g.Start(nil); !s.open() && !s.complete {
		return nil, errors.New("the grammar matches no text")
	}
	return g, nil
}

// analysis is what is known of rules.
type analysis struct {
	rules    []node
	names    []string
	calls    []bool // recursive or large
	size     []int  // with the rules in it that are put in their place
	nullable []bool
	visiting []bool
	done     []bool
	depth    int
	err      error
}

// analyse finds the rules to call and those that are left-recursive, which are
// an error because no text decides how often they recurse.
func analyse(rules []node, names []string) (*analysis, error) {
	n := len(rules)
	a := &analysis{rules: rules, names: names, calls: make([]bool, n), size: make([]int, n), nullable: make([]bool, n), visiting: make([]bool, n), done: make([]bool, n)}
	for i := range rules {
		a.visit(i)
	}
	for changed := true; changed; {
		changed = false
		for i, r := range rules {
			if !a.nullable[i] && a.empties(r) {
				a.nullable[i], changed = true, true
			}
		}
	}
	if a.err == nil {
		a.leftRecursion()
	}
	return a, a.err
}

// visit computes the size of a rule with those that stand in it, and whether it
// reaches itself.
func (a *analysis) visit(i int) {
	if a.done[i] {
		return
	}
	depth := a.depth
	a.visiting[i], a.depth = true, 0
	a.size[i] = a.measure(a.rules[i])
	a.visiting[i], a.done[i], a.depth = false, true, depth
	if a.size[i] > inlined {
		a.calls[i] = true
	}
}

// endless is the size of what has no end.
const endless = 1 << 20

// measure is the number of nodes of an expression, see analysis.size.
func (a *analysis) measure(n node) (total int) {
	if a.depth++; a.depth > maxDepth {
		a.err = errors.New("the grammar nests too deeply")
	}
	defer func() { a.depth-- }()
	if a.err != nil {
		return 0
	}
	total = 1
	switch n := n.(type) {
	case chars:
		total += len(n)
	case seq:
		for _, part := range n {
			total = min(total+a.measure(part), endless)
		}
	case choice:
		for _, part := range n {
			total = min(total+a.measure(part), endless)
		}
	case repeat:
		total += a.measure(n.node) * min(max(n.min, n.max, 1), maxRepeat)
	case ref:
		if a.visiting[n] {
			a.calls[n] = true
			return endless
		}
		a.visit(int(n))
		total += a.size[n]
	}
	return min(total, endless)
}

// empties reports whether an expression matches the empty text, as far as is
// known of the rules.
func (a *analysis) empties(n node) bool {
	switch n := n.(type) {
	case seq:
		for _, part := range n {
			if !a.empties(part) {
				return false
			}
		}
		return true
	case choice:
		for _, part := range n {
			if a.empties(part) {
				return true
			}
		}
	case repeat:
		return n.min == 0 || a.empties(n.node)
	case ref:
		return a.nullable[n]
	}
	return false
}

// leftRecursion reports a rule that can begin with itself.
func (a *analysis) leftRecursion() {
	state := make([]uint8, len(a.rules)) // 1 on the path, 2 done
	var visit func(i int)
	visit = func(i int) {
		if state[i] == 1 && a.err == nil {
			a.err = fmt.Errorf("rule %s is left-recursive: it can begin with itself; write it as a repetition", a.names[i])
		}
		if state[i] != 0 || a.err != nil {
			return
		}
		state[i] = 1
		for _, j := range a.first(a.rules[i], nil) {
			visit(j)
		}
		state[i] = 2
	}
	for i := range a.rules {
		visit(i)
	}
}

// first appends the rules that an expression can begin with.
func (a *analysis) first(n node, list []int) []int {
	switch n := n.(type) {
	case seq:
		for _, part := range n {
			list = a.first(part, list)
			if !a.empties(part) {
				break
			}
		}
	case choice:
		for _, part := range n {
			list = a.first(part, list)
		}
	case repeat:
		if n.max != 0 {
			list = a.first(n.node, list)
		}
	case ref:
		list = append(list, int(n))
	}
	return list
}
