package generate

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/tfgen/tfgen/runtime/sample"
)

// Hidden is a Scorer that shows the final hidden state, which the logits are
// computed from.
type Hidden interface {
	Scorer
	// Hidden returns the state behind the token whose logits were returned or
	// given out last. The slice is valid until the next call.
	Hidden() []float32
}

// search is a contrastive search at work (transformers 4's _contrastive_search;
// Su et al., A Contrastive Framework for Neural Text Generation, 2022).
type search struct {
	row
	session  Hidden
	unit     [][]float32 // hidden states of the tokens so far, of length 1
	alpha    float64
	k        int
	logits   []float32
	logProbs float64
}

// contrastive chooses, among the K most probable tokens, the one with the largest
// (1 − α)·p − α·similarity, the similarity being the largest cosine of its
// hidden state with those of the tokens before.
func contrastive[S Session[S], M Model[S]](ctx context.Context, m M, context int, prompt []int32, o Options) ([]Sequence, error) {
	session, err := m.NewSession(context)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	hidden, ok := any(session).(Hidden)
	if !ok {
		return nil, fmt.Errorf("contrastive search needs sessions with Hidden, Score and Truncate, %T has not all of them", session)
	}
	s := &search{session: hidden, alpha: o.Contrastive.Alpha, k: max(o.Contrastive.K, 1)}
	s.init(o)
	if err := s.prepare(prompt, session); err != nil {
		return nil, err
	}
	err = hidden.Score(ctx, prompt, func(i int, logits []float32) error {
		s.unit = append(s.unit, unit(hidden.Hidden()))
		s.logits = append(s.logits[:0], logits...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	var tokens []int32
	for {
		id, err := s.best(ctx)
		if err != nil {
			return nil, err
		}
		if slices.Contains(o.EOS, id) {
			s.end, s.stats.Reason = id, EndOfText
			break
		}
		tokens = append(tokens, id)
		if s.history != nil {
			s.history = append(s.history, id)
		}
		s.stats.Tokens++
		if s.ended(session) {
			break
		}
	}
	return []Sequence{{Tokens: tokens, End: s.end, Score: s.logProbs / float64(max(1, len(tokens))), LogProb: s.logProbs, Reason: s.stats.Reason}}, nil
}

// best tries the most probable tokens, keeps the best in the session, and returns
// it.
func (s *search) best(ctx context.Context) (int32, error) {
	c, err := s.sampler.Process(s.logits, s.history, s.prompt)
	if err != nil {
		return 0, err
	}
	var tokens []LogProb // the probabilities, not their logarithms
	ok := c.Probabilities(func(id int32, p float64) { tokens = append(tokens, LogProb{id, p}) })
	if !ok {
		return 0, sample.ErrLogits
	}
	sort.SliceStable(tokens, func(i, j int) bool { return tokens[i].LogProb > tokens[j].LogProb })
	tokens = tokens[:min(s.k, len(tokens))]
	best, score, last := 0, math.Inf(-1), 0
	for i, t := range tokens {
		if err := s.try(ctx, t.ID); err != nil {
			return 0, err
		}
		state := unit(s.session.Hidden())
		v := (1-s.alpha)*t.LogProb - s.alpha*s.similarity(state)
		if last = i; v > score {
			best, score = i, v
		}
	}
	if best != last {
		if err := s.try(ctx, tokens[best].ID); err != nil {
			return 0, err
		}
	}
	s.logProbs += math.Log(tokens[best].LogProb)
	s.unit = append(s.unit, unit(s.session.Hidden()))
	return tokens[best].ID, nil
}

// try puts a token in the place behind the text, which another may have had.
func (s *search) try(ctx context.Context, id int32) error {
	if n := len(s.unit); s.session.Len() > n {
		if err := s.session.Truncate(n); err != nil {
			return err
		}
	}
	logits, err := s.session.Decode(ctx, id)
	s.logits = append(s.logits[:0], logits...)
	return err
}

// similarity returns the largest cosine of a state with those of the text.
func (s *search) similarity(state []float32) float64 {
	top := math.Inf(-1)
	for _, u := range s.unit {
		dot := 0.0
		for i, v := range u {
			dot += float64(v) * float64(state[i])
		}
		top = max(top, dot)
	}
	return top
}

// unit returns v at length 1.
func unit(v []float32) []float32 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	scale := 1 / math.Sqrt(sum)
	u := make([]float32, len(v))
	for i, x := range v {
		u[i] = float32(float64(x) * scale)
	}
	return u
}
