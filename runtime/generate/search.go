package generate

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/tfgen/tfgen/runtime/sample"
)

// Session is a Stepper of a generated model that can be copied. S is the
// session's own type.
type Session[S any] interface {
	Stepper
	// CopyFrom makes the state equal to that of other, whose first n tokens it
	// already holds.
	CopyFrom(other S, n int) error
	// Close lets go of the session's memory.
	Close() error
}

// Model makes sessions and runs several at once.
type Model[S any] interface {
	NewSession(context int) (S, error)
	// DecodeBatch appends one token to each session and returns the logits
	// behind each, valid until the session's next call.
	DecodeBatch(ctx context.Context, sessions []S, tokens []int32) ([][]float32, error)
}

// Sequence is a result of Search.
type Sequence struct {
	Tokens  []int32 // without the prompt and the token that ended the text
	End     int32   // the token that ended the text, -1 if none did
	Score   float64 // of beams: sum of log probabilities over length^LengthPenalty; of samples: their mean
	Beams   []int   // of beams: which beam each token, the ending one included, was chosen from
	LogProb float64 // sum of the log probabilities of the tokens that were chosen
	Reason  Reason
}

// Search returns sequences that continue prompt, the best first: by beam search,
// contrastive search, or sampling of o.BestOf sequences, as the options say; the
// limits and processors are those of Tokens. It opens sessions of its own for
// prompts and texts of up to context tokens; 0 is as many as the limits allow.
func Search[S Session[S], M Model[S]](ctx context.Context, m M, context int, prompt []int32, o Options) ([]Sequence, error) {
	if err := searchable(&o, len(prompt)); err != nil {
		return nil, err
	}
	if most, limited := o.limit(len(prompt)); context == 0 && limited {
		context = len(prompt) + most
	}
	switch {
	case o.Beam.Width > 1 && (o.Beam.Groups > 1 || len(o.Beam.Words) > 0):
		return groupSearch[S](ctx, m, context, prompt, o)
	case o.Beam.Width > 1:
		return beamSearch[S](ctx, m, context, prompt, o)
	case o.Contrastive.Alpha > 0:
		return contrastive[S](ctx, m, context, prompt, o)
	}
	return sampled[S](ctx, m, context, prompt, o)
}

// searchable checks the options that searches do not have.
func searchable(o *Options, prompt int) error {
	if err := o.check(); err != nil {
		return err
	}
	if prompt == 0 {
		return ErrNoPrompt
	}
	n := max(o.Return, 1)
	switch beams := o.Beam; {
	case beams.Width > 1 && (beams.Groups > 1 && beams.Width%beams.Groups != 0):
		return fmt.Errorf("%d beams cannot be split into %d equal groups", beams.Width, beams.Groups)
	case beams.Width > 1 && n > beams.Width:
		return fmt.Errorf("%d sequences of %d beams", n, beams.Width)
	case beams.Width > 1 && (o.guided() || o.Mirostat != 0 || o.SynthID != nil || o.Constraint != nil || len(o.DoLa) > 0):
		return fmt.Errorf("beam search has no guidance, DoLa, mirostat, SynthID or constraint")
	case o.Contrastive.Alpha > 0 && beams.Width <= 1 && (o.guided() || o.Temperature != 0 || n > 1 || o.Constraint != nil || len(o.DoLa) > 0):
		return fmt.Errorf("contrastive search is greedy and returns one sequence without guidance, DoLa or constraint")
	}
	return o.errForced()
}

// pool is a set of sessions that sequences move between.
type pool[S Session[S]] struct {
	sessions []S
	held     [][]int32 // the tokens that each session holds
}

// open opens n sessions.
func open[S Session[S], M Model[S]](m M, n, context int) (*pool[S], error) {
	p := &pool[S]{held: make([][]int32, n)}
	for range n {
		s, err := m.NewSession(context)
		if err != nil {
			p.close()
			return nil, err
		}
		p.sessions = append(p.sessions, s)
	}
	return p, nil
}

func (p *pool[S]) close() {
	for _, s := range p.sessions {
		s.Close()
	}
}

