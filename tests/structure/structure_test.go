// Package structure_test holds properties that follow from what a model is, for every specification at its tiny sizes,
// with made-up weights: each weight matters, later tokens do not reach back, their order matters, and neither the pieces
// in which a prompt is computed nor its neighbours in a batch do.
package structure_test

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/build"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/pass"
	"github.com/tfgen/tfgen/gen/ref"
	"github.com/tfgen/tfgen/gen/spec"
)

// length is the number of tokens of the texts: longer than the windows of the tiny sizes.
const length = 11

// model is a specification made concrete.
type model struct {
	*build.Result
	weights   map[*ir.Weight]*op.Tensor
	disturbed *ir.Weight // whose elements are another tensor for the time being
}

// ref is the reference of the model's graph.
func (m *model) ref() *ref.Model {
	r := ref.New(m.Graph, nil)
	r.Weights = func(w *ir.Weight) (*op.Tensor, error) {
		if w == m.disturbed {
			return made(w, "disturbed "), nil
		}
		if m.weights[w] == nil {
			m.weights[w] = made(w, "")
		}
		return m.weights[w], nil
	}
	return r
}

// made makes up a weight that depends on its name only: matrices that keep the size of their inputs, vectors around 1
// or 0, as norms and biases are.
func made(w *ir.Weight, salt string) *op.Tensor {
	h := fnv.New64a()
	h.Write([]byte(salt + w.Name))
	rng := rand.New(rand.NewPCG(h.Sum64(), 1))
	t := op.NewTensor(1, w.Elements())
	mean, size := 0.0, 0.3
	if len(w.Shape) == 2 {
		t = op.NewTensor(w.Shape[0], w.Shape[1])
		size = 2 / math.Sqrt(float64(w.Shape[1]))
	} else if strings.Contains(w.Name, "norm") || strings.Contains(w.Name, "ln") || strings.Contains(w.Name, "Norm") {
		mean = 1
	}
	if strings.HasSuffix(w.Name, "bias") {
		mean = 0
	}
	for i := range t.Data {
		t.Data[i] = steps(w, mean+size*(2*rng.Float64()-1))
	}
	return t
}

// steps applies the weight-only arithmetic that keeps values in their range, such as -exp(A_log).
func steps(w *ir.Weight, x float64) float64 {
	if len(w.Parts) == 0 {
		return x
	}
	for _, s := range w.Parts[0].Steps {
		switch s.Kind {
		case "exp":
			x = math.Exp(x)
		case "softplus":
			x = math.Log1p(math.Exp(x))
		case "mul":
			x *= s.C
		}
	}
	return x
}

// outputs runs segments and returns the rows of every output.
func (m *model) outputs(t *testing.T, r *ref.Model, segments ...op.Segment) map[string]*op.Tensor {
	t.Helper()
	var all []int
	for _, s := range segments {
		for range s.Tokens {
			all = append(all, len(all))
		}
	}
	x, err := r.Run(segments, all)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*op.Tensor{}
	for _, o := range m.Graph.Outputs {
		out[o.Name] = x.Values[o.Value]
	}
	return out
}

// text makes up a text.
func (m *model) text(seed uint64, n int) []int32 {
	rng := rand.New(rand.NewPCG(seed, 2))
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = int32(3 + rng.IntN(m.Graph.Vocab-3))
	}
	return ids
}

func (m *model) segment(ids []int32) op.Segment {
	s := op.Segment{Tokens: ids, Total: len(ids)}
	if m.Graph.Input("global_attention") != nil {
		s.Global = make([]int32, len(ids))
		s.Global[0], s.Global[len(ids)/2] = 1, 1
	}
	return s
}

// gap is the largest difference of rows from ≤ r < to of two matrices; those of b begin at row offset.
func gap(a, b *op.Tensor, from, to, offset int) float64 {
	worst := 0.0
	for r := from; r < to; r++ {
		for i, v := range a.Row(r) {
			d := math.Abs(v - b.Row(r + offset)[i])
			if math.IsNaN(d) {
				return math.Inf(1)
			}
			worst = math.Max(worst, d)
		}
	}
	return worst
}

// changed is the largest difference of all outputs.
func changed(a, b map[string]*op.Tensor) float64 {
	worst := 0.0
	for name := range a {
		worst = math.Max(worst, gap(a[name], b[name], 0, a[name].Rows, 0))
	}
	return worst
}

// shared are the architectures by which classes of the library are checked: their steps are the same for all others.
var shared = []string{"llama", "bert"}

func TestStructure(t *testing.T) {
	all, err := spec.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		for _, h := range s.Heads {
			if strings.HasPrefix(h.Pos.File, "specs/lib/") && !slices.Contains(shared, s.Arch) {
				continue
			}
			t.Run(s.Arch+"/"+h.Class, func(t *testing.T) {
				t.Parallel()
				structure(t, s, h.Class)
			})
		}
	}
}

// structure checks one class of one specification.
func structure(t *testing.T, s *spec.Spec, class string) {
	result, err := build.Tiny(s, class)
	if err != nil {
		t.Fatal(err)
	}
	m := &model{Result: result, weights: map[*ir.Weight]*op.Tensor{}}
	for _, in := range m.Graph.Inputs {
		if !slices.Contains([]string{"tokens", "positions", "token_types", "global_attention"}, in.Name) {
			t.Skipf("has an input %s of its own", in.Name)
		}
	}
	ids := m.text(1, length)
	base := m.outputs(t, m.ref(), m.segment(ids))
	for name, v := range base {
		if gap(v, v, 0, v.Rows, 0) != 0 {
			t.Fatalf("%s is not finite", name)
		}
	}
	m.neighbours(t, ids, base)
	m.everyWeight(t, ids, base)
	if m.Task == "causal-lm" {
		m.causality(t, ids, base)
		m.pieces(t, ids, base)
	}
	m.passes(t, ids, base)
}

