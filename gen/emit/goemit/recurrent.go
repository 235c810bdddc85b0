package goemit

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/plan"
)

// recurrence is an operation with a state of fixed size, in the making of its method. Workers share channels or heads,
// each with the whole sequence: the order of a sum never depends on their number.
type recurrence struct {
	e      *emitter
	s      plan.Step
	name   string
	doc    string
	units  int      // what is shared: channels or heads
	grain  int      // units that stay together
	size   int      // elements of state of a unit, where units follow each other
	rows   int      // rows of all units in the state, each as long as units·size
	start  string   // what a new sequence begins with; "": zeros
	inputs []string // names of the inputs in the method
	args   []string
	params []string
}

// input adds an input matrix under a name.
func (m *recurrence) input(i int, name string) {
	m.inputs = append(m.inputs, name)
	m.args = append(m.args, m.e.ref(m.s.Op.In[i]))
}

// weight adds a weight under a name and returns the name, nil if the operation has none.
func (m *recurrence) weight(i int, name string) string {
	w := m.s.Op.Weights[i]
	if w == nil {
		return "nil"
	}
	m.params = append(m.params, name)
	m.args = append(m.args, m.e.weightRef(w, m.s.Op.Region))
	return name
}

// emit records the method, whose work on one segment is text, and returns the call. In the text $NAME of an input is its
// rows and their stride.
func (m *recurrence) emit(text string) (string, error) {
	o := m.s.Op
	state := "s.kv[layer].k"
	if o.State == nil {
		if state = "t.passing[:]"; passingSize(o) == 0 {
			return "", fmt.Errorf("%s: the Go backend computes %s with a state only", o.Pos, o.Kind)
		}
	}
	params := "y, " + strings.Join(m.inputs, ", ") + " view"
	if len(m.params) > 0 {
		params += ", " + strings.Join(m.params, ", ") + " []float32"
	}
	var pairs []string
	for _, in := range append(m.inputs, "y") {
		pairs = append(pairs, "$"+in+",", fmt.Sprintf("t.at(%s, s.start), %s.ld,", in, in))
	}
	clear := fmt.Sprintf("clear(state[from*%d : to*%d])", m.size, m.size)
	if m.rows > 1 {
		clear = fmt.Sprintf("for i := range %d {\nclear(state[i*%d:][from:to])\n}", m.rows, m.units)
	}
	if m.start != "" {
		clear = m.start
	}
	body := fmt.Sprintf(`from, to := t.run.pool.Range(t.id, %d, %d)
if from == to {
	return
}
for i := range t.run.segments {
	s := &t.run.segments[i]
	state := %s
	if s.pos == 0 { // a new sequence
		%s
	}
	%s
}`, m.units, m.grain, state, clear, strings.NewReplacer(pairs...).Replace(text))
	m.name = m.e.variant(m.name, body)
	m.e.method(m.name, m.doc, params+", layer int", body)
	return fmt.Sprintf("t.%s(%s, %s, %d)", m.name, m.e.ref(o.Out[0]), strings.Join(m.args, ", "), max(m.e.stateIndex(o.State), 0)), nil
}

func (e *emitter) shortConv(s plan.Step) (string, error) {
	width, k := s.Op.In[0].Type.Width(), s.Op.Attrs.Int("kernel")
	m := &recurrence{e: e, s: s, name: fmt.Sprintf("shortConv%dx%d", width, k), units: width, grain: 16, size: 1, rows: k - 1,
		doc: fmt.Sprintf("is a causal convolution of each of %d channels over %d rows; the state is the last %d rows.", width, k, k-1)}
	m.input(0, "x")
	return m.emit(fmt.Sprintf("portable.ShortConv($y, $x, state, %s, %s, s.rows, from, to, %d, %d)", m.weight(0, "w"), m.weight(1, "b"), width, k))
}

func (e *emitter) rgLRU(s plan.Step) (string, error) {
	width := s.Op.In[0].Type.Width()
	m := &recurrence{e: e, s: s, name: fmt.Sprintf("rgLRU%d", width), units: width, grain: 16, size: 1,
		doc: fmt.Sprintf("is the real-gated linear recurrent unit of %d channels.", width)}
	for i, name := range []string{"x", "gi", "gr"} {
		m.input(i, name)
	}
	return m.emit(fmt.Sprintf("portable.RGLRU($y, $x, $gi, $gr, state, %s, s.rows, from, to, s.pos == 0)", m.weight(0, "decay")))
}

