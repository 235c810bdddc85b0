package op

import (
	"math"

	"github.com/tfgen/tfgen/gen/ir"
)

// ALiBi holds the attention biases of one attend operation: attention with linear biases (Press et al. 2022,
// arXiv:2108.12409).
type ALiBi struct {
	Slopes []float64 // of the heads; nil: no biases
	Scale  float64
	BF16   bool // slopes and biases of absolute positions are rounded to bfloat16, as Falcon does
}

// NewALiBi computes the slopes of an attend operation from its attributes. Slopes of n heads are 2^(-alibi·i/n); of a
// number that is no power of two, those of the next larger one, first the even i, then the odd.
func NewALiBi(a ir.Attrs) ALiBi {
	b := ALiBi{Scale: 1, BF16: a.Bool("alibi_bf16")}
	if f := a.Float("alibi_factor"); f != 0 {
		b.Scale = f
	}
	if a.Float("alibi") == 0 {
		return b
	}
	heads, n := a.Int("heads"), 1
	for n < heads {
		n *= 2
	}
	slope := func(i int) float64 { return math.Pow(2, -a.Float("alibi")*float64(i)/float64(n)) }
	first, step := 1, 1
	if n > heads {
		first, step = 2, 2
	}
	for i := first; i <= n; i += step {
		b.Slopes = append(b.Slopes, slope(i))
	}
	for i := 1; len(b.Slopes) < heads; i += 2 {
		b.Slopes = append(b.Slopes, slope(i))
	}
	if b.BF16 {
		for i, s := range b.Slopes {
			b.Slopes[i] = bf16(s)
		}
	}
	return b
}

// Bias is what head h adds to the score of a key for a query, in whichever direction the key is. Softmax ignores what does not depend on the key, so
// that it may count from the query.
func (b ALiBi) Bias(h, query, key int) float64 {
	if b.Slopes == nil {
		return 0
	}
	if b.BF16 {
		return b.Scale * (bf16(b.Slopes[h]*bf16(float64(key))) - bf16(b.Slopes[h]*bf16(float64(query))))
	}
	return -b.Scale * b.Slopes[h] * math.Abs(float64(key-query))
}

// bf16 rounds to the nearest bfloat16, ties to even.
func bf16(x float64) float64 {
	bits := math.Float32bits(float32(x))
	bits += 0x7fff + bits>>16&1
	return float64(math.Float32frombits(bits &^ 0xffff))
}