// neighbours: a text in a batch is the text alone, to the bit.
func (m *model) neighbours(t *testing.T, ids []int32, alone map[string]*op.Tensor) {
	other := m.text(2, 4)
	both := m.outputs(t, m.ref(), m.segment(other), m.segment(ids))
	for name, v := range alone {
		offset := len(other)
		if v.Rows != len(ids) {
			offset = 1 // one row a sequence
		}
		if d := gap(v, both[name], 0, v.Rows, offset); d != 0 {
			t.Errorf("%s differs by %g behind another text", name, d)
		}
	}
}

// everyWeight: another tensor instead of any weight changes the outputs.
func (m *model) everyWeight(t *testing.T, ids []int32, base map[string]*op.Tensor) {
	silent := silentBiases(m.Graph)
	for _, w := range m.Graph.Weights {
		if len(w.Parts) == 1 && w.Parts[0].Zeros > 0 || silent[w] {
			continue
		}
		m.disturbed = w
		if changed(base, m.outputs(t, m.ref(), m.segment(ids))) < 1e-9 {
			t.Errorf("%s has no influence on %d outputs", w.Name, len(base))
		}
	}
	m.disturbed = nil
}

// silentBiases are those of keys that are used as they are: they add the same to all scores of a query.
func silentBiases(g *ir.Graph) map[*ir.Weight]bool {
	uses := g.Uses()
	silent := map[*ir.Weight]bool{}
	for _, o := range g.Ops {
		at, ok := map[string]int{"attend": 1, "attend_marked": 2}[o.Kind]
		if !ok {
			continue
		}
		if k := o.In[at].Def; k != nil && (k.Kind == "linear" || k.Kind == "layernorm") && uses[o.In[at]] == 1 {
			silent[k.Weights[1]] = true
		}
	}
	return silent
}

// causality: a later token does not change what was computed before it; the order of earlier tokens shows.
func (m *model) causality(t *testing.T, ids []int32, base map[string]*op.Tensor) {
	later := slices.Clone(ids)
	later[length-1] = 3 + (later[length-1]-2)%int32(m.Graph.Vocab-3)
	swapped := slices.Clone(ids)
	swapped[length-3], swapped[length-2] = swapped[length-2], swapped[length-3]
	a := m.outputs(t, m.ref(), m.segment(later))["logits"]
	if d := gap(base["logits"], a, 0, length-1, 0); d != 0 {
		t.Errorf("the last token changes earlier logits by %g", d)
	}
	if d := gap(base["logits"], a, length-1, length, 0); d < 1e-9 {
		t.Error("the last token does not change its own logits")
	}
	b := m.outputs(t, m.ref(), m.segment(swapped))["logits"]
	if d := gap(base["logits"], b, length-1, length, 0); d < 1e-9 {
		t.Error("the order of two earlier tokens does not show")
	}
}

// pieces: a prompt in any pieces, or token by token, is the prompt at once.
func (m *model) pieces(t *testing.T, ids []int32, base map[string]*op.Tensor) {
	for _, cuts := range [][]int{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, {4}, {1, 9}, {6, 7}} {
		r := m.ref()
		kv := r.NewKV()
		at := 0
		for _, end := range append(cuts, length) {
			got := m.outputs(t, r, op.Segment{Tokens: ids[at:end], Pos: at, Total: length, KV: kv})["logits"]
			if d := gap(got, base["logits"], 0, end-at, at); d > 1e-9 {
				t.Errorf("cut at %v: the logits of tokens %d to %d differ by %g", cuts, at, end, d)
			}
			at = end
		}
	}
}

// passes: the graph after all passes computes the same.
func (m *model) passes(t *testing.T, ids []int32, base map[string]*op.Tensor) {
	before := map[string]original{}
	for _, w := range m.Graph.Weights {
		before[w.Name] = original{m.weights[w], len(w.Parts)}
	}
	if err := pass.Run(m.Graph, nil); err != nil {
		t.Fatal(err)
	}
	r := ref.New(m.Graph, nil)
	r.Weights = func(w *ir.Weight) (*op.Tensor, error) { return stacked(w, before), nil }
	if d := changed(base, m.outputs(t, r, m.segment(ids))); d > 1e-9 {
		t.Errorf("the passes change the outputs by %g", d)
	}
}

// original is a weight before the passes.
type original struct {
	*op.Tensor
	parts int
}

// stacked puts a weight that the passes made of several together again.
func stacked(w *ir.Weight, before map[string]original) *op.Tensor {
	if o := before[w.Name]; o.Tensor != nil && len(o.Data) == w.Elements() {
		return o.Tensor
	}
	t := &op.Tensor{Width: 1}
	names := strings.Split(w.Name, "|")
	for i := 0; i < len(w.Parts); {
		if n := w.Parts[i].Zeros; n > 0 {
			t.Data = append(t.Data, make([]float64, n)...)
			i++
			continue
		}
		one := before[names[0]]
		names = names[1:]
		t.Data, t.Width = append(t.Data, one.Data...), one.Width
		i += one.parts
	}
	t.Rows = len(t.Data) / t.Width
	if len(w.Shape) == 1 {
		t.Rows, t.Width = 1, len(t.Data)
	}
	return t
}
