package goemit

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/plan"
)

// attendProjected emits attention to keys and values that a matrix has made a fixed number of.
func (e *emitter) attendProjected(s plan.Step) (string, error) {
	o := s.Op
	rows, each := o.Attrs.Int("rows"), 0
	if o.Attrs.Bool("each") {
		each = rows * o.Attrs.Int("length")
	}
	a := &attention{heads: o.Attrs.Int("heads"), kv: o.Attrs.Int("heads"), dim: o.Attrs.Int("head_dim"), projected: rows, format: cacheFormats[0], scale: o.Attrs.Float("scale")}
	a.pad = (a.dim + 15) / 16 * 16
	a.units = strings.NewReplacer("$each", fmt.Sprint(each), "$length", fmt.Sprint(o.Attrs.Int("length")), "$count", fmt.Sprint(rows),
		"$keys", fmt.Sprint(blocksOf(rows)*kernel.BlockKeys)).Replace(projectedText)
	name := e.attentionOf(a, o)
	f := o.Weights[1]
	if f == nil {
		f = o.Weights[0]
	}
	return fmt.Sprintf("t.%s(%s, %s, %s, %s, %s, %s, 0, n)", name, e.ref(o.Out[0]), e.ref(o.In[0]), e.ref(o.In[1]), e.ref(o.In[2]),
		e.weightRef(o.Weights[0], o.Region), e.weightRef(f, o.Region)), nil
}

// projectedText shares the heads of all sequences.
const projectedText = `unit := 0
for i := range t.run.segments {
	s := &t.run.segments[i]
	c := &t.projected
	for h := range $heads {
		unit++
		if !t.mine(unit) {
			continue
		}
		portable.Project(c.rows[:], e[h*$each:], $length, t.at(k, s.start)[h*$dim:], k.ld, s.rows, $count, $dim)
		portable.StoreK(c.k[:], c.rows[:], $dim, 0, $count, $dim)
		portable.Project(c.rows[:], f[h*$each:], $length, t.at(v, s.start)[h*$dim:], v.ld, s.rows, $count, $dim)
		portable.StoreV(c.v[:], c.rows[:], $dim, 0, $count, $dim)
		for r := 0; r < s.rows; r += $queries {
			t.$nameTile(t.at(y, s.start+r)[h*$dim:], y.ld, t.at(q, s.start+r)[h*$dim:], q.ld, min($queries, s.rows-r), $count, c.k[:], c.v[:], $keys)
		}
	}
}`

func blocksOf(keys int) int { return (keys + kernel.BlockKeys - 1) / kernel.BlockKeys }

// attendFeatures emits attention by features; workers share the heads of all sequences.
func (e *emitter) attendFeatures(s plan.Step) (string, error) {
	o := s.Op
	heads, dim := o.Attrs.Int("heads"), o.Attrs.Int("head_dim")
	m, softmax := o.In[0].Type.Width()/heads, o.Attrs.Str("kernel") == "softmax"
	body := fmt.Sprintf(`unit := 0
for i := range t.run.segments {
	s := &t.run.segments[i]
	for h := range %[1]d {
		if t.mine(unit) {
			portable.Features{Count: %[2]d, HeadDim: %[3]d, Eps: %[4]s, Softmax: %[5]v}.Attend(t.at(y, s.start)[h*%[3]d:], y.ld, t.at(qf, s.start)[h*%[2]d:], qf.ld,
				t.at(kf, s.start)[h*%[2]d:], kf.ld, t.at(q, s.start)[h*%[3]d:], q.ld, t.at(k, s.start)[h*%[3]d:], k.ld, t.at(v, s.start)[h*%[3]d:], v.ld, s.rows, t.features[:])
		}
		unit++
	}
}`, heads, m, dim, number(o.Attrs.Float("eps")), softmax)
	name := e.variant(fmt.Sprintf("attendFeatures%dx%dx%d", heads, dim, m), body)
	e.method(name, fmt.Sprintf("is attention of %d heads of %d by %d features of queries and keys each, %s (Performer, Choromanski et al. 2021).", heads, dim, m,
		pick(softmax, "which approximate softmax", "linear above zero")), "y, qf, kf, q, k, v view", body)
	var in []string
	for _, v := range o.In {
		in = append(in, e.ref(v))
	}
	return fmt.Sprintf("t.%s(%s, %s)", name, e.ref(o.Out[0]), strings.Join(in, ", ")), nil
}

// efficientSizes are the lengths of a worker's memory for projected rows, keys and values, and for features.
func efficientSizes(g *ir.Graph) (rows, keys, values, features int) {
	for _, o := range g.Ops {
		dim := o.Attrs.Int("head_dim")
		switch o.Kind {
		case "attend_projected":
			n := o.Attrs.Int("rows")
			rows, keys = max(rows, n*dim), max(keys, blocksOf(n)*kernel.BlockKeys*dim)
			values = max(values, blocksOf(n)*kernel.BlockKeys*((dim+15)/16*16))
		case "attend_features":
			features = max(features, o.In[0].Type.Width()/o.Attrs.Int("heads")*(dim+2))
		}
	}
	return rows, keys, values, features
}

// efficientBytes is the size of that memory.
func efficientBytes(g *ir.Graph) int64 {
	rows, keys, values, features := efficientSizes(g)
	return int64(4 * (rows + keys + values + features))
}

// efficientScratch are the fields of a worker for it.
func efficientScratch(g *ir.Graph) string {
	rows, keys, values, features := efficientSizes(g)
	text := ""
	if rows > 0 {
		text += fmt.Sprintf("\nprojected struct { // keys and values of a head\nrows [%d]float32\nk [%d]float32\nv [%d]float32\n}", rows, keys, values)
	}
	if features > 0 {
		text += fmt.Sprintf("\nfeatures [%d]float32 // of one query or key, their sums, and those of values", features)
	}
	return text
}
