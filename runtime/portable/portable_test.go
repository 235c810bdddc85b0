package portable

import (
	"math"
	"math/rand/v2"
	"testing"
)

// awkward are the sizes that leave tails in every vector width.
var awkward = []int{1, 2, 3, 7, 8, 10, 14, 15, 16, 17, 20, 28, 31, 33, 54, 64, 72, 100, 128, 385, 768}

// random returns n normal values from a fixed seed.
func random(n int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(r.NormFloat64())
	}
	return out
}

func near(t *testing.T, what string, got float32, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(float64(got)-want) <= tolerance) {
		t.Fatalf("%s = %v, want %v ± %v", what, got, want, tolerance)
	}
}

func TestGemm(t *testing.T) {
	const rows, n = 3, 32
	for _, k := range awkward {
		x, w, c := random(rows*(k+3), 1), random(n*k, 2), random(n, 3)
		packed, half := make([]float32, PackedF32(n, k)), make([]uint16, PackedBF16(n, k))
		PackF32(packed, w, n, k)
		PackBF16(half, w, n, k)
		rounded := make([]float32, n*k)
		UnpackBF16(rounded, half, n, k)
		y, h := make([]float32, rows*(n+5)), make([]float32, rows*(n+5))
		GemmF32(y, n+5, x, k+3, packed, n/tile, c, 0, rows, k)
		GemmBF16(h, n+5, x, k+3, half, n/tile, c, 0, rows, k)
		for r := range rows {
			for j := range n {
				checkDot(t, y[r*(n+5)+j], x[r*(k+3):], w[j*k:][:k], c[j])
				checkDot(t, h[r*(n+5)+j], x[r*(k+3):], rounded[j*k:][:k], c[j])
			}
			if y[r*(n+5)+n] != 0 || h[r*(n+5)+n] != 0 {
				t.Fatalf("k = %d: row %d is written beyond its outputs", k, r)
			}
		}
	}
}

// checkDot compares one output with c + Σ x·w in float64.
func checkDot(t *testing.T, got float32, x, w []float32, c float32) {
	t.Helper()
	want, size := float64(c), math.Abs(float64(c))
	for i, v := range w {
		p := float64(v) * float64(x[i])
		want += p
		size += math.Abs(p)
	}
	near(t, "output", got, want, size*float64(len(w)+1)*0x1p-23)
}

func TestNorms(t *testing.T) {
	const eps = 1e-5
	for _, d := range awkward {
		x, delta, w, b := random(d, 1), random(d, 2), random(d, 3), random(d, 4)
		sum := make([]float32, d)
		copy(sum, x)
		addTo(sum, delta)
		y, z := make([]float32, d), make([]float32, d)
		AddRMSNorm(y, d, append([]float32(nil), x...), d, delta, d, w, 1, d, eps)
		RMSNorm(z, d, sum, d, w, 1, d, eps)
		ms, mean, variance := 0.0, 0.0, 0.0
		for _, v := range sum {
			ms += float64(v) * float64(v) / float64(d)
			mean += float64(v) / float64(d)
		}
		for i, v := range sum {
			variance += (float64(v) - mean) * (float64(v) - mean) / float64(d)
			near(t, "rmsNorm", z[i], float64(v)/math.Sqrt(ms+eps)*float64(w[i]), 4*0x1p-23*math.Abs(float64(z[i])))
			if y[i] != z[i] {
				t.Fatalf("AddRMSNorm differs from Add and RMSNorm at %d of %d", i, d)
			}
		}
		AddLayerNorm(y, d, append([]float32(nil), x...), d, delta, d, w, b, 1, d, eps)
		LayerNorm(z, d, sum, d, w, b, 1, d, eps)
		for i, v := range sum {
			normed := (float64(v) - mean) / math.Sqrt(variance+eps) * float64(w[i])
			near(t, "layerNorm", z[i], normed+float64(b[i]), 4*0x1p-23*(math.Abs(normed)+math.Abs(float64(b[i]))))
			if y[i] != z[i] {
				t.Fatalf("AddLayerNorm differs from Add and LayerNorm at %d of %d", i, d)
			}
		}
	}
}

