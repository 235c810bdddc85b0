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
	"fmt"
	"math"
	"math/rand/v2"
)

// ErrLogits is returned when no token can be chosen: a logit is NaN or +Inf, or
// all are -Inf.
var ErrLogits = errors.New("sample: logits are not finite")

// Options says how tokens are chosen. The zero value is greedy: the token with
// the largest logit.
type Options struct {
	Temperature       float64 // logits are divided by it; 0 is greedy
	TopK              int     // keep the k largest logits and those equal to the k-th; 0 keeps all
	TopP              float64 // keep the most probable tokens until their sum reaches p; 0 or 1 keeps all
	MinP              float64 // keep tokens with at least this share of the largest probability; 0 keeps all
	RepetitionPenalty float64 // divides the positive and multiplies the negative logits of tokens seen; 0 or 1 is off
	Seed              uint64  // of the generator, see Sampler
}

// Check returns an error that names the option that is out of its range.
func (o Options) Check() error {
	switch {
	case !(o.Temperature >= 0 && o.Temperature <= math.MaxFloat32):
		return fmt.Errorf("temperature %v: must be 0 (greedy) or positive", o.Temperature)
	case o.Temperature > 0 && float32(o.Temperature) == 0:
		return fmt.Errorf("temperature %v: too small; 0 is greedy", o.Temperature)
	case o.TopK < 0:
		return fmt.Errorf("top-k %d: must be 0 (off) or positive", o.TopK)
	case !(o.TopP >= 0 && o.TopP <= 1):
		return fmt.Errorf("top-p %v: must be from 0 to 1", o.TopP)
	case !(o.MinP >= 0 && o.MinP <= 1):
		return fmt.Errorf("min-p %v: must be from 0 to 1", o.MinP)
	case !(o.RepetitionPenalty >= 0 && o.RepetitionPenalty <= math.MaxFloat32):
		return fmt.Errorf("repetition penalty %v: must be 0 (off) or positive", o.RepetitionPenalty)
	}
	return nil
}

// chain returns the processors that o asks for, in transformers' order: first
// those that look tokens up by id, then those that drop tokens.
func (o Options) chain() []Processor {
	var chain []Processor
	if o.RepetitionPenalty != 0 && o.RepetitionPenalty != 1 {
		chain = append(chain, &RepetitionPenalty{Penalty: float32(o.RepetitionPenalty)})
	}
	if o.Temperature == 0 {
		return chain
	}
	if o.Temperature != 1 {
		chain = append(chain, Temperature(o.Temperature))
	}
	if o.TopK != 0 {
		chain = append(chain, TopK(o.TopK))
	}
	if o.TopP != 0 && o.TopP < 1 {
		chain = append(chain, TopP(o.TopP))
	}
	if o.MinP != 0 {
		chain = append(chain, MinP(o.MinP))
	}
	return chain
}

// Sampler chooses tokens. It keeps its memory: after the first call nothing is
// allocated while the vocabulary stays the same. It belongs to one caller.
//
// Each drawn token takes one number u in [0, 1): the high 53 bits of the next
// value of math/rand/v2's PCG seeded with (Seed, 0), times 2⁻⁵³. The token is the first, by
// id, with which the sum of the probabilities of the tokens left exceeds u.
// Greedy choices take no number.
type Sampler struct {
	options    Options
	chain      []Processor
	generator  rand.PCG
	candidates Candidates
}

// New returns a sampler. The extra processors run after those of the options.
func New(o Options, extra ...Processor) (*Sampler, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	s := &Sampler{options: o, chain: append(o.chain(), extra...)}
	s.generator.Seed(o.Seed, 0)
	return s, nil
}

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
// which it does not change. History is the prompt and the tokens generated so
// far; it may be nil if NeedsHistory is false.
func (s *Sampler) Next(logits []float32, history []int32) (int32, error) {
	if len(s.chain) == 0 && s.options.Temperature == 0 {
		return greedy(logits)
	}
	c := &s.candidates
	if !c.load(logits, history) {
		return 0, ErrLogits
	}
	for _, p := range s.chain {
		p.Process(c)
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

// draw returns one of the candidates, with the probability that the softmax of
// their logits gives.
func (s *Sampler) draw() (int32, error) {
	c := &s.candidates
	total, ok := c.weigh()
	if !ok {
		return 0, ErrLogits
	}
	u := float64(s.generator.Uint64()>>11) * 0x1p-53 * total // one rounding: 2⁻⁵³ is exact
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
	return c.IDs[last], nil
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
