package sample

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// candidates returns the candidates of logits.
func candidates(logits []float32, history ...int32) *Candidates {
	c := new(Candidates)
	c.load(logits, history, 0)
	return c
}

func TestLog(t *testing.T) {
	for x := 1e-300; x < 1e300; x *= 1.37 {
		if got, want := log(x), math.Log(x); math.Abs(got-want) > 3e-16*math.Abs(want) {
			t.Fatalf("log(%v) = %v, want %v", x, got, want)
		}
	}
	for x := 0.5; x < 2; x += 0.00173 {
		if got, want := log(x), math.Log(x); math.Abs(got-want) > 3e-16*max(math.Abs(want), 1e-3) {
			t.Fatalf("log(%v) = %v, want %v", x, got, want)
		}
	}
	if got := power(2, 10.5); math.Abs(got/math.Pow(2, 10.5)-1) > 1e-12 {
		t.Errorf("2^10.5 = %v", got)
	}
	if got := powerInt(1.3, 17); math.Abs(got/math.Pow(1.3, 17)-1) > 1e-14 {
		t.Errorf("1.3^17 = %v", got)
	}
}

// TestTwister compares with the C++ standard, which gives the 10,000th number.
func TestTwister(t *testing.T) {
	var g twister
	g.seed(5489)
	for range 9999 {
		g.uint32()
	}
	if v := g.uint32(); v != 4123659995 {
		t.Errorf("the 10,000th number is %d", v)
	}
}

func TestOccurrence(t *testing.T) {
	o := &Occurrence{Frequency: 0.5, Presence: 2}
	c := candidates([]float32{1, 2, 3, 4}, 1, 3, 3, 9, -1)
	o.Process(c)
	if want := []float32{1, -0.5, 3, 1}; !slices.Equal(c.Logits, want) {
		t.Errorf("%v, want %v", c.Logits, want)
	}
	o.Window = 1
	if c = candidates([]float32{1, 2, 3, 4}, 1, 3, 3, 2); true {
		o.Process(c)
	}
	if want := []float32{1, 2, 0.5, 4}; !slices.Equal(c.Logits, want) {
		t.Errorf("window of 1: %v, want %v", c.Logits, want)
	}
}

// dryLength is the longest repetition that a token would continue, by definition.
func dryLength(history []int32, id int32, limit int) int {
	longest := 0
	for i := 1; i < len(history); i++ {
		if history[i] != id {
			continue
		}
		n := 0
		for n < i && n < limit && history[i-1-n] == history[len(history)-1-n] {
			n++
		}
		longest = max(longest, n)
	}
	return longest
}

func TestDRY(t *testing.T) {
	r := newRand()
	for range 300 {
		history := make([]int32, 1+r.IntN(40))
		for i := range history {
			history[i] = int32(r.IntN(4))
		}
		d := &DRY{Multiplier: 0.8, Base: 1.75, AllowedLength: 2}
		c := candidates(make([]float32, 5), history...)
		d.Process(c)
		for id, v := range c.Logits {
			want := 0.0
			if n := dryLength(history, int32(id), len(history)); n >= 2 {
				want = -0.8 * math.Pow(1.75, float64(n-2))
			}
			if math.Abs(float64(v)-want) > 1e-5*math.Abs(want) {
				t.Fatalf("history %v: token %d gets %v, want %v", history, id, v, want)
			}
		}
	}
}

func TestDRYBreakers(t *testing.T) {
	history := []int32{1, 2, 3, 4, 9, 1, 2, 3} // 4 would continue 1 2 3
	for _, c := range []struct {
		breakers [][]int32
		want     float64
	}{
		{nil, math.Pow(2, 1)},
		{[][]int32{{2}}, 0},              // one token after the breaker: shorter than allowed
		{[][]int32{{9}}, math.Pow(2, 1)}, // 1 2 3 lie behind it
		{[][]int32{{1, 2}}, 0},
		{[][]int32{{1}}, 1}, // 2 3
		{[][]int32{{4}}, 0}, // a breaker itself is not penalised
	} {
		d := &DRY{Multiplier: 1, Base: 2, AllowedLength: 2, Breakers: c.breakers}
		list := candidates(make([]float32, 10), history...)
		d.Process(list)
		if got := -float64(list.Logits[4]); got != c.want {
			t.Errorf("breakers %v: penalty %v, want %v", c.breakers, got, c.want)
		}
	}
}

func TestXTC(t *testing.T) {
	var g rand.PCG
	logits := []float32{3, 2.5, 2, -3, -4} // probabilities .5 .3 .18 .001 …
	x := &XTC{Probability: 1, Threshold: 0.1, random: &g}
	c := candidates(logits)
	x.Process(c)
	if want := []int32{2, 3, 4}; !slices.Equal(c.IDs, want) {
		t.Errorf("%v left, want %v", c.IDs, want)
	}
	x.Threshold = 0.4 // one token is above: nothing to drop
	if c = candidates(logits); true {
		x.Process(c)
	}
	if len(c.IDs) != 5 {
		t.Errorf("%v left", c.IDs)
	}
	x.Threshold, x.Probability = 0.1, 0.3
	dropped := 0
	for range 10000 {
		c := candidates(logits)
		if x.Process(c); len(c.IDs) < 5 {
			dropped++
		}
	}
	if dropped < 2850 || dropped > 3150 {
		t.Errorf("%d of 10000 dropped, probability 0.3", dropped)
	}
}

