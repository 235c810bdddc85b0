package kerneltest

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A tileTwin is a plain Go version of a product by tiles of bfloat16 with the same bits.
type tileTwin struct {
	terms    func(v float32) []float32 // of a value of x
	weights  func(v float32) []float32 // of a weight
	products [][2]int                  // terms of x and of weights, in the order in which they are added
}

// The twins of the products that asm/amd64 writes.
var (
	bf16Tiles  = tileTwin{nearest, whole, [][2]int{{1, 0}, {0, 0}}}
	bf16Strict = tileTwin{truncated, whole, [][2]int{{2, 0}, {1, 0}, {0, 0}}}
	f32Tiles   = tileTwin{rounded(2), rounded(2), [][2]int{{0, 1}, {0, 0}, {1, 0}}}
	f32Strict  = tileTwin{rounded(3), rounded(3), [][2]int{{0, 2}, {0, 1}, {1, 1}, {1, 0}, {2, 0}, {0, 0}}}
)

// upper is the bfloat16 in the upper half of a float32.
func upper(v float32) float32 { return math.Float32frombits(math.Float32bits(v) &^ 0xffff) }

// whole is a bfloat16 as it is.
func whole(v float32) []float32 { return []float32{v} }

// nearest returns two terms, each the bfloat16 that is nearest to what the larger one leaves.
func nearest(v float32) []float32 {
	round := func(v float32) float32 { return upper(math.Float32frombits(math.Float32bits(v) + 0x8000)) }
	a := round(v)
	return []float32{a, round(v - a)}
}

// truncated returns three terms, each the upper half of what the larger ones leave.
func truncated(v float32) []float32 {
	a := upper(v)
	b := upper(v - a)
	return []float32{a, b, upper(v - a - b)}
}

// rounded returns a function that splits a value into n terms of 8 bits, each the nearest to what the larger ones leave.
func rounded(n int) func(v float32) []float32 {
	return func(v float32) []float32 {
		var terms []float32
		for range n - 1 {
			t := fma32(-0x1p16, v, float32(v*(0x1p16+1)))
			terms = append(terms, upper(t))
			v -= t
		}
		if n == 2 {
			v = math.Float32frombits(math.Float32bits(v) + 0x8000)
		}
		return append(terms, upper(v))
	}
}

// fma32 is a·b + c rounded once, for a power of two a.
func fma32(a, b, c float32) float32 { return float32(float64(a)*float64(b) + float64(c)) }

// flushed is v, or 0 when it is below 2⁻¹²⁶.
func flushed(v float32) float32 {
	if math.Abs(float64(v)) < 0x1p-126 {
		return 0
	}
	return v
}

// dot is TDPBF16PS for one output: sums over the even and over the odd of 32 products from 0, then acc + (even + odd).
// Intel SDM volume 2: rounded to nearest even, numbers below 2⁻¹²⁶ count as 0. Products of bfloat16 are exact.
func dot(acc float32, x, w []float32) float32 {
	var sums [2]float32
	for i, v := range x {
		p := float64(flushed(v)) * float64(flushed(w[i]))
		if math.Abs(p) >= 0x1p-126 || p != p {
			sums[i%2] = flushed(sums[i%2] + float32(p))
		} else {
			sums[i%2] = flushed(float32(float64(sums[i%2]) + p))
		}
	}
	return flushed(flushed(acc) + flushed(sums[0]+sums[1]))
}

// rows computes rows of outputs: y[r][n] = c[r][n] + Σ x[r][i]·w[n][i], 32 columns after another, each product of terms by
// dot.
func (t tileTwin) rows(c, x, w [][]float32) [][]float32 {
	y := make([][]float32, len(x))
	for r := range y {
		y[r] = slices.Clone(c[r])
	}
	for from := 0; from < len(x[0]); from += 32 {
		end := min(from+32, len(x[0]))
		ws := make([][][]float32, len(w))
		for n := range w {
			ws[n] = transposed(w[n][from:end], t.weights)
		}
		for r := range y {
			xs := transposed(x[r][from:end], t.terms)
			for n := range y[r] {
				for _, p := range t.products {
					y[r][n] = dot(y[r][n], xs[p[0]], ws[n][p[1]])
				}
			}
		}
	}
	return y
}

