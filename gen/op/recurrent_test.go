package op

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/runtime/portable"
)

// matrix is float32 rows side by side with their float64 copy.
type matrix struct {
	width int
	data  []float32
}

func (m matrix) from(row int) []float32 { return m.data[row*m.width:] }

func random(rng *rand.Rand, rows, width int, low, high float32) matrix {
	m := matrix{width, make([]float32, rows*width)}
	for i := range m.data {
		m.data[i] = low + (high-low)*rng.Float32()
	}
	return m
}

func (m matrix) tensor() *Tensor {
	t := NewTensor(len(m.data)/m.width, m.width)
	for i, v := range m.data {
		t.Data[i] = float64(v)
	}
	return t
}

// recurrent is one setting of an operation with state, and its portable twin on rows first … first+n-1 for units
// from … to-1 of what workers share.
type recurrent struct {
	op      *ir.Op
	inputs  []matrix
	weights []*matrix
	units   int
	grain   int     // units that stay together; 0: 1
	loose   float64 // tolerance; 0: 2e-5
	twin    func(y matrix, state []float32, first, n, from, to int)
}

const recurrentRows = 37

// chunks are lengths of parts that a sequence is fed in.
var chunks = [][]int{{recurrentRows}, {1, 1, 1, 5, 29}, slices.Repeat([]int{1}, recurrentRows), {20, 2, 15}}

// check compares twin and reference in every chunking and for every number of workers: chunks agree with the whole
// sequence, for the twin to the bit.
func (c *recurrent) check(t *testing.T) {
	t.Helper()
	want := c.reference(t, chunks[0])
	for _, parts := range chunks[1:] {
		for i, v := range c.reference(t, parts).Data {
			if math.Abs(v-want.Data[i]) > 1e-12*max(1, math.Abs(v)) {
				t.Fatalf("the reference in chunks %v: element %d is %v, expected %v", parts, i, v, want.Data[i])
			}
		}
	}
	width := c.op.Out[0].Type.Width()
	run := func(parts []int, workers int) matrix {
		y, state, at := random(rand.New(rand.NewPCG(9, 9)), recurrentRows, width, 5, 6), make([]float32, c.memory()), 0
		for _, n := range parts {
			for w := range workers {
				grain := max(c.grain, 1)
				parts := (c.units + grain - 1) / grain
				if from, to := parts*w/workers*grain, min(parts*(w+1)/workers*grain, c.units); from < to {
					c.twin(y, state, at, n, from, to)
				}
			}
			at += n
		}
		return y
	}
	whole := run(chunks[0], 1)
	for i, v := range want.Data {
		if d := math.Abs(float64(whole.data[i]) - v); !(d <= max(c.loose, 2e-5)*max(1, math.Abs(v))) {
			t.Fatalf("element %d of row %d is %v, expected %v", i%width, i/width, whole.data[i], v)
		}
	}
	for _, parts := range chunks {
		for _, workers := range []int{1, 2, 3} {
			if got := run(parts, workers); !slices.Equal(got.data, whole.data) {
				t.Fatalf("chunks %v on %d workers do not give the same bits", parts, workers)
			}
		}
	}
}

// memory is the size of the state, for all rows where it grows.
func (c *recurrent) memory() int {
	if row := index[c.op.Kind]; row.Size == nil {
		return recurrentRows * row.Each(c.op)
	}
	return index[c.op.Kind].Size(c.op)
}

