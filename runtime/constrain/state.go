package constrain

import (
	"errors"
	"fmt"
	"slices"
)

// frame is a call that has not returned: the state to go on from, and the call
// around it.
type frame struct {
	state int32
	up    int32 // index of a frame, or one of the following
}

const (
	bottom  = -1 // the end of the text
	outside = -2 // whoever called the rule that a mask is computed for
)

// stack is a state and the calls around it. A text can be read in several ways
// at once; each has its stack.
type stack struct {
	state int32
	up    int32
}

// maxStacks bounds the ways in which a text can be read at once.
const maxStacks = 1 << 12

// machine runs the automata of a grammar with stacks.
type machine struct {
	auto    *automaton
	frames  []frame
	index   map[frame]int32
	failed  bool // maxStacks was exceeded
	pending []stack
}

// push returns the index of a frame.
func (m *machine) push(f frame) int32 {
	if i, ok := m.index[f]; ok {
		return i
	}
	if m.index == nil {
		m.index = map[frame]int32{}
	}
	i := int32(len(m.frames))
	m.frames = append(m.frames, f)
	m.index[f] = i
	return i
}

// ending says where stacks have come to the end of what they belong to.
type ending struct{ bottom, outside bool }

// close appends to dst the stacks that the given one becomes by calls and
// returns, those that can read a byte.
func (m *machine) close(dst []stack, s stack, end *ending) []stack {
	base := len(dst)
	m.pending = append(m.pending[:0], s)
	for i := 0; i < len(m.pending); i++ {
		s := m.pending[i]
		if len(m.pending) > maxStacks {
			m.failed = true
			return dst[:base]
		}
		if m.auto.reads[s.state] && !slices.Contains(dst, s) {
			dst = append(dst, s)
		}
		for _, c := range m.auto.calls[s.state] {
			up := s.up
			if !m.auto.dead[c.to] { // nothing is left to do after a last call
				up = m.push(frame{c.to, s.up})
			}
			m.visit(stack{m.auto.start[c.rule], up})
		}
		if !m.auto.final[s.state] {
			continue
		}
		switch s.up {
		case bottom:
			end.bottom = true
		case outside:
			end.outside = true
		default:
			f := m.frames[s.up]
			m.visit(stack(f))
		}
	}
	if len(dst) > maxStacks {
		m.failed = true
	}
	return dst
}

// visit notes a stack to be closed.
func (m *machine) visit(s stack) {
	if !slices.Contains(m.pending, s) {
		m.pending = append(m.pending, s)
	}
}

// step appends to dst what the stacks become by a byte.
func (m *machine) step(dst, stacks []stack, c byte, end *ending) []stack {
	k := int(m.auto.class[c])
	for _, s := range stacks {
		if to := m.auto.next[int(s.state)*m.auto.classes+k]; to >= 0 {
			dst = m.close(dst, stack{to, s.up}, end)
		}
	}
	return dst
}

// State is a text that follows a grammar, as far as it goes. It belongs to one
// caller. It implements generate.Constraint.
type State struct {
	grammar  *Grammar
	vocab    *Vocabulary
	masks    *masks
	machine  machine
	stacks   []stack
	complete bool // the text may end here
	piece    []byte
	spare    []stack
	before   []stack // of a text that is being taken
	key      []byte
	current  *mask // of the state, nil if not known
}

// Start returns the state of the empty text.
func (g *Grammar) Start(v *Vocabulary) *State {
	s := &State{grammar: g, vocab: v, machine: machine{auto: &g.auto}}
	if v != nil {
		s.masks = g.masksOf(v)
	}
	s.Reset()
	return s
}

// Reset goes back to the empty text.
func (s *State) Reset() {
	var end ending
	s.stacks = s.machine.close(s.stacks[:0], stack{s.grammar.root, bottom}, &end)
	s.complete, s.current = end.bottom, nil
}

// Clone returns a copy that goes on independently.
func (s *State) Clone() *State {
	c := *s
	c.machine = machine{auto: s.machine.auto, frames: slices.Clone(s.machine.frames)}
	for i, f := range c.machine.frames {
		if c.machine.index == nil {
			c.machine.index = map[frame]int32{}
		}
		c.machine.index[f] = int32(i)
	}
	c.stacks, c.piece, c.spare, c.before, c.key = slices.Clone(s.stacks), nil, nil, nil, nil
	return &c
}

// open reports whether a byte can follow.
func (s *State) open() bool { return len(s.stacks) > 0 }

// Complete reports whether the text may end here.
func (s *State) Complete() bool { return s.complete }

// Done reports whether the text must end here.
func (s *State) Done() bool { return s.complete && !s.open() }

// ErrRejected is wrapped by the error for a text that does not follow the grammar.
var ErrRejected = errors.New("the text does not follow the grammar")

// Write appends bytes to the text. After an error the state is as before.
func (s *State) Write(b []byte) (int, error) {
	s.before = append(s.before[:0], s.stacks...)
	complete := s.complete
	for i, c := range b {
		var end ending
		s.spare = s.machine.step(s.spare[:0], s.stacks, c, &end)
		s.stacks, s.spare = s.spare, s.stacks
		s.complete = end.bottom
		if s.machine.failed || !s.complete && !s.open() {
			s.stacks, s.complete = append(s.stacks[:0], s.before...), complete
			if s.machine.failed {
				s.machine.failed = false
				return i, errors.New("the grammar is too ambiguous: too many ways to read the text")
			}
			return i, fmt.Errorf("%w: %q at byte %d", ErrRejected, b, i)
		}
	}
	s.current = nil
	return len(b), nil
}

// Accept appends a token.
func (s *State) Accept(id int32) error {
	if s.vocab == nil {
		return errors.New("the state was started without a vocabulary")
	}
	s.piece = s.vocab.AppendBytes(s.piece[:0], id)
	if len(s.piece) == 0 {
		return fmt.Errorf("%w: token %d is no text", ErrRejected, id)
	}
	_, err := s.Write(s.piece)
	return err
}

// AppendBytes appends the bytes of a token to dst.
func (s *State) AppendBytes(dst []byte, id int32) []byte { return s.vocab.AppendBytes(dst, id) }
