package generate

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sort"

	"github.com/tfgen/tfgen/runtime/sample"
)

// impossible is the score of a sequence that must not be chosen, as in
// transformers: large enough to lose, small enough to keep an order.
const impossible = -1e9

// hypothesis is a sequence of a beam search.
type hypothesis struct {
	tokens   []int32 // prompt and text
	beams    []int
	score    float64 // sum of log probabilities; of finished ones divided by the length penalty
	ends     bool    // by an end of text, or by its length
	finished bool
}

// extend returns the hypothesis with one more token, from a beam.
func (h hypothesis) extend(id int32, beam int, score float64) hypothesis {
	n, k := len(h.tokens), len(h.beams)
	h.tokens = append(h.tokens[:n:n], id)
	h.beams = append(h.beams[:k:k], beam)
	h.score = score
	return h
}

// beams is a beam search at work (transformers 5's GenerationMixin._beam_search).
type beams struct {
	options  Options
	sampler  *sample.Sampler
	prompt   int
	most     int // tokens to generate
	running  []hypothesis
	finished []hypothesis
	better   bool        // an open sequence may still become one of the best
	scores   [][]float32 // of each beam's continuations
}

// newBeams checks the prompt and makes the processors.
func newBeams(s Stepper, prompt []int32, o Options) (*beams, error) {
	var r row
	r.init(o)
	if err := r.prepare(prompt, s); err != nil {
		return nil, err
	}
	most := s.Context() - len(prompt)
	if r.limited {
		most = min(most, r.most)
	}
	b := &beams{options: o, sampler: r.sampler, prompt: len(prompt), most: most, better: true}
	for i := range o.Beam.Width {
		b.running = append(b.running, hypothesis{tokens: prompt, score: impossible * float64(min(i, 1))})
		b.finished = append(b.finished, hypothesis{tokens: prompt, score: impossible})
	}
	return b, nil
}

// beamSearch pursues the o.Beam.Width best sequences.
func beamSearch[S Session[S], M Model[S]](ctx context.Context, m M, context int, prompt []int32, o Options) ([]Sequence, error) {
	if o.Temperature != 0 && o.Keep == 0 {
		o.Keep = max(len(o.EOS), 1) + 1
	}
	p, err := open[S](m, o.Beam.Width, context)
	if err != nil {
		return nil, err
	}
	defer p.close()
	b, err := newBeams(p.sessions[0], prompt, o)
	if err != nil {
		return nil, err
	}
	first, err := p.sessions[0].Prefill(ctx, prompt)
	if err != nil {
		return nil, err
	}
	p.held[0] = slices.Clone(prompt)
	logits := slices.Repeat([][]float32{first}, o.Beam.Width)
	for {
		parents, more, err := b.step(logits)
		if err != nil {
			return nil, err
		}
		if !more {
			return b.results(), nil
		}
		if err := p.arrange(parents); err != nil {
			return nil, err
		}
		tokens := make([]int32, len(b.running))
		for i, h := range b.running {
			tokens[i] = h.tokens[len(h.tokens)-1]
		}
		if logits, err = decode(ctx, m, p, tokens); err != nil {
			return nil, err
		}
	}
}

// step extends the beams by one token; it returns the beam that each new one
// goes on from, and whether the search goes on.
func (b *beams) step(logits [][]float32) (parents []int, more bool, err error) {
	best, err := b.continuations(logits)
	if err != nil {
		return nil, false, err
	}
	if len(best) == 0 {
		return nil, false, sample.ErrLogits
	}
	length := len(best[0].tokens) - b.prompt
	open := 0
	for i := range best {
		id := best[i].tokens[len(best[i].tokens)-1]
		best[i].ends = slices.Contains(b.options.EOS, id) || length >= b.most
		if !best[i].ends {
			open++
		}
	}
	b.run(best)
	b.finish(best, length)
	b.better = b.better && b.improvable(length)
	full := b.options.Beam.Early == StopWhenFull && !slices.ContainsFunc(b.finished, func(h hypothesis) bool { return !h.finished })
	for _, h := range b.running {
		parents = append(parents, h.beams[len(h.beams)-1])
	}
	return parents, b.better && !full && open > 0, nil
}

// continuations returns the best continuations of all beams, in descending order
// of their scores: enough that as many as there are beams do not end.
func (b *beams) continuations(logits [][]float32) ([]hypothesis, error) {
	keep := max(2, 1+len(b.options.EOS)) * len(b.running)
	var all selection
	for i, h := range b.running {
		scores := b.grow(i, len(logits[i]))
		if err := logProbs(scores, b.sampler, logits[i], h.tokens, b.prompt); err != nil {
			return nil, err
		}
		for id, v := range scores {
			if math.IsInf(float64(v), -1) {
				continue
			}
			c := candidate{beam: i, id: int32(id), score: float64(v + float32(h.score))}
			if c.rank = c.score; b.options.Temperature != 0 {
				c.rank += sample.Gumbel(b.sampler.Uniform())
			}
			all.add(c, keep)
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].rank > all[j].rank })
	best := make([]hypothesis, 0, len(all))
	for _, c := range all {
		best = append(best, b.running[c.beam].extend(c.id, c.beam, c.score))
	}
	return best, nil
}

