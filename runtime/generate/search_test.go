package generate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tfgen/tfgen/runtime/sample"
)

var ctx = context.Background()

// continued returns the tokens behind a prompt.
func continued(t *testing.T, m *chaos, prompt []int32, o Options) []int32 {
	t.Helper()
	s, err := m.NewSession(0)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := collect(Tokens(ctx, s, prompt, o))
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// modes are options of every kind.
var modes = map[string]Options{
	"greedy":  {MaxTokens: 40, EOS: []int32{31}},
	"sampled": Options{MaxTokens: 40, EOS: []int32{31}}.With(Temperature(0.9), TopP(0.95), Seed(5)),
	"penalty": Options{MaxTokens: 40}.With(Temperature(1), RepetitionPenalty(1.3), Seed(2)),
}

// TestGuessesChangeNothing compares generation with and without guesses.
func TestGuessesChangeNothing(t *testing.T) {
	target, near := &chaos{seed: 1}, &chaos{seed: 1}
	for name, o := range modes {
		for start := range int32(20) {
			prompt := []int32{start, 3, 4, start, 3}
			want := continued(t, target, prompt, o)
			for _, n := range []int{1, 3, 8} {
				var stats Stats
				with := o.With(PromptLookup(n), Report(&stats))
				if got := continued(t, target, prompt, with); !slices.Equal(got, want) {
					t.Fatalf("%s, lookup %d: %v, want %v", name, n, got, want)
				}
				draft, _ := near.NewSession(0)
				with = o.With(Guesses(NewDraftModel(draft)), Set(func(o *Options) { o.DraftTokens = n }), Report(&stats))
				if got := continued(t, target, prompt, with); !slices.Equal(got, want) {
					t.Fatalf("%s, draft %d: %v, want %v", name, n, got, want)
				}
				if name != "penalty" && stats.Accepted < stats.Guessed*9/10-n {
					t.Errorf("%s: %d of %d guesses of the same model are right", name, stats.Accepted, stats.Guessed)
				}
			}
		}
	}
}

// TestGuessesLeaveTheSessionRight checks the state after guesses, for the next prompt.
func TestGuessesLeaveTheSessionRight(t *testing.T) {
	m := &chaos{seed: 4}
	for n := 1; n < 40; n++ {
		plain, _ := m.NewSession(0)
		guessing, _ := m.NewSession(0)
		draft, _ := m.NewSession(0)
		o := Options{MaxTokens: n, EOS: []int32{30}}
		if _, err := collect(Tokens(ctx, plain, []int32{1, 2}, o)); err != nil {
			t.Fatal(err)
		}
		if _, err := collect(Tokens(ctx, guessing, []int32{1, 2}, o.With(Guesses(NewDraftModel(draft))))); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(plain.tokens, guessing.tokens) {
			t.Errorf("%d tokens: %v, want %v", n, guessing.tokens, plain.tokens)
		}
	}
}

// TestGuessesBreak stops in the middle of a round and uses the model meanwhile.
func TestGuessesBreak(t *testing.T) {
	m := &chaos{seed: 4}
	for stop := 1; stop < 12; stop++ {
		var stats Stats
		s, _ := m.NewSession(0)
		draft, _ := m.NewSession(0)
		n := 0
		for range Tokens(ctx, s, []int32{1, 2}, Options{}.With(Guesses(NewDraftModel(draft)), Report(&stats))) {
			if n++; n == stop {
				break
			}
		}
		if s.Len() != stop+1 || stats.Tokens != stop || stats.Reason != Stopped {
			t.Errorf("after %d tokens: session of %d, %+v", stop, s.Len(), stats)
		}
	}
}

// TestGuessesNeedFewerPasses checks that guesses are of use.
func TestGuessesNeedFewerPasses(t *testing.T) {
	m := &chaos{seed: 9}
	draft, _ := (&chaos{seed: 9}).NewSession(0)
	continued(t, m, []int32{1}, Options{MaxTokens: 46}.With(Guesses(NewDraftModel(draft))))
	if m.passes > 6 {
		t.Errorf("%d passes for 46 tokens, 8 guesses at a time", m.passes)
	}
}

func TestBatchRowsAreAsAlone(t *testing.T) {
	m := &chaos{seed: 2}
	var requests []Request
	var want [][]int32
	for i := range int32(6) {
		prompt := []int32{i, i + 1}[:1+i%2]
		for _, o := range modes {
			o.MaxTokens += int(i)
			o.Stats = new(Stats)
			requests = append(requests, Request{prompt, o})
			want = append(want, continued(t, m, prompt, o))
		}
	}
	got := make([][]int32, len(requests))
	ended := 0
	for r, err := range Batch[*chaosSession](ctx, m, 100, requests) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Ended {
			ended++
			continue
		}
		got[r.Index] = append(got[r.Index], r.ID)
	}
	for i := range got {
		if !slices.Equal(got[i], want[i]) {
			t.Errorf("row %d: %v, want %v", i, got[i], want[i])
		}
	}
	if ended != len(requests) || requests[0].Options.Stats.Reason == Failed {
		t.Errorf("%d ends, %v", ended, requests[0].Options.Stats.Reason)
	}
}

