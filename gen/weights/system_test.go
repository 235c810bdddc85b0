package weights

import (
	"math"
	"testing"

	"github.com/tfgen/tfgen/gen/ir"
)

// TestSystemBounds: what a malformed checkpoint can say of a system is an error.
func TestSystemBounds(t *testing.T) {
	good := ir.System{Channels: 6, Size: 4, Rule: "zoh", OfStep: "exp", OfReal: "exp", OfImag: "none", Sign: -1}
	if _, _, err := dimsSystem(ir.Step{System: &good}, 3, 4); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(s *ir.System){
		"channels":  func(s *ir.System) { s.Channels = 7 },
		"none":      func(s *ir.System) { s.Channels = 0 },
		"size":      func(s *ir.System) { s.Size = 5 },
		"rule":      func(s *ir.System) { s.Rule = "dss" },
		"transform": func(s *ir.System) { s.OfReal = "square" },
		"rank":      func(s *ir.System) { s.Low = "P" },
	} {
		bad := good
		change(&bad)
		if _, _, err := dimsSystem(ir.Step{System: &bad}, 3, 4); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestUndo: outputs times 1 - A^L, solved for again.
func TestUndo(t *testing.T) {
	s := &system{poles: []complex128{0.6 + 0.5i, -0.3 + 0.1i}, low: [][]float64{{0.1, 0.2, -0.1, 0.05}}, read: [][]float64{{0.3, -0.2, 0.1, 0.4}}}
	c := []float64{1, -2, 0.5, 3}
	const length = 5
	power := c
	for range length { // c A
		var next [4]float64
		for j := range next {
			p := s.poles[j%2]
			if j < 2 {
				next[j] = real(p)*power[j] + imag(p)*power[2+j]
			} else {
				next[j] = real(p)*power[j] - imag(p)*power[j-2]
			}
			for i := range power {
				next[j] -= power[i] * s.low[0][i] * s.read[0][j]
			}
		}
		power = next[:]
	}
	got := make([]float64, 4)
	for i := range got {
		got[i] = c[i] - power[i]
	}
	if err := s.undo(got, length); err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if math.Abs(got[i]-c[i]) > 1e-12 {
			t.Errorf("element %d is %v, expected %v", i, got[i], c[i])
		}
	}
}
