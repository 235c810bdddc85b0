package generate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
)

// chaos is a model of 32 tokens whose logits depend on the last three tokens.
type chaos struct {
	seed   uint64
	passes int // Score and DecodeBatch calls, of all sessions
}

func (m *chaos) NewSession(context int) (*chaosSession, error) {
	if context == 0 {
		context = 1000
	}
	return &chaosSession{model: m, context: context}, nil
}

func (m *chaos) DecodeBatch(ctx context.Context, sessions []*chaosSession, tokens []int32) (rows [][]float32, err error) {
	m.passes++
	for i, s := range sessions {
		if slices.Index(sessions, s) != i {
			return nil, fmt.Errorf("a session stands twice in the batch")
		}
		row, err := s.Decode(ctx, tokens[i])
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// chaosSession is a session of a chaos.
type chaosSession struct {
	model   *chaos
	tokens  []int32
	context int
	logits  [32]float32
	hidden  [4]float32
	closed  bool
}

func (s *chaosSession) compute() []float32 {
	h := s.model.seed
	for _, id := range s.tokens[max(0, len(s.tokens)-3):] {
		h = h*0x9e3779b97f4a7c15 + uint64(id) + 1
	}
	r := rand.New(rand.NewPCG(h, 7))
	for i := range s.logits {
		s.logits[i] = float32(r.NormFloat64() * 2)
	}
	for i := range s.hidden {
		s.hidden[i] = float32(r.NormFloat64())
	}
	return s.logits[:]
}

func (s *chaosSession) Prefill(ctx context.Context, tokens []int32) ([]float32, error) {
	if len(s.tokens)+len(tokens) > s.context {
		return nil, ErrContextFull
	}
	s.tokens = append(s.tokens, tokens...)
	return s.compute(), ctx.Err()
}

func (s *chaosSession) Decode(ctx context.Context, id int32) ([]float32, error) {
	return s.Prefill(ctx, []int32{id})
}

func (s *chaosSession) Score(ctx context.Context, tokens []int32, each func(int, []float32) error) error {
	s.model.passes++
	n := len(s.tokens)
	all := append(slices.Clone(s.tokens), tokens...)
	if len(all) > s.context {
		return ErrContextFull
	}
	for i := range tokens {
		s.tokens = all[: n+i+1 : n+i+1]
		if err := each(i, s.compute()); err != nil {
			s.tokens = all
			return err
		}
	}
	return ctx.Err()
}

func (s *chaosSession) Truncate(n int) error {
	s.tokens = s.tokens[:n]
	return nil
}

func (s *chaosSession) CopyFrom(other *chaosSession, n int) error {
	if !slices.Equal(s.tokens[:n], other.tokens[:n]) {
		return fmt.Errorf("%v and %v do not share %d tokens", s.tokens, other.tokens, n)
	}
	s.tokens = slices.Clone(other.tokens)
	return nil
}

func (s *chaosSession) Hidden() []float32 { return s.hidden[:] }
func (s *chaosSession) Len() int          { return len(s.tokens) }
func (s *chaosSession) Context() int      { return s.context }
func (s *chaosSession) Close() error      { s.closed = true; return nil }
func (s *chaosSession) VocabSize() int    { return len(s.logits) }
