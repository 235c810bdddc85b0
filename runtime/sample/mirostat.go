package sample

import "math"

// Mirostat keeps the surprise of the chosen tokens near Tau (Basu et al.,
// Mirostat: A Neural Text Decoding Algorithm that Directly Controls Perplexity,
// 2021; the arithmetic is that of llama.cpp's llama_sampler_mirostat and
// llama_sampler_mirostat_v2). It takes the place of the processors that drop
// tokens.
type Mirostat struct {
	Version int     // 1 or 2
	Tau     float64 // target surprise in bits
	Eta     float64 // learning rate
	mu      float64 // the largest surprise allowed
}

// mirostatTokens is the number of tokens of which version 1 estimates the
// exponent of Zipf's law.
const mirostatTokens = 100

// NewMirostat returns a Mirostat that begins with μ = 2·tau.
func NewMirostat(version int, tau, eta float64) *Mirostat {
	return &Mirostat{version, tau, eta, 2 * tau}
}

// Process drops the tokens that would be too surprising.
func (m *Mirostat) Process(c *Candidates) {
	if m.Version == 1 {
		m.first(c)
		return
	}
	total, ok := c.weigh()
	if !ok {
		return
	}
	c.protect(1)
	defer c.release()
	c.Filter(func(i int) bool { return c.weights[i] > 0 && -log(c.weights[i]/total)/math.Ln2 <= m.mu })
}

// first keeps k tokens, of which the exponent of Zipf's law s that fits the most
// probable tokens gives the surprise μ: k = ((s − 1)·2^μ / (1 − n^(1 − s)))^(1/s).
func (m *Mirostat) first(c *Candidates) {
	probe := *c
	probe.IDs, probe.Logits = append([]int32(nil), c.IDs...), append([]float32(nil), c.Logits...)
	probe.weights = nil
	order := probe.sorted(mirostatTokens)
	products, squares := 0.0, 0.0
	for i := 0; i+1 < len(order); i++ {
		next := probe.Logits[order[i+1]]
		if math.IsInf(float64(next), -1) {
			break
		}
		t := log(float64(i+2) / float64(i+1))
		b := float64(probe.Logits[order[i]]) - float64(next) // log(p/p')
		products += float64(t * b)
		squares += float64(t * t)
	}
	k := len(c.Logits)
	if squares > 0 && products > 0 {
		s := products / squares
		e := s - 1
		x := float64(e*power(2, m.mu)) / (1 - power(float64(c.vocabulary), -e))
		if x > 0 && !math.IsInf(x, 1) {
			k = int(min(power(x, 1/s), float64(k)))
		}
	}
	if k = max(k, 1); k < len(c.Logits) {
		c.keepLargest(k)
	}
}

// Chosen learns from the probability of the token that was drawn.
func (m *Mirostat) Chosen(probability float64) {
	surprise := -logOrInf(probability) / math.Ln2
	m.mu -= float64(m.Eta * (surprise - m.Tau))
}
