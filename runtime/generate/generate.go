// Package generate is the token loop of all generated decoders: prefill, then
// sample and decode until something ends it; and the searches that pursue
// several sequences.
package generate

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/tfgen/tfgen/runtime/sample"
)

// Stepper is a decoder with its state, a session of a generated model. The
// logits, one per token of the vocabulary, are those after the last token given;
// the slice is valid until the next call.
type Stepper interface {
	// Prefill appends tokens to the state.
	Prefill(ctx context.Context, tokens []int32) (logits []float32, err error)
	// Decode appends one token to the state.
	Decode(ctx context.Context, token int32) (logits []float32, err error)
	// Len returns the number of tokens in the state.
	Len() int
	// Context returns the largest number of tokens that the state can hold.
	Context() int
}

// ErrContextFull is wrapped by the error for a prompt that does not fit.
var ErrContextFull = errors.New("context is full")

// ErrNoPrompt is returned for a prompt without tokens.
var ErrNoPrompt = errors.New("the prompt is empty: there is nothing to continue")

// Tokens yields the tokens that continue prompt, without the token that ends
// the text. It stops at a token of o.EOS, after o.MaxTokens, when the context is
// full, or when the consumer breaks; o.Stats tells which. An error is yielded as
// the last pair: of the model, of ctx, or ErrContextFull when the prompt itself
// does not fit.
//
// The last token yielded has not been given to the session: whoever continues
// the text later begins the next prompt with it. Nothing is allocated per token.
func Tokens(ctx context.Context, s Stepper, prompt []int32, o Options) iter.Seq2[int32, error] {
	return func(yield func(int32, error) bool) {
		l := newLoop(s, o)
		if err := l.run(ctx, prompt, func() bool { return yield(l.chosen, nil) }); err != nil {
			l.row.fail(ctx)
			yield(0, err)
		}
	}
}

// loop is one generation with one session.
type loop struct {
	row
	session Stepper
	guide   Stepper // other side of the guidance
	drafter Drafter
	dola    *contrast // nil for none
	guesses []int32
	found   []choice // of a round
}

// newLoop returns a loop that has not begun.
func newLoop(s Stepper, o Options) *loop {
	l := &loop{session: s}
	l.row.init(o)
	return l
}

