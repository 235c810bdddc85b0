package sample

import "math"

// Candidates are the tokens that can still be chosen, in the order of their
// ids, with their logits. A processor changes logits and drops tokens.
type Candidates struct {
	IDs     []int32   // ascending
	Logits  []float32 // Logits[i] belongs to IDs[i]
	History []int32   // prompt and tokens generated so far; read only
	All     bool      // nothing has been dropped: IDs[i] == i

	weights []float64 // see weigh
}

// Processor changes the candidates of one step. At least one must remain.
type Processor interface {
	Process(c *Candidates)
}

// load makes all tokens candidates. It returns false if a logit is NaN.
func (c *Candidates) load(logits []float32, history []int32) bool {
	c.IDs, c.Logits = grow(c.IDs, len(logits)), grow(c.Logits, len(logits))
	numbers := true
	for i, v := range logits {
		c.IDs[i], c.Logits[i] = int32(i), v
		if v != v {
			numbers = false
		}
	}
	c.History, c.All, c.weights = history, true, c.weights[:0]
	return numbers
}

// Keep drops the candidates with a logit below least.
func (c *Candidates) Keep(least float32) { c.keep(key(least), math.MaxInt) }

// keep drops the candidates whose key is below least, and of those equal to it
// all but the first ties.
func (c *Candidates) keep(least uint32, ties int) {
	n := 0
	for i, v := range c.Logits {
		k := key(v)
		if k < least {
			continue
		}
		if k == least {
			if ties--; ties < 0 {
				continue
			}
		}
		c.IDs[n], c.Logits[n] = c.IDs[i], v
		if i < len(c.weights) {
			c.weights[n] = c.weights[i]
		}
		n++
	}
	c.shorten(n)
}

// shorten drops all candidates but the first n.
func (c *Candidates) shorten(n int) {
	c.All = c.All && n == len(c.IDs)
	c.IDs, c.Logits, c.weights = c.IDs[:n], c.Logits[:n], c.weights[:min(n, len(c.weights))]
}

// weigh computes the weights exp(logit − largest logit), the softmax before its
// division, and returns their sum. It returns false if there is no softmax.
func (c *Candidates) weigh() (total float64, ok bool) {
	top, ok := finiteMax(c.Logits)
	if !ok {
		return 0, false
	}
	c.weights = grow(c.weights, len(c.Logits))
	for i, v := range c.Logits {
		w := exp(float64(v) - float64(top))
		c.weights[i] = w
		total += w
	}
	return total, true
}

// grow returns a slice of n elements, s itself if it is large enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
