// Package plan gives every value of a graph its place in one arena of float32, laid out when the model is generated,
// so that the memory of a run is known exactly before anything is loaded and a step allocates nothing.
package plan

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/runtime/quant"
)

// Align is the unit of row strides, in elements: the kernels write tiles of 16 outputs.
const Align = 16

// Limits are the largest numbers of rows that one run handles.
type Limits struct {
	Tokens    int // rows of one pass through the layers: a chunk of a prompt, or a ragged batch
	Selected  int // rows of one pass through the head
	Sequences int // sequences in one run
	Source    int // rows of the encoder in one pass; 0: there is none
}

// Rows is the largest number of rows of a kind.
func (l Limits) Rows(r ir.Rows) int {
	return map[ir.Rows]int{ir.Tokens: l.Tokens, ir.Selected: l.Selected, ir.Sequences: l.Sequences, ir.Source: l.Source}[r]
}

// Buffer is a block of rows in the arena. Several values may live in it, one after the other or side by side.
type Buffer struct {
	Name   string
	Rows   ir.Rows
	Stride int // elements from one row to the next, a multiple of Align
	Offset int // first element in the arena
	Size   int // elements
	first  int // index of the operation that writes it first
	last   int // index of the operation that reads it last
	values []*ir.Value
}

// Place is where a value lives: in the rows of a buffer, from a column on.
type Place struct {
	Buffer *Buffer
	Col    int
}

// Step is an operation in the order of execution.
type Step struct {
	Op   *ir.Op
	Copy *ir.Value // the operand that is copied to the place of result 0 before the operation works there in place
}

// Plan is the result of planning: steps, places and the size of the arena.
type Plan struct {
	Graph   *ir.Graph
	Limits  Limits
	Steps   []Step
	Buffers []*Buffer
	At      map[*ir.Value]Place
	Arena   int // elements
	lastUse map[*ir.Value]int
}

// New plans the graph for the given limits.
func New(g *ir.Graph, l Limits) (*Plan, error) {
	if l.Tokens <= 0 || l.Selected <= 0 || l.Sequences <= 0 {
		return nil, fmt.Errorf("limits %+v must be positive", l)
	}
	p := &Plan{Graph: g, Limits: l, At: map[*ir.Value]Place{}, lastUse: lastUses(g)}
	for i, o := range g.Ops {
		p.Steps = append(p.Steps, p.step(i, o))
	}
	p.pack()
	return p, nil
}

// lastUses gives for every value the index of the last operation that reads it. Outputs are read after the last one,
// as is what the head reads, a region's result at least until the region ends. What several blocks read is kept until
// the last block ends, so that the last one has the same places as those before.
func lastUses(g *ir.Graph) map[*ir.Value]int {
	last := map[*ir.Value]int{}
	for i, o := range g.Ops {
		for _, v := range o.Out {
			last[v] = i
		}
		for _, v := range o.In {
			last[v] = i
		}
	}
	for i, o := range g.Ops {
		if r := o.Region; r.Result != nil {
			last[r.Result] = max(last[r.Result], i)
		}
	}
	for v, end := range shared(g) {
		last[v] = max(last[v], end)
	}
	for _, o := range g.Ops { // the head may run several times, for other rows of the same pass
		for _, v := range o.In {
			if o.Region.Kind == ir.Head && v.Def != nil && v.Def.Region.Kind != ir.Head {
				last[v] = len(g.Ops)
			}
		}
	}
	for _, o := range g.Outputs {
		last[o.Value] = len(g.Ops)
	}
	return last
}

// shared gives the values that several blocks read, and the index of the last operation of their tower's blocks.
func shared(g *ir.Graph) map[*ir.Value]int {
	end := map[string]int{}
	for i, o := range g.Ops {
		if o.Region.Kind == ir.Layer {
			end[o.Region.Tower] = i
		}
	}
	reader, until := map[*ir.Value]*ir.Region{}, map[*ir.Value]int{}
	for _, o := range g.Ops {
		if o.Region.Kind != ir.Layer {
			continue
		}
		for _, v := range o.In {
			if first := reader[v]; first == nil && (v.Def == nil || v.Def.Region != o.Region) {
				reader[v] = o.Region
			} else if first != nil && first != o.Region {
				until[v] = max(until[v], end[o.Region.Tower])
			}
		}
	}
	return until
}

