package plan

import (
	"testing"

	"github.com/tfgen/tfgen/gen/ir"
)

// chain builds x → linear(residual x) … so that reuse and in-place results can be checked.
func chain() *ir.Graph {
	g := &ir.Graph{Name: "chain"}
	r := &ir.Region{Name: "embed"}
	g.Regions = []*ir.Region{r}
	t := ir.Type{DType: ir.F32, Dims: []int{20}}
	x := g.NewValue("x", t)
	add := func(kind string, in ...*ir.Value) *ir.Value {
		o := &ir.Op{Kind: kind, In: in, Region: r}
		v := g.NewValue(kind, t)
		v.Def, o.Out = o, []*ir.Value{v}
		g.Ops = append(g.Ops, o)
		return v
	}
	x = add("embed", x)
	h := add("rmsnorm", x)
	a := add("linear", h)
	b := add("linear", a, x)
	c := add("act", b)
	g.Outputs = []ir.Output{{Name: "y", Value: add("add", c, b)}}
	return g
}

func TestPlanReusesAndNeverOverlaps(t *testing.T) {
	g := chain()
	p, err := New(g, Limits{Tokens: 3, Selected: 1, Sequences: 1})
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range p.Buffers {
		if b.Stride != 32 || b.Size != 96 {
			t.Errorf("buffer %s has stride %d and size %d, expected 32 and 96", b.Name, b.Stride, b.Size)
		}
		for _, c := range p.Buffers[:i] {
			if c.first <= b.last && b.first <= c.last && b.Offset < c.Offset+c.Size && c.Offset < b.Offset+b.Size {
				t.Errorf("%s and %s are alive together and overlap", b.Name, c.Name)
			}
		}
	}
	if p.At[g.Ops[3].Out[0]] != p.At[g.Ops[0].Out[0]] {
		t.Error("the residual's sum does not stay in place")
	}
	if p.At[g.Ops[4].Out[0]] == p.At[g.Ops[3].Out[0]] {
		t.Error("act overwrites an operand that is read later")
	}
	if p.Arena >= 5*96 {
		t.Errorf("the arena of %d elements reuses nothing", p.Arena)
	}
}

func TestWhatTheHeadReadsStays(t *testing.T) {
	g := chain()
	head := &ir.Region{Kind: ir.Head, Name: "head"}
	g.Regions = append(g.Regions, head)
	x := g.Ops[3].Out[0]
	y := g.NewValue("norm", x.Type)
	o := &ir.Op{Kind: "rmsnorm", In: []*ir.Value{x}, Out: []*ir.Value{y}, Region: head}
	y.Def = o
	g.Ops = append(g.Ops, o)
	g.Outputs = append(g.Outputs, ir.Output{Name: "final", Value: y})
	p, err := New(g, Limits{Tokens: 3, Selected: 1, Sequences: 1})
	if err != nil {
		t.Fatal(err)
	}
	if p.At[y] == p.At[x] {
		t.Error("the head overwrites what it reads; it could not run a second time")
	}
}

func TestPlanRejectsEmptyLimits(t *testing.T) {
	if _, err := New(chain(), Limits{}); err == nil {
		t.Error("limits of zero rows were accepted")
	}
}

// blocks builds an embedding and three blocks that all read its second value: x ← layernorm(x + linear(x · angles)).
func blocks() (*ir.Graph, []*ir.Value) {
	g := &ir.Graph{Name: "blocks"}
	t := ir.Type{DType: ir.F32, Dims: []int{20}}
	add := func(r *ir.Region, kind string, in ...*ir.Value) *ir.Op {
		o := &ir.Op{Kind: kind, In: in, Region: r}
		for range map[bool]int{true: 2, false: 1}[kind == "add_layernorm"] {
			v := g.NewValue(kind, t)
			v.Def, o.Out = o, append(o.Out, v)
		}
		g.Ops = append(g.Ops, o)
		return o
	}
	embed := &ir.Region{Name: "embed", Kind: ir.Embed}
	g.Regions = append(g.Regions, embed)
	angles := add(embed, "embed", g.NewValue("positions", t)).Out[0]
	x := add(embed, "embed", g.NewValue("tokens", t)).Out[0]
	embed.Result = x
	var results []*ir.Value
	for i := range 3 {
		r := &ir.Region{Name: "layer", Kind: ir.Layer, Index: i}
		g.Regions = append(g.Regions, r)
		y := add(r, "linear", x, angles).Out[0]
		x = add(r, "add_layernorm", x, y).Out[1]
		r.Result = x
		results = append(results, y, x)
	}
	g.Outputs = []ir.Output{{Name: "y", Value: x}}
	return g, results
}

// TestBlocksHaveTheSamePlaces checks that a sum which nobody reads is overwritten by its norm, and that what all blocks
// read is kept until the last one ends, so that each block works in the same places.
func TestBlocksHaveTheSamePlaces(t *testing.T) {
	g, results := blocks()
	p, err := New(g, Limits{Tokens: 3, Selected: 1, Sequences: 1})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range results {
		at, first := p.At[v], p.At[results[i%2]]
		if at.Buffer.Offset != first.Buffer.Offset || at.Col != first.Col {
			t.Errorf("value %d of block %d is at %d, that of the first block at %d", i%2, i/2, at.Buffer.Offset, first.Buffer.Offset)
		}
	}
	if p.At[results[1]] != p.At[g.Regions[0].Result] {
		t.Error("the norm of a sum that nobody reads does not stand in its place")
	}
	if want := 3 * 3 * 32; p.Arena != want {
		t.Errorf("the arena takes %d, expected %d: positions, x and one product", p.Arena, want)
	}
}
