package ir

import (
	"fmt"
	"strings"
)

// Dump prints the graph as text: inputs, then each region with its operations, then outputs. Equal graphs give
// equal text, whatever numbers their values had.
func (g *Graph) Dump() string {
	var b strings.Builder
	number := map[*Value]int{}
	name := func(v *Value) string {
		if _, ok := number[v]; !ok {
			number[v] = len(number)
		}
		return fmt.Sprintf("%%%d", number[v])
	}
	fmt.Fprintf(&b, "graph %s (vocab %d, positions %d)\n", g.Name, g.Vocab, g.MaxPos)
	for _, v := range g.Inputs {
		fmt.Fprintf(&b, "  input %s: %s %s\n", name(v), v.Name, v.Type)
	}
	var region *Region
	for _, op := range g.Ops {
		if op.Region != region {
			region = op.Region
			fmt.Fprintf(&b, "%s:\n", region.Name)
		}
		b.WriteString("  " + formatOp(op, name) + "\n")
	}
	for _, o := range g.Outputs {
		fmt.Fprintf(&b, "output %s: %s %s\n", o.Name, name(o.Value), o.Value.Type)
	}
	return b.String()
}

func formatOp(op *Op, name func(*Value) string) string {
	var in, out []string
	for _, v := range op.In {
		in = append(in, name(v))
	}
	for _, v := range op.Out {
		out = append(out, name(v)+" "+v.Type.String())
	}
	s := fmt.Sprintf("%s = %s(%s)", strings.Join(out, ", "), op.Kind, strings.Join(in, ", "))
	for _, w := range op.Weights {
		if w != nil {
			s += " " + w.Name
		}
	}
	if op.State != nil {
		s += " state " + op.State.Name
	}
	if len(op.Attrs) > 0 {
		s += " " + op.Attrs.String()
	}
	return s + "  # " + op.Pos.String()
}
