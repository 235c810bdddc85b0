package decoding

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/tfgen/tfgen/gen/generation"
	"github.com/tfgen/tfgen/runtime/sample"
)

// chain checks the processors that a configuration asks for, what they make of the logits, and the probabilities.
func (h *head) chain(line []byte) (kind string, err error) {
	var r struct {
		Config     json.RawMessage `json:"config"`
		Processors []string        `json:"processors"`
		Scores     []Values        `json:"scores"`
		Probs      [][]float64     `json:"probs"`
	}
	kind = "chain"
	if err := json.Unmarshal(line, &r); err != nil {
		return kind, err
	}
	c, _, err := generation.Parse(r.Config)
	if err != nil {
		return kind, err
	}
	if c.EOS == nil {
		c.EOS = generation.IDs{2} // of the model that made the file
	}
	o, err := c.Options()
	if err != nil {
		return kind, fmt.Errorf("%s: %w", r.Config, err)
	}
	for row := range r.Scores {
		s, err := sample.New(o.Options)
		if err != nil {
			return kind, err
		}
		if !slices.Equal(s.Names(), r.Processors) {
			return kind, fmt.Errorf("%s: processors %v, expected %v", r.Config, s.Names(), r.Processors)
		}
		if err := h.distribution(s, row, o.Beam.Width > 1, r.Scores[row], r.Probs[row]); err != nil {
			return kind, fmt.Errorf("%s, row %d: %w", r.Config, row, err)
		}
	}
	return kind, nil
}

// distribution compares what a sampler makes of the logits. Beam search processes log probabilities.
func (h *head) distribution(s *sample.Sampler, row int, beam bool, scores Values, probs []float64) error {
	in := append([]float32(nil), h.Vector[row]...)
	if beam {
		if err := sample.LogSoftmax(in, in); err != nil {
			return err
		}
	}
	c, err := s.Process(in, h.rows[row], h.Prompt)
	if err != nil {
		return err
	}
	if text := difference(dense(c, len(in)), scores, rounding); text != "" {
		return fmt.Errorf("scores: %s", text)
	}
	ok := c.Probabilities(func(id int32, p float64) {
		if want := probs[id]; err == nil && math.Abs(p-want) > 2e-6*max(want, 1e-6) {
			err = fmt.Errorf("the probability of token %d is %v, expected %v", id, p, want)
		}
	})
	if !ok {
		return sample.ErrLogits
	}
	return err
}
