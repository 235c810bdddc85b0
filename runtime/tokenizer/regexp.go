package tokenizer

import (
	"encoding/binary"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"
)

// Op is what an instruction of a Program does.
type Op uint8

// Instructions. A body ends with OpMatch and stands right behind the instruction it belongs to.
const (
	OpMatch    Op = iota // the program, or the body, matches
	OpChar               // X is the character
	OpSet                // X is the index of the set
	OpSplit              // goes on at X, and if that fails at Y
	OpJump               // goes on at X
	OpAssert             // X is one of the Assert constants
	OpLook               // the body matches from here on, or not if Y is 1; goes on at X
	OpBehind             // the body matches up to here after Y>>1 to Z characters, or not if Y&1; goes on at X
	OpAtomic             // what the body matches first is not reconsidered; goes on at X
	OpGrapheme           // an extended grapheme cluster
	OpMark               // notes the position in slot X
	OpCheck              // goes on at Y if the position is still that of slot X
	ops
)

// Assertions about a place in the text.
const (
	AssertTextStart = iota
	AssertTextEnd
	AssertLastLine // the end, or a line feed before the end
	AssertLineStart
	AssertLineEnd
	AssertWord
	AssertNotWord
	asserts
)

// Inst is one instruction.
type Inst struct {
	Op      Op
	X, Y, Z int32
}

// Program is a compiled regular expression with Oniguruma's meaning: the leftmost match, alternatives in their
// order, greedy and lazy repetition. Package gen/tokenizer/regex compiles it. Matching takes time linear in the
// text times the size of the program, whatever the expression.
type Program struct {
	Insts []Inst
	Sets  [][]rune // pairs of first and last character, in order

	sets     []runeSet
	first    [256]bool // bytes that a match may begin with
	nullable bool      // a match may be empty
	memo     []int32   // per OpSplit its number: those in bodies count from the top level's on
	outer    int32     // OpSplits outside bodies
	splits   int32
	slots    int32
}

const (
	maxInsts = 1 << 14
	maxSlots = 3
)

// Encode returns the packed form of a program.
func (p *Program) Encode() string {
	var b []byte
	b = binary.AppendUvarint(b, uint64(len(p.Insts)))
	for _, in := range p.Insts {
		b = append(b, byte(in.Op))
		for _, v := range [...]int32{in.X, in.Y, in.Z} {
			b = binary.AppendVarint(b, int64(v))
		}
	}
	b = binary.AppendUvarint(b, uint64(len(p.Sets)))
	for _, s := range p.Sets {
		b = binary.AppendUvarint(b, uint64(len(s)))
		prev := rune(0)
		for _, r := range s {
			b = binary.AppendVarint(b, int64(r-prev))
			prev = r
		}
	}
	return string(b)
}

// ReadProgram reads and checks the packed form of a program.
func ReadProgram(s string) (*Program, error) {
	c := &cursor{b: []byte(s)}
	p := &Program{}
	const minInt, maxInt = -1 << 31, 1<<31 - 1
	for n := c.size(); n > 0 && c.err == nil; n-- {
		if len(c.b) == 0 {
			c.num(0, 0)
			break
		}
		in := Inst{Op: Op(c.b[0])}
		c.b = c.b[1:]
		in.X, in.Y, in.Z = int32(c.num(minInt, maxInt)), int32(c.num(minInt, maxInt)), int32(c.num(minInt, maxInt))
		p.Insts = append(p.Insts, in)
	}
	for n := c.size(); n > 0 && c.err == nil; n-- {
		var set []rune
		prev := int64(0)
		for k := c.size(); k > 0 && c.err == nil; k-- {
			prev += c.num(-unicode.MaxRune, unicode.MaxRune)
			set = append(set, rune(prev))
		}
		p.Sets = append(p.Sets, set)
	}
	if c.err != nil || len(c.b) != 0 {
		return nil, fmt.Errorf("tokenizer: a regular expression is cut off or too long")
	}
	return p, p.prepare()
}

// size reads a length that the remaining bytes can hold.
func (c *cursor) size() int {
	v, n := binary.Uvarint(c.b)
	if n <= 0 || v > uint64(len(c.b)) {
		if c.err == nil {
			c.err = fmt.Errorf("tokenizer: a length is missing or too great")
		}
		return 0
	}
	c.b = c.b[n:]
	return int(v)
}

// prepare checks a program and derives what matching needs.
func (p *Program) prepare() error {
	n := len(p.Insts)
	if n == 0 || n > maxInsts || p.Insts[n-1].Op != OpMatch {
		return fmt.Errorf("tokenizer: a regular expression has %d instructions, allowed are 1 to %d with a match at the end", n, maxInsts)
	}
	p.sets = make([]runeSet, len(p.Sets))
	for i, s := range p.Sets {
		if len(s)%2 != 0 || !slices.IsSorted(s) {
			return fmt.Errorf("tokenizer: set %d of a regular expression is not sorted", i)
		}
		p.sets[i] = newRuneSet(s)
	}
	for pc, in := range p.Insts {
		if !p.valid(pc, in) {
			return fmt.Errorf("tokenizer: instruction %d of a regular expression is not valid", pc)
		}
		if in.Op == OpMark || in.Op == OpCheck {
			p.slots = max(p.slots, in.X+1)
		}
	}
	if p.loops() {
		return fmt.Errorf("tokenizer: a regular expression repeats nothing for ever")
	}
	p.number()
	p.nullable = p.starts(0, make([]bool, n))
	return nil
}

