package pass

import (
	"slices"
	"strings"

	"github.com/tfgen/tfgen/gen/ir"
)

// FuseLinears stacks linear operations of one region that read the same value into one, followed by slices.
func FuseLinears(g *ir.Graph) error {
	shared := weightUses(g)
	groups := map[stream][]*ir.Op{}
	for _, o := range g.Ops {
		if o.Kind == "linear" && len(o.In) == 1 && shared[o.Weights[0]] == 1 {
			groups[streamOf(o)] = append(groups[streamOf(o)], o)
		}
	}
	var ops []*ir.Op
	gone := map[*ir.Op]bool{}
	for _, o := range g.Ops {
		group := groups[streamOf(o)]
		if len(group) < 2 || !slices.Contains(group, o) || !sameRegion(group) {
			ops = append(ops, o)
		} else if !gone[group[0]] {
			ops = append(ops, stack(g, group)...)
			for _, p := range group {
				gone[p] = true
			}
		}
	}
	g.Ops = ops
	return nil
}

// A stream is what linear operations must have in common to become one: their input and the format of their weights.
type stream struct {
	x      *ir.Value
	format string
}

func streamOf(o *ir.Op) stream {
	if o.Kind != "linear" {
		return stream{}
	}
	return stream{o.In[0], o.Weights[0].Format}
}

func sameRegion(ops []*ir.Op) bool {
	return !slices.ContainsFunc(ops, func(o *ir.Op) bool { return o.Region != ops[0].Region })
}

// weightUses counts the operations that read each weight: a tied weight stays as it is.
func weightUses(g *ir.Graph) map[*ir.Weight]int {
	uses := map[*ir.Weight]int{}
	for _, o := range g.Ops {
		for _, w := range o.Weights {
			if w != nil {
				uses[w]++
			}
		}
	}
	return uses
}

// stack makes the fused linear of a group and the slices that give back its members' results.
func stack(g *ir.Graph, group []*ir.Op) []*ir.Op {
	x, first := group[0].In[0], group[0]
	dim, biased := 0, false
	var names []string
	for _, o := range group {
		dim += o.Attrs.Int("dim")
		biased = biased || o.Weights[1] != nil
		names = append(names, o.Out[0].Name)
	}
	fused := &ir.Op{Kind: "linear", In: []*ir.Value{x}, Attrs: ir.Attrs{"dim": dim}, Region: first.Region, Pos: first.Pos}
	fused.Weights = []*ir.Weight{stackWeights(g, group, 0), nil}
	if biased {
		fused.Weights[1] = stackWeights(g, group, 1)
	}
	t := ir.Type{DType: ir.F32, Rows: x.Type.Rows, Dims: []int{dim}}
	y := g.NewValue(strings.Join(names, "|"), t)
	y.Def, fused.Out = fused, []*ir.Value{y}
	ops := []*ir.Op{fused}
	at := 0
	for _, o := range group {
		n := o.Attrs.Int("dim")
		s := &ir.Op{Kind: "slice", In: []*ir.Value{y}, Attrs: ir.Attrs{"from": at, "to": at + n}, Region: o.Region, Pos: o.Pos}
		s.Out = o.Out
		s.Out[0].Def = s
		ops = append(ops, s)
		at += n
	}
	return ops
}

// stackWeights concatenates the weights of one role; an absent bias becomes zeros.
func stackWeights(g *ir.Graph, group []*ir.Op, role int) *ir.Weight {
	fused := &ir.Weight{Pos: group[0].Pos, Format: group[0].Weights[0].Format}
	var names []string
	rows := 0
	for _, o := range group {
		n := o.Attrs.Int("dim")
		rows += n
		w := o.Weights[role]
		if w == nil {
			fused.Parts = append(fused.Parts, ir.Part{Zeros: n})
			continue
		}
		names = append(names, w.Name)
		fused.Parts = append(fused.Parts, w.Parts...)
		g.Weights = slices.DeleteFunc(g.Weights, func(v *ir.Weight) bool { return v == w })
	}
	fused.Name = strings.Join(names, "|")
	fused.Shape = []int{rows}
	if role == 0 {
		fused.Shape = []int{rows, group[0].In[0].Type.Width()}
	}
	g.Weights = append(g.Weights, fused)
	return fused
}

// FuseGLU turns mul(act(gate), up) into one operation.
func FuseGLU(g *ir.Graph) error {
	uses := g.Uses()
	for _, o := range g.Ops {
		if o.Kind != "mul" {
			continue
		}
		for i := range 2 {
			act := o.In[i].Def
			if act == nil || act.Kind != "act" || act.Region != o.Region || uses[o.In[i]] != 1 {
				continue
			}
			o.Kind, o.In, o.Attrs = "glu", []*ir.Value{act.In[0], o.In[1-i]}, ir.Attrs{"kind": act.Attrs.Str("kind")}
			break
		}
	}
	return DropDead(g)
}

// FuseAddNorm turns norm(a + b) into one operation with two results, unless the sum's operand is a linear without
// bias, which FuseResidual serves better.
func FuseAddNorm(g *ir.Graph) error {
	drop := map[*ir.Op]bool{}
	for _, o := range g.Ops {
		if (o.Kind != "rmsnorm" && o.Kind != "layernorm") || o.Attrs.Int("dim") > 0 && o.Attrs.Int("dim") != o.In[0].Type.Width() {
			continue
		}
		add := o.In[0].Def
		if add == nil || add.Kind != "add" || drop[add] || add.Region != o.Region || plainLinear(g, add) != nil || usedBetween(g, add, o) {
			continue
		}
		o.Kind, o.In, o.Out = "add_"+o.Kind, add.In, []*ir.Value{add.Out[0], o.Out[0]}
		add.Out[0].Def = o
		drop[add] = true
	}
	g.Ops = slices.DeleteFunc(g.Ops, func(o *ir.Op) bool { return drop[o] })
	return nil
}

// usedBetween reports whether the result of a is read by an operation between a and b.
func usedBetween(g *ir.Graph, a, b *ir.Op) bool {
	for _, o := range g.Ops[slices.Index(g.Ops, a):slices.Index(g.Ops, b)] {
		if slices.Contains(o.In, a.Out[0]) {
			return true
		}
	}
	return false
}

// FuseResidual turns x + linear(y) into a linear whose sums start at x.
func FuseResidual(g *ir.Graph) error {
	var ops []*ir.Op
	for _, o := range g.Ops {
		lin := plainLinear(g, o)
		if lin == nil {
			ops = append(ops, o)
			continue
		}
		x := o.In[0]
		if x == lin.Out[0] {
			x = o.In[1]
		}
		lin.In, lin.Out = append(lin.In, x), o.Out
		o.Out[0].Def = lin
		ops = append(slices.DeleteFunc(ops, func(p *ir.Op) bool { return p == lin }), lin)
	}
	g.Ops = ops
	return nil
}

// plainLinear returns the operand of an add that is a linear without bias, residual or other use, or nil.
func plainLinear(g *ir.Graph, add *ir.Op) *ir.Op {
	if add.Kind != "add" {
		return nil
	}
	uses := g.Uses()
	for _, i := range []int{1, 0} {
		lin := add.In[i].Def
		if lin != nil && lin.Kind == "linear" && len(lin.In) == 1 && lin.Weights[1] == nil && lin.Region == add.Region &&
			uses[lin.Out[0]] == 1 && add.In[0] != add.In[1] {
			return lin
		}
	}
	return nil
}
