package op

import (
	"testing"

	"github.com/tfgen/tfgen/gen/ir"
)

// TestDistanceRow compares with sums Σ i·row over the distances -m-5 … m+5 that transformers' make_log_bucket_position
// (5.23, torch 2.15) gives: buckets, farthest distance, sum.
func TestDistanceRow(t *testing.T) {
	for _, c := range [][3]int{{6, 61, 74561}, {256, 512, 193473101}, {32, 40, 183855}, {64, 310, 18381227}, {2, 9, 1022}, {5, 61, 57910}} {
		attrs := ir.Attrs{"span": c[0], "log_buckets": c[0], "max_distance": c[1]}
		sum, at, reach := 0, 0, DistanceReach(attrs)
		for d := -c[1] - 5; d <= c[1]+5; d++ {
			row := DistanceRow(attrs, d)
			sum += at * row
			at++
			if beyond := min(max(d, -reach), reach); row != DistanceRow(attrs, beyond) {
				t.Errorf("%v: distance %d has row %d, farther than %d", c, d, row, reach)
			}
		}
		if sum != c[2] {
			t.Errorf("%d buckets up to %d: the sum is %d, expected %d", c[0], c[1], sum, c[2])
		}
	}
	plain := ir.Attrs{"span": 3}
	for i, want := range []int{0, 0, 1, 2, 3, 4, 5, 5, 5} {
		if row := DistanceRow(plain, i-4); row != want {
			t.Errorf("distance %d has row %d, expected %d", i-4, row, want)
		}
	}
}
