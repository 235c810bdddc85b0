package op

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/runtime/portable"
)

// evaluate gives the reference of an operation on a batch of sequences of these inputs.
func evaluate(t *testing.T, o *ir.Op, inputs ...matrix) *Tensor {
	t.Helper()
	e := &Exec{Values: map[*ir.Value]*Tensor{}}
	o.In = nil
	for _, in := range inputs {
		v := &ir.Value{Type: ir.Type{DType: ir.F32, Rows: ir.Tokens, Dims: []int{in.width}}}
		o.In = append(o.In, v)
		e.Values[v] = in.tensor()
	}
	types, err := Infer(o)
	if err != nil {
		t.Fatal(err)
	}
	o.Out = []*ir.Value{{Type: types[0], Def: o}}
	for _, n := range lengths {
		e.Segments = append(e.Segments, Segment{Tokens: make([]int32, n)})
	}
	if err := index[o.Kind].Ref(e, o); err != nil {
		t.Fatal(err)
	}
	return e.Values[o.Out[0]]
}

// TestFeatures holds the twin of attention by features, head by head, to the reference.
func TestFeatures(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 1))
	for _, c := range []struct{ heads, dim, features int }{{1, 1, 1}, {3, 5, 7}, {2, 16, 40}} {
		for _, kind := range []string{"softmax", "relu"} {
			t.Run(fmt.Sprint(c, kind), func(t *testing.T) {
				d, m := c.dim, c.features
				qf, kf := random(rng, total(), c.heads*m, -3, 3), random(rng, total(), c.heads*m, -3, 3)
				q, k, v := random(rng, total(), c.heads*d, -1, 1), random(rng, total(), c.heads*d, -1, 1), random(rng, total(), c.heads*d, -2, 2)
				o := &ir.Op{Kind: "attend_features", Attrs: ir.Attrs{"heads": c.heads, "head_dim": d, "kernel": kind, "eps": 1e-3}}
				o.Weights = []*ir.Weight{}
				want := evaluate(t, o, qf, kf, q, k, v)
				y, at := random(rng, total(), c.heads*d, 5, 6), 0
				f := portable.Features{Count: m, HeadDim: d, Eps: 1e-3, Softmax: kind == "softmax"}
				for _, n := range lengths {
					for h := range c.heads {
						f.Attend(y.from(at)[h*d:], y.width, qf.from(at)[h*m:], qf.width, kf.from(at)[h*m:], kf.width, q.from(at)[h*d:], q.width,
							k.from(at)[h*d:], k.width, v.from(at)[h*d:], v.width, n, make([]float32, m*(d+2)))
					}
					at += n
				}
				near(t, y, want)
			})
		}
	}
}

// TestProject compares the projection of a sequence's rows with the sum that it stands for.
func TestProject(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 2))
	for _, c := range []struct{ rows, n, longest, d int }{{1, 1, 1, 1}, {5, 7, 9, 3}, {67, 61, 61, 16}} {
		w, x := random(rng, c.rows, c.longest, -1, 1), random(rng, c.n, c.d+2, -1, 1)
		y := make([]float32, c.rows*c.d)
		portable.Project(y, w.data, w.width, x.data, x.width, c.n, c.rows, c.d)
		for i, got := range y {
			want := 0.0
			for t := range c.n {
				want += float64(w.from(i / c.d)[t]) * float64(x.from(t)[i%c.d])
			}
			if math.Abs(float64(got)-want) > 1e-5 {
				t.Fatalf("%v: element %d is %v, expected %v", c, i, got, want)
			}
		}
	}
}

// TestDistanceScores compares with the rows of the table, beyond whose ends the outermost stand.
func TestDistanceScores(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 3))
	attrs := ir.Attrs{"span": 4, "log_buckets": 4, "max_distance": 9}
	reach := DistanceReach(attrs)
	rows := make([]int32, 2*reach+1)
	for i := range rows {
		rows[i] = int32(DistanceRow(attrs, reach-i))
	}
	q, k := random(rng, 1, 8, -1, 1), random(rng, 64, 11, -1, 1)
	for _, first := range []int{-100, -9, 0, 3, 64} {
		for _, n := range []int{1, 5, 64} {
			both, one := make([]float32, n), make([]float32, n)
			portable.DistanceScores(both, q.data, k.data, k.width, rows, first)
			portable.DistanceScores(one, nil, k.data, k.width, rows, first)
			for i := range both {
				row := DistanceRow(attrs, -(first + i))
				if want := q.data[row] + k.from(i)[row]; both[i] != want || one[i] != k.from(i)[row] {
					t.Fatalf("key %d behind %d: %v and %v, expected %v and %v", i, first, both[i], one[i], want, k.from(i)[row])
				}
			}
		}
	}
}

// TestSeeMarked: keys in the window and marked ones start at zero, all others are hidden.
func TestSeeMarked(t *testing.T) {
	marks := make([]float32, 2*10)
	marks[2*1], marks[2*8] = 1, 1
	y := make([]float32, 64)
	lo, hi := portable.SeeMarked(y, marks, 2, 10, 3, 5, portable.Marked(marks, 2, 10))
	if lo != 0 || hi != 10 {
		t.Errorf("keys %d to %d count, expected 0 to 10", lo, hi)
	}
	for i := range 10 {
		if seen := i == 1 || i == 3 || i == 4 || i == 8; seen != (y[i] == 0) {
			t.Errorf("key %d starts at %v", i, y[i])
		}
	}
	if lo, hi = portable.SeeMarked(y, marks, 2, 10, 3, 5, false); lo != 3 || hi != 5 || y[0] != 0 {
		t.Errorf("without marks keys %d to %d count, the first starts at %v", lo, hi, y[0])
	}
	if n := portable.MarkedRun(marks[2*8:], 2, 2); n != 1 {
		t.Errorf("a run of %d marks, expected 1", n)
	}
}
