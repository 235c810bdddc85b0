package sample

import (
	"math"
	"slices"
)

// Protect applies a processor that drops tokens, but keeps the N largest logits
// (min_tokens_to_keep of transformers' warpers).
type Protect struct {
	N int
	Processor
}

// Process applies the processor.
func (p Protect) Process(c *Candidates) {
	c.protect(p.N)
	p.Processor.Process(c)
	c.release()
}

// lightest drops candidates whose probability is below least, but not the most
// probable one.
func (c *Candidates) lightest(least, total float64) {
	if c.floor == math.MaxUint32 {
		c.protect(1)
		defer c.release()
	}
	cut := least * total
	c.Filter(func(i int) bool { return c.weights[i] >= cut })
}

// Epsilon drops the tokens with a probability below it (EpsilonLogitsWarper;
// Hewitt et al., Truncation Sampling as Language Model Desmoothing, 2022).
type Epsilon float64

// Process drops improbable candidates.
func (e Epsilon) Process(c *Candidates) {
	if total, ok := c.weigh(); ok {
		c.lightest(float64(e), total)
	}
}

// Eta drops the tokens with a probability below min(ε, √ε·exp(−entropy))
// (EtaLogitsWarper; Hewitt et al. 2022).
type Eta float64

// Process drops improbable candidates.
func (e Eta) Process(c *Candidates) {
	if total, ok := c.weigh(); ok {
		epsilon := float64(float32(e))
		c.lightest(min(epsilon, math.Sqrt(epsilon)*exp(-c.entropy(total))), total)
	}
}

// entropy returns the entropy in nats of the distribution that weigh computed.
func (c *Candidates) entropy(total float64) float64 {
	top, _ := finiteMax(c.Logits)
	sum := 0.0
	for i, w := range c.weights {
		if w > 0 {
			sum += float64(w * float64(float64(c.Logits[i])-float64(top)))
		}
	}
	return max(0, log(total)-sum/total)
}

// Typical keeps the tokens whose information is closest to the entropy until
// their probabilities reach Mass (TypicalLogitsWarper; Meister et al., Locally
// Typical Sampling, 2022).
type Typical struct {
	Mass float64
	Keep int // tokens kept at least; 0 is 1
}

// Process drops untypical candidates. Their distance from the entropy takes the
// place of the logits while the closest are selected.
func (t Typical) Process(c *Candidates) {
	total, ok := c.weigh()
	if !ok {
		return
	}
	entropy := c.entropy(total)
	top, _ := finiteMax(c.Logits)
	shift := float64(top) + log(total)
	c.hidden = append(c.hidden[:0], c.Logits...)
	c.shadow = c.hidden
	for i, v := range c.Logits {
		c.Logits[i] = -float32(math.Abs(shift - float64(v) - entropy))
	}
	if t.Keep > 1 {
		c.protect(t.Keep)
	}
	c.keepWeight(t.Mass*total, false)
	c.release()
	copy(c.Logits, c.shadow)
	c.shadow = nil
}

// TopNSigma keeps the logits within N standard deviations of the largest; the
// deviation is that of the finite logits as a population (Tang et al., Top-nσ:
// Not All Logits Are You Need, 2024; llama.cpp's llama_sampler_top_n_sigma).
type TopNSigma float64

// Process drops the candidates below the threshold.
func (n TopNSigma) Process(c *Candidates) {
	top, ok := finiteMax(c.Logits)
	if !ok {
		return
	}
	count, sum, squares := 0, 0.0, 0.0
	for _, v := range c.Logits {
		if !math.IsInf(float64(v), -1) {
			count++
			sum += float64(v)
		}
	}
	mean := sum / float64(count)
	for _, v := range c.Logits {
		if !math.IsInf(float64(v), -1) {
			d := float64(v) - mean
			squares += float64(d * d)
		}
	}
	least := float64(top) - float64(float64(n)*math.Sqrt(squares/float64(count)))
	c.Filter(func(i int) bool { return float64(c.Logits[i]) >= least })
}

// topHTokens is the number of tokens that TopH looks at.
const topHTokens = 100

// TopH keeps the most probable tokens until their share of the entropy reaches
// it, at least one and at most 100 (TopHLogitsWarper; Potraghloo et al., Top-H
// Decoding, 2025).
type TopH float64

// Process drops the tokens behind those.
func (h TopH) Process(c *Candidates) {
	order := c.sorted(topHTokens)
	total, ok := c.weigh()
	if !ok {
		return
	}
	most, kept, sum := c.entropy(total)*float64(h), 0, 0.0
	for _, i := range order {
		p := c.weights[i] / total
		if p == 0 {
			break
		}
		if sum -= float64(p * log(p)); kept > 0 && sum > most*(1+1e-12) {
			break
		}
		kept++
	}
	keep := order[:kept]
	slices.Sort(keep)
	c.pick(keep)
}

// sorted drops all but the n largest logits (of equal ones the lower ids are
// kept) and returns the places of the rest in descending order of their logits.
func (c *Candidates) sorted(n int) []int {
	if n < len(c.Logits) {
		c.keepLargest(n)
	}
	order := c.order()
	if len(order) > n {
		order = order[:n]
		keep := slices.Clone(order)
		slices.Sort(keep)
		c.pick(keep)
		order = c.order()
	}
	return order
}

// order returns the places of the candidates in descending order of their logits, ids ascending.
func (c *Candidates) order() []int {
	order := make([]int, len(c.Logits))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case c.Logits[a] > c.Logits[b]:
			return -1
		case c.Logits[a] < c.Logits[b]:
			return 1
		}
		return 0
	})
	return order
}

// pick keeps the candidates in the given places, which ascend.
func (c *Candidates) pick(places []int) {
	for n, i := range places {
		c.move(n, i)
	}
	c.shorten(len(places))
}