// reference evaluates the operation in chunks.
func (c *recurrent) reference(t *testing.T, parts []int) *Tensor {
	t.Helper()
	c.op.State = &ir.State{}
	c.op.In = nil
	for _, in := range c.inputs {
		c.op.In = append(c.op.In, &ir.Value{Type: ir.Type{DType: ir.F32, Dims: []int{in.width}}})
	}
	c.op.Weights = make([]*ir.Weight, len(index[c.op.Kind].Weights))
	byWeight := map[*ir.Weight]*Tensor{}
	for i, w := range c.weights {
		if w != nil {
			shape := index[c.op.Kind].Weights[i].Shape(c.op)
			c.op.Weights[i] = &ir.Weight{Shape: shape}
			byWeight[c.op.Weights[i]] = matrix{shape[len(shape)-1], w.data}.tensor()
		}
	}
	types, err := Infer(c.op)
	if err != nil {
		t.Fatal(err)
	}
	c.op.Out = []*ir.Value{{Type: types[0], Def: c.op}}
	if err := Check(c.op); err != nil {
		t.Fatal(err)
	}
	kv, all, at := map[*ir.State]*KV{}, NewTensor(0, types[0].Width()), 0
	for _, n := range parts {
		x := &Exec{Values: map[*ir.Value]*Tensor{}, Weight: func(w *ir.Weight) (*Tensor, error) { return byWeight[w], nil }}
		x.Segments = []Segment{{Tokens: make([]int32, n), Pos: at, KV: kv}}
		for i, in := range c.inputs {
			x.Values[c.op.In[i]] = matrix{in.width, in.data[at*in.width : (at+n)*in.width]}.tensor()
		}
		if err := index[c.op.Kind].Ref(x, c.op); err != nil {
			t.Fatal(err)
		}
		all.Data = append(all.Data, x.Values[c.op.Out[0]].Data...)
		at += n
	}
	return all
}

func TestShortConv(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, d := range []int{1, 5, 48} {
		for _, k := range []int{2, 3, 4, 9} {
			x, w, b := random(rng, recurrentRows, d, -1, 1), random(rng, d, k, -1, 1), random(rng, 1, d, -1, 1)
			c := &recurrent{op: &ir.Op{Kind: "short_conv", Attrs: ir.Attrs{"kernel": k}}, inputs: []matrix{x}, weights: []*matrix{&w, &b}, units: d}
			c.twin = func(y matrix, state []float32, first, n, from, to int) {
				portable.ShortConv(y.from(first), d, x.from(first), d, state, w.data, b.data, n, from, to, d, k)
			}
			t.Run(fmt.Sprintf("%dx%d", d, k), c.check)
		}
	}
}

func TestSelectiveScan(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for _, s := range []struct {
		heads, dim, groups, n int
		low, high             float64
	}{{1, 1, 1, 1, 0, 0}, {17, 1, 1, 7, 0, 0}, {32, 1, 1, 16, 0.05, 0.5}, {6, 5, 3, 9, 0, 0}, {4, 16, 1, 8, 0, 0.3}, {2, 33, 2, 4, 0, 0}} {
		attrs := ir.Attrs{"heads": s.heads, "groups": s.groups, "state_size": s.n, "decay": "head", "low": s.low, "high": s.high}
		decays := 1
		if s.dim == 1 {
			attrs["decay"], decays = "state", s.n
		}
		x, step := random(rng, recurrentRows, s.heads*s.dim, -1, 1), random(rng, recurrentRows, s.heads, -4, 3)
		b, c := random(rng, recurrentRows, s.groups*s.n, -1, 1), random(rng, recurrentRows, s.groups*s.n, -1, 1)
		a, d, bias := random(rng, s.heads, decays, -3, -0.1), random(rng, 1, s.heads, -1, 1), random(rng, 1, s.heads, -1, 0)
		r := &recurrent{op: &ir.Op{Kind: "selective_scan", Attrs: attrs}, inputs: []matrix{x, step, b, c}, weights: []*matrix{&a, &d, &bias}, units: s.heads}
		low, high := float32(s.low), float32(s.high)
		channels := func(y matrix, state []float32, first, n, from, to int) {
			tiles := (to - from + 15) / 16
			w, in, dt, sum := tiled(a, s.heads), make([]float32, tiles*16), make([]float32, tiles*16), make([]float32, tiles*16)
			for i := first; i < first+n; i++ {
				portable.ScanLogits(dt, step.from(i)[from:to], bias.data[from:to])
				portable.ActSoftplus(dt, 16, dt, 16, tiles, 16)
				portable.ClampSteps(dt, low, high)
				portable.ScanChannels(in, sum, x.from(i)[from:to], dt, d.data[from:])
				portable.ScanState(sum, 0, in, 0, dt, 0, b.from(i), 0, c.from(i), 0, state[from*s.n:], w[from*s.n:], tiles, 1, s.n)
				copy(y.from(i)[from:to], sum)
			}
		}
		heads := func(y matrix, state []float32, first, n, from, to int) {
			tiles := (s.dim + 15) / 16
			in, sum := make([]float32, tiles*16), make([]float32, tiles*16)
			for i := first; i < first+n; i++ {
				for h := from; h < to; h++ {
					dt := portable.ScanStep(step.from(i)[h], bias.data[h], low, high)
					decay := []float32{portable.ScanHeadInput(in, sum, x.from(i)[h*s.dim:][:s.dim], dt, d.data[h], a.data[h])}
					g := h / (s.heads / s.groups) * s.n
					portable.ScanHead(sum, 0, in, 0, b.from(i)[g:], 0, c.from(i)[g:], 0, state[h*tiles*16*s.n:], decay, tiles, 1, s.n)
					copy(y.from(i)[h*s.dim:][:s.dim], sum)
				}
			}
		}
		if r.twin = heads; s.dim == 1 {
			r.twin, r.grain = channels, 16
		}
		t.Run(fmt.Sprint(s), r.check)
	}
}

