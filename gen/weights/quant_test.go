package weights

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/checkpoint/dtype"
	"github.com/tfgen/tfgen/gen/checkpoint/tensor"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/quant"
	kernels "github.com/tfgen/tfgen/runtime/quant"
)

// blocks is a checkpoint of quantised tensors in memory.
type blocks map[string]stored

type stored struct {
	t     tensor.Tensor
	bytes []byte
}

func (b blocks) Tensor(name string) (tensor.Tensor, bool) { s, ok := b[name]; return s.t, ok }

func (b blocks) ReadF32(name string, first, count int, dst []float32) error {
	s := b[name]
	values, bytes := s.t.DType.Block()
	all := make([]float32, len(s.bytes)/bytes*values)
	if err := s.t.DType.Decode(all, s.bytes); err != nil {
		return err
	}
	_, width := s.t.Row()
	copy(dst[:count*width], all[first*width:])
	return nil
}

func (b blocks) ReadBlocks(name string, first, count int, dst []byte) error {
	s := b[name]
	values, bytes := s.t.DType.Block()
	if first%values != 0 || count%values != 0 || len(dst) != count/values*bytes {
		return fmt.Errorf("%s: elements %d, %d into %d", name, first, count, len(dst))
	}
	copy(dst, s.bytes[first/values*bytes:])
	return nil
}

// add makes a tensor of random blocks with finite values.
func (b blocks) add(name string, d dtype.DType, shape ...int) {
	r := rand.New(rand.NewPCG(9, uint64(len(b))))
	size, err := tensor.Bytes(d, shape)
	if err != nil {
		panic(err)
	}
	values, bytes := d.Block()
	data, one, v := make([]byte, 0, size), make([]byte, bytes), make([]float32, values)
	for int64(len(data)) < size {
		for i := range one {
			one[i] = uint8(r.Uint32())
		}
		if d.Decode(v, one) == nil && slices.Max(v) < 1e30 && slices.Min(v) > -1e30 {
			data = append(data, one...)
		}
	}
	b[name] = stored{tensor.Tensor{Name: name, DType: d, Shape: shape, Size: size}, data}
}

// TestPackBlocks packs quantised tensors through steps, stacks and groups without loss: the rows are those that float32
// gives.
func TestPackBlocks(t *testing.T) {
	src := blocks{}
	src.add("a", dtype.Q4_0, 40, 64)
	src.add("b", dtype.Q4_0, 24, 64)
	src.add("experts", dtype.Q4_0, 3, 20, 64)
	part := func(name string, steps ...ir.Step) ir.Part { return ir.Part{Tensor: name, Steps: steps} }
	for _, c := range []struct {
		name   string
		rows   int
		groups int
		parts  []ir.Part
	}{
		{"plain", 40, 0, []ir.Part{part("a")}},
		{"rows", 7, 0, []ir.Part{part("a", ir.Step{Kind: "rows", From: 5, To: 12})}},
		{"unpermute", 40, 0, []ir.Part{part("a", ir.Step{Kind: "unpermute", N: 2})}},
		{"take", 20, 0, []ir.Part{part("a", ir.Step{Kind: "take", N: 4, From: 1, To: 3})}},
		{"stack", 64, 0, []ir.Part{part("a"), part("b")}},
		{"twice", 12, 0, []ir.Part{part("b", ir.Step{Kind: "unpermute", N: 2}, ir.Step{Kind: "rows", From: 6, To: 18})}},
		{"groups", 40, 2, []ir.Part{part("a")}},
		{"experts", 60, 3, []ir.Part{part("experts", ir.Step{Kind: "flatten"}, ir.Step{Kind: "reshape", From: 60, To: 64})}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &ir.Weight{Name: "w", Shape: []int{c.rows, 64}, Parts: c.parts}
			if err := Check(src, w); err != nil {
				t.Fatal(err)
			}
			p, err := New("w", "tile16_q4", w)
			if err == nil {
				err = p.group(c.groups)
			}
			if err != nil {
				t.Fatal(err)
			}
			want := make([]float32, p.Rows*64)
			if err := p.read(src, 0, p.Rows, want); err != nil {
				t.Fatal(err)
			}
			l, _ := Lookup(p.Layout)
			packed, got := dirty(p.Bytes()), make([]float32, p.Rows*64)
			if err := p.packRows(src, l, 0, p.Rows, nil, packed); err != nil {
				t.Fatal(err)
			}
			l.Unpack(got, packed, p.Rows, 64)
			if !slices.Equal(got, want) {
				t.Error("the packed rows are not those of the checkpoint")
			}
		})
	}
}

