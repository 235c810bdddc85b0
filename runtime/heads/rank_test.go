package heads

import (
	"math"
	"testing"
)

func TestRank(t *testing.T) {
	got := Rank([]float32{-1, 2, 0}, false)
	for i, want := range []Ranked{{1, 0.8807970779778823}, {2, 0.5}, {0, 0.2689414213699951}} {
		if got[i].Index != want.Index || math.Abs(got[i].Score-want.Score) > 1e-12 {
			t.Errorf("place %d is %+v, expected %+v", i, got[i], want)
		}
	}
	if raw := Rank([]float32{-1, 2, 0}, true); raw[0] != (Ranked{1, 2}) || raw[2] != (Ranked{0, -1}) {
		t.Errorf("raw scores are %v", raw)
	}
	if v := Values([]float32{0.5, 3}, []string{"a", "b"}); v[0] != (Class{"b", 3}) || v[1] != (Class{"a", 0.5}) {
		t.Errorf("values are %v", v)
	}
}

func TestCut(t *testing.T) {
	v := []float32{3, 4, 12}
	if got := Cut(v, 2); len(got) != 2 || got[0] != 0.6 || got[1] != 0.8 || v[0] != 3 {
		t.Errorf("cut to 2: %v of %v", got, v)
	}
	if got := Cut(v, 3); &got[0] != &v[0] {
		t.Error("a vector of the right length was copied")
	}
	if got := Cut([]float32{0, 0, 1}, 2); got[0] != 0 || got[1] != 0 {
		t.Errorf("zeros became %v", got)
	}
}