// copy makes session to equal to session from.
func (p *pool[S]) copy(to, from int) error {
	n := 0
	for a, b := p.held[to], p.held[from]; n < min(len(a), len(b)) && a[n] == b[n]; n++ {
	}
	if err := p.sessions[to].CopyFrom(p.sessions[from], n); err != nil {
		return err
	}
	p.held[to] = append(p.held[to][:0], p.held[from]...)
	return nil
}

// arrange makes session i go on from where session parents[i] is. A session that
// several go on from stays for the first of them.
func (p *pool[S]) arrange(parents []int) error {
	sessions, held := slices.Clone(p.sessions), slices.Clone(p.held)
	used := make([]bool, len(sessions))
	var copies []int
	for i, from := range parents {
		if used[from] {
			copies = append(copies, i)
			continue
		}
		used[from] = true
		p.sessions[i], p.held[i] = sessions[from], held[from]
	}
	free := 0
	where := make(map[int]int) // parent → its place now
	for i, from := range parents {
		if _, ok := where[from]; !ok {
			where[from] = i
		}
	}
	for _, i := range copies {
		for used[free] {
			free++
		}
		used[free] = true
		p.sessions[i], p.held[i] = sessions[free], held[free]
		if err := p.copy(i, where[parents[i]]); err != nil {
			return err
		}
	}
	p.rest(sessions, held, used, len(parents))
	return nil
}

// rest puts the sessions that nothing goes on from behind the others.
func (p *pool[S]) rest(sessions []S, held [][]int32, used []bool, at int) {
	for i, s := range sessions {
		if !used[i] {
			p.sessions[at], p.held[at] = s, held[i]
			at++
		}
	}
}

// decode appends a token to each of the first sessions.
func decode[S Session[S], M Model[S]](ctx context.Context, m M, p *pool[S], tokens []int32) ([][]float32, error) {
	logits, err := m.DecodeBatch(ctx, p.sessions[:len(tokens)], tokens)
	if err != nil {
		return nil, err
	}
	for i, id := range tokens {
		p.held[i] = append(p.held[i], id)
	}
	return logits, nil
}

// sampled samples o.BestOf sequences, each with random numbers of its own, and
// returns the best by their mean log probability.
func sampled[S Session[S], M Model[S]](ctx context.Context, m M, context int, prompt []int32, o Options) ([]Sequence, error) {
	n := max(o.Return, 1)
	requests := make([]Request, max(o.BestOf, n))
	for i := range requests {
		requests[i] = Request{Prompt: prompt, Options: o}
		requests[i].Options.Sequence += uint64(i)
		requests[i].Options.LogProbs = true
		requests[i].Options.Stats = new(Stats)
	}
	sequences := make([]Sequence, len(requests))
	for r, err := range Batch[S](ctx, m, context, requests) {
		if err != nil {
			return nil, err
		}
		s := &sequences[r.Index]
		if r.Ended {
			s.End, s.Reason = r.End, requests[r.Index].Options.Stats.Reason
			continue
		}
		s.Tokens = append(s.Tokens, r.ID)
		s.LogProb += r.LogProb
	}
	for i := range sequences {
		sequences[i].Score = sequences[i].LogProb / float64(max(1, len(sequences[i].Tokens)))
	}
	if o.BestOf > n {
		sort.SliceStable(sequences, func(i, j int) bool { return sequences[i].Score > sequences[j].Score })
	}
	return sequences[:n], nil
}

// logProbs returns the log probabilities that a sampler's processors make of
// logits: of all tokens, -Inf for those dropped.
func logProbs(dst []float32, s *sample.Sampler, logits []float32, history []int32, prompt int) error {
	if err := sample.LogSoftmax(dst, logits); err != nil {
		return err
	}
	c, err := s.Process(dst, history, prompt)
	if err != nil {
		return err
	}
	if c.All {
		copy(dst, c.Logits)
		return nil
	}
	for i := range dst {
		dst[i] = float32(math.Inf(-1))
	}
	for i, id := range c.IDs {
		dst[id] = c.Logits[i]
	}
	return nil
}
