// Package sample chooses the next token from a model's logits.
//
// A Sampler runs a chain of processors over the logits and draws from what
// they leave. Order and arithmetic are those of Hugging Face transformers
// 5.23: GenerationMixin._get_logits_processor in
// src/transformers/generation/utils.py and the classes in
// src/transformers/generation/logits_process.py. The same logits, options and
// seed give the same tokens on every platform: the package uses no function
// of package math whose last bit depends on the processor.
package sample

import (
	"errors"
	"math"
	"math/rand/v2"
)

// ErrLogits is returned when no token can be chosen: a logit is NaN or +Inf, or
// all are -Inf.
var ErrLogits = errors.New("sample: logits are not finite")

// Sampler chooses tokens. It keeps its memory: after the first call nothing is
// allocated while the vocabulary stays the same. It belongs to one caller.
//
// Each drawn token takes one number u in [0, 1): the high 53 bits of the next
// value of math/rand/v2's PCG seeded with (Seed, Sequence), times 2⁻⁵³. The token is the first, by
// id, with which the sum of the probabilities of the tokens left exceeds u.
// Greedy choices take no number.
type Sampler struct {
	options    Options
	chain      []Processor
	steps      []string // names of the processors of chain
	generator  rand.PCG
	candidates Candidates
	mirostat   *Mirostat
	guided     []float32 // memory of Guide
}

// New returns a sampler. The extra processors run after those that look tokens
// up by id and before those that drop tokens, where transformers puts a caller's.
func New(o Options, extra ...Processor) (*Sampler, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	s := &Sampler{options: o}
	s.generator.Seed(o.Seed, o.Sequence)
	s.build(extra)
	return s, nil
}

// Names returns the names of the processors in their order.
func (s *Sampler) Names() []string { return s.steps }

// NeedsHistory reports whether Next reads its history.
func (s *Sampler) NeedsHistory() bool {
	for _, p := range s.chain {
		if h, ok := p.(interface{ NeedsHistory() bool }); ok && h.NeedsHistory() {
			return true
		}
	}
	return false
}

// Next returns the token chosen from logits, one per token of the vocabulary,
// which it does not change. History is the prompt, whose length is given, and the
// tokens generated so far; it may be nil if NeedsHistory is false.
func (s *Sampler) Next(logits []float32, history []int32, prompt int) (int32, error) {
	if len(s.chain) == 0 && s.options.Temperature == 0 {
		return greedy(logits)
	}
	c, err := s.Process(logits, history, prompt)
	if err != nil {
		return 0, err
	}
	if s.options.Temperature == 0 {
		best, err := greedy(c.Logits)
		if err != nil {
			return 0, err
		}
		return c.IDs[best], nil
	}
	return s.draw()
}

// Process runs the processors over logits and returns the candidates that are
// left, valid until the next call.
func (s *Sampler) Process(logits []float32, history []int32, prompt int) (*Candidates, error) {
	c := &s.candidates
	if !c.load(logits, history, prompt) && !s.options.RemoveInvalid {
		return nil, ErrLogits
	}
	for _, p := range s.chain {
		p.Process(c)
	}
	return c, nil
}

// Uniform returns the next random number in [0, 1), of which draws take one each.
func (s *Sampler) Uniform() float64 { return uniform(&s.generator) }

// Guide returns the logits of classifier-free guidance: with the log-softmax of
// both, unconditional + scale·(conditional − unconditional)
// (UnbatchedClassifierFreeGuidanceLogitsProcessor; Sanchez et al., Stay on topic
// with Classifier-Free Guidance, 2023). The result is valid until the next call.
func (s *Sampler) Guide(conditional, unconditional []float32, scale float64) ([]float32, error) {
	n := len(conditional)
	s.guided = grow(s.guided, 2*n)
	c, u := s.guided[:n], s.guided[n:]
	if len(unconditional) != n || !logSoftmax(c, conditional) || !logSoftmax(u, unconditional) {
		return nil, ErrLogits
	}
	GuideLogits(c, c, u, scale)
	return c, nil
}

// GuideLogits sets dst to unconditional + scale·(conditional − unconditional)
// (ClassifierFreeGuidanceLogitsProcessor).
func GuideLogits(dst, conditional, unconditional []float32, scale float64) {
	for i := range dst {
		dst[i] = unconditional[i] + float32((conditional[i]-unconditional[i])*float32(scale))
	}
}

// draw returns one of the candidates, with the probability that the softmax of
// their logits gives.
func (s *Sampler) draw() (int32, error) {
	c := &s.candidates
	total, ok := c.weigh()
	if !ok {
		return 0, ErrLogits
	}
	u := s.Uniform() * total // one rounding: the factor 2⁻⁵³ is exact
	sum, last := 0.0, 0
	for i, w := range c.weights {
		if w == 0 {
			continue
		}
		sum += w
		last = i
		if sum > u {
			break
		}
	}
	if s.mirostat != nil {
		s.mirostat.Chosen(c.weights[last] / total)
	}
	return c.IDs[last], nil
}

// Probabilities calls f with each candidate's id and probability, in the order of
// the ids; it returns false if there is no softmax.
func (c *Candidates) Probabilities(f func(id int32, p float64)) bool {
	total, ok := c.weigh()
	if !ok {
		return false
	}
	for i, w := range c.weights {
		f(c.IDs[i], w/total)
	}
	return true
}

// LogSoftmax sets dst to the logarithms of the softmax of logits, and returns
// ErrLogits if there is none.
func LogSoftmax(dst, logits []float32) error {
	if len(dst) != len(logits) || !logSoftmax(dst, logits) {
		return ErrLogits
	}
	return nil
}

// ArgMax returns the id of the largest logit, the lowest id if there are
// several, and -1 if there is none: no logits, all -Inf, or one is NaN.
func ArgMax(logits []float32) int32 {
	best, id := float32(math.Inf(-1)), int32(-1)
	for i, v := range logits {
		if v <= best { // most often; false for NaN
			continue
		}
		if v != v {
			return -1
		}
		best, id = v, int32(i)
	}
	return id
}

// greedy returns ArgMax, or ErrLogits if there is none or it is +Inf.
func greedy(logits []float32) (int32, error) {
	id := ArgMax(logits)
	if id < 0 || math.IsInf(float64(logits[id]), 1) {
		return 0, ErrLogits
	}
	return id, nil
}

// finiteMax returns the largest logit, and false if there is none or it is +Inf.
func finiteMax(logits []float32) (float32, bool) {
	id, err := greedy(logits)
	if err != nil {
		return 0, false
	}
	return logits[id], true
}

// Stateful reports whether choices change the sampler by more than random
// numbers, so that they cannot be taken back.
func (s *Sampler) Stateful() bool {
	return s.mirostat != nil || s.options.SynthID != nil
}

// Clone returns a sampler that will make the same choices, without the
// processors of the caller. It is not for a Stateful one.
func (s *Sampler) Clone() *Sampler {
	c := &Sampler{options: s.options}
	c.build(nil)
	c.generator = s.generator
	return c
}
