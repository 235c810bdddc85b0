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
