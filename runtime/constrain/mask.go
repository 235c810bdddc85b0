package constrain

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"sync"

	"github.com/tfgen/tfgen/runtime/sample"
)

// mask is a set of tokens.
type mask struct {
	bits    []uint64
	allowed int
}

// partial is what a state of a rule allows whatever is around the rule: tokens
// that do not go beyond it, and the beginnings of tokens with which it is over.
type partial struct {
	bits  []uint64
	over  []int32 // nodes of the trie
	empty bool    // no bit is set
}

// cacheBytes bounds the memory of the masks of a grammar and a vocabulary.
const cacheBytes = 64 << 20

// masks remembers masks, by state of a rule and by whole states.
type masks struct {
	grammar *Grammar
	vocab   *Vocabulary

	mu     sync.Mutex
	states map[int32]*partial
	whole  map[string]*mask
	bytes  int
}

// masksOf returns the masks of a vocabulary.
func (g *Grammar) masksOf(v *Vocabulary) *masks {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.masks[v]
	if m == nil {
		m = &masks{grammar: g, vocab: v, states: map[int32]*partial{}, whole: map[string]*mask{}}
		g.masks[v] = m
	}
	return m
}

// keep makes room for n bytes more, by forgetting everything.
func (m *masks) keep(n int) {
	if m.bytes += n; m.bytes > cacheBytes {
		clear(m.states)
		clear(m.whole)
		m.bytes = n
	}
}

// partial returns what a state of a rule allows.
func (m *masks) partial(q int32) *partial {
	m.mu.Lock()
	p := m.states[q]
	m.mu.Unlock()
	if p != nil {
		return p
	}
	w := &walker{masks: m, vocab: m.vocab, auto: &m.grammar.auto, bits: make([]uint64, m.vocab.words)}
	if !m.grammar.auto.loud[q] {
		w.regular(q)
	} else {
		w.machine.auto = w.auto
		w.walk(0, []stack{{q, outside}})
	}
	p = &partial{w.bits, w.over, !slices.ContainsFunc(w.bits, func(x uint64) bool { return x != 0 })}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keep(8*len(p.bits) + 4*len(p.over))
	m.states[q] = p
	return p
}

// walker finds the tokens that can follow.
type walker struct {
	masks   *masks
	vocab   *Vocabulary
	auto    *automaton
	machine machine
	bits    []uint64
	over    []int32
	levels  [][]stack
}

// set adds the tokens of a node.
func (w *walker) set(n *trieNode) {
	for _, id := range w.vocab.ids[n.first:n.last] {
		w.bits[id/64] |= 1 << (id % 64)
	}
}

// regular walks the trie from a state from which no call comes.
func (w *walker) regular(q int32) {
	var states [maxToken + 1]int32
	states[0] = q
	a, nodes := w.auto, w.vocab.nodes
	for i := int32(1); i < int32(len(nodes)); {
		n := &nodes[i]
		to := a.next[int(states[n.depth-1])*a.classes+int(a.class[n.c])]
		if to < 0 {
			i = n.next
			continue
		}
		if a.final[to] {
			w.over = append(w.over, i)
		}
		w.set(n)
		if a.dead[to] {
			i = n.next
			continue
		}
		states[n.depth] = to
		i++
	}
}

// walk walks the part of the trie below a node with the stacks behind it.
func (w *walker) walk(node int32, stacks []stack) {
	nodes := w.vocab.nodes
	base := nodes[node].depth
	w.level(0, stacks)
	for i := node + 1; i < nodes[node].next; {
		n := &nodes[i]
		d := int(n.depth - base)
		var end ending
		next := w.machine.step(w.room(d), w.levels[d-1], n.c, &end)
		w.levels[d] = next
		if end.outside {
			w.over = append(w.over, i)
		}
		if len(next) > 0 || end.outside || end.bottom {
			w.set(n)
		}
		if len(next) == 0 || w.machine.failed {
			i = n.next
			continue
		}
		i++
	}
}

