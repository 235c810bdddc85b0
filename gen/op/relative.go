package op

import (
	"math"

	"github.com/tfgen/tfgen/gen/ir"
)

// RelativeBucket is the bucket of the distance d = key - query among so many buckets (Raffel et al. 2020,
// arXiv:1910.10683; transformers modeling_t5.py, _relative_position_bucket): near distances have one each, farther ones
// share logarithmically up to maxDistance, beyond which all are in the last. With both directions each has half of the
// buckets, without all keys lie behind. The logarithm is rounded to float32 as there, which decides at the edges.
func RelativeBucket(d, buckets, maxDistance int, both bool) int {
	first := 0
	if both {
		buckets /= 2
		if d > 0 {
			first = buckets
		}
		d = max(d, -d)
	} else {
		d = max(-d, 0)
	}
	exact := buckets / 2
	if d < exact {
		return first + d
	}
	ratio := float32(math.Log(float64(float32(d) / float32(exact))))
	share := ratio / float32(math.Log(float64(maxDistance)/float64(exact)))
	return first + min(exact+int(share*float32(buckets-exact)), buckets-1)
}

// checkBuckets reports settings for which RelativeBucket means nothing.
func checkBuckets(buckets, maxDistance int, both bool) bool {
	if both {
		buckets /= 2
	}
	return buckets >= 2 && maxDistance > buckets/2
}

// Sinusoid returns the frequencies of a sinusoid operation, in radians a position.
func Sinusoid(o *ir.Op) []float64 {
	f := make([]float64, o.Attrs.Int("dim")/2)
	steps := len(f)
	if o.Attrs.Str("spread") == "ends" {
		steps--
	}
	for i := range f {
		f[i] = math.Pow(10000, -float64(i)/float64(steps))
	}
	return f
}

func refSinusoid(x *Exec, o *ir.Op) error {
	pos, y, f := x.in(o, 0), x.out(o, 0), Sinusoid(o)
	for r, p := range pos.Data {
		for i, w := range f {
			y.Row(r)[i], y.Row(r)[len(f)+i] = math.Sincos((p + o.Attrs.Float("offset")) * w)
		}
	}
	return nil
}
