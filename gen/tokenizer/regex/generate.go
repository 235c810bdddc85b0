package regex

import (
	"fmt"
	"slices"

	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// maxInsts bounds a program, maxSlots the repetitions of what can be empty inside each other.
const (
	maxInsts = 1 << 14
	maxSlots = 3
)

// generator writes instructions in the way of Thompson 1968, with the preferences of a backtracking matcher.
type generator struct {
	p     tokenizer.Program
	sets  map[string]int32
	slots int32 // in use
	err   error
}

func generate(n *node) (*tokenizer.Program, error) {
	g := &generator{sets: map[string]int32{}}
	g.node(n)
	g.emit(tokenizer.Inst{Op: tokenizer.OpMatch})
	if g.err != nil {
		return nil, g.err
	}
	return tokenizer.ReadProgram(g.p.Encode())
}

func (g *generator) fail(format string, args ...any) {
	if g.err == nil {
		g.err = fmt.Errorf(format, args...)
	}
}

// emit appends an instruction and returns its place.
func (g *generator) emit(in tokenizer.Inst) int32 {
	if len(g.p.Insts) >= maxInsts {
		g.fail("it takes more than %d instructions", maxInsts)
		return 0
	}
	g.p.Insts = append(g.p.Insts, in)
	return g.here() - 1
}

func (g *generator) here() int32 { return int32(len(g.p.Insts)) }

func (g *generator) node(n *node) {
	if g.err != nil {
		return
	}
	switch n.kind {
	case character:
		g.character(n)
	case class:
		g.set(n.set)
	case sequence:
		g.sequence(n.list)
	case alternation:
		g.alternatives(n.list)
	case repeat:
		g.repeat(n)
	case look:
		g.look(n)
	case atomic:
		at := g.emit(tokenizer.Inst{Op: tokenizer.OpAtomic})
		g.sequence(n.list)
		g.emit(tokenizer.Inst{Op: tokenizer.OpMatch})
		if g.err == nil {
			g.p.Insts[at].X = g.here()
		}
	case assertion:
		g.emit(tokenizer.Inst{Op: tokenizer.OpAssert, X: int32(n.low)})
	case grapheme:
		g.emit(tokenizer.Inst{Op: tokenizer.OpGrapheme})
	}
}

func (g *generator) character(n *node) {
	if n.fold {
		g.node(foldText([]rune{n.char}))
	} else {
		g.emit(tokenizer.Inst{Op: tokenizer.OpChar, X: n.char})
	}
}

func (g *generator) set(s set) {
	if len(s) == 2 && s[0] == s[1] {
		g.emit(tokenizer.Inst{Op: tokenizer.OpChar, X: s[0]})
		return
	}
	key := string(s)
	i, ok := g.sets[key]
	if !ok {
		i = int32(len(g.p.Sets))
		g.sets[key] = i
		g.p.Sets = append(g.p.Sets, s)
	}
	g.emit(tokenizer.Inst{Op: tokenizer.OpSet, X: i})
}

// sequence takes characters whose case is folded together, since several can fold to one.
func (g *generator) sequence(list []*node) {
	for len(list) > 0 {
		n := slices.IndexFunc(list, func(n *node) bool { return n.kind != character || !n.fold })
		if n < 0 {
			n = len(list)
		}
		if n < 2 {
			g.node(list[0])
			list = list[1:]
			continue
		}
		var text []rune
		for _, e := range list[:n] {
			text = append(text, e.char)
		}
		g.node(foldText(text))
		list = list[n:]
	}
}

func (g *generator) alternatives(list []*node) {
	var exits []int32
	for i, n := range list {
		if i == len(list)-1 {
			g.node(n)
			break
		}
		at := g.emit(tokenizer.Inst{Op: tokenizer.OpSplit, X: g.here() + 1})
		g.node(n)
		exits = append(exits, g.emit(tokenizer.Inst{Op: tokenizer.OpJump}))
		if g.err != nil {
			return
		}
		g.p.Insts[at].Y = g.here()
	}
	for _, at := range exits {
		g.p.Insts[at].X = g.here()
	}
}

// branch sets the targets of a split: the body, and what follows it.
func (g *generator) branch(at, body, rest int32, greedy bool) {
	if g.err != nil {
		return
	}
	in := &g.p.Insts[at]
	in.X, in.Y = body, rest
	if !greedy {
		in.X, in.Y = rest, body
	}
}

func (g *generator) repeat(n *node) {
	body := n.list[0]
	for range n.low {
		g.node(body)
	}
	if n.high < 0 {
		g.loop(body, n.greedy)
		return
	}
	var splits []int32
	for range n.high - n.low {
		splits = append(splits, g.emit(tokenizer.Inst{Op: tokenizer.OpSplit}))
		g.node(body)
	}
	for _, at := range splits {
		g.branch(at, at+1, g.here(), n.greedy)
	}
}

// loop repeats a body any number of times, and leaves after a repetition that took nothing.
func (g *generator) loop(body *node, greedy bool) {
	at := g.emit(tokenizer.Inst{Op: tokenizer.OpSplit})
	check := int32(-1)
	if body.nullable() {
		if g.slots >= maxSlots {
			g.fail("more than %d repetitions inside each other of what can be empty", maxSlots)
			return
		}
		slot := g.slots
		g.slots++
		g.emit(tokenizer.Inst{Op: tokenizer.OpMark, X: slot})
		g.node(body)
		g.slots--
		check = g.emit(tokenizer.Inst{Op: tokenizer.OpCheck, X: slot})
	} else {
		g.node(body)
	}
	g.emit(tokenizer.Inst{Op: tokenizer.OpJump, X: at})
	g.branch(at, at+1, g.here(), greedy)
	if check >= 0 && g.err == nil {
		g.p.Insts[check].Y = g.here()
	}
}

func (g *generator) look(n *node) {
	in := tokenizer.Inst{Op: tokenizer.OpLook}
	if n.negative {
		in.Y = 1
	}
	if n.behind {
		low, high := n.list[0].width()
		if high < 0 || high > 255 {
			g.fail("a look-behind of more than 255 characters is not supported")
			return
		}
		in.Op, in.Y, in.Z = tokenizer.OpBehind, in.Y|int32(low)<<1, int32(high)
	}
	at := g.emit(in)
	g.sequence(n.list)
	g.emit(tokenizer.Inst{Op: tokenizer.OpMatch})
	if g.err == nil {
		g.p.Insts[at].X = g.here()
	}
}