func (e *emitter) shift(s plan.Step) (string, error) {
	width := s.Op.In[0].Type.Width()
	m := &recurrence{e: e, s: s, name: fmt.Sprintf("shift%d", width), units: width, grain: 16, size: 1,
		doc: fmt.Sprintf("moves rows of %d to the next token; the state is the last row.", width)}
	m.input(0, "x")
	return m.emit("portable.Shift($y, $x, state, s.rows, from, to)")
}

func (e *emitter) lerp(s plan.Step) (string, error) {
	o, width := s.Op, s.Op.Out[0].Type.Width()
	name := fmt.Sprintf("lerp%d", width)
	e.rowwise(name, fmt.Sprintf("computes y = w·a + (1-w)·b for rows of %d.", width), "y, a, b view, w []float32",
		fmt.Sprintf("portable.Lerp(t.at(y, from), y.ld, t.at(a, from), a.ld, t.at(b, from), b.ld, w, to-from, %d)", width))
	return fmt.Sprintf("t.%s(%s, %s, %s, %s, n)", name, e.ref(o.Out[0]), e.ref(o.In[0]), e.ref(o.In[1]), e.weightRef(o.Weights[0], o.Region)), nil
}

func (e *emitter) wkv(s plan.Step) (string, error) {
	width := s.Op.In[0].Type.Width()
	m := &recurrence{e: e, s: s, name: fmt.Sprintf("wkv%d", width), units: width, grain: 16,
		start: fmt.Sprintf("portable.StartWKV(state, from, to, %d)", width),
		doc:   fmt.Sprintf("is the weighted sum of all values so far of %d channels.", width)}
	m.input(0, "k")
	m.input(1, "v")
	return m.emit(fmt.Sprintf("portable.WKV($y, $k, $v, state, %s, %s, s.rows, from, to, %d)", m.weight(0, "decay"), m.weight(1, "first"), width))
}

func (e *emitter) deltaRule(s plan.Step) (string, error) {
	o := s.Op
	heads, keyHeads := o.Attrs.Int("heads"), o.Attrs.Int("key_heads")
	dk, dv := o.In[0].Type.Width()/keyHeads, o.In[2].Type.Width()/heads
	m := &recurrence{e: e, s: s, name: fmt.Sprintf("deltaRule%dx%dx%dx%d", heads, keyHeads, dk, dv), units: heads, grain: 1, size: dk * dv,
		doc: fmt.Sprintf("is the gated delta rule of %d heads with a matrix of %d × %d each; %d heads of queries and keys.", heads, dk, dv, keyHeads)}
	for i, name := range []string{"q", "k", "v", "step", "beta"} {
		m.input(i, name)
	}
	return m.emit(fmt.Sprintf("portable.DeltaRule($y, $q, $k, $v, $step, $beta, state, %s, %s, s.rows, from, to, portable.Delta{Heads: %d, KeyHeads: %d, KeyDim: %d, ValueDim: %d, Eps: %s})",
		m.weight(0, "a"), m.weight(1, "bias"), heads, keyHeads, dk, dv, number(o.Attrs.Float("eps"))))
}

func (e *emitter) linearAttention(s plan.Step) (string, error) {
	o := s.Op
	heads, shared, kind := o.Attrs.Int("heads"), o.Attrs.Int("key_heads"), o.Attrs.Str("w")
	dk, dv := o.In[0].Type.Width()/heads, o.In[2].Type.Width()/shared
	m := &recurrence{e: e, s: s, name: fmt.Sprintf("linearAttention%dx%dx%dx%d", heads, shared, dk, dv), units: heads, grain: 1, size: dk * dv,
		doc: fmt.Sprintf("is linear attention of %d heads with a matrix of %d × %d each; %d heads of keys and values.", heads, dk, dv, shared)}
	for i, name := range []string{"q", "k", "v"} {
		m.input(i, name)
	}
	decay := m.weight(0, "decay") + ", 0"
	if kind == "rate" {
		m.input(3, "rate")
		decay = "$rate"
	}
	rule := fmt.Sprintf("Heads: %d, KeyHeads: %d, KeyDim: %d, ValueDim: %d, Scale: %s", heads, shared, dk, dv, number(o.Attrs.Float("scale")))
	rule += pick(kind == "retention", ", Retention: true", "") + pick(kind == "rate", ", Rates: true", "")
	return m.emit(fmt.Sprintf("portable.LinearAttention($y, $q, $k, $v, %s, %s, state, s.rows, from, to, portable.Memory{%s})",
		decay, m.weight(1, "bonus"), rule))
}