func TestActivationsAgainstFloat64(t *testing.T) {
	logistic := func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }
	for name, f := range map[string]struct {
		got  func(float32) float32
		want func(float64) float64
	}{
		"silu":       {SiLU, func(x float64) float64 { return x * logistic(x) }},
		"quick_gelu": {QuickGELU, func(x float64) float64 { return x * logistic(1.702*x) }},
		"gelu_tanh": {GELUTanh, func(x float64) float64 {
			return x * logistic(2*math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))
		}},
		"gelu":    {GELU, func(x float64) float64 { return x * 0.5 * math.Erfc(-x/math.Sqrt2) }},
		"relu":    {ReLU, func(x float64) float64 { return max(x, 0) }},
		"relu2":   {ReLU2, func(x float64) float64 { return max(x, 0) * max(x, 0) }},
		"sigmoid": {Sigmoid, logistic},
		"tanh":    {Tanh, math.Tanh},
		"exp":     {Exp, math.Exp},
	} {
		for i := -120000; i <= 88000; i++ {
			x := float32(i) / 1000
			want := f.want(float64(x))
			near(t, name, f.got(x), want, 0x1.1p-24*math.Abs(want)+0x1p-150)
		}
		for _, x := range []float32{1e-30, -1e-30, 1e-10, -1e-3, 2e-4} {
			near(t, name, f.got(x), f.want(float64(x)), 0x1.1p-24*math.Abs(f.want(float64(x)))+0x1p-150)
		}
		for _, x := range []float32{-1e4, -1e30, -math.MaxFloat32, float32(math.Inf(-1))} {
			if y := f.got(x); y != float32(f.want(-1000)) {
				t.Errorf("%s(%v) = %v, want the exact limit", name, x, y)
			}
		}
		if y := f.got(float32(math.NaN())); y == y {
			t.Errorf("%s(NaN) = %v", name, y)
		}
	}
}

func TestSoftmaxBlock(t *testing.T) {
	const blocks, scale, limit = 3, 0.3, 5
	s := random(blocks*BlockKeys, 9)
	var m, l, alpha [1]float32
	StartSoftmax(m[:], l[:])
	first, end := 5, 2*BlockKeys+9
	weights := make([]float64, blocks*BlockKeys)
	sum := 0.0
	for i := first; i < end; i++ {
		weights[i] = math.Exp(limit * math.Tanh(float64(s[i])*scale/limit))
		sum += weights[i]
	}
	for b := range blocks {
		row := s[b*BlockKeys:][:BlockKeys]
		lo, hi := []int32{int32(first - b*BlockKeys)}, []int32{int32(end - b*BlockKeys)}
		SoftmaxBlock(row, 1, lo, hi, m[:], l[:], alpha[:], scale, limit)
		for i := range s[:b*BlockKeys] {
			s[i] *= alpha[0]
		}
	}
	for i, p := range s {
		near(t, "weight", p/l[0], weights[i]/sum, 1e-6*weights[i]/sum)
	}
	before := [2]float32{m[0], l[0]}
	SoftmaxBlock(random(BlockKeys, 3), 1, []int32{0}, []int32{0}, m[:], l[:], alpha[:], scale, 0)
	if alpha[0] != 1 || m[0] != before[0] || l[0] != before[1] {
		t.Errorf("a fully masked block gives m %v, l %v, alpha %v; had m %v, l %v", m[0], l[0], alpha[0], before[0], before[1])
	}
}

func TestRope(t *testing.T) {
	const heads, rows, rot = 2, 2, 6
	for _, headDim := range []int{6, 10} {
		x := random(rows*heads*headDim, 1)
		cs := make([]float32, rows*rot)
		for r := range rows {
			for i := range rot / 2 {
				sin, cos := math.Sincos(float64(r+1) / float64(i+1))
				cs[r*rot+i], cs[r*rot+rot/2+i] = float32(cos), float32(sin)
			}
		}
		half, pairs := append([]float32(nil), x...), append([]float32(nil), x...)
		RopeHalf(half, heads*headDim, cs, rot, heads, rows, headDim, rot)
		RopeInterleaved(pairs, heads*headDim, cs, rot, heads, rows, headDim, rot)
		for r := range rows {
			for h := range heads {
				at := (r*heads + h) * headDim
				for i := range rot / 2 {
					angle := float64(r+1) / float64(i+1)
					checkTurn(t, x[at:], half[at:], i, i+rot/2, angle)
					checkTurn(t, x[at:], pairs[at:], 2*i, 2*i+1, angle)
				}
				for i := rot; i < headDim; i++ {
					if half[at+i] != x[at+i] || pairs[at+i] != x[at+i] {
						t.Fatalf("element %d beyond the rotated %d has changed", i, rot)
					}
				}
			}
		}
	}
}

// checkTurn compares the turned pair (i, j) with complex multiplication.
func checkTurn(t *testing.T, from, to []float32, i, j int, angle float64) {
	t.Helper()
	sin, cos := math.Sincos(angle)
	z := complex(float64(from[i]), float64(from[j])) * complex(cos, sin)
	near(t, "real part", to[i], real(z), 1e-6)
	near(t, "imaginary part", to[j], imag(z), 1e-6)
}

