package portable

import (
	"fmt"
	"math"
	"math/bits"
	"testing"
)

// TestCache8 stores keys and values in pieces and reads them back from the places where a float32 cache of rotated ones has them:
// each within half a step of its scale, whatever was stored before.
func TestCache8(t *testing.T) {
	for _, headDim := range []int{1, 10, 16, 28, 64} {
		const keys = 2 * BlockKeys
		x := random(keys*headDim, 5)
		for i := range headDim {
			x[3*headDim+i] = 0
			x[70*headDim+i] *= 1e6
		}
		k32, v32 := make([]float32, 2*KeyBlock(headDim)), make([]float32, 2*ValueBlock(headDim))
		rotated := make([]float32, len(x))
		Rotate(rotated, headDim, x, headDim, keys, headDim)
		StoreK(k32, rotated, headDim, 0, keys, headDim)
		StoreV(v32, rotated, headDim, 0, keys, headDim)
		k, v := make([]float32, 2*KeyBlock8(headDim)), make([]float32, 2*ValueBlock8(headDim))
		for _, part := range [][2]int{{0, 128}, {0, 50}, {50, 78}} { // some are stored again
			StoreK8(k, x[part[0]*headDim:], headDim, part[0], part[1], headDim)
			StoreV8(v, x[part[0]*headDim:], headDim, part[0], part[1], headDim)
		}
		for b := range 2 {
			codes, scales := Parts8(k[b*KeyBlock8(headDim):], KeyBlock(headDim)/4)
			for i, code := range codes {
				key := i/(tile*headDim)*tile + i%tile
				compare8(t, "key", headDim, code, scales[key], k32[b*KeyBlock(headDim)+i])
			}
			codes, scales = Parts8(v[b*ValueBlock8(headDim):], ValueBlock(headDim)/4)
			for i, code := range codes {
				compare8(t, "value", headDim, code, scales[i/tile%BlockKeys], v32[b*ValueBlock(headDim)+i])
			}
		}
	}
}

func compare8(t *testing.T, what string, headDim int, code int8, scale, want float32) {
	t.Helper()
	if got := float32(code) * scale; math.Abs(float64(got-want)) > 0.501*float64(scale) {
		t.Fatalf("headDim %d: a %s is %v, expected %v within half of %v", headDim, what, got, want, scale)
	}
}

// TestCache8Special: what is no number stays none, and does not touch its neighbours.
func TestCache8Special(t *testing.T) {
	const headDim = 16
	cache := make([]float32, KeyBlock8(headDim))
	x := random(headDim, 1)
	StoreK8(cache, x, headDim, 4, 1, headDim)
	for _, special := range []float32{float32(math.NaN()), float32(math.Inf(1))} {
		y := append([]float32(nil), x...)
		y[7] = special
		StoreK8(cache, y, headDim, 5, 1, headDim)
		codes, scales := Parts8(cache, KeyBlock(headDim)/4)
		if v := float32(codes[7*tile+5]) * scales[5]; v-v == 0 {
			t.Errorf("%v became %v", special, v)
		}
		rotated := make([]float32, headDim)
		Rotate(rotated, 0, x, 0, 1, headDim)
		compare8(t, "key", headDim, codes[7*tile+4], scales[4], rotated[7])
	}
}

// TestRotate compares with the definition: element (i, j) of the matrix is −1 to the number of bits that i and j have in common,
// over √ of the part's length.
func TestRotate(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 8, 10, 16, 28, 64, 80, 96, 128, 256, 1024, 1025, 2048} {
		part := n & -n
		if n > 1024 {
			part = 1
		}
		const rows = 3
		x := random(rows*(n+2), 3)
		y := random(rows*(n+1), 4)
		before := append([]float32(nil), y...)
		Rotate(y, n+1, x, n+2, rows, n)
		for r := range rows {
			for i := range n {
				want, at := 0.0, i/part*part
				for j := range part {
					sign := 1 - 2*float64(bits.OnesCount(uint(i%part&j))%2)
					want += sign * float64(x[r*(n+2)+at+j]) / math.Sqrt(float64(part))
				}
				near(t, fmt.Sprintf("n %d, row %d, element %d", n, r, i), y[r*(n+1)+i], want, 1e-5)
			}
			if y[r*(n+1)+n] != before[r*(n+1)+n] {
				t.Fatalf("n %d: the element behind row %d was written", n, r)
			}
		}
		again := make([]float32, n) // in place, and back
		copy(again, y)
		Rotate(again, 0, again, 0, 1, n)
		for i, v := range again {
			near(t, fmt.Sprintf("n %d, element %d rotated back", n, i), v, float64(x[i]), 1e-5)
		}
	}
}

// TestCache8Outliers: one element a hundred times the others costs them no precision.
func TestCache8Outliers(t *testing.T) {
	const headDim = 64
	x, q := random(headDim, 1), random(headDim, 2)
	x[9] *= 100
	q[9] /= 100
	cache := make([]float32, KeyBlock8(headDim))
	StoreK8(cache, x, headDim, 0, 1, headDim)
	codes, scales := Parts8(cache, KeyBlock(headDim)/4)
	rotated := make([]float32, headDim)
	Rotate(rotated, 0, q, 0, 1, headDim)
	var got, want float64
	for i := range headDim {
		got += float64(rotated[i]) * float64(codes[i*tile]) * float64(scales[0])
		want += float64(q[i]) * float64(x[i])
	}
	if math.Abs(got-want) > 0.3 { // a step of the unrotated key would be 0.8
		t.Errorf("q·k is %v, expected %v", got, want)
	}
}

func BenchmarkRotate(b *testing.B) {
	for _, n := range []int{64, 128, 256} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x := random(n, 1)
			for range b.N {
				Rotate(x, 0, x, 0, 1, n)
			}
		})
	}
}
