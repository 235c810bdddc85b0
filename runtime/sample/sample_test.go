package sample

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"
)

// random returns n logits with the given spread, some of them equal.
func random(r *rand.Rand, n int, spread float64) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(math.Round(r.NormFloat64()*spread*64) / 64)
	}
	return v
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

func TestExp(t *testing.T) {
	for x := -103.9; x <= 0; x += 0.00137 {
		if got, want := exp(x), math.Exp(x); math.Abs(got-want) > 1e-13*want {
			t.Fatalf("exp(%v) = %v, want %v", x, got, want)
		}
	}
	for x, want := range map[float64]float64{0: 1, -200: 0, math.Inf(-1): 0} {
		if got := exp(x); got != want {
			t.Errorf("exp(%v) = %v, want %v", x, got, want)
		}
	}
}

// TestExpBits pins the bits down: they must be the same on every platform.
func TestExpBits(t *testing.T) {
	sum := uint64(0)
	for x := -100.0; x <= 0; x += 0.01 {
		sum = sum*31 + math.Float64bits(exp(x))
	}
	if sum != expBits {
		t.Errorf("hash of exp's bits is %#x, want %#x", sum, uint64(expBits))
	}
}

func TestKey(t *testing.T) {
	inf := float32(math.Inf(1))
	ordered := []float32{-inf, -math.MaxFloat32, -1, -0x1p-149, 0, 0x1p-149, 1, 1.5, math.MaxFloat32, inf}
	for i, v := range ordered {
		if i > 0 && key(ordered[i-1]) >= key(v) {
			t.Errorf("key(%v) is not below key(%v)", ordered[i-1], v)
		}
	}
	if negative := float32(math.Copysign(0, -1)); key(negative) != key(0) {
		t.Error("-0 and 0 have different keys")
	}
}

func TestTopKAgreesWithSorting(t *testing.T) {
	r := newRand()
	for range 200 {
		v := random(r, 1+r.IntN(300), 3)
		sorted := slices.Sorted(slices.Values(v))
		for k := 1; k <= len(v)+1; k += 1 + r.IntN(20) {
			var c Candidates
			c.load(v, nil, 0)
			TopK(k).Process(&c)
			var want []int32
			for i := range v {
				if v[i] >= sorted[max(0, len(v)-k)] {
					want = append(want, int32(i))
				}
			}
			if !slices.Equal(c.IDs, want) {
				t.Fatalf("top-k %d of %d keeps %v, want %v", k, len(v), c.IDs, want)
			}
		}
	}
}

// topPBySorting returns the ids that top-p keeps, found by a full sort.
func topPBySorting(logits []float32, p float64) []int32 {
	ids := make([]int32, len(logits))
	for i := range ids {
		ids[i] = int32(i)
	}
	sort.SliceStable(ids, func(i, j int) bool { return logits[ids[i]] > logits[ids[j]] })
	total := 0.0
	for _, id := range ids {
		total += math.Exp(float64(logits[id] - logits[ids[0]]))
	}
	sum := 0.0
	for n, id := range ids {
		if sum += math.Exp(float64(logits[id] - logits[ids[0]])); sum >= p*total {
			ids = ids[:n+1]
			break
		}
	}
	slices.Sort(ids)
	return ids
}

func TestTopPAgreesWithSorting(t *testing.T) {
	r := newRand()
	for range 300 {
		v := random(r, 1+r.IntN(300), 0.1+3*r.Float64())
		p := r.Float64()
		var c Candidates
		c.load(v, nil, 0)
		TopP(p).Process(&c)
		if want := topPBySorting(v, p); !slices.Equal(c.IDs, want) {
			t.Fatalf("top-p %v of %d tokens keeps %v, want %v", p, len(v), c.IDs, want)
		}
	}
}

func TestTopPKeepsAtLeastOne(t *testing.T) {
	for _, p := range []float64{1e-300, 0x1p-53, 0.999999999999999} {
		for _, v := range [][]float32{{0}, {1, 1, 1}, {0, -200, -300}, {float32(math.Inf(-1)), 3}} {
			var c Candidates
			c.load(v, nil, 0)
			TopP(p).Process(&c)
			if len(c.IDs) == 0 {
				t.Errorf("top-p %v of %v keeps nothing", p, v)
			}
		}
	}
}

func TestMinPAgreesWithDefinition(t *testing.T) {
	r := newRand()
	for range 100 {
		v := random(r, 1+r.IntN(300), 2)
		p := r.Float64()
		var c Candidates
		c.load(v, nil, 0)
		MinP(p).Process(&c)
		var want []int32
		for i := range v {
			if math.Exp(float64(v[i]-slices.Max(v))) >= p {
				want = append(want, int32(i))
			}
		}
		if !slices.Equal(c.IDs, want) {
			t.Fatalf("min-p %v keeps %v, want %v", p, c.IDs, want)
		}
	}
}

func TestArgMax(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct {
		v    []float32
		want int32
	}{
		{[]float32{1, 3, 2, 3}, 1},
		{[]float32{-5, -3, -3}, 1},
		{[]float32{0, float32(math.Copysign(0, -1))}, 0},
		{[]float32{1, nan, 2}, -1},
		{[]float32{-inf, -inf}, -1},
		{nil, -1},
	} {
		if got := ArgMax(c.v); got != c.want {
			t.Errorf("ArgMax(%v) = %d, want %d", c.v, got, c.want)
		}
	}
}

