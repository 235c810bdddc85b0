package portable

import (
	"math"
	"testing"
)

// TestCache8 stores keys and values in pieces and reads them back from the places where a float32 cache has them: each within
// half a step of its scale, whatever was stored before.
func TestCache8(t *testing.T) {
	for _, headDim := range []int{1, 10, 16, 28, 64} {
		const keys = 2 * BlockKeys
		x := random(keys*headDim, 5)
		for i := range headDim {
			x[3*headDim+i] = 0
			x[70*headDim+i] *= 1e6
		}
		k32, v32 := make([]float32, 2*KeyBlock(headDim)), make([]float32, 2*ValueBlock(headDim))
		StoreK(k32, x, headDim, 0, keys, headDim)
		StoreV(v32, x, headDim, 0, keys, headDim)
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
		compare8(t, "key", headDim, codes[7*tile+4], scales[4], x[7])
	}
}