func TestCacheIsPackedWeights(t *testing.T) {
	for _, headDim := range []int{1, 10, 16, 28, 64} {
		const keys = 2 * BlockKeys
		x := random(keys*headDim, 5)
		k, v := make([]float32, 2*KeyBlock(headDim)), make([]float32, 2*ValueBlock(headDim))
		StoreK(k, x, headDim, 0, 50, headDim)
		StoreV(v, x, headDim, 0, 50, headDim)
		StoreK(k, x[50*headDim:], headDim, 50, keys-50, headDim)
		StoreV(v, x[50*headDim:], headDim, 50, keys-50, headDim)
		packed := make([]float32, PackedF32(keys, headDim))
		PackF32(packed, x, keys, headDim)
		for i := range k {
			if k[i] != packed[i] {
				t.Fatalf("headDim %d: key cache differs from packed weights at %d", headDim, i)
			}
		}
		for b := range 2 {
			columns := make([]float32, headDim*BlockKeys) // transposed block: outputs are dimensions
			for i := range BlockKeys {
				for j := range headDim {
					columns[j*BlockKeys+i] = x[(b*BlockKeys+i)*headDim+j]
				}
			}
			block := make([]float32, ValueBlock(headDim))
			PackF32(block, columns, headDim, BlockKeys)
			for i := range block {
				if v[b*len(block)+i] != block[i] {
					t.Fatalf("headDim %d: value cache differs from packed weights at %d", headDim, i)
				}
			}
		}
	}
}

func TestLookupReturnsTheRow(t *testing.T) {
	const n = 37
	for _, k := range awkward {
		w := random(n*k, 6)
		packed, half := make([]float32, PackedF32(n, k)), make([]uint16, PackedBF16(n, k))
		PackF32(packed, w, n, k)
		PackBF16(half, w, n, k)
		flat, back := make([]uint16, n*k), make([]float32, n*k)
		for i, v := range w {
			flat[i] = RoundBF16(v)
		}
		UnpackF32(back, packed, n, k)
		ids := []int32{36, 0, 17}
		var y [4][]float32
		for i := range y {
			y[i] = make([]float32, len(ids)*k)
		}
		LookupF32(y[0], k, packed, ids, 2, k)
		LookupRowsF32(y[1], k, w, ids, 2, k)
		LookupBF16(y[2], k, half, ids, 2, k)
		LookupRowsBF16(y[3], k, flat, ids, 2, k)
		for r, id := range ids {
			for i := range k {
				v := w[int(id)*k+i]
				at := r*k + i
				if y[0][at] != 2*v || y[1][at] != 2*v || back[int(id)*k+i] != v {
					t.Fatalf("k = %d: float32 row %d differs at %d", k, id, i)
				}
				if h := WidenBF16(RoundBF16(v)) * 2; y[2][at] != h || y[3][at] != h {
					t.Fatalf("k = %d: bfloat16 row %d differs at %d", k, id, i)
				}
			}
		}
	}
}

func TestRoundBF16(t *testing.T) {
	for _, c := range []struct {
		in   uint32
		want uint16
	}{
		{0x3f800000, 0x3f80}, {0x3f808000, 0x3f80}, {0x3f808001, 0x3f81}, {0x3f818000, 0x3f82},
		{0x7f7fffff, 0x7f80}, {0x7f800000, 0x7f80}, {0xff800000, 0xff80}, {0x7f800001, 0x7fc0}, {0x00000001, 0}, {0x80018000, 0x8002},
	} {
		if got := RoundBF16(math.Float32frombits(c.in)); got != c.want {
			t.Errorf("RoundBF16(%#08x) = %#04x, want %#04x", c.in, got, c.want)
		}
	}
}

func TestPooling(t *testing.T) {
	x := []float32{1, 2, 9, 3, 4, 9}
	var y [2]float32
	MeanRows(y[:], x, 3, 2, 2)
	if y != [2]float32{2, 3} {
		t.Errorf("MeanRows = %v, want [2 3]", y)
	}
	v := []float32{3, 4, 7, 0, 0, 7}
	L2Normalize(v, 3, 2, 2, 1e-12)
	if [6]float32(v) != [6]float32{0.6, 0.8, 7, 0, 0, 7} {
		t.Errorf("L2Normalize = %v", v)
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for _, c := range []struct {
		in   []float32
		want int
	}{{nil, -1}, {[]float32{nan}, -1}, {[]float32{nan, 1, 3, 3}, 2}, {[]float32{inf, inf}, 0}, {[]float32{-2, -1}, 1}} {
		if got := ArgMax(c.in); got != c.want {
			t.Errorf("ArgMax(%v) = %d, want %d", c.in, got, c.want)
		}
	}
}
