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

// lengths are those of the sequences of one batch in these tests.
var lengths = []int{1, 7, 12, 61}

// onSequences evaluates an operation of one input on a batch of sequences.
func onSequences(t *testing.T, o *ir.Op, x matrix) *Tensor {
	t.Helper()
	o.In = []*ir.Value{{Type: ir.Type{DType: ir.F32, Rows: ir.Tokens, Dims: []int{x.width}}}}
	types, err := Infer(o)
	if err != nil {
		t.Fatal(err)
	}
	o.Out = []*ir.Value{{Type: types[0], Def: o}}
	e := &Exec{Values: map[*ir.Value]*Tensor{o.In[0]: x.tensor()}}
	for _, n := range lengths {
		e.Segments = append(e.Segments, Segment{Tokens: make([]int32, n)})
	}
	if err := index[o.Kind].Ref(e, o); err != nil {
		t.Fatal(err)
	}
	return e.Values[o.Out[0]]
}

// near compares float32 results with the reference, in units of the largest.
func near(t *testing.T, got matrix, want *Tensor) {
	t.Helper()
	top := 0.0
	for _, v := range want.Data {
		top = max(top, math.Abs(v))
	}
	for i, v := range want.Data {
		if d := math.Abs(float64(got.data[i]) - v); !(d <= 1e-6*top) {
			t.Fatalf("element %d of row %d is %v, expected %v", i%want.Width, i/want.Width, got.data[i], v)
		}
	}
}

func total() (n int) {
	for _, l := range lengths {
		n += l
	}
	return n
}

func TestUnfold(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 1))
	for _, c := range [][3]int{{1, 1, 0}, {5, 3, 1}, {16, 4, 1}, {3, 5, 4}, {7, 2, 0}} {
		x := random(rng, total(), c[0], -1, 1)
		want := onSequences(t, &ir.Op{Kind: "unfold", Attrs: ir.Attrs{"kernel": c[1], "before": c[2]}}, x)
		for _, share := range []int{1000, 3, 1} { // rows at a time
			y, at := random(rng, total(), c[0]*c[1], 5, 6), 0
			for _, n := range lengths {
				for first := 0; first < n; first += share {
					portable.Unfold(y.from(at+first), y.width, x.from(at), x.width, first, min(share, n-first), n, c[0], c[1], c[2])
				}
				at += n
			}
			near(t, y, want)
		}
	}
}

// TestSpectrum holds both transforms, and the sum of all as the formula says it.
func TestSpectrum(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 2))
	for _, d := range []int{1, 2, 12, 31, 40} {
		t.Run(fmt.Sprint(d), func(t *testing.T) {
			x, half := random(rng, total(), d, -1, 1), d/2+1
			z, y, again := random(rng, total(), 2*half, 5, 6), random(rng, total(), d, 5, 6), random(rng, total(), d, 5, 6)
			a, work := make([]complex128, 100), make([]complex128, 100)
			portable.SpectrumRows(z.data, z.width, x.data, d, total(), d, a[:d], work[:d], portable.Roots(d))
			near(t, z, onSequences(t, &ir.Op{Kind: "row_spectrum", Attrs: ir.Attrs{}}, x))
			at := 0
			for _, n := range lengths {
				roots := portable.Roots(n)
				portable.SpectrumColumns(y.from(at), d, z.from(at), z.width, n, d, 0, half, a[:n], work[:n], roots)
				for k := range half { // as many workers would
					portable.SpectrumColumns(again.from(at), d, z.from(at), z.width, n, d, k, k+1, a[:n], work[:n], roots)
				}
				at += n
			}
			near(t, y, onSequences(t, &ir.Op{Kind: "sequence_spectrum", Attrs: ir.Attrs{"dim": d}}, z))
			if !slices.Equal(y.data, again.data) {
				t.Error("shared coefficients do not have the same bits")
			}
			near(t, y, directSpectrum(x))
		})
	}
}

// directSpectrum is Re Σ x[s, c]·e^(-2πi(st/n + ck/d)) of every sequence.
func directSpectrum(x matrix) *Tensor {
	y, at := NewTensor(total(), x.width), 0
	for _, n := range lengths {
		for i := range n * n * x.width * x.width {
			t, k, s, c := i/x.width/x.width/n, i/x.width/n%x.width, i/x.width%n, i%x.width
			turn := float64(s*t%n)/float64(n) + float64(c*k%x.width)/float64(x.width)
			y.Row(at + t)[k] += float64(x.from(at + s)[c]) * math.Cos(2*math.Pi*turn)
		}
		at += n
	}
	return y
}
