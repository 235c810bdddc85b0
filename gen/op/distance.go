package op

import (
	"fmt"
	"math"

	"github.com/tfgen/tfgen/gen/ir"
)

// Disentangled attention (He et al. 2021, arXiv:2006.03654; transformers modeling_deberta_v2.py): queries and keys are
// also multiplied with vectors of distances, and each score takes the products of its distance.

// DistanceRow is the row, among the 2·span of an attend operation, of the distance d = query - key.
func DistanceRow(a ir.Attrs, d int) int {
	span := a.Int("span")
	if n := a.Int("log_buckets"); n > 0 {
		d = logBucket(d, n, a.Int("max_distance"))
	}
	return min(max(span+d, 0), max(2*span-1, 0))
}

// DistanceReach is a distance from which on the row does not change.
func DistanceReach(a ir.Attrs) int {
	if a.Int("log_buckets") > 0 {
		return max(a.Int("max_distance"), a.Int("log_buckets"))
	}
	return a.Int("span")
}

// logBucket numbers distances of either sign: up to half of the buckets each has its own, farther ones share
// logarithmically. As in make_log_bucket_position, the logarithms and their quotient are of float32, which decides at
// the edges.
func logBucket(d, buckets, maxDistance int) int {
	half, far := buckets/2, max(d, -d)
	if far <= half {
		return d
	}
	share := float32(math.Log(float64(float32(far)/float32(half)))) / float32(math.Log(float64(float32(float64(maxDistance-1)/float64(half)))))
	b := int(math.Ceil(float64(share*float32(half-1)))) + half
	if d < 0 {
		return -b
	}
	return b
}

// checkDistances reports settings of the products with distances that mean nothing.
func checkDistances(o *ir.Op) error {
	by, span, n, most := o.Attrs.Str("by"), o.Attrs.Int("span"), o.Attrs.Int("log_buckets"), o.Attrs.Int("max_distance")
	products, marks := Extras(o)
	want := map[string]int{"query": 1, "key": 1, "both": 2}[by]
	switch {
	case len(products) != want || (marks != nil) != o.Attrs.Bool("marked"):
		return fmt.Errorf("distances by %q and marked %v do not go with %d inputs", by, o.Attrs.Bool("marked"), len(o.In))
	case marks != nil && (marks.Type.Width() != 1 || marks.Type.Rows != o.In[1].Type.Rows || o.Attrs.Str("mask") != "full"):
		return fmt.Errorf("marks are %s and the mask is %s, expected one for each key and full", marks.Type, o.Attrs.Str("mask"))
	case want == 0:
		return nil
	case span < 1 || o.Attrs.Str("mask") != "full":
		return fmt.Errorf("distances need a span and the full mask, found %d and %s", span, o.Attrs.Str("mask"))
	case n != 0 && (n < 2 || most-1 <= n/2):
		return fmt.Errorf("log_buckets is %d and max_distance %d, expected at least 2 and a distance of more than half of them", n, most)
	}
	for _, v := range products {
		if w := o.Attrs.Int("heads") * 2 * span; v.Type.Width() != w || v.Type.Rows != o.In[0].Type.Rows || v.Type.Rows != o.In[1].Type.Rows {
			return fmt.Errorf("products with distances are %s, expected a width of %d and the rows of queries and keys", v.Type, w)
		}
	}
	return nil
}

// Extras are the inputs of attend behind q, k, v: products with vectors of distances, and marks of keys or nil.
func Extras(o *ir.Op) (products []*ir.Value, marks *ir.Value) {
	products = o.In[min(3, len(o.In)):]
	if n := len(products); o.Attrs.Bool("marked") && n > 0 {
		products, marks = products[:n-1], products[n-1]
	}
	return products, marks
}

// distances are the products of queries and of keys with vectors of distances, nil if there are none.
func (x *Exec) distances(o *ir.Op) (byQuery, byKey *Tensor) {
	switch o.Attrs.Str("by") {
	case "query":
		return x.in(o, 3), nil
	case "key":
		return nil, x.in(o, 3)
	case "both":
		return x.in(o, 3), x.in(o, 4)
	}
	return nil, nil
}
