package generate

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/tfgen/tfgen/runtime/sample"
)

// Layered is a Stepper that shows what its output layer makes of the states
// between its layers, without the final norm.
type Layered interface {
	Stepper
	// EarlyLayers are the layers that can be asked for, as the number of blocks
	// before them.
	EarlyLayers() []int
	// Early returns the logits of EarlyLayers()[i] behind the token whose logits
	// were returned last. The slice is valid until the next call.
	Early(i int) []float32
}

// contrast is DoLa (transformers 4's _dola_decoding; Chuang et al., DoLa:
// Decoding by Contrasting Layers Improves Factuality in Large Language Models,
// 2024): from the log probabilities it takes those of the early layer that
// differs most, and leaves out tokens with less than a tenth of the largest
// probability.
type contrast struct {
	session Layered
	layers  []int // indices of Early
	late    []float32
	early   []float32
	base    []float32
}

// newContrast finds the layers that the options ask for, nil for none.
func newContrast(s Stepper, layers []int) (*contrast, error) {
	if len(layers) == 0 {
		return nil, nil
	}
	l, ok := s.(Layered)
	if !ok || len(l.EarlyLayers()) == 0 {
		return nil, errors.New("DoLa: the model has no early layers; compile it with --early")
	}
	c := &contrast{session: l}
	for _, n := range layers {
		i := slices.Index(l.EarlyLayers(), n)
		if i < 0 {
			return nil, fmt.Errorf("DoLa: layer %d was not compiled in; there are %v", n, l.EarlyLayers())
		}
		c.layers = append(c.layers, i)
	}
	return c, nil
}

// logits returns the contrasted logits, valid until the next call.
func (c *contrast) logits(logits []float32) ([]float32, error) {
	n := len(logits)
	if cap(c.late) < n {
		c.late, c.early, c.base = make([]float32, n), make([]float32, n), make([]float32, n)
	}
	if err := sample.LogSoftmax(c.late, logits); err != nil {
		return nil, err
	}
	most := math.Inf(-1)
	for _, i := range c.layers {
		if err := sample.LogSoftmax(c.early, c.session.Early(i)); err != nil {
			return nil, fmt.Errorf("DoLa: layer %d: %w", c.session.EarlyLayers()[i], err)
		}
		if d := divergence(c.late, c.early); len(c.layers) == 1 || d > most {
			most = d
			c.base, c.early = c.early, c.base
		}
	}
	least := slices.Max(c.late) + float32(math.Log(0.1))
	for i, v := range c.late {
		if v < least {
			c.late[i] = float32(math.Inf(-1))
			continue
		}
		c.late[i] = v - c.base[i]
	}
	return c.late, nil
}

// divergence is the Jensen–Shannon divergence, in the sense that transformers
// computes it in: half the sum of m·(log m − log p) + m·(log m − log q), with m
// the mean of p and q.
func divergence(p, q []float32) float64 {
	sum := 0.0
	for i, a := range p {
		b := float64(q[i])
		if m := 0.5 * (math.Exp(float64(a)) + math.Exp(b)); m > 0 {
			sum += m * (2*math.Log(m) - float64(a) - b)
		}
	}
	return sum / 2
}