// tiled lays rows out sixteen at a time, [tiles][width][16].
func tiled(m matrix, rows int) []float32 {
	w := make([]float32, (rows+15)/16*16*m.width)
	for r := range rows {
		for j := range m.width {
			w[(r/16*m.width+j)*16+r%16] = m.data[r*m.width+j]
		}
	}
	return w
}

func TestRGLRU(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, d := range []int{1, 19, 48} {
		x, gi, gr := random(rng, recurrentRows, d, -2, 2), random(rng, recurrentRows, d, -3, 3), random(rng, recurrentRows, d, -3, 3)
		decay := random(rng, 1, d, -8, -0.01)
		c := &recurrent{op: &ir.Op{Kind: "rg_lru", Attrs: ir.Attrs{}}, inputs: []matrix{x, gi, gr}, weights: []*matrix{&decay}, units: d}
		c.twin = func(y matrix, state []float32, first, n, from, to int) {
			portable.RGLRU(y.from(first), d, x.from(first), d, gi.from(first), d, gr.from(first), d, state, decay.data, n, from, to, first == 0)
		}
		t.Run(fmt.Sprint(d), c.check)
	}
}

func TestShift(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	x := random(rng, recurrentRows, 21, -2, 2)
	c := &recurrent{op: &ir.Op{Kind: "shift", Attrs: ir.Attrs{}}, inputs: []matrix{x}, units: 21}
	c.twin = func(y matrix, state []float32, first, n, from, to int) {
		portable.Shift(y.from(first), 21, x.from(first), 21, state, n, from, to)
	}
	c.check(t)
}

// TestWKV includes keys so small that a state that began at exponent zero would lose them.
func TestWKV(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for _, low := range []float32{-3, -200} {
		const d = 23
		k, v := random(rng, recurrentRows, d, low, 3), random(rng, recurrentRows, d, -2, 2)
		for i := range d {
			k.data[i] = low
		}
		decay, first := random(rng, 1, d, -3, -0.01), random(rng, 1, d, -1, 1)
		c := &recurrent{op: &ir.Op{Kind: "wkv", Attrs: ir.Attrs{}}, inputs: []matrix{k, v}, weights: []*matrix{&decay, &first}, units: d}
		c.twin = func(y matrix, state []float32, at, n, from, to int) {
			if at == 0 {
				portable.StartWKV(state, from, to, d)
			}
			portable.WKV(y.from(at), d, k.from(at), d, v.from(at), d, state, decay.data, first.data, n, from, to, d)
		}
		t.Run(fmt.Sprint(low), c.check)
	}
}

