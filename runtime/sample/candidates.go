package sample

import (
	"math"
	mathbits "math/bits"
	"slices"
)

// Candidates are the tokens that can still be chosen, in the order of their
// ids, with their logits. A processor changes logits and drops tokens.
type Candidates struct {
	IDs     []int32   // ascending
	Logits  []float32 // Logits[i] belongs to IDs[i]
	History []int32   // prompt and tokens generated so far; read only
	Prompt  int       // how many tokens of the history are the prompt
	All     bool      // nothing has been dropped: IDs[i] == i

	weights []float64 // see weigh
	shadow  []float32 // moves with the candidates, see Typical
	floor   uint32    // candidates with this key or a larger one are never dropped, see protect
	hidden  []float32 // memory of shadow

	vocabulary int // number of logits that the model gave
}

// Processor changes the candidates of one step. At least one must remain.
type Processor interface {
	Process(c *Candidates)
}

// load makes all tokens candidates. It returns false if a logit is NaN.
func (c *Candidates) load(logits []float32, history []int32, prompt int) bool {
	c.IDs, c.Logits = grow(c.IDs, len(logits)), grow(c.Logits, len(logits))
	numbers := true
	for i, v := range logits {
		c.IDs[i], c.Logits[i] = int32(i), v
		if v != v {
			numbers = false
		}
	}
	c.History, c.Prompt, c.All, c.vocabulary = history, prompt, true, len(logits)
	c.weights, c.shadow, c.floor = c.weights[:0], nil, math.MaxUint32
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
		if k < least && k < c.floor {
			continue
		}
		if k == least && k < c.floor {
			if ties--; ties < 0 {
				continue
			}
		}
		c.move(n, i)
		n++
	}
	c.shorten(n)
}

// move puts candidate i in the place of candidate n, n ≤ i.
func (c *Candidates) move(n, i int) {
	c.IDs[n], c.Logits[n] = c.IDs[i], c.Logits[i]
	if i < len(c.weights) {
		c.weights[n] = c.weights[i]
	}
	if i < len(c.shadow) {
		c.shadow[n] = c.shadow[i]
	}
}

// Filter drops the candidates for which keep is false.
func (c *Candidates) Filter(keep func(i int) bool) {
	n := 0
	for i, v := range c.Logits {
		if keep(i) || key(v) >= c.floor {
			c.move(n, i)
			n++
		}
	}
	c.shorten(n)
}

// protect lets nothing drop the n largest logits and those equal to the last of
// them, until release is called.
func (c *Candidates) protect(n int) {
	if n = min(n, len(c.Logits)); n > 0 {
		c.floor = c.kth(n)
	}
}

// release ends protect.
func (c *Candidates) release() { c.floor = math.MaxUint32 }

// Only forbids or drops the tokens whose bits are not set in words of 64; n is
// the number of bits that are.
func (c *Candidates) Only(bits []uint64, n int) {
	if !c.All {
		c.Filter(func(i int) bool {
			id := c.IDs[i]
			return int(id/64) < len(bits) && bits[id/64]>>(id%64)&1 != 0
		})
		return
	}
	if n < len(c.Logits)/8 {
		c.few(bits)
		return
	}
	for i := range (len(c.Logits) + 63) / 64 {
		word := uint64(0)
		if i < len(bits) {
			word = bits[i]
		}
		for rest := ^word; rest != 0; rest &= rest - 1 {
			if id := i*64 + mathbits.TrailingZeros64(rest); id < len(c.Logits) {
				c.Logits[id] = float32(math.Inf(-1))
			}
		}
	}
}

// few keeps the tokens whose bits are set of candidates of which none has been
// dropped. Its cost is that of the bits.
func (c *Candidates) few(bits []uint64) {
	n := 0
	for i, word := range bits {
		for ; word != 0; word &= word - 1 {
			if id := i*64 + mathbits.TrailingZeros64(word); id < len(c.Logits) {
				c.move(n, id)
				n++
			}
		}
	}
	c.shorten(n)
}

// At returns the logit of a token, or nil if it is no candidate.
func (c *Candidates) At(id int32) *float32 {
	if c.All {
		if uint32(id) < uint32(len(c.Logits)) {
			return &c.Logits[id]
		}
		return nil
	}
	if i, ok := slices.BinarySearch(c.IDs, id); ok {
		return &c.Logits[i]
	}
	return nil
}

// Forbid sets the logit of a token to -Inf.
func (c *Candidates) Forbid(id int32) {
	if v := c.At(id); v != nil {
		*v = float32(math.Inf(-1))
	}
}

// Force makes the given tokens the only candidates, all with the logit 0.
func (c *Candidates) Force(ids []int32) {
	c.IDs, c.Logits = c.IDs[:0], c.Logits[:0]
	for _, id := range ids {
		if uint32(id) < uint32(c.vocabulary) && !slices.Contains(c.IDs, id) {
			c.IDs, c.Logits = append(c.IDs, id), append(c.Logits, 0)
		}
	}
	slices.Sort(c.IDs)
	c.All, c.weights, c.shadow = false, c.weights[:0], nil
}

// shorten drops all candidates but the first n.
func (c *Candidates) shorten(n int) {
	c.All = c.All && n == len(c.IDs)
	c.IDs, c.Logits, c.weights = c.IDs[:n], c.Logits[:n], c.weights[:min(n, len(c.weights))]
	c.shadow = c.shadow[:min(n, len(c.shadow))]
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
