package sample

import "math"

// Temperature divides the logits (TemperatureLogitsWarper).
type Temperature float32

// Process divides all logits.
func (t Temperature) Process(c *Candidates) {
	for i, v := range c.Logits {
		c.Logits[i] = v / float32(t)
	}
}

// TopK keeps the k largest logits and all that are equal to the k-th
// (TopKLogitsWarper).
type TopK int

// Process drops the candidates below the k-th.
func (k TopK) Process(c *Candidates) {
	if int(k) < len(c.Logits) {
		c.keepLargest(int(k))
	}
}

// TopP keeps the most probable tokens: a token is dropped if those more probable
// reach P (TopPLogitsWarper). Among equal logits lower ids are kept first.
type TopP float64

// Process drops the tail of the distribution.
func (p TopP) Process(c *Candidates) {
	if total, ok := c.weigh(); ok {
		c.dropLight((1 - float64(p)) * total)
		c.keepMass(float64(p) * total)
	}
}

// MinP keeps the tokens whose probability is at least this share of the largest
// (MinPLogitsWarper).
type MinP float64

// Process drops the candidates that are too improbable.
func (p MinP) Process(c *Candidates) {
	top, ok := finiteMax(c.Logits)
	if !ok {
		return
	}
	hopeless := top + float32(math.Log(float64(p))) - 1 // saves most calls of exp
	least := top
	for _, v := range c.Logits {
		if v < least && v >= hopeless && exp(float64(v)-float64(top)) >= float64(p) {
			least = v
		}
	}
	c.Keep(least)
}

// RepetitionPenalty makes tokens of the history less probable: their logits are
// divided by Penalty if positive, else multiplied, once each
// (RepetitionPenaltyLogitsProcessor; Keskar et al., CTRL, 2019).
type RepetitionPenalty struct {
	Penalty float32
	seen    []uint32 // by id: the step that penalised it last
	step    uint32
}

// NeedsHistory returns true.
func (r *RepetitionPenalty) NeedsHistory() bool { return true }

// Process penalises the tokens in c.History. Ids outside of the vocabulary have
// no logit and are passed over.
func (r *RepetitionPenalty) Process(c *Candidates) {
	if !c.All {
		panic("sample: RepetitionPenalty after a processor that drops tokens")
	}
	if r.step++; r.step == 0 || len(r.seen) != len(c.Logits) {
		r.seen, r.step = make([]uint32, len(c.Logits)), 1
	}
	for _, id := range c.History {
		if uint32(id) >= uint32(len(c.Logits)) || r.seen[id] == r.step {
			continue
		}
		r.seen[id] = r.step
		if v := c.Logits[id]; v < 0 {
			c.Logits[id] = v * r.Penalty
		} else {
			c.Logits[id] = v / r.Penalty
		}
	}
}
