package generate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tfgen/tfgen/runtime/sample"
)

// Scorer is a Stepper that can compute the logits behind several tokens in one
// pass and go back.
type Scorer interface {
	Stepper
	// Score appends tokens and calls each with the logits behind every one of
	// them. An error of each ends the pass and is returned.
	Score(ctx context.Context, tokens []int32, each func(i int, logits []float32) error) error
	// Truncate shortens the state to its first n tokens.
	Truncate(n int) error
}

// Drafter guesses how a text goes on. What it guesses never changes what is
// generated: at each place the token is chosen as it is without guesses, from
// the same logits with the same random number, and the guesses that agree
// have been evaluated in one pass. So greedy results are the same, and samples
// have exactly the model's distribution (speculative decoding of Leviathan et
// al. 2023, with the random numbers of model and draft coupled in place of
// rejection sampling).
type Drafter interface {
	// Draft appends up to n guesses to dst of what follows history. The sampler
	// is a copy of the one that will choose, with the same random numbers.
	Draft(ctx context.Context, dst, history []int32, n int, s *sample.Sampler) ([]int32, error)
}

// errEnough ends a pass whose further logits are not needed.
var errEnough = errors.New("enough")

// drafter returns what guesses, nil for nothing.
func (o *Options) drafter(s *sample.Sampler) Drafter {
	switch {
	case s.Stateful() || o.Constraint != nil:
		return nil // a guess would have to be taken back
	case len(o.DoLa) > 0:
		return nil // the layers' logits are those behind the last token
	case o.Draft != nil:
		return o.Draft
	case o.Lookup > 0:
		return Lookup{max(o.LookupNGram, 0)}
	}
	return nil
}

// assisted is the loop with guesses.
func (l *loop) assisted(ctx context.Context, logits []float32, yield func() bool) error {
	s, ok := l.session.(Scorer)
	if !ok {
		return fmt.Errorf("guesses need a session with Score and Truncate, %T has none", l.session)
	}
	if more, err := l.step(logits, yield); err != nil || !more {
		return err
	}
	n := max(l.options.Lookup, l.options.DraftTokens)
	if n == 0 {
		n = 8
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if more, err := l.round(ctx, s, n, yield); err != nil || !more {
			return err
		}
	}
}

// round evaluates the last token and up to n guesses in one pass.
func (l *loop) round(ctx context.Context, s Scorer, n int, yield func() bool) (more bool, err error) {
	n = min(n, s.Context()-s.Len()-1)
	if l.limited {
		n = min(n, l.most-l.stats.Tokens-1)
	}
	l.guesses = append(l.guesses[:0], l.chosen)
	if n > 0 {
		if l.guesses, err = l.drafter.Draft(ctx, l.guesses, l.history, n, l.sampler); err != nil {
			return false, fmt.Errorf("draft: %w", err)
		}
		l.guesses = l.guesses[:min(len(l.guesses), n+1)]
	}
	before := s.Len()
	l.stats.Guessed += len(l.guesses) - 1
	l.found = l.found[:0]
	err = s.Score(ctx, l.guesses, func(i int, logits []float32) error {
		var err error
		if more, err = l.choose(logits); err != nil {
			return err
		}
		if !more {
			return errEnough
		}
		l.found = append(l.found, choice{l.chosen, l.logprob, slices.Clone(l.top)})
		right := i+1 < len(l.guesses) && l.guesses[i+1] == l.chosen
		if more = !l.endedAt(s, before+i+1); !more || !right {
			return errEnough
		}
		l.stats.Accepted++
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return false, err
	}
	return l.give(s, before, more, yield)
}

// choice is a token that a round has found.
type choice struct {
	id      int32
	logprob float64
	top     []LogProb
}

// give yields what a round has found, when the model is free for the consumer to
// use, and takes the tokens that were not chosen back.
func (l *loop) give(s Scorer, before int, more bool, yield func() bool) (bool, error) {
	for i, c := range l.found {
		l.chosen, l.logprob, l.top = c.id, c.logprob, c.top
		if !yield() {
			l.stats.Reason = Stopped
			l.stats.Tokens -= len(l.found) - 1 - i
			return false, s.Truncate(before + i + 1)
		}
	}
	n := before + len(l.found)
	if l.stats.Reason == EndOfText {
		n++ // the token before the end was given, as without guesses
	}
	return more, s.Truncate(n)
}

// endedAt is ended for a session that has been given guesses behind n tokens.
func (l *loop) endedAt(s Stepper, n int) bool { return l.ended(shorter{s, n}) }

// shorter is a session seen as if it held n tokens.
type shorter struct {
	Stepper
	n int
}

func (s shorter) Len() int { return s.n }

// Lookup guesses by looking the last tokens up in the text so far: what followed
// them there is the guess (Saxena, Prompt Lookup Decoding, 2023).
type Lookup struct {
	NGram int // the longest sequence to look up; 0 is 2
}

// Draft looks up the longest sequence first, at its first occurrence.
func (d Lookup) Draft(_ context.Context, dst, history []int32, n int, _ *sample.Sampler) ([]int32, error) {
	longest := d.NGram
	if longest == 0 {
		longest = 2
	}
	for k := min(longest, len(history)-1); k > 0; k-- {
		last := history[len(history)-k:]
		for i := 0; i+k < len(history); i++ {
			if slices.Equal(history[i:i+k], last) {
				return append(dst, history[i+k:min(i+k+n, len(history))]...), nil
			}
		}
	}
	return dst, nil
}

// DraftModel guesses with a session of a smaller model that has the same tokens.
type DraftModel struct {
	session Scorer
	held    []int32 // tokens that the session holds
}

// NewDraftModel returns a drafter with an empty session.
func NewDraftModel(s Scorer) *DraftModel { return &DraftModel{session: s} }

// Draft lets the session catch up and chooses with a copy of the sampler.
func (d *DraftModel) Draft(ctx context.Context, dst, history []int32, n int, s *sample.Sampler) ([]int32, error) {
	d.held = d.held[:min(len(d.held), d.session.Len())]
	common := 0
	for common < min(len(d.held), len(history)-1) && d.held[common] == history[common] {
		common++
	}
	if n = min(n, d.session.Context()-len(history)); n <= 0 {
		return dst, nil
	}
	if common < d.session.Len() {
		if err := d.session.Truncate(common); err != nil {
			return nil, err
		}
	}
	d.held = append(d.held[:common], history[common:]...)
	logits, err := d.session.Prefill(ctx, history[common:])
	chooser := s.Clone()
	for {
		if err != nil {
			return nil, err
		}
		id, err := chooser.Next(logits, d.held, len(d.held))
		if err != nil {
			return nil, err
		}
		dst = append(dst, id)
		if n--; n == 0 {
			return dst, nil
		}
		if logits, err = d.session.Decode(ctx, id); err != nil {
			return nil, err
		}
		d.held = append(d.held, id)
	}
}
