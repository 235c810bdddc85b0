package goemit

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/plan"
)

// marks emits which tokens attend to all; one worker looks through a sequence.
func (e *emitter) marks(s plan.Step) (string, error) {
	o, rule, id := s.Op, s.Op.Attrs.Str("rule"), s.Op.Attrs.Int("id")
	f := map[string]string{"none": "nil", "first": "portable.MarkFirst", "before": "portable.MarkBefore", "after": "portable.MarkAfter"}[rule]
	e.method("marks", "writes which tokens attend to all and are attended by all: what is given, or else what the rule says of the first token of an id.",
		"y view, given, tokens []int32, id int32, rule func(i, found int) bool", `for i := range t.run.segments {
	if s := &t.run.segments[i]; t.mine(i) {
		end := s.start + s.rows
		portable.Marks(t.at(y, s.start), y.ld, given[s.start:end], tokens[s.start:end], id, rule)
	}
}`)
	return fmt.Sprintf("t.marks(%s, t.run.%s, t.run.%s, %d, %s)", e.ref(o.Out[0]), inputField(o.In[0].Name), inputField(o.In[1].Name), id, f), nil
}

// attendMarked emits attention over the whole sequence for the marked rows, in the place of what they hold.
func (e *emitter) attendMarked(s plan.Step) (string, error) {
	o := s.Op
	a := &attention{heads: o.Attrs.Int("heads"), kv: o.Attrs.Int("kv_heads"), dim: o.Attrs.Int("head_dim"), marked: true, units: markedText, format: cacheFormats[0], scale: o.Attrs.Float("scale")}
	a.pad = (a.dim + 15) / 16 * 16
	name := e.attentionOf(a, o)
	return e.copied(s) + fmt.Sprintf("t.%s(%s, %s, %s, %s, %s, 0, n)", name, e.ref(o.Out[0]), e.ref(o.In[1]), e.ref(o.In[2]), e.ref(o.In[3]), e.ref(o.In[4])), nil
}

// markedText shares the marked rows of each head by stretches of 32 rows; neighbours are computed together.
const markedText = `unit := 0
for i := range t.run.segments {
	s := &t.run.segments[i]
	kv := &s.own
	for h := range $heads {
		g := h / $group
		for r := 0; r < s.rows; r += $queries {
			unit++
			if !t.mine(unit) {
				continue
			}
			for at, end := r, min(r+$queries, s.rows); at < end; {
				n := portable.MarkedRun(t.at(marks, s.start+at), marks.ld, end-at)
				if n == 0 {
					at++
					continue
				}
				t.$nameTile(t.at(y, s.start+at)[h*$dim:], y.ld, t.at(q, s.start+at)[h*$dim:], q.ld, n, s.rows,
					kv.k[g*kv.keys*$dim:], kv.v[g*kv.keys*$pad:], kv.keys)
				at += n
			}
		}
	}
}`

// anyMarked skips a block of keys outside of the window in which none is marked.
const anyMarked = `some := portable.Marked(t.at(marks, first+b*64), marks.ld, min(length-b*64, 64))
if !some && (b < $from || b > $to) {
	continue
}
`

// seeMarked is what a row sees of a block of keys: its window and the marked ones.
const seeMarked = "\nc.lo[r], c.hi[r] = portable.SeeMarked(c.bias[r*64:][:64], t.at(marks, first+b*64), marks.ld, min(length-b*64, 64), c.lo[r], c.hi[r], some)"