func TestDeltaRule(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	for _, s := range []struct{ heads, keyHeads, dk, dv int }{{1, 1, 1, 1}, {4, 2, 12, 10}, {3, 3, 7, 16}, {2, 1, 32, 5}} {
		q, k := random(rng, recurrentRows, s.keyHeads*s.dk, -1, 1), random(rng, recurrentRows, s.keyHeads*s.dk, -1, 1)
		v, step, beta := random(rng, recurrentRows, s.heads*s.dv, -2, 2), random(rng, recurrentRows, s.heads, -3, 3), random(rng, recurrentRows, s.heads, -2, 4)
		a, bias := random(rng, 1, s.heads, -3, -0.01), random(rng, 1, s.heads, -1, 1)
		c := &recurrent{op: &ir.Op{Kind: "delta_rule", Attrs: ir.Attrs{"heads": s.heads, "key_heads": s.keyHeads, "eps": 1e-6}},
			inputs: []matrix{q, k, v, step, beta}, weights: []*matrix{&a, &bias}, units: s.heads}
		c.twin = func(y matrix, state []float32, first, n, from, to int) {
			portable.DeltaRule(y.from(first), y.width, q.from(first), q.width, k.from(first), k.width, v.from(first), v.width, step.from(first), step.width,
				beta.from(first), beta.width, state, a.data, bias.data, n, from, to,
				portable.Delta{Heads: s.heads, KeyHeads: s.keyHeads, KeyDim: s.dk, ValueDim: s.dv, Eps: 1e-6})
		}
		t.Run(fmt.Sprint(s), c.check)
	}
}

func TestLinearAttention(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	for _, s := range []struct {
		heads, shared, dk, dv int
		w                     string
		decay, bonus          bool
	}{{1, 1, 1, 1, "weight", false, false}, {4, 2, 6, 10, "retention", false, false}, {3, 3, 7, 5, "weight", true, true}, {2, 1, 16, 33, "rate", false, true}} {
		q, k := random(rng, recurrentRows, s.heads*s.dk, -1, 1), random(rng, recurrentRows, s.shared*s.dk, -1, 1)
		v, rate := random(rng, recurrentRows, s.shared*s.dv, -2, 2), random(rng, recurrentRows, s.heads*s.dk, -5, 2)
		decay, bonus := random(rng, 1, s.heads*s.dk, 0.1, 1), random(rng, 1, s.heads*s.dk, -1, 1)
		c := &recurrent{op: &ir.Op{Kind: "linear_attention", Attrs: ir.Attrs{"heads": s.heads, "key_heads": s.shared, "scale": 0.3, "w": s.w}},
			inputs: []matrix{q, k, v}, weights: []*matrix{nil, nil}, units: s.heads}
		var decays, first []float32
		if s.decay {
			c.weights[0], decays = &decay, decay.data
		}
		if s.bonus {
			c.weights[1], first = &bonus, bonus.data
		}
		ld := 0
		if s.w == "rate" {
			c.inputs, ld = append(c.inputs, rate), rate.width
		}
		c.twin = func(y matrix, state []float32, at, n, from, to int) {
			d := decays
			if s.w == "rate" {
				d = rate.from(at)
			}
			portable.LinearAttention(y.from(at), y.width, q.from(at), q.width, k.from(at), k.width, v.from(at), v.width, d, ld, first, state, n, from, to,
				portable.Memory{Heads: s.heads, KeyHeads: s.shared, KeyDim: s.dk, ValueDim: s.dv, Scale: 0.3, Retention: s.w == "retention", Rates: s.w == "rate"})
		}
		t.Run(fmt.Sprint(s), c.check)
	}
}

func TestMLSTM(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for _, s := range []struct{ heads, dk, dv int }{{1, 1, 1}, {4, 8, 16}, {3, 5, 7}} {
		q, k, v := random(rng, recurrentRows, s.heads*s.dk, -1, 1), random(rng, recurrentRows, s.heads*s.dk, -1, 1), random(rng, recurrentRows, s.heads*s.dv, -2, 2)
		input, forget := random(rng, recurrentRows, s.heads, -10, 10), random(rng, recurrentRows, s.heads, -5, 10)
		c := &recurrent{op: &ir.Op{Kind: "mlstm", Attrs: ir.Attrs{"heads": s.heads, "eps": 1e-6}}, inputs: []matrix{q, k, v, input, forget}, units: s.heads,
			loose: 2e-4} // the denominator n·q cancels
		c.twin = func(y matrix, state []float32, first, n, from, to int) {
			portable.MLSTM(y.from(first), y.width, q.from(first), q.width, k.from(first), k.width, v.from(first), v.width, input.from(first), s.heads,
				forget.from(first), s.heads, state, n, from, to, portable.Delta{Heads: s.heads, KeyDim: s.dk, ValueDim: s.dv, Eps: 1e-6})
		}
		t.Run(fmt.Sprint(s), c.check)
	}
}