func TestBatchBreak(t *testing.T) {
	n := 0
	stats := new(Stats)
	for range Batch[*chaosSession](ctx, &chaos{}, 0, []Request{{[]int32{1}, Options{MaxTokens: 9, Stats: stats}}, {[]int32{2}, Options{MaxTokens: 9}}}) {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 || stats.Reason != Stopped {
		t.Errorf("%d rows, %v", n, stats.Reason)
	}
}

func TestBestOf(t *testing.T) {
	m := &chaos{seed: 3}
	o := Options{MaxTokens: 10, BestOf: 8, Return: 3}.With(Temperature(1), Seed(1))
	best, err := Search[*chaosSession](ctx, m, 0, []int32{5}, o)
	if err != nil {
		t.Fatal(err)
	}
	o.BestOf, o.Return = 0, 8
	all, err := Search[*chaosSession](ctx, m, 0, []int32{5}, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(best) != 3 || len(all) != 8 {
		t.Fatal(len(best), len(all))
	}
	slices.SortFunc(all, func(a, b Sequence) int { return cmp.Compare(b.Score, a.Score) })
	for i := range best {
		if !slices.Equal(best[i].Tokens, all[i].Tokens) || best[i].Score != all[i].Score {
			t.Errorf("%d: %v, want %v", i, best[i], all[i])
		}
	}
	if slices.Equal(all[0].Tokens, all[1].Tokens) {
		t.Error("two samples are the same")
	}
}

// TestBeamFindsTheBest compares a beam as wide as all texts with trying them all.
func TestBeamFindsTheBest(t *testing.T) {
	m := &chaos{seed: 6}
	got, err := Search[*chaosSession](ctx, m, 0, []int32{5}, Options{MaxTokens: 2, Beam: Beam{Width: 32, LengthPenalty: 1}})
	if err != nil {
		t.Fatal(err)
	}
	best := math.Inf(-1)
	s, _ := m.NewSession(0)
	for a := range int32(32) {
		for b := range int32(32) {
			s.tokens = []int32{5}
			best = max(best, logProb(s.compute(), a)+logProb(func() []float32 { s.tokens = []int32{5, a}; return s.compute() }(), b))
		}
	}
	if math.Abs(got[0].LogProb-best) > 1e-5 {
		t.Errorf("log probability %v, the best is %v", got[0].LogProb, best)
	}
}

func logProb(logits []float32, id int32) float64 {
	v := make([]float32, len(logits))
	sample.LogSoftmax(v, logits)
	return float64(v[id])
}

// TestForcedWords checks that most texts say the words, in any order, and one phrase of each. As in transformers, a
// sequence that has said them may lose against others before the end.
func TestForcedWords(t *testing.T) {
	words := [][][]int32{{{7, 9, 11}}, {{30, 2}, {31, 3}}, {{4}}}
	lacking := 0
	for seed := range uint64(10) {
		o := Options{MaxTokens: 12, Beam: Beam{Width: 8, LengthPenalty: 1, Words: words}}
		found, err := Search[*chaosSession](ctx, &chaos{seed: seed}, 0, []int32{5}, o)
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprint(found[0].Tokens)
		for _, phrases := range []string{" 7 9 11", " 30 2| 31 3", " 4"} {
			if !slices.ContainsFunc(strings.Split(phrases, "|"), func(p string) bool { return strings.Contains(" "+text[1:], p) }) {
				lacking++
			}
		}
	}
	if lacking > 8 {
		t.Errorf("%d of 30 words are lacking", lacking)
	}
}

// TestSharedPlace checks the place that transformers shares between the continuations within a word.
func TestSharedPlace(t *testing.T) {
	f, err := newForced([][][]int32{{{7, 8}, {7, 9}, {7, 6, 5}}})
	if err != nil {
		t.Fatal(err)
	}
	tokens, then := f.ahead(f.after([]int32{1, 7}))
	if !slices.Equal(tokens, []int32{8, 9, 6}) || !then[0].complete() || then[1].complete() || f.bank(then[1]) != 0 {
		t.Errorf("%v, %+v", tokens, then)
	}
}

// TestBeamSampling checks that beams that sample differ by seed and repeat by seed.
func TestBeamSampling(t *testing.T) {
	run := func(seed uint64) []int32 {
		o := Options{MaxTokens: 8, Beam: Beam{Width: 3, LengthPenalty: 1}}.With(Temperature(1), Seed(seed))
		s, err := Search[*chaosSession](ctx, &chaos{seed: 6}, 0, []int32{5}, o)
		if err != nil {
			t.Fatal(err)
		}
		return s[0].Tokens
	}
	if !slices.Equal(run(1), run(1)) || slices.Equal(run(1), run(2)) && slices.Equal(run(2), run(3)) {
		t.Error("seeds have no effect, or results do not repeat")
	}
}

func TestSearchErrors(t *testing.T) {
	for says, o := range map[string]Options{
		"4 beams cannot be split into 3": {Beam: Beam{Width: 4, Groups: 3}, MaxTokens: 1},
		"5 sequences of 4 beams":         {Beam: Beam{Width: 4}, Return: 5, MaxTokens: 1},
		"no guidance":                    {Beam: Beam{Width: 2}, Guidance: 2, MaxTokens: 1, Guide: func() (Stepper, error) { return nil, nil }},
		"contrastive search is greedy":   {Contrastive: Contrastive{Alpha: 0.5}, Options: sample.Options{Temperature: 1}},
		"alpha 2":                        {Contrastive: Contrastive{Alpha: 2}},
		"needs a session":                {Guidance: 1.5},
		"forced words need beams":        {Beam: Beam{Words: [][][]int32{{{1}}}}},
		"begin":                          {Beam: Beam{Width: 2, Words: [][][]int32{{{1, 2}, {1}}}}},
		"no phrase":                      {Beam: Beam{Width: 2, Words: [][][]int32{{}}}},
		"-1 is no token":                 {Beam: Beam{Width: 2, Words: [][][]int32{{{-1}}}}},
		"the model has no token 99":      {Beam: Beam{Width: 2, LengthPenalty: 1, Words: [][][]int32{{{99}}}}, MaxTokens: 3},
		"DoLa are not for batches":       {DoLa: []int{0}},
		"one at a time":                  {DoLa: []int{0}, Guidance: 2, Guide: func() (Stepper, error) { return nil, nil }},
	} {
		if _, err := Search[*chaosSession](ctx, &chaos{}, 0, []int32{1}, o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	if _, err := Search[*chaosSession](ctx, &chaos{}, 0, nil, Options{}); !errors.Is(err, ErrNoPrompt) {
		t.Error(err)
	}
}

func TestGuidance(t *testing.T) {
	m := &chaos{seed: 8}
	other, _ := m.NewSession(0)
	o := Options{MaxTokens: 6, Guidance: 1.7, Negative: []int32{9, 9}, Guide: func() (Stepper, error) { return other, nil }}
	got := continued(t, m, []int32{1, 2}, o)
	text, negative := []int32{1, 2}, []int32{9, 9}
	for _, id := range got {
		a, _ := m.NewSession(0)
		b, _ := m.NewSession(0)
		p, _ := a.Prefill(ctx, text)
		q, _ := b.Prefill(ctx, negative)
		best, top := int32(0), math.Inf(-1)
		for i := range p {
			if v := logProb(q, int32(i)) + 1.7*(logProb(p, int32(i))-logProb(q, int32(i))); v > top {
				best, top = int32(i), v
			}
		}
		if id != best {
			t.Fatalf("token %d, expected %d", id, best)
		}
		text, negative = append(text, id), append(negative, id)
	}
}

func TestDeadline(t *testing.T) {
	s := &counter{context: 1000, decoded: func(int) { time.Sleep(2 * time.Millisecond) }}
	var stats Stats
	got, err := collect(Tokens(ctx, s, []int32{1}, Options{Deadline: 10 * time.Millisecond, Stats: &stats}))
	if err != nil || stats.Reason != DeadlineReached || len(got) < 2 || len(got) > 7 {
		t.Errorf("%d tokens, %v, %v", len(got), stats.Reason, err)
	}
}

func TestMaxLength(t *testing.T) {
	var stats Stats
	got, err := collect(Tokens(ctx, &counter{context: 100}, []int32{1, 2, 3}, Options{MaxLength: 5, MaxTokens: 9, Stats: &stats}))
	if err != nil || len(got) != 2 || stats.Reason != MaxTokensReached {
		t.Errorf("%v, %v, %v", got, err, stats.Reason)
	}
	if _, err = collect(Tokens(ctx, &counter{context: 100}, []int32{1, 2, 3}, Options{MaxLength: 3})); err == nil {
		t.Error("a prompt as long as the limit gives no error")
	}
}

func TestStreamLogProbs(t *testing.T) {
	m := &chaos{seed: 5}
	s, _ := m.NewSession(0)
	tokens, err := collect(Stream(ctx, s, Wrap(ascii{}), []int32{1}, Options{MaxTokens: 3}.With(LogProbs(4))))
	if err != nil || len(tokens) < 3 {
		t.Fatal(tokens, err)
	}
	text := []int32{1}
	for _, token := range tokens[:3] {
		s, _ := m.NewSession(0)
		logits, _ := s.Prefill(ctx, text)
		if want := logProb(logits, token.ID); token.LogProb != want || len(token.Top) != 4 || token.Top[0] != (LogProb{token.ID, want}) {
			t.Errorf("%+v, want %v", token, want)
		}
		for i := 1; i < 4; i++ {
			if token.Top[i].LogProb > token.Top[i-1].LogProb || token.Top[i].LogProb != logProb(logits, token.Top[i].ID) {
				t.Errorf("%+v", token.Top)
			}
		}
		text = append(text, token.ID)
	}
}

// even is a constraint that allows even tokens, five of them.
type even struct{ n int }

func (e *even) Allow(c *sample.Candidates) { c.Filter(func(i int) bool { return c.IDs[i]%2 == 0 }) }
func (e *even) Accept(id int32) error      { e.n++; return nil }
func (e *even) Done() bool                 { return e.n == 5 }

func TestConstraint(t *testing.T) {
	var stats Stats
	got := continued(t, &chaos{seed: 5}, []int32{1}, Options{MaxTokens: 30}.With(Constrain(&even{}), Report(&stats)))
	if len(got) != 5 || slices.ContainsFunc(got, func(id int32) bool { return id%2 != 0 }) || stats.Reason != Complete {
		t.Errorf("%v, %v", got, stats.Reason)
	}
}

// TestBytePieces makes text of tokens that are parts of characters.
func TestBytePieces(t *testing.T) {
	texts := []string{"a", "\xe2", "\x82\xac b", "\xf0\x9f", "\x98", "\x80", "\xff", "\xc3"}
	p := &bytePieces{bytes: func(dst []byte, id int32) []byte { return append(dst, texts[id]...) }}
	var got []string
	for id := range texts {
		got = append(got, p.Next(int32(id)))
	}
	if want := []string{"a", "", "€ b", "", "", "😀", "\ufffd", ""}; !slices.Equal(got, want) || p.Flush() != "\ufffd" {
		t.Errorf("%q, %q", got, p.Flush())
	}
}