// grow returns memory for n scores of beam i.
func (b *beams) grow(i, n int) []float32 {
	for len(b.scores) <= i {
		b.scores = append(b.scores, make([]float32, n))
	}
	return b.scores[i]
}

// run keeps the best continuations that do not end.
func (b *beams) run(best []hypothesis) {
	order := slices.Clone(best)
	for i := range order {
		if order[i].ends {
			order[i].score += impossible
		}
	}
	sort.SliceStable(order, func(i, j int) bool { return order[i].score > order[j].score })
	n := min(len(order), b.options.Beam.Width)
	b.running = order[:n]
}

// finish lets those of the best continuations that end compete with the finished
// sequences.
func (b *beams) finish(best []hypothesis, length int) {
	full := b.options.Beam.Early == StopWhenFull && !slices.ContainsFunc(b.finished, func(h hypothesis) bool { return !h.finished })
	merged := slices.Clone(b.finished)
	for i, h := range best {
		if !h.ends || i >= b.options.Beam.Width || full || !b.better {
			continue
		}
		h.score /= math.Pow(float64(length), b.options.Beam.LengthPenalty)
		h.finished = true
		merged = append(merged, h)
	}
	sort.SliceStable(merged, func(i, j int) bool { return merged[i].score > merged[j].score })
	b.finished = merged[:b.options.Beam.Width]
}

// improvable reports whether an open sequence may still become better than the
// worst of the finished ones.
func (b *beams) improvable(length int) bool {
	if slices.ContainsFunc(b.finished, func(h hypothesis) bool { return !h.finished }) {
		return true
	}
	if b.options.Beam.Early == StopNever && b.options.Beam.LengthPenalty > 0 {
		length = b.most
	}
	return b.running[0].score/math.Pow(float64(length), b.options.Beam.LengthPenalty) > b.finished[len(b.finished)-1].score
}

// results returns the best finished sequences.
func (b *beams) results() []Sequence {
	n := max(b.options.Return, 1)
	list := make([]Sequence, 0, n)
	for _, h := range b.finished[:n] {
		if h.finished {
			list = append(list, b.sequence(h, len(h.beams)))
		}
	}
	return list
}

// sequence makes a result of a finished hypothesis, whose score was divided by
// length^LengthPenalty.
func (b *beams) sequence(h hypothesis, length int) Sequence {
	s := Sequence{Tokens: h.tokens[b.prompt:], End: -1, Score: h.score, Beams: h.beams, Reason: MaxTokensReached}
	s.LogProb = h.score * math.Pow(float64(length), b.options.Beam.LengthPenalty)
	if n := len(s.Tokens); n > 0 && slices.Contains(b.options.EOS, s.Tokens[n-1]) {
		s.End, s.Tokens, s.Reason = s.Tokens[n-1], s.Tokens[:n-1], EndOfText
	}
	return s
}

// candidate is a token that a beam may go on with.
type candidate struct {
	beam  int
	id    int32
	score float64
	rank  float64 // what the choice goes by
}

// selection is a heap of the best candidates, the worst of them on top. Of equal
// ones the first stay.
type selection []candidate

// worse orders candidates: by rank, later ones first.
func (s selection) worse(i, j int) bool {
	if s[i].rank != s[j].rank {
		return s[i].rank < s[j].rank
	}
	return cmp.Or(cmp.Compare(s[j].beam, s[i].beam), cmp.Compare(s[j].id, s[i].id)) < 0
}

// add takes a candidate if it is among the n best so far.
func (s *selection) add(c candidate, n int) {
	if len(*s) < n {
		*s = append(*s, c)
		s.up(len(*s) - 1)
		return
	}
	if c.rank > (*s)[0].rank {
		(*s)[0] = c
		s.down()
	}
}

func (s selection) up(i int) {
	for i > 0 && s.worse(i, (i-1)/2) {
		s[i], s[(i-1)/2] = s[(i-1)/2], s[i]
		i = (i - 1) / 2
	}
}

func (s selection) down() {
	for i := 0; ; {
		least := i
		for _, c := range [...]int{2*i + 1, 2*i + 2} {
			if c < len(s) && s.worse(c, least) {
				least = c
			}
		}
		if least == i {
			return
		}
		s[i], s[least] = s[least], s[i]
		i = least
	}
}
