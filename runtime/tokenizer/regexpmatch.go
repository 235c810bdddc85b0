package tokenizer

import "unicode/utf8"

// matcher runs a program over one text. Where backtracking goes far it remembers which choices failed or what they
// led to, so that none is made twice at the same place.
type matcher struct {
	p      *Program
	b      []byte
	frames []frame
	slots  [maxSlots]int32
	steps  int
	behind int // depth of lookbehinds, whose bodies depend on where they have to end
	failed []uint64
	known  []int32 // of splits in bodies: 0 unknown, 1 failed, 2 + the end of the match
}

// frame is what is left to do when the current way fails.
type frame struct {
	kind uint8
	a, b int32
}

const (
	frameTry  = iota // go on at instruction a, position b
	frameFail        // the choice a at position b has failed
	frameSlot        // slot a was b
)

// reset prepares for a text.
func (m *matcher) reset(p *Program, b []byte) {
	m.p, m.b, m.steps, m.behind = p, b, 0, 0
	m.frames, m.failed, m.known = m.frames[:0], m.failed[:0], m.known[:0]
}

// each calls f for the matches in a text, in order. An empty match right behind another match does not count.
func (m *matcher) each(p *Program, b []byte, f func(lo, hi int)) {
	m.reset(p, b)
	last := -1
	for at := 0; at <= len(b); {
		lo, hi := m.find(at)
		if lo < 0 {
			return
		}
		if lo == hi && hi == last {
			at = hi + m.runeLen(hi)
			continue
		}
		f(lo, hi)
		at, last = hi, hi
	}
}

func (m *matcher) runeLen(i int) int {
	if i >= len(m.b) || m.b[i] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRune(m.b[i:])
	return n
}

// find returns the leftmost match at or behind a place, −1 for none.
func (m *matcher) find(at int) (lo, hi int) {
	for ; at <= len(m.b); at += m.runeLen(at) {
		if !m.p.nullable && (at == len(m.b) || !m.p.first[m.b[at]]) {
			continue
		}
		if end := m.run(0, at); end >= 0 {
			return at, end
		}
	}
	return -1, -1
}

// run returns where the match of the program or body at pc ends, −1 for none.
func (m *matcher) run(pc, pos int) int {
	base := len(m.frames)
	for {
		end, ok := m.forward(pc, pos)
		if ok {
			m.settle(base, end)
			return end
		}
		if pc, pos, ok = m.back(base); !ok {
			return -1
		}
	}
}

// back takes the next way that is left above base.
func (m *matcher) back(base int) (pc, pos int, ok bool) {
	for len(m.frames) > base {
		f := m.frames[len(m.frames)-1]
		m.frames = m.frames[:len(m.frames)-1]
		switch f.kind {
		case frameTry:
			return int(f.a), int(f.b), true
		case frameFail:
			m.note(f.a, int(f.b), 1)
		case frameSlot:
			m.slots[f.a] = f.b
		}
	}
	return 0, 0, false
}

// settle drops the ways left above base after a match. The choices on the way to it are known to lead there.
func (m *matcher) settle(base, end int) {
	for i := len(m.frames) - 1; i >= base; i-- {
		switch f := m.frames[i]; f.kind {
		case frameFail:
			m.note(f.a, int(f.b), 2+int32(end))
		case frameSlot:
			m.slots[f.a] = f.b
		}
	}
	m.frames = m.frames[:base]
}

// forward goes on at pc until the match or a failure.
func (m *matcher) forward(pc, pos int) (end int, ok bool) {
	for {
		m.steps++
		in := &m.p.Insts[pc]
		switch in.Op {
		case OpMatch:
			return pos, true
		case OpChar, OpSet, OpGrapheme:
			n := m.one(in, pos)
			if n == 0 {
				return 0, false
			}
			pos += n
			pc++
		case OpJump:
			pc = int(in.X)
		case OpSplit:
			state, end := m.choice(pc, pos)
			if end != 0 {
				return int(end) - 2, end > 1
			}
			if state >= 0 {
				m.frames = append(m.frames, frame{frameFail, state, int32(pos)})
			}
			m.frames = append(m.frames, frame{frameTry, in.Y, int32(pos)})
			pc = int(in.X)
		case OpMark:
			m.frames = append(m.frames, frame{frameSlot, in.X, m.slots[in.X]})
			m.slots[in.X] = int32(pos)
			pc++
		case OpCheck:
			if m.slots[in.X] == int32(pos) {
				pc = int(in.Y)
			} else {
				pc++
			}
		default:
			next, at, ok := m.group(pc, pos)
			if !ok {
				return 0, false
			}
			pc, pos = next, at
		}
	}
}