// TestMirostat checks that the mean surprise of the chosen tokens comes near tau.
func TestMirostat(t *testing.T) {
	r := newRand()
	for _, version := range []int{1, 2} {
		for _, tau := range []float64{2, 4} {
			s, err := New(Options{Temperature: 1, Mirostat: version, MirostatTau: tau, MirostatEta: 0.1, Seed: 3})
			if err != nil {
				t.Fatal(err)
			}
			logits := make([]float32, 2000)
			for i := range logits {
				logits[i] = float32(-1.1*math.Log(float64(i+1)) + 0.01*r.NormFloat64()) // Zipf's law
			}
			sum, n := 0.0, 0
			for i := range 2000 {
				id, err := s.Next(logits, nil, 0)
				if err != nil {
					t.Fatal(err)
				}
				p := 0.0
				s.candidates.Probabilities(func(c int32, q float64) {
					if c == id {
						p = q
					}
				})
				if i >= 200 {
					sum, n = sum-math.Log2(p), n+1
				}
			}
			if mean := sum / float64(n); math.Abs(mean-tau) > 0.2 {
				t.Errorf("version %d: mean surprise %v, target %v", version, mean, tau)
			}
		}
	}
}

// TestSteps pins the order of the processors down: documentation and users count
// on it.
func TestSteps(t *testing.T) {
	all := Options{
		Temperature: 0.5, TopK: 1, TopP: 0.5, MinP: 0.5, TopH: 0.5, TypicalP: 0.5, EpsilonCutoff: 0.5, EtaCutoff: 0.5, TopNSigma: 1, XTCProbability: 0.5,
		RepetitionPenalty: 2, EncoderRepetitionPenalty: 2, FrequencyPenalty: 1, DRY: DRY{Multiplier: 1}, NoRepeatNGram: 1, EncoderNoRepeatNGram: 1,
		SequenceBias: []Bias{{[]int32{1}, 1}}, BadWords: [][]int32{{1}}, Ends: []int32{1}, Length: 9, MinLength: 1, MinNewTokens: 1, ForcedBOS: []int32{1},
		ForcedEOS: []int32{1}, ForcedTokens: map[int]int32{1: 1}, DecayFactor: 1, Suppress: []int32{1}, SuppressFirst: []int32{1},
		RemoveInvalid: true, Renormalize: true, Watermark: &Watermark{}, Diversity: &Diversity{},
	}
	s, err := New(all, RemoveInvalid{})
	if err != nil {
		t.Fatal(err)
	}
	want := slices.DeleteFunc(Steps(), func(n string) bool { return n == "Mirostat" || strings.HasPrefix(n, "SynthID") })
	if !slices.Equal(s.Names(), want) {
		t.Errorf("%v, want %v", s.Names(), want)
	}
	all.Mirostat = 2
	if s, _ = New(all); slices.Contains(s.Names(), "TopKLogitsWarper") || !slices.Contains(s.Names(), "Mirostat") {
		t.Errorf("with mirostat: %v", s.Names())
	}
}

func TestCheckNamesTheOption(t *testing.T) {
	for says, o := range map[string]Options{
		"min-p 2":           {MinP: 2},
		"typical-p NaN":     {TypicalP: math.NaN()},
		"mirostat 3":        {Mirostat: 3},
		"top-n-sigma -1":    {TopNSigma: -1},
		"DRY base":          {DRY: DRY{Base: -1}},
		"sequence bias":     {SequenceBias: []Bias{{nil, 1}}},
		"bad words":         {BadWords: [][]int32{{}}},
		"forced first":      {ForcedBOS: []int32{1, 2}},
		"one kind":          {Watermark: &Watermark{}, SynthID: &SynthID{}},
		"ratio 2":           {Watermark: &Watermark{Ratio: 2}},
		"n-grams":           {SynthID: &SynthID{}},
		"frequency penalty": {FrequencyPenalty: math.Inf(1)},
	} {
		if err := o.Check(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

// TestGreedyAfterForcing checks that ids outside of the vocabulary do no harm.
func TestGreedyAfterForcing(t *testing.T) {
	s, err := New(Options{ForcedBOS: []int32{2}, Suppress: []int32{-5, 99}, BadWords: [][]int32{{77}}})
	if err != nil {
		t.Fatal(err)
	}
	if id, err := s.Next([]float32{5, 1, 0}, []int32{0}, 1); err != nil || id != 2 {
		t.Errorf("%d, %v", id, err)
	}
	s, err = New(Options{ForcedBOS: []int32{9}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Next([]float32{5, 1, 0}, []int32{0}, 1); err == nil {
		t.Error("a forced token outside of the vocabulary is chosen")
	}
}

// TestClone checks that a clone makes the same choices.
func TestClone(t *testing.T) {
	s, err := New(Options{Temperature: 1.2, TopK: 50, RepetitionPenalty: 1.2, Seed: 4})
	if err != nil {
		t.Fatal(err)
	}
	v := random(newRand(), 300, 3)
	s.Next(v, nil, 0)
	c := s.Clone()
	for range 20 {
		a, err := s.Next(v, []int32{1}, 0)
		if b, err2 := c.Next(v, []int32{1}, 0); a != b || err != nil || err2 != nil {
			t.Fatalf("%d and %d, %v, %v", a, b, err, err2)
		}
	}
}