func (p *Program) valid(pc int, in Inst) bool {
	target := func(x int32) bool { return x >= 0 && int(x) < len(p.Insts) }
	body := func() bool { return target(in.X) && int(in.X) > pc+1 && p.Insts[in.X-1].Op == OpMatch }
	switch in.Op {
	case OpMatch, OpGrapheme:
		return true
	case OpChar:
		return utf8.ValidRune(in.X)
	case OpSet:
		return in.X >= 0 && int(in.X) < len(p.Sets)
	case OpSplit:
		return target(in.X) && target(in.Y)
	case OpJump:
		return target(in.X)
	case OpAssert:
		return in.X >= 0 && in.X < asserts
	case OpLook:
		return body() && (in.Y == 0 || in.Y == 1)
	case OpBehind:
		return body() && in.Y >= 0 && in.Z >= in.Y>>1 && in.Z <= 255
	case OpAtomic:
		return body()
	case OpMark:
		return in.X >= 0 && in.X < maxSlots
	case OpCheck:
		return in.X >= 0 && in.X < maxSlots && target(in.Y)
	}
	return false
}

// empty calls f for where the program can go on from an instruction without taking a character.
func (p *Program) empty(pc int, f func(pc int)) {
	switch in := p.Insts[pc]; in.Op {
	case OpSplit:
		f(int(in.X))
		f(int(in.Y))
	case OpJump:
		f(int(in.X))
	case OpAssert, OpMark:
		f(pc + 1)
	case OpLook, OpBehind, OpAtomic:
		f(pc + 1)
		f(int(in.X))
	case OpCheck:
		f(int(in.Y))
	}
}

// loops reports whether the program can go round without taking a character.
func (p *Program) loops() bool {
	state := make([]uint8, len(p.Insts)) // 1 on the way, 2 done
	found := false
	var visit func(pc int)
	visit = func(pc int) {
		if pc >= len(state) || state[pc] == 1 {
			found = true
			return
		}
		if state[pc] == 2 || found {
			return
		}
		state[pc] = 1
		p.empty(pc, visit)
		state[pc] = 2
	}
	for pc := range p.Insts {
		visit(pc)
	}
	return found
}

// number numbers the splits, those outside bodies first.
func (p *Program) number() {
	inside := make([]bool, len(p.Insts))
	for pc, in := range p.Insts {
		if in.Op == OpLook || in.Op == OpBehind || in.Op == OpAtomic {
			for k := pc + 1; k < int(in.X); k++ {
				inside[k] = true
			}
		}
	}
	p.memo = make([]int32, len(p.Insts))
	for _, in := range [...]bool{false, true} {
		for pc := range p.Insts {
			if p.Insts[pc].Op == OpSplit && inside[pc] == in {
				p.memo[pc] = p.splits
				p.splits++
			}
		}
		if !in {
			p.outer = p.splits
		}
	}
}

// starts notes the bytes that a match can begin with from pc on, and reports whether it can be empty.
func (p *Program) starts(pc int, seen []bool) (empty bool) {
	if seen[pc] {
		return false
	}
	seen[pc] = true
	switch in := p.Insts[pc]; in.Op {
	case OpMatch:
		return true
	case OpChar:
		p.first[string(in.X)[0]] = true
	case OpSet:
		for s := p.Sets[in.X]; len(s) > 0; s = s[2:] {
			for c := int(string(s[0])[0]); c <= int(string(s[1])[0]); c++ {
				p.first[c] = true
			}
		}
	case OpGrapheme:
		for c := range p.first {
			p.first[c] = true
		}
	case OpLook, OpBehind:
		return p.starts(int(in.X), seen)
	case OpAtomic:
		if p.starts(pc+1, seen) {
			return p.starts(int(in.X), seen)
		}
	case OpCheck:
		return p.starts(pc+1, seen) || p.starts(int(in.Y), seen)
	default:
		p.empty(pc, func(next int) { empty = p.starts(next, seen) || empty })
	}
	return empty
}

// runeSet is a set of characters.
type runeSet struct {
	ascii  [2]uint64
	ranges []rune
}

func newRuneSet(s []rune) runeSet {
	set := runeSet{ranges: s}
	for i := 0; i < len(s); i += 2 {
		for r := s[i]; r <= min(s[i+1], 127); r++ {
			set.ascii[r>>6] |= 1 << (r & 63)
		}
	}
	return set
}

func (s *runeSet) has(r rune) bool {
	if r < utf8.RuneSelf {
		return s.ascii[r>>6]>>(r&63)&1 != 0
	}
	lo, hi := 0, len(s.ranges)/2
	for lo < hi {
		m := (lo + hi) / 2
		switch {
		case r < s.ranges[2*m]:
			hi = m
		case r > s.ranges[2*m+1]:
			lo = m + 1
		default:
			return true
		}
	}
	return false
}