// one returns the bytes that a character instruction takes, 0 if it does not match.
func (m *matcher) one(in *Inst, pos int) int {
	if pos >= len(m.b) {
		return 0
	}
	if in.Op == OpGrapheme {
		return grapheme(m.b[pos:], false)
	}
	r, n := rune(m.b[pos]), 1
	if r >= utf8.RuneSelf {
		r, n = utf8.DecodeRune(m.b[pos:])
	}
	if in.Op == OpChar && r == in.X || in.Op == OpSet && m.p.sets[in.X].has(r) {
		return n
	}
	return 0
}

// group runs assertions and bodies, and returns where to go on.
func (m *matcher) group(pc, pos int) (next, at int, ok bool) {
	in := &m.p.Insts[pc]
	switch in.Op {
	case OpAssert:
		return pc + 1, pos, m.assert(in.X, pos)
	case OpLook:
		return int(in.X), pos, (m.run(pc+1, pos) >= 0) == (in.Y == 0)
	case OpBehind:
		return int(in.X), pos, m.lookBehind(pc, pos) == (in.Y&1 == 0)
	case OpAtomic:
		end := m.run(pc+1, pos)
		return int(in.X), end, end >= 0
	}
	return 0, 0, false
}

func (m *matcher) lookBehind(pc, pos int) bool {
	in := &m.p.Insts[pc]
	m.behind++
	defer func() { m.behind-- }()
	for i, chars := pos, int32(0); chars <= in.Z; chars++ {
		if chars >= in.Y>>1 && m.reaches(pc+1, i, pos) {
			return true
		}
		if i == 0 {
			break
		}
		_, n := utf8.DecodeLastRune(m.b[:i])
		i -= n
	}
	return false
}

// reaches reports whether the body at pc has a match from one place to another.
func (m *matcher) reaches(pc, from, to int) bool {
	base := len(m.frames)
	pos := from
	for {
		end, ok := m.forward(pc, pos)
		if ok && end == to {
			m.settle(base, end)
			return true
		}
		if pc, pos, ok = m.back(base); !ok {
			return false
		}
	}
}

func (m *matcher) assert(kind int32, pos int) bool {
	end := pos == len(m.b)
	switch kind {
	case AssertTextStart:
		return pos == 0
	case AssertTextEnd:
		return end
	case AssertLastLine:
		return end || pos == len(m.b)-1 && m.b[pos] == '\n'
	case AssertLineStart:
		return pos == 0 || !end && m.b[pos-1] == '\n'
	case AssertLineEnd:
		return end && (pos == 0 || m.b[pos-1] != '\n') || !end && m.b[pos] == '\n'
	}
	before, _ := utf8.DecodeLastRune(m.b[:pos])
	after, _ := utf8.DecodeRune(m.b[pos:])
	edge := (pos > 0 && atWord(before)) != (!end && atWord(after))
	return edge == (kind == AssertWord)
}

// atWord reports whether \b counts r as part of a word: joiners are none to Oniguruma, all numbers of ISO 8859-1 are.
func atWord(r rune) bool {
	if r < 0x100 {
		return isWord(r) || class(r)&cN != 0
	}
	return isWord(r) && r != '\u200c' && r != '\u200d'
}

// choice returns the number of the choice at an OpSplit if its outcome is worth remembering, else −1, and the
// outcome if it is known.
func (m *matcher) choice(pc, pos int) (state, outcome int32) {
	if m.steps < 4096+32*pos || m.behind > 0 {
		return -1, 0
	}
	state = m.p.memo[pc]
	for k := range m.p.slots { // what an OpCheck will see
		state = 2*state + int32(b2i(m.slots[k] == int32(pos)))
	}
	if m.p.memo[pc] < m.p.outer {
		i := m.index(state, pos)
		if len(m.failed) == 0 {
			m.failed = make([]uint64, (int(m.p.outer)<<m.p.slots*(len(m.b)+1)+63)/64)
		}
		return state, int32(m.failed[i/64] >> (i % 64) & 1)
	}
	if len(m.known) == 0 {
		m.known = make([]int32, int(m.p.splits-m.p.outer)<<m.p.slots*(len(m.b)+1))
	}
	return state, m.known[m.index(state-m.p.outer<<m.p.slots, pos)]
}

func (m *matcher) index(state int32, pos int) int { return int(state)*(len(m.b)+1) + pos }

// note remembers the outcome of a choice.
func (m *matcher) note(state int32, pos int, outcome int32) {
	if inner := state - m.p.outer<<m.p.slots; inner >= 0 {
		m.known[m.index(inner, pos)] = outcome
	} else if outcome == 1 {
		i := m.index(state, pos)
		m.failed[i/64] |= 1 << (i % 64)
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
