package goemit

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
)

// relativeBias is one table of biases by distance, made of a weight when the model is opened.
type relativeBias struct {
	key, field, buckets string
	weight              *ir.Weight
	heads               int
	factor              float64
}

// relative records the table of an attention with a relative bias and returns its field of the model. Layers that share
// the weight share the table.
func (e *emitter) relative(o *ir.Op) string {
	buckets, most, both := o.Attrs.Int("buckets"), o.Attrs.Int("max_distance"), o.Attrs.Str("mask") != "causal"
	b := relativeBias{weight: o.Weights[1], heads: o.Attrs.Int("heads"), factor: 1 / o.Attrs.Float("scale")}
	b.key = fmt.Sprintf("%p %d %d %v %v", b.weight, buckets, most, both, b.factor)
	for _, have := range e.relatives {
		if have.key == b.key {
			return have.field
		}
	}
	index := make([]float64, 2*most+1)
	for i := range index {
		index[i] = float64(op.RelativeBucket(i-most, buckets, most, both))
	}
	b.buckets = e.integers("buckets", fmt.Sprintf("buckets of the distances from -%d to %d.", most, most), index)
	b.field = fmt.Sprintf("relative%d", len(e.relatives))
	e.relatives = append(e.relatives, b)
	return b.field
}

// integers records a literal table of int32 and returns its name; equal tables share one.
func (e *emitter) integers(prefix, doc string, values []float64) string {
	name := e.table(prefix, doc, values)
	e.tables[name] = strings.Replace(e.tables[name], "]float64{", "]int32{", 1)
	return name
}

// relativeFields are the fields of the model that hold the tables.
func (e *emitter) relativeFields() string {
	var b strings.Builder
	for _, r := range e.relatives {
		fmt.Fprintf(&b, "%s []float32 // attention biases of each head by distance\n", r.field)
	}
	return b.String()
}

// relativeTables makes the tables when the model is opened.
func (e *emitter) relativeTables() string {
	var b strings.Builder
	for _, r := range e.relatives {
		f := e.fields[e.Place[r.weight]]
		fmt.Fprintf(&b, "m.%s = portable.RelativeTable(%s[:], m.weights.%s.%s, %d, %s)\n", r.field, r.buckets, f.region.Name, f.name, r.heads, number(r.factor))
	}
	return b.String()
}

// relativeText writes the biases of a row to where the sums of its scores start. Rows of one new token are heads, rows of
// a prompt are tokens.
func (a *attention) relativeText() string {
	table, at := "relative", "pos-r"
	if a.causal {
		table, at = fmt.Sprintf("relative[r*(1-step)*%d:]", a.distances), "pos-r*step"
	}
	return fmt.Sprintf("\nportable.Relative(c.bias[r*64:][:64], %s[:%d], b*64-%s)", table, a.distances, at)
}