// run generates and calls yield for every token, which is l.chosen; it sets the
// reason of its end unless it returns an error.
func (l *loop) run(ctx context.Context, prompt []int32, yield func() bool) error {
	if err := l.prepare(prompt, l.session); err != nil {
		return err
	}
	var err error
	if l.dola, err = newContrast(l.session, l.options.DoLa); err != nil {
		return err
	}
	logits, err := l.prefill(ctx, prompt)
	if err != nil {
		return err
	}
	if l.drafter = l.options.drafter(l.sampler); l.drafter != nil && l.guide == nil {
		return l.assisted(ctx, logits, yield)
	}
	for {
		if more, err := l.step(logits, yield); err != nil || !more {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if logits, err = l.decode(ctx, l.chosen); err != nil {
			return err
		}
	}
}

// step chooses a token of logits and yields it; it reports whether the text goes on.
func (l *loop) step(logits []float32, yield func() bool) (more bool, err error) {
	more, err = l.choose(logits)
	if err != nil || !more {
		return false, err
	}
	if !yield() {
		l.stats.Reason = Stopped
		return false, nil
	}
	return !l.ended(l.session), nil
}

// prefill gives the prompt to the session, and its other side to the guide.
func (l *loop) prefill(ctx context.Context, prompt []int32) (logits []float32, err error) {
	if logits, err = l.session.Prefill(ctx, prompt); err != nil {
		return nil, err
	}
	l.filled()
	if l.dola != nil {
		return l.dola.logits(logits)
	}
	if !l.options.guided() {
		return logits, nil
	}
	if l.guide, err = l.options.Guide(); err != nil {
		return nil, fmt.Errorf("guidance: %w", err)
	}
	negative := l.options.Negative
	if len(negative) == 0 {
		negative = prompt[len(prompt)-1:]
	}
	other, err := l.guide.Prefill(ctx, negative)
	if err != nil {
		return nil, fmt.Errorf("guidance: %w", err)
	}
	return l.sampler.Guide(logits, other, l.options.Guidance)
}

// decode gives a token to the session, and to the guide.
func (l *loop) decode(ctx context.Context, id int32) (logits []float32, err error) {
	if logits, err = l.session.Decode(ctx, id); err != nil || l.guide == nil && l.dola == nil {
		return logits, err
	}
	if l.dola != nil {
		return l.dola.logits(logits)
	}
	other, err := l.guide.Decode(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("guidance: %w", err)
	}
	return l.sampler.Guide(logits, other, l.options.Guidance)
}

// row is the choice of tokens of one sequence.
type row struct {
	options Options
	stats   *Stats
	sampler *sample.Sampler
	history []int32 // prompt and tokens so far, kept only if something reads it
	prompt  int     // tokens of the prompt
	most    int     // tokens to generate
	limited bool    // most counts
	begin   time.Time
	decoded time.Time
	chosen  int32 // the last token
	end     int32 // the token that ended the text, if one did
	logprob float64
	top     []LogProb
	scratch []float32
}

// init sets the options and clears the statistics.
func (r *row) init(o Options) {
	r.options, r.stats, r.end = o, o.Stats, -1
	if r.stats == nil {
		r.stats = new(Stats)
	}
	*r.stats = Stats{Reason: Failed}
}

// fail sets the reason after an error.
func (r *row) fail(ctx context.Context) {
	if ctx.Err() != nil {
		r.stats.Reason = Cancelled
	}
}

// prepare checks the prompt and the options and makes the sampler.
func (r *row) prepare(prompt []int32, s Stepper) (err error) {
	o := &r.options
	if err := o.check(); err != nil {
		return err
	}
	extra := o.Processors
	if o.Constraint != nil {
		extra = append(extra[:len(extra):len(extra)], constrained{o.Constraint})
	}
	r.prompt = len(o.Before) + len(prompt)
	if r.sampler, err = sample.New(o.sampling(r.prompt), extra...); err != nil {
		return err
	}
	if len(prompt) == 0 {
		return ErrNoPrompt
	}
	free := s.Context() - s.Len()
	if len(prompt) > free {
		return fmt.Errorf("%w: the prompt has %d tokens, the session holds %d of %d: shorten the prompt or open a session with a larger context",
			ErrContextFull, len(prompt), s.Len(), s.Context())
	}
	r.stats.PromptTokens = len(prompt)
	if r.most, r.limited = o.limit(r.prompt); r.limited && r.most == 0 {
		return fmt.Errorf("max length %d: the prompt alone has %d tokens", o.MaxLength, r.prompt)
	}
	if r.sampler.NeedsHistory() || o.Lookup > 0 || o.Draft != nil {
		room := free + 1
		if r.limited {
			room = min(room, len(prompt)+r.most)
		}
		r.history = append(make([]int32, 0, len(o.Before)+room), o.Before...)
		r.history = append(r.history, prompt...)
	}
	r.begin = time.Now()
	return nil
}

// filled notes the end of the prefill.
func (r *row) filled() {
	r.decoded = time.Now()
	r.stats.Prefill = r.decoded.Sub(r.begin)
}

// choose takes the next token of logits; it reports false if that ends the text.
func (r *row) choose(logits []float32) (more bool, err error) {
	id, err := r.sampler.Next(logits, r.history, r.prompt)
	if err != nil {
		return false, r.explain(err)
	}
	if r.stats.Tokens == 0 {
		r.stats.First = time.Since(r.begin)
	}
	if slices.Contains(r.options.EOS, id) {
		r.end, r.stats.End, r.stats.Reason = id, id, EndOfText
		return false, nil
	}
	if c := r.options.Constraint; c != nil {
		if err := c.Accept(id); err != nil {
			return false, err
		}
	}
	if r.options.LogProbs {
		r.score(logits, id)
	}
	r.chosen = id
	if r.history != nil {
		r.history = append(r.history, id)
	}
	r.stats.Tokens++
	r.stats.Decode = time.Since(r.decoded)
	return true, nil
}

// explain says why there was no token to choose.
func (r *row) explain(err error) error {
	if r.options.Constraint != nil && errors.Is(err, sample.ErrLogits) {
		return fmt.Errorf("no token can follow: the constraint and the other options exclude all: %w", err)
	}
	return err
}

// ended reports whether no further token may follow, and sets the reason.
func (r *row) ended(s Stepper) bool {
	switch {
	case r.limited && r.stats.Tokens >= r.most:
		r.stats.Reason = MaxTokensReached
	case r.options.Constraint != nil && r.options.Constraint.Done():
		r.stats.Reason = Complete
	case s.Len() >= s.Context():
		r.stats.Reason = ContextFull
	case r.options.Deadline > 0 && time.Since(r.begin) >= r.options.Deadline:
		r.stats.Reason = DeadlineReached
	default:
		return false
	}
	return true
}