func (e *emitter) mlstm(s plan.Step) (string, error) {
	o := s.Op
	heads := o.Attrs.Int("heads")
	dk, dv := o.In[0].Type.Width()/heads, o.In[2].Type.Width()/heads
	m := &recurrence{e: e, s: s, name: fmt.Sprintf("mLSTM%dx%dx%d", heads, dk, dv), units: heads, grain: 1, size: dk*dv + dk + 1,
		doc: fmt.Sprintf("is the matrix memory of %d heads, %d × %d each.", heads, dk, dv)}
	for i, name := range []string{"q", "k", "v", "gi", "gf"} {
		m.input(i, name)
	}
	return m.emit(fmt.Sprintf("portable.MLSTM($y, $q, $k, $v, $gi, $gf, state, s.rows, from, to, portable.Delta{Heads: %d, KeyHeads: %d, KeyDim: %d, ValueDim: %d, Eps: %s})",
		heads, heads, dk, dv, number(o.Attrs.Float("eps"))))
}

func (e *emitter) slstm(s plan.Step) (string, error) {
	o := s.Op
	heads, width := o.Attrs.Int("heads"), o.In[0].Type.Width()
	m := &recurrence{e: e, s: s, name: fmt.Sprintf("sLSTM%dx%d", heads, width/heads), units: heads, grain: 1,
		start: fmt.Sprintf("portable.StartSLSTM(state, from, to, %d, %d)", heads, width/heads),
		doc:   fmt.Sprintf("is the scalar memory of %d heads of %d, whose gates see the result of the token before.", heads, width/heads)}
	for i, name := range []string{"gi", "gf", "z", "o"} {
		m.input(i, name)
	}
	return m.emit(fmt.Sprintf("portable.SLSTM($y, $gi, $gf, $z, $o, state, %s, %s, s.rows, from, to, %d, %d)", m.weight(0, "w"), m.weight(1, "b"), heads, width/heads))
}

func (e *emitter) stateSpace(s plan.Step) (string, error) {
	o := s.Op
	width, n, rank := o.In[0].Type.Width(), o.Attrs.Int("state_size"), o.Attrs.Int("rank")
	m := &recurrence{e: e, s: s, name: fmt.Sprintf("stateSpace%dx%d", width, n), units: width, grain: 16, size: 2 * n,
		doc: fmt.Sprintf("runs the linear systems of %d channels, with %d complex numbers each.", width, n)}
	m.input(0, "x")
	if rank > 0 {
		m.name += fmt.Sprintf("x%d", rank)
		m.doc += fmt.Sprintf(" Their matrices are a diagonal less a matrix of rank %d.", rank)
	}
	return m.emit(fmt.Sprintf("portable.StateSpace($y, $x, state, %s, %s, s.rows, from, to, %d, %d)", m.weight(0, "system"), m.weight(1, "d"), n, rank))
}

// longConv emits a convolution with filters as long as the context. Its state is all inputs so far, which need no clearing.
func (e *emitter) longConv(s plan.Step) (string, error) {
	o := s.Op
	width, length := o.In[0].Type.Width(), o.Attrs.Int("length")
	m := &recurrence{e: e, s: s, name: fmt.Sprintf("longConv%dx%d", width, length), units: width, grain: 16,
		start: "_ = state // what it held of another sequence is not read",
		doc:   fmt.Sprintf("is a causal convolution of each of %d channels with a filter of %d; the state are the inputs so far.", width, length)}
	m.input(0, "x")
	return m.emit(fmt.Sprintf("portable.LongConv($y, $x, state, %s, %s, s.rows, from, to, %d, %d, s.pos)", m.weight(0, "filter"), m.weight(1, "d"), width, length))
}

// passingSize is the size of the state of a recurrence that keeps none from one pass to the next: sequences come whole.
func passingSize(o *ir.Op) int {
	if r, ok := op.Lookup(o.Kind); ok && r.Size != nil && o.State == nil {
		return r.Size(o)
	}
	return 0
}

func passingState(g *ir.Graph) (n int) {
	for _, o := range g.Ops {
		n = max(n, passingSize(o))
	}
	return n
}

// passingScratch is the field of a worker for such states. Workers share channels or heads, so that each needs its own part
// only, but at the place that it has in the whole.
func passingScratch(g *ir.Graph) string {
	if n := passingState(g); n > 0 {
		return fmt.Sprintf("\npassing [%d]float32 // state of the recurrence that is being computed", n)
	}
	return ""
}

// fixedState is the number of elements of a state that does not grow with the sequence, 0 for one that does.
func fixedState(s *ir.State) int { return s.Attrs.Int("size") }
