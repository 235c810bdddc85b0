package rope

import (
	"math"
	"testing"
)

func TestAngles(t *testing.T) {
	cs := make([]float32, 3*6)
	Angles(cs, 6, []int32{0, 1, 7}, []float64{1, 0.25}, 2)
	for r, p := range []float64{0, 1, 7} {
		for i, f := range []float64{1, 0.25} {
			if got, want := cs[r*6+i], float32(2*math.Cos(p*f)); math.Abs(float64(got-want)) > 1e-6 {
				t.Errorf("cosine %d of position %v is %v, expected %v", i, p, got, want)
			}
			if got, want := cs[r*6+2+i], float32(2*math.Sin(p*f)); math.Abs(float64(got-want)) > 1e-6 {
				t.Errorf("sine %d of position %v is %v, expected %v", i, p, got, want)
			}
		}
	}
}

func TestDynamicGrowsTheBase(t *testing.T) {
	inv := make([]float64, 4)
	Dynamic(inv, 10000, 2, 40, 40)
	for i, f := range inv {
		if want := math.Pow(10000, -float64(i)/4); math.Abs(f-want) > 1e-12 {
			t.Errorf("at the original length frequency %d is %v, expected %v", i, f, want)
		}
	}
	longer := make([]float64, 4)
	Dynamic(longer, 10000, 2, 40, 80)
	if !(longer[3] < inv[3]) || longer[0] != 1 {
		t.Errorf("frequencies at twice the length: %v, at the original: %v", longer, inv)
	}
}
