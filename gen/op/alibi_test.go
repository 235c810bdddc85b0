package op_test

import (
	"math"
	"testing"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
)

// TestALiBiSlopes holds the slopes to those that the authors' get_slopes computes: a geometric sequence for powers of
// two, and for other numbers that of the power below followed by every other slope of the power above.
func TestALiBiSlopes(t *testing.T) {
	powerOfTwo := func(n int) (slopes []float64) {
		start := math.Pow(2, -math.Pow(2, -(math.Log2(float64(n))-3)))
		for i := range n {
			slopes = append(slopes, start*math.Pow(start, float64(i)))
		}
		return slopes
	}
	for _, n := range []int{1, 2, 3, 5, 6, 8, 12, 16, 71, 112} {
		below := 1 << int(math.Log2(float64(n)))
		want := powerOfTwo(below)
		for i, s := range powerOfTwo(2 * below) {
			if i%2 == 0 && len(want) < n {
				want = append(want, s)
			}
		}
		got := op.NewALiBi(ir.Attrs{"alibi": 8.0, "heads": n}).Slopes
		if len(got) != n {
			t.Fatalf("%d heads have %d slopes", n, len(got))
		}
		for i := range got {
			if math.Abs(got[i]-want[i]) > 1e-12 {
				t.Errorf("head %d of %d has slope %v, expected %v", i, n, got[i], want[i])
			}
		}
	}
}

// TestALiBiBF16 checks the roundings of Falcon: 257 is no bfloat16 and becomes 256, 259 becomes 260.
func TestALiBiBF16(t *testing.T) {
	b := op.NewALiBi(ir.Attrs{"alibi": 8.0, "heads": 8, "alibi_factor": 0.25, "alibi_bf16": true})
	for _, c := range []struct{ query, key, want float64 }{{3, 3, 0}, {260, 257, -4}, {260, 259, 0}, {10, 4, -6}} {
		if got := b.Bias(0, int(c.query), int(c.key)); got != c.want*0.5*0.25 {
			t.Errorf("query %v, key %v: bias %v, expected %v", c.query, c.key, got, c.want*0.5*0.25)
		}
	}
}
