// Package generate is the token loop of all generated decoders: prefill, then
// sample and decode until something ends it.
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
		l := loop{session: s, options: o, stats: o.Stats}
		if l.stats == nil {
			l.stats = new(Stats)
		}
		*l.stats = Stats{PromptTokens: len(prompt), Reason: Failed}
		if err := l.run(ctx, prompt, yield); err != nil {
			if ctx.Err() != nil {
				l.stats.Reason = Cancelled
			}
			yield(0, err)
		}
	}
}

// loop is the state of one generation.
type loop struct {
	session Stepper
	options Options
	stats   *Stats
	sampler *sample.Sampler
	history []int32 // prompt and tokens so far, kept only if the sampler reads it
}

// run generates; it sets the reason of its end unless it returns an error.
func (l *loop) run(ctx context.Context, prompt []int32, yield func(int32, error) bool) error {
	if err := l.prepare(prompt); err != nil {
		return err
	}
	begin := time.Now()
	logits, err := l.session.Prefill(ctx, prompt)
	if err != nil {
		return err
	}
	l.stats.Prefill = time.Since(begin)
	decode := time.Now()
	for {
		id, err := l.sampler.Next(logits, l.history)
		if err != nil {
			return err
		}
		if l.stats.Tokens == 0 {
			l.stats.First = time.Since(begin)
		}
		if slices.Contains(l.options.EOS, id) {
			l.stats.Reason = EndOfText
			return nil
		}
		l.stats.Tokens++
		l.stats.Decode = time.Since(decode)
		if !yield(id, nil) {
			l.stats.Reason = Stopped
			return nil
		}
		if l.ended() {
			return nil
		}
		if l.history != nil {
			l.history = append(l.history, id)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if logits, err = l.session.Decode(ctx, id); err != nil {
			return err
		}
	}
}

// prepare checks the prompt and the options and makes the sampler.
func (l *loop) prepare(prompt []int32) (err error) {
	if l.options.MaxTokens < 0 {
		return fmt.Errorf("max tokens %d: must be 0 (no limit) or positive", l.options.MaxTokens)
	}
	if l.sampler, err = sample.New(l.options.Options, l.options.Processors...); err != nil {
		return err
	}
	if len(prompt) == 0 {
		return ErrNoPrompt
	}
	free := l.session.Context() - l.session.Len()
	if len(prompt) > free {
		return fmt.Errorf("%w: the prompt has %d tokens, the session holds %d of %d: shorten the prompt or open a session with a larger context",
			ErrContextFull, len(prompt), l.session.Len(), l.session.Context())
	}
	if l.sampler.NeedsHistory() {
		room := free + 1
		if n := l.options.MaxTokens; n > 0 {
			room = min(room, len(prompt)+n)
		}
		l.history = append(make([]int32, 0, room), prompt...)
	}
	return nil
}

// ended reports whether no further token may follow, and sets the reason.
func (l *loop) ended() bool {
	switch {
	case l.options.MaxTokens > 0 && l.stats.Tokens >= l.options.MaxTokens:
		l.stats.Reason = MaxTokensReached
	case l.session.Len() >= l.session.Context():
		l.stats.Reason = ContextFull
	default:
		return false
	}
	return true
}