// level sets the stacks of a depth.
func (w *walker) level(d int, stacks []stack) {
	room := w.room(d)
	w.levels[d] = append(room, stacks...)
}

// room returns an empty slice to put the stacks of a depth in.
func (w *walker) room(d int) []stack {
	for len(w.levels) <= d {
		w.levels = append(w.levels, nil)
	}
	return w.levels[d][:0]
}

// mask returns the tokens that may follow.
func (s *State) mask() *mask {
	if s.current != nil {
		return s.current
	}
	s.key = s.machine.describe(s.key[:0], s.stacks, s.complete)
	m := s.masks
	m.mu.Lock()
	s.current = m.whole[string(s.key)]
	m.mu.Unlock()
	if s.current != nil {
		return s.current
	}
	s.current = s.compute()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keep(8*len(s.current.bits) + len(s.key))
	m.whole[string(s.key)] = s.current
	return s.current
}

// compute joins what the states of the stacks allow, and what follows where they
// are over.
func (s *State) compute() *mask {
	w := &walker{masks: s.masks, vocab: s.vocab, auto: s.machine.auto, bits: make([]uint64, s.vocab.words)}
	w.machine = s.machine
	for _, t := range s.stacks {
		w.add(t)
	}
	s.machine.frames, s.machine.index = w.machine.frames, w.machine.index
	if s.complete {
		for _, id := range s.vocab.eos {
			if int(id) < s.vocab.Size() && id >= 0 {
				w.bits[id/64] |= 1 << (id % 64)
			}
		}
	}
	n := 0
	for _, x := range w.bits {
		n += bits.OnesCount64(x)
	}
	return &mask{w.bits, n}
}

// add adds the tokens that a stack allows at the beginning of a token.
func (w *walker) add(t stack) {
	p := w.masks.partial(t.state)
	if !p.empty {
		for i, x := range p.bits {
			w.bits[i] |= x
		}
	}
	if t.up < 0 || len(p.over) == 0 {
		return
	}
	var end ending
	around := w.machine.close(nil, stack(w.machine.frames[t.up]), &end)
	first := w.auto.first(around)
	for _, node := range p.over {
		if w.continues(node, &first) {
			w.walk(node, around)
		}
	}
}

// first returns the bytes that stacks can read.
func (a *automaton) first(stacks []stack) (ok [256]bool) {
	for _, s := range stacks {
		row := a.next[int(s.state)*a.classes:][:a.classes]
		for c := range ok {
			ok[c] = ok[c] || row[a.class[c]] >= 0
		}
	}
	return ok
}

// continues reports whether a token goes on from a node with one of the bytes.
// Most do not, and a walk costs more than this.
func (w *walker) continues(node int32, first *[256]bool) bool {
	nodes := w.vocab.nodes
	for i := node + 1; i < nodes[node].next; i = nodes[i].next {
		if first[nodes[i].c] {
			return true
		}
	}
	return false
}

// describe appends a description of stacks that is the same for equal ones.
func (m *machine) describe(key []byte, stacks []stack, complete bool) []byte {
	if complete {
		key = append(key, 1)
	}
	key = append(key, 0)
	for _, s := range stacks {
		key = binary.AppendVarint(key, int64(s.state))
		for up := s.up; up != bottom; up = m.frames[up].up {
			key = binary.AppendVarint(key, int64(m.frames[up].state))
		}
		key = append(key, 0xff)
	}
	return key
}

// Allow drops the candidates that may not follow.
func (s *State) Allow(c *sample.Candidates) {
	m := s.mask()
	c.Only(m.bits, m.allowed)
}

// Allows reports whether a token may follow.
func (s *State) Allows(id int32) bool {
	return id >= 0 && int(id) < s.vocab.Size() && s.mask().bits[id/64]>>(id%64)&1 != 0
}

// Count returns the number of tokens that may follow.
func (s *State) Count() int { return s.mask().allowed }
