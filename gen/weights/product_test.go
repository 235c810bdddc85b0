package weights

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/ir"
)

// TestLayers: a table of rows after a norm and a projection, and a slice of its columns, as positions are projected head by
// head, against the formulas.
func TestLayers(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	made := func(shape ...int) array {
		a := counting(shape...)
		for i := range a.data {
			a.data[i] = 2*rng.Float32() - 1
		}
		return a
	}
	src := memory{"x": made(7, 5), "g": made(5), "c": made(5), "w": made(6, 5), "b": made(6)}
	norm := ir.Step{Kind: "layernorm", W: "g", B: "c", C: 1e-5}
	linear := ir.Step{Kind: "linear", W: "w", B: "b", N: 6}
	columns := []ir.Step{{Kind: "transpose"}, {Kind: "rows", From: 2, To: 5}, {Kind: "transpose"}}
	got := make([]float32, 7*3)
	w := &ir.Weight{Name: "p", Shape: []int{7, 3}, Parts: []ir.Part{{Tensor: "x", Steps: append([]ir.Step{norm, linear}, columns...)}}}
	if err := Rows(src, w, 0, 7, got); err != nil {
		t.Fatal(err)
	}
	for r := range 7 {
		x := src["x"].data[r*5:][:5]
		mean, variance := 0.0, 0.0
		for _, v := range x {
			mean += float64(v) / 5
		}
		for _, v := range x {
			variance += math.Pow(float64(v)-mean, 2) / 5
		}
		for j := range 3 {
			want := float64(src["b"].data[2+j])
			for k, v := range x {
				n := (float64(v)-mean)/math.Sqrt(variance+1e-5)*float64(src["g"].data[k]) + float64(src["c"].data[k])
				want += n * float64(src["w"].data[(2+j)*5+k])
			}
			if d := math.Abs(float64(got[r*3+j]) - want); d > 1e-6 {
				t.Errorf("row %d column %d is off by %g", r, j, d)
			}
		}
	}
	again := make([]float32, 2*3)
	if err := Rows(src, w, 4, 2, again); err != nil || again[0] != got[12] || again[5] != got[17] {
		t.Errorf("rows 4 and 5 alone are %v, %v; expected %v", again, err, got[12:18])
	}
}

func TestLayerErrors(t *testing.T) {
	src := memory{"x": counting(7, 5), "narrow": counting(6, 4), "w": counting(6, 5)}
	for want, step := range map[string]ir.Step{
		"no tensor none":     {Kind: "linear", W: "none", N: 6},
		"expected 5 columns": {Kind: "linear", W: "narrow", N: 6},
		"no tensor b":        {Kind: "linear", W: "w", B: "b", N: 6},
		"expected 1 columns": {Kind: "layernorm", W: "w", C: 1e-5},
	} {
		shape := []int{7, max(step.N, 5)}
		w := &ir.Weight{Name: "p", Shape: shape, Parts: []ir.Part{{Tensor: "x", Steps: []ir.Step{step}}}}
		if err := Rows(src, w, 0, 7, make([]float32, shape[0]*shape[1])); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, expected %q", err, want)
		}
	}
}
