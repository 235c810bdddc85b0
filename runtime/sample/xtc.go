package sample

import "math/rand/v2"

// XTC drops, with the given probability each step, all tokens with a probability
// of at least Threshold except the least probable of them (p-e-w, "Exclude Top
// Choices", 2024; llama.cpp's llama_sampler_xtc). Thresholds above 0.5 do nothing.
type XTC struct {
	Probability, Threshold float64
	Keep                   int // tokens that must remain; 0 is 1
	random                 *rand.PCG
}

// Process takes a random number and drops the top choices if it is below
// Probability.
func (x *XTC) Process(c *Candidates) {
	if x.Probability <= 0 || x.Threshold > 0.5 || len(c.Logits) < 2 {
		return
	}
	if uniform(x.random) > x.Probability {
		return
	}
	total, ok := c.weigh()
	if !ok {
		return
	}
	cut, above, least := x.Threshold*total, 0, -1
	for i, w := range c.weights {
		if w < cut {
			continue
		}
		above++
		if least < 0 || c.Logits[i] <= c.Logits[least] {
			least = i
		}
	}
	if above < 2 || len(c.Logits)-(above-1) < x.Keep {
		return
	}
	c.Filter(func(i int) bool { return c.weights[i] < cut || i == least })
}

// uniform returns a number in [0, 1) of 53 bits.
func uniform(g *rand.PCG) float64 { return float64(g.Uint64()>>11) * 0x1p-53 }