// TestQuantLayouts packs float32 rows at once and in pieces, and reads back something close.
func TestQuantLayouts(t *testing.T) {
	for _, name := range kernels.Names() {
		l, err := Lookup("tile16_" + name)
		if err != nil {
			t.Fatal(err)
		}
		const rows, cols = 35, 256
		src := random(rows * cols)
		whole := dirty(l.Bytes(rows, cols))
		err = l.Pack(whole, src, rows, cols)
		if f, _ := kernels.Lookup(name); !quant.For(f).Fits() {
			if err == nil || !strings.Contains(err.Error(), "read from GGUF files only") {
				t.Errorf("%s: error %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float32, rows*cols)
		l.Unpack(got, whole, rows, cols)
		for i, v := range got {
			if math.Abs(float64(v-src[i])) > 0.45 {
				t.Errorf("%s: %v becomes %v", name, src[i], v)
				break
			}
		}
		var pieces []byte
		for first := 0; first < rows; first += Tile {
			n := min(Tile, rows-first)
			b := dirty(l.Bytes(n, cols))
			if err := l.Pack(b, src[first*cols:], n, cols); err != nil {
				t.Fatal(err)
			}
			pieces = append(pieces, b...)
		}
		if !slices.Equal(pieces, whole) {
			t.Errorf("%s differs when packed in pieces", name)
		}
	}
}

// TestChoose checks formats by policy: names, fallbacks, and what the checkpoint stores.
func TestChoose(t *testing.T) {
	src := blocks{}
	src.add("q4", dtype.Q4_0, 32, 64)
	src.add("q6", dtype.Q6K, 32, 256)
	src.add("iq2", dtype.IQ2S, 32, 256)
	src.add("half", dtype.F16, 32, 64)
	src.add("brain", dtype.BF16, 32, 64)
	weight := func(name, from string, cols int, steps ...ir.Step) *ir.Weight {
		return &ir.Weight{Name: name, Shape: []int{32, cols}, Parts: []ir.Part{{Tensor: from, Steps: steps}}}
	}
	graph := func() *ir.Graph {
		g := &ir.Graph{}
		for _, w := range []*ir.Weight{
			weight("layers.0.q.weight", "q4", 64), weight("layers.0.o.weight", "q6", 256), weight("layers.1.q.weight", "iq2", 256),
			weight("half.weight", "half", 64), weight("brain.weight", "brain", 64), weight("turned.weight", "q4", 64, ir.Step{Kind: "transpose"}),
			weight("narrow.weight", "brain", 16), weight("router.weight", "brain", 64),
		} {
			x := g.NewValue("x", ir.Type{Dims: []int{w.Shape[1]}})
			o := &ir.Op{Kind: "linear", In: []*ir.Value{x}, Weights: []*ir.Weight{w, nil}, Attrs: ir.Attrs{"dim": 32}}
			y := g.NewValue("y", ir.Type{Dims: []int{32}})
			y.Def, o.Out = o, []*ir.Value{y}
			g.Ops = append(g.Ops, o)
		}
		last := g.Ops[len(g.Ops)-1]
		g.Ops = append(g.Ops, &ir.Op{Kind: "route", In: last.Out, Weights: []*ir.Weight{nil}, Attrs: ir.Attrs{"top": 2}})
		return g
	}
	for _, c := range []struct{ policy, want, err string }{
		{"", "f32 f32 f32 f32 f32 f32 f32 f32", ""},
		{"bf16", "bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16", ""},
		{"source", "q4 q6k q8 f16 bf16 q8 bf16 bf16", ""},
		{"q8", "q8 q8 q8 q8 q8 q8 f32 f32", ""},
		{"q4k", "q5 q4k q4k q5 q5 q5 f32 f32", ""},
		{"q4,q=q8,layers.1=f16", "q8 q4 f16 q4 q4 q4 f32 f32", ""},
		{"q4,*.0.*=source,router=q8", "q4 q6k q4 q4 q4 q4 f32 q8", ""},
		{"q4,lm_head=q8", "", `no matrix of the model has a name that matches "lm_head"; there are brain.weight, half.weight`},
		{"q3", "", `weight format "q3" is not supported; supported are source, f32, f16, bf16, q4, q4k, q4m, q5, q5k, q5m, q6k, q8`},
		{"q4,q8", "", "only the first may stand without name="},
		{"q4,=q8", "", "a name is missing"},
		{"q4,[=q8", "", "syntax error in pattern"},
	} {
		g := graph()
		p, err := ParsePolicy(c.policy)
		if err == nil {
			err = Choose(g, src, p)
		}
		if err != nil || c.err != "" {
			if err == nil || c.err == "" || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q: error %v, expected %q", c.policy, err, c.err)
			}
			continue
		}
		var got []string
		for _, o := range g.Ops[:8] {
			got = append(got, o.Weights[0].Format)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%q: %s, expected %s", c.policy, s, c.want)
		}
	}
}
