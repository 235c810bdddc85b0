package goemit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/gen/ir"
)

// longFormula is the length up to which a formula is one line.
const longFormula = 150

// formula describes what a region computes, sum by sum: "x ← x + oProj(attend(qkvProj(rmsnorm(x))))". If that is long
// or says a product twice, it is a list of lines in which results that are used more than once have names.
func (e *emitter) formula(region *ir.Region) []string {
	lines := e.derive(region, false)
	text := strings.Join(lines, "; ")
	if len(text) > longFormula || e.repeats(region, text) {
		return e.derive(region, true)
	}
	return lines
}

// repeats reports whether a formula has a matrix product of the region more often than the region.
func (e *emitter) repeats(region *ir.Region, formula string) bool {
	products := map[string]int{}
	for _, o := range e.Plan.Graph.RegionOps(region) {
		if o.Kind == "linear" {
			products[e.fields[e.Place[o.Weights[0]]].name+"("]++
		}
	}
	for product, n := range products {
		if strings.Count(" "+strings.ReplaceAll(formula, "(", "( "), " "+product) > n {
			return true
		}
	}
	return false
}

// derivation collects the lines of a formula.
type derivation struct {
	*emitter
	region *ir.Region
	terms  map[*ir.Value]string
	lines  []string
}

// derive writes a region's formula; named says whether results that are used more than once become lines of their own.
func (e *emitter) derive(region *ir.Region, named bool) []string {
	d := &derivation{emitter: e, region: region, terms: map[*ir.Value]string{}}
	ops := e.Plan.Graph.RegionOps(region)
	readers := readersOf(ops)
	for _, o := range ops {
		var in []string
		for _, v := range o.In {
			in = append(in, d.expr(v))
		}
		d.add(o, in)
		for _, v := range o.Out {
			often := len(readers[v]) > 1 || len(parts(v, ops)) > 1
			if named && o.Kind != "slice" && often && strings.Contains(d.terms[v], "(") {
				d.name(v, ops)
			}
		}
	}
	if region.Result != nil && d.expr(region.Result) != "x" {
		d.lines = append(d.lines, "x ← "+bare(d.expr(region.Result)))
	}
	return d.lines
}

// expr is the expression of a value: what it was derived as, an input's name, or x for what other regions made.
func (d *derivation) expr(v *ir.Value) string {
	if s, ok := d.terms[v]; ok {
		return s
	}
	if v.Def == nil {
		return v.Name
	}
	return "x"
}

// add derives the results of an operation. A sum with the residual stream is a line of its own.
func (d *derivation) add(o *ir.Op, in []string) {
	if len(o.Out) == 0 || d.terms[o.Out[0]] != "" {
		return // nothing, or a named slice
	}
	text := d.term(o, in)
	if strings.HasPrefix(o.Kind, "add_") && in[0] == "x" && d.Plan.At[o.Out[0]] == d.Plan.At[o.Out[1]] {
		d.lines = append(d.lines, "x ← "+bare(text))
		d.terms[o.Out[1]] = "x"
		return
	}
	if strings.HasPrefix(o.Kind, "add_") && d.region.Result != o.Out[1] {
		d.lines = append(d.lines, "x ← "+in[0]+" + "+in[1])
		d.terms[o.Out[0]], d.terms[o.Out[1]] = "x", strings.TrimPrefix(o.Kind, "add_")+"(x)"
		return
	}
	sum := o.Kind == "add" || o.Kind == "linear" && len(o.In) > 1 || strings.HasPrefix(o.Kind, "add_")
	switch {
	case sum && slices.Contains(in, "x"):
		d.lines = append(d.lines, "x ← "+bare(text))
		text = "x"
	case sum && !strings.HasPrefix(o.Kind, "add_"):
		text = "(" + text + ")"
	}
	for _, v := range o.Out {
		d.terms[v] = text
	}
}

// name gives a value, or the slices that divide it, the names of their places.
func (d *derivation) name(v *ir.Value, ops []*ir.Op) {
	text := bare(d.terms[v])
	of := parts(v, ops)
	if len(of) == 0 {
		of = []*ir.Value{v}
	}
	var names []string
	for _, part := range of {
		d.terms[part] = d.ref(part)
		names = append(names, d.ref(part))
	}
	d.lines = append(d.lines, strings.Join(slices.Compact(names), ", ")+" ← "+text)
}

// parts lists the slices of a value.
func parts(v *ir.Value, ops []*ir.Op) []*ir.Value {
	var list []*ir.Value
	for _, o := range ops {
		if o.Kind == "slice" && o.In[0] == v {
			list = append(list, o.Out[0])
		}
	}
	return list
}

// readersOf lists the operations that read each value, themselves or through slices; slices are not among them.
func readersOf(ops []*ir.Op) map[*ir.Value][]*ir.Op {
	readers := map[*ir.Value][]*ir.Op{}
	for _, o := range ops {
		if o.Kind == "slice" {
			continue
		}
		for _, v := range o.In {
			if v.Def != nil && v.Def.Kind == "slice" {
				v = v.Def.In[0]
			}
			if !slices.Contains(readers[v], o) {
				readers[v] = append(readers[v], o)
			}
		}
	}
	return readers
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
	case "scale":
		return fmt.Sprintf("%.6g · %s", o.Attrs.Float("c"), in[0])
	case "scale_rows":
		return in[1] + " · " + in[0]
	case "linear":
		s := e.fields[e.Place[o.Weights[0]]].name + "(" + bare(in[0]) + ")"
		if len(in) > 1 {
			s = in[1] + " + " + s
		}
		return s
	case "embed":
		return e.fields[e.Place[o.Weights[0]]].name + "[" + in[0] + "]"
	case "attend", "attend_kept":
		if len(in) > 2 && in[0] != in[1] && in[1] != in[2] {
			return "attend(" + strings.Join(in[:3], ", ") + ")"
		}
		return "attend(" + in[0] + ")"
	case "expert_linear":
		return e.fields[e.Place[o.Weights[0]]].name + "[" + in[1] + "](" + bare(in[0]) + ")"
	case "head_linear":
		return e.fields[e.Place[o.Weights[0]]].name + "(" + bare(in[0]) + ")"
	case "glu":
		if in[0] == in[1] {
			return o.Attrs.Str("kind") + "·glu(" + in[0] + ")"
		}
		return o.Attrs.Str("kind") + "(" + in[0] + ") · " + in[1]
	case "act":
		return o.Attrs.Str("kind") + "(" + bare(in[0]) + ")"
	case "add_rmsnorm", "add_layernorm":
		return strings.TrimPrefix(o.Kind, "add_") + "(" + in[0] + " + " + in[1] + ")"
	}
	return o.Kind + "(" + strings.Join(in, ", ") + ")"
}

// bare removes parentheses around a whole expression.
func bare(expr string) string {
	if !strings.HasPrefix(expr, "(") || !strings.HasSuffix(expr, ")") {
		return expr
	}
	depth := 0
	for i, r := range expr {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 && i < len(expr)-1 {
			return expr
		}
	}
	return expr[1 : len(expr)-1]
}
