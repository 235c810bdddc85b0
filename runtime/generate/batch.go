package generate

import (
	"context"
	"fmt"
	"iter"
)

// Request is one row of a batch.
type Request struct {
	Prompt  []int32
	Options Options
}

// Row is what happened to a row of a batch: a token, or its end.
type Row struct {
	Index   int     // of the request
	ID      int32   // the token
	LogProb float64 // of the token, and the most probable ones, if the options ask for them
	Top     []LogProb
	Ended   bool  // there is no token: the row's Options.Stats tell why
	End     int32 // the token that ended the text, -1 if none did
}

// Batch continues several prompts in sessions of its own for up to context
// tokens each, 0 being what the limits need. Every row has options of its own
// and gives the same tokens as alone; guidance, guesses and DoLa are not for batches.
// Texts go on together in passes that read the weights once. An error ends all
// rows.
func Batch[S Session[S], M Model[S]](ctx context.Context, m M, context int, requests []Request) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		b := &batch[S, M]{model: m, yield: yield}
		defer b.close()
		err := b.start(ctx, context, requests)
		for err == nil && len(b.active) > 0 && !b.stopped {
			err = b.step(ctx)
		}
		if err != nil && !b.stopped {
			yield(Row{}, err)
		}
	}
}

// batch is a batch at work.
type batch[S Session[S], M Model[S]] struct {
	model    M
	yield    func(Row, error) bool
	rows     []*row
	sessions []S
	active   []int // rows that go on
	stopped  bool  // the consumer goes no further
}

func (b *batch[S, M]) close() {
	for _, s := range b.sessions {
		s.Close()
	}
}

// start opens the sessions, evaluates the prompts and chooses the first tokens.
func (b *batch[S, M]) start(ctx context.Context, context int, requests []Request) error {
	for i, q := range requests {
		if q.Options.guided() || q.Options.Draft != nil || q.Options.Lookup > 0 || len(q.Options.DoLa) > 0 {
			return fmt.Errorf("row %d: guidance, guesses and DoLa are not for batches", i)
		}
		n := context
		if most, limited := q.Options.limit(len(q.Prompt)); n == 0 && limited {
			n = len(q.Prompt) + most
		}
		s, err := b.model.NewSession(n)
		if err != nil {
			return fmt.Errorf("row %d: %w", i, err)
		}
		r := new(row)
		r.init(q.Options)
		b.sessions, b.rows = append(b.sessions, s), append(b.rows, r)
		if err := r.prepare(q.Prompt, s); err != nil {
			return fmt.Errorf("row %d: %w", i, err)
		}
		logits, err := s.Prefill(ctx, q.Prompt)
		if err != nil {
			return fmt.Errorf("row %d: %w", i, err)
		}
		r.filled()
		if err := b.choose(i, logits); err != nil {
			return err
		}
	}
	return nil
}

// choose takes a row's next token and gives it out.
func (b *batch[S, M]) choose(i int, logits []float32) error {
	r := b.rows[i]
	more, err := r.choose(logits)
	if err != nil {
		return fmt.Errorf("row %d: %w", i, err)
	}
	if b.stopped {
		return nil
	}
	if more {
		b.give(Row{Index: i, ID: r.chosen, LogProb: r.logprob, Top: r.top})
		more = !r.ended(b.sessions[i])
	}
	if b.stopped {
		return nil
	}
	if !more {
		b.give(Row{Index: i, ID: -1, Ended: true, End: r.end})
		return nil
	}
	b.active = append(b.active, i)
	return nil
}

// give yields.
func (b *batch[S, M]) give(r Row) {
	if !b.yield(r, nil) {
		b.stopped = true
		for _, r := range b.rows {
			if r.stats.Reason == Failed {
				r.stats.Reason = Stopped
			}
		}
	}
}

// step decodes the tokens of the active rows and chooses the next ones.
func (b *batch[S, M]) step(ctx context.Context) error {
	active := b.active
	sessions, tokens := make([]S, len(active)), make([]int32, len(active))
	for k, i := range active {
		sessions[k], tokens[k] = b.sessions[i], b.rows[i].chosen
	}
	logits, err := b.model.DecodeBatch(ctx, sessions, tokens)
	if err != nil {
		for _, i := range active {
			b.rows[i].fail(ctx)
		}
		return err
	}
	b.active = nil
	for k, i := range active {
		if err := b.choose(i, logits[k]); err != nil || b.stopped {
			return err
		}
	}
	return nil
}