// transposed returns the first terms of all values, then the second ones, …
func transposed(values []float32, split func(v float32) []float32) [][]float32 {
	var all [][]float32
	for i, v := range values {
		for n, term := range split(v) {
			if i == 0 {
				all = append(all, nil)
			}
			all[n] = append(all[n], term)
		}
	}
	return all
}

// TestSplit: three truncated or rounded terms sum to a float32 exactly, two to within 2⁻¹⁶ of it.
func TestSplit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		v := float32(r.NormFloat64() * math.Pow(2, float64(r.IntN(160)-80)))
		for name, split := range map[string]func(float32) []float32{"truncated": truncated, "rounded": rounded(3), "two": rounded(2), "nearest": nearest} {
			sum, limit := 0.0, 0.0
			for _, term := range split(v) {
				if upper(term) != term {
					t.Fatalf("%s: %v has a term %v of more than 8 bits", name, v, term)
				}
				sum += float64(term)
			}
			switch name {
			case "two":
				limit = 0x1p-16 * math.Abs(float64(v))
			case "nearest":
				limit = 0x1p-17 * math.Abs(float64(v))
			}
			if math.Abs(sum-float64(v)) > limit {
				t.Fatalf("%s: the terms of %v sum to %v", name, v, sum)
			}
		}
	}
}

// TestSplitAccuracy bounds the error of products by tiles against float64: the largest as a part of Σ|x·w|, and that of
// whole rows of outputs as their distance and cosine.
func TestSplitAccuracy(t *testing.T) {
	for name, c := range map[string]struct {
		twin         tileTwin
		worst, whole float64
	}{
		"bf16, two terms": {bf16Tiles, 0x1p-16, 5e-6}, "bf16, three terms": {bf16Strict, 0x1p-20, 5e-7}, "f32, three products": {f32Tiles, 3 * 0x1p-16, 1e-5}, "f32, six products": {f32Strict, 0x1p-20, 5e-7},
	} {
		r := rand.New(rand.NewPCG(7, 3))
		for _, k := range []int{1, 2, 3, 31, 32, 33, 100, 385, 1024} {
			x, y := make([]float32, k), make([]float32, 48)
			w := make([][]float32, len(y))
			for i := range x {
				x[i] = float32(r.NormFloat64() * math.Exp(r.NormFloat64()))
			}
			for n := range w {
				w[n] = make([]float32, k)
				for i := range x {
					w[n][i] = float32(r.NormFloat64())
					if strings.HasPrefix(name, "bf16") {
						w[n][i] = upper(w[n][i])
					}
				}
			}
			got := c.twin.rows([][]float32{y}, [][]float32{x}, w)[0]
			var distance, length, other, product float64
			for n, v := range got {
				want, size := 0.0, 0.0
				for i := range x {
					want += float64(x[i]) * float64(w[n][i])
					size += math.Abs(float64(x[i]) * float64(w[n][i]))
				}
				if e := math.Abs(float64(v) - want); e > c.worst*size {
					t.Errorf("%s, k = %d: %v is wrong by %.3g of Σ|x·w|", name, k, v, e/size)
				}
				distance, length = distance+(float64(v)-want)*(float64(v)-want), length+want*want
				other, product = other+float64(v)*float64(v), product+want*float64(v)
			}
			if e := math.Sqrt(distance / length); e > c.whole {
				t.Errorf("%s, k = %d: outputs are wrong by %.3g of their length", name, k, e)
			}
			if cosine := product / math.Sqrt(length*other); cosine < 0.999999 {
				t.Errorf("%s, k = %d: cosine %v", name, k, cosine)
			}
		}
	}
}
