package goemit

import (
	"strings"

	"github.com/tfgen/tfgen/gen/ir"
)

// formula describes what a region computes, sum by sum: "x ← x + oProj(attend(qkvProj(rmsnorm(x))))".
func (e *emitter) formula(region *ir.Region) string {
	names := map[*ir.Value]string{}
	expr := func(v *ir.Value) string {
		if s, ok := names[v]; ok {
			return s
		}
		if v.Def == nil {
			return v.Name
		}
		return "x"
	}
	var lines []string
	for _, o := range e.Plan.Graph.RegionOps(region) {
		var in []string
		for _, v := range o.In {
			in = append(in, expr(v))
		}
		text := e.term(o, in)
		sum := o.Kind == "add" || o.Kind == "linear" && len(o.In) > 1 || strings.HasPrefix(o.Kind, "add_")
		if sum {
			lines = append(lines, "x ← "+text)
			text = "x"
		}
		for _, v := range o.Out {
			names[v] = text
		}
		if strings.HasPrefix(o.Kind, "add_") && region.Result != o.Out[1] {
			names[o.Out[1]] = strings.TrimPrefix(o.Kind, "add_") + "(x)"
			lines[len(lines)-1] = "x ← " + in[0] + " + " + in[1]
		}
	}
	if region.Result == nil {
		return strings.Join(lines, "; ")
	}
	if last := expr(region.Result); last != "x" {
		lines = append(lines, "x ← "+last)
	}
	return strings.Join(lines, "; ")
}

// term is the expression of one operation.
func (e *emitter) term(o *ir.Op, in []string) string {
	switch o.Kind {
	case "slice", "rope", "select", "attend_marked":
		return in[0]
	case "add":
		return in[0] + " + " + in[1]
	case "mul":
		return in[0] + " · " + in[1]
	case "linear":
		s := e.fields[e.Place[o.Weights[0]]].name + "(" + in[0] + ")"
		if len(in) > 1 {
			s = in[1] + " + " + s
		}
		return s
	case "embed":
		return e.fields[e.Place[o.Weights[0]]].name + "[" + in[0] + "]"
	case "attend", "attend_kept":
		return "attend(" + in[0] + ")"
	case "glu":
		if in[0] == in[1] {
			return o.Attrs.Str("kind") + "·glu(" + in[0] + ")"
		}
		return o.Attrs.Str("kind") + "(" + in[0] + ") · " + in[1]
	case "act":
		return o.Attrs.Str("kind") + "(" + in[0] + ")"
	case "add_rmsnorm", "add_layernorm":
		return strings.TrimPrefix(o.Kind, "add_") + "(" + in[0] + " + " + in[1] + ")"
	}
	return o.Kind + "(" + strings.Join(in, ", ") + ")"
}