func TestBadLogits(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	minus := float32(math.Copysign(math.NaN(), -1)) // what x86 makes of Inf - Inf; its bits order below -Inf
	for _, o := range []Options{{}, {Temperature: 1}, {RepetitionPenalty: 2}, {Temperature: 0.5, TopK: 2, TopP: 0.9, MinP: 0.1}} {
		for _, v := range [][]float32{{nan, 1, 2}, {1, 2, nan}, {1, 2, minus, 0}, {1, inf, 2}, {-inf, -inf, -inf}, {}} {
			s, err := New(o)
			if err != nil {
				t.Fatal(err)
			}
			if id, err := s.Next(v, nil, 0); !errors.Is(err, ErrLogits) {
				t.Errorf("%+v, %v: %d, %v; want ErrLogits", o, v, id, err)
			}
		}
	}
}

func TestCheck(t *testing.T) {
	nan := math.NaN()
	for says, bad := range map[string][]Options{
		"temperature": {{Temperature: -1}, {Temperature: nan}, {Temperature: math.Inf(1)}, {Temperature: 1e-60}},
		"top-k":       {{TopK: -1}},
		"top-p":       {{TopP: -0.1}, {TopP: 1.1}, {TopP: nan}},
		"min-p":       {{MinP: -0.1}, {MinP: 1.1}, {MinP: nan}},
		"penalty":     {{RepetitionPenalty: -1}, {RepetitionPenalty: nan}},
	} {
		for _, o := range bad {
			if _, err := New(o); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%+v: %v, want an error about %s", o, err, says)
			}
		}
	}
}

func TestSeedDecides(t *testing.T) {
	v := random(newRand(), 1000, 1)
	sequence := func(seed uint64) (ids []int32) {
		s, err := New(Options{Temperature: 0.8, TopP: 0.95, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		for range 8 {
			id, err := s.Next(v, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		return ids
	}
	if a, b := sequence(7), sequence(7); !slices.Equal(a, b) {
		t.Errorf("seed 7 gave %v and %v", a, b)
	}
	if got := sequence(42); !slices.Equal(got, seed42) {
		t.Errorf("seed 42 gives %v, want %v", got, seed42)
	}
}

// TestFrequencies draws often and compares with the probabilities by χ².
func TestFrequencies(t *testing.T) {
	v := []float32{1, 0, 2, float32(math.Inf(-1)), -1, 0.5}
	s, err := New(Options{Temperature: 1, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	const draws = 100_000
	var count [6]float64
	for range draws {
		id, err := s.Next(v, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		count[id]++
	}
	total, chi := 0.0, 0.0
	for _, x := range v {
		total += math.Exp(float64(x))
	}
	for i, x := range v {
		if want := draws * math.Exp(float64(x)) / total; want > 0 {
			chi += (count[i] - want) * (count[i] - want) / want
		}
	}
	if count[3] != 0 || chi > 18.5 { // 0.1 % of χ² with 4 degrees of freedom
		t.Errorf("counts %v: χ² = %.1f", count, chi)
	}
}

func TestLogitsAreNotChanged(t *testing.T) {
	v := []float32{1, 2, 3, 4}
	s, err := New(Options{Temperature: 0.5, TopK: 2, RepetitionPenalty: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Next(v, []int32{0, 3}, 0); err != nil || !slices.Equal(v, []float32{1, 2, 3, 4}) {
		t.Errorf("logits are now %v (%v)", v, err)
	}
}

func TestRepetitionPenaltyPassesOverForeignIDs(t *testing.T) {
	s, err := New(Options{RepetitionPenalty: 2})
	if err != nil {
		t.Fatal(err)
	}
	if id, err := s.Next([]float32{3, 2.9}, []int32{-1, 2, math.MaxInt32, 0, 0}, 0); err != nil || id != 1 {
		t.Errorf("%d, %v; want 1", id, err)
	}
}

func TestNextAllocatesNothing(t *testing.T) {
	v := random(newRand(), 5000, 2)
	history := []int32{1, 2, 3, 1}
	for _, o := range []Options{{}, {Temperature: 0.7, TopK: 40, TopP: 0.9, MinP: 0.05, RepetitionPenalty: 1.1}} {
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(20, func() { s.Next(v, history, 0) }); n != 0 {
			t.Errorf("%+v: %v allocations a token, want 0", o, n)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	v := random(newRand(), 262_144, 4)
	for _, c := range []struct {
		name string
		o    Options
	}{
		{"greedy", Options{}},
		{"temperature", Options{Temperature: 0.8}},
		{"top-k=50", Options{Temperature: 0.8, TopK: 50}},
		{"top-p=0.9", Options{Temperature: 0.8, TopP: 0.9}},
		{"min-p=0.05", Options{Temperature: 0.8, MinP: 0.05}},
		{"all", Options{Temperature: 0.8, TopK: 64, TopP: 0.95, MinP: 0.05, RepetitionPenalty: 1.1}},
	} {
		b.Run(c.name, func(b *testing.B) {
			s, err := New(c.o)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Next(v, nil, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