// inPlace says which operands an operation may (or, if it must, has to) overwrite with result 0.
type inPlace struct {
	operands []int
	must     bool
}

var inPlaceOps = map[string]inPlace{
	"add":           {[]int{0, 1}, true},
	"mul":           {[]int{0, 1}, true},
	"scale":         {[]int{0}, true},
	"gain":          {[]int{0}, true},
	"softcap":       {[]int{0}, true},
	"clamp":         {[]int{0}, true},
	"l2norm":        {[]int{0}, true},
	"rope":          {[]int{0}, true},
	"add_rmsnorm":   {[]int{0}, true},
	"add_layernorm": {[]int{0}, true},
	"scale_rows":    {[]int{0}, true},
	"attend_marked": {[]int{0}, true},
	"linear":        {[]int{1}, false},
	"act":           {[]int{0}, false},
	"xielu":         {[]int{0}, false},
	"glu":           {[]int{0}, false},
	"rmsnorm":       {[]int{0}, false},
	"layernorm":     {[]int{0}, false},
}

// step places the results of one operation.
func (p *Plan) step(i int, o *ir.Op) Step {
	s := Step{Op: o}
	if o.Kind == "slice" {
		from := p.At[o.In[0]]
		p.put(o.Out[0], Place{from.Buffer, from.Col + o.Attrs.Int("from")})
		return s
	}
	rule := inPlaceOps[o.Kind]
	shared := false
	for _, k := range rule.operands {
		if k < len(o.In) && p.free(i, o.In[k]) {
			p.put(o.Out[0], p.At[o.In[k]])
			shared = true
			break
		}
	}
	for k, v := range o.Out {
		switch {
		case k == 0 && shared:
		case k == 1 && rule.must && p.lastUse[o.Out[0]] == i && o.Region.Result != o.Out[0]: // a sum that nobody reads is overwritten by its norm
			p.put(v, p.At[o.Out[0]])
		default:
			p.put(v, Place{p.newBuffer(i, v), 0})
		}
	}
	if rule.must && !shared {
		s.Copy = o.In[0]
	}
	return s
}

// free reports whether operation i, which reads v, may overwrite it: nothing that shares its columns is read later.
func (p *Plan) free(i int, v *ir.Value) bool {
	at, ok := p.At[v]
	if !ok || p.lastUse[v] > i {
		return false
	}
	for _, w := range at.Buffer.values {
		from := p.At[w].Col
		overlaps := from < at.Col+words(v.Type) && at.Col < from+words(w.Type)
		if w != v && overlaps && p.lastUse[w] > i {
			return false
		}
	}
	return true
}

func (p *Plan) put(v *ir.Value, at Place) {
	p.At[v] = at
	at.Buffer.values = append(at.Buffer.values, v)
}

func (p *Plan) newBuffer(i int, v *ir.Value) *Buffer {
	stride := (words(v.Type) + Align - 1) / Align * Align
	b := &Buffer{Name: v.Name, Rows: v.Type.Rows, Stride: stride, Size: stride * p.Limits.Rows(v.Type.Rows), first: i}
	p.Buffers = append(p.Buffers, b)
	return b
}

// words is the number of 32-bit words that one row of a type takes.
func words(t ir.Type) int {
	switch t.DType {
	case ir.Q8:
		return quant.ActivationWords(t.Width())
	case ir.I8:
		return quant.RowActivationWords(t.Width())
	}
	return t.Width()
}

// pack gives the buffers offsets: in the order of their first writing, each at the lowest gap that no buffer alive at
// the same time covers.
func (p *Plan) pack() {
	for _, b := range p.Buffers {
		b.last = b.first
		for _, v := range b.values {
			b.last = max(b.last, p.lastUse[v])
		}
	}
	for i, b := range p.Buffers {
		for moved := true; moved; {
			moved = false
			for _, c := range p.Buffers[:i] {
				alive := c.first <= b.last && b.first <= c.last
				if alive && b.Offset < c.Offset+c.Size && c.Offset < b.Offset+b.Size {
					b.Offset, moved = c.Offset+c.Size, true
				}
			}
		}
		p.Arena = max(p.Arena, b.Offset+b.Size)
	}
}
