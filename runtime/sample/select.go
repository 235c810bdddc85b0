package sample

import "math"

// Selection works on keys: the bits of a float32, changed so that they order
// as unsigned integers. A radix descent over the keys, 11 bits a level, finds
// the k-th largest or the place where a sum is reached in three passes
// whatever the distribution, where sorting 262,144 logits takes longer than
// the model.

const radixBits = 11

// shifts of the three levels; together they cover the 32 bits.
var shifts = [...]uint{21, 10, 0}

// key returns bits that order as v does. -0 and +0 have the same key. NaN is not
// supported.
func key(v float32) uint32 {
	b := math.Float32bits(v + 0)
	if b>>31 != 0 {
		return ^b
	}
	return b | 1<<31
}

// digit returns the bits of k that the given level of the descent looks at.
func digit(k uint32, level int) uint32 { return k >> shifts[level] & (1<<radixBits - 1) }

// prefix returns the bits of k above the given level.
func prefix(k uint32, level int) uint32 {
	if level == 0 {
		return 0
	}
	return k >> shifts[level-1]
}

// keepLargest keeps the k largest logits, 1 ≤ k ≤ len(c.Logits), and those equal
// to the k-th. Each level drops what is below the digits found, so the later
// ones have little to do.
func (c *Candidates) keepLargest(k int) {
	if block := len(c.Logits) / k; block >= 8 {
		c.Keep(blockBound(c.Logits, block, k))
	}
	var found uint32 // the digits of the k-th so far
	for level, shift := range shifts {
		var count [1 << radixBits]int
		for _, v := range c.Logits {
			if b := key(v); prefix(b, level) == prefix(found, level) {
				count[digit(b, level)]++
			}
		}
		d := len(count) - 1
		for ; count[d] < k; d-- {
			k -= count[d]
		}
		found |= uint32(d) << shift
		c.keep(found, math.MaxInt)
	}
}

// kth returns the key of the k-th largest logit, 1 ≤ k ≤ len(c.Logits), and drops nothing.
func (c *Candidates) kth(k int) uint32 {
	var found uint32
	for level, shift := range shifts {
		var count [1 << radixBits]int
		for _, v := range c.Logits {
			if b := key(v); prefix(b, level) == prefix(found, level) {
				count[digit(b, level)]++
			}
		}
		d := len(count) - 1
		for ; count[d] < k; d-- {
			k -= count[d]
		}
		found |= uint32(d) << shift
	}
	return found
}

// blockBound returns a value that the k-th largest is not below: the least of
// the maxima of k blocks of values. It leaves few candidates at little cost.
func blockBound(values []float32, block, k int) float32 {
	bound := float32(math.Inf(1))
	for i := range k {
		top := float32(math.Inf(-1))
		for _, v := range values[i*block:][:block] {
			if v > top {
				top = v
			}
		}
		bound = min(bound, top)
	}
	return bound
}

// dropLight drops candidates that weigh so little that all like them together
// weigh less than mass.
func (c *Candidates) dropLight(mass float64) {
	cut := 0.5 * mass / float64(len(c.Logits)) // half: the sums are rounded
	n := 0
	for i, w := range c.weights {
		if w >= cut || key(c.Logits[i]) >= c.floor {
			c.move(n, i)
			n++
		}
	}
	c.shorten(n)
}

// keepMass keeps the largest logits whose weights add up to at least mass, which
// is positive. Of equal logits those with the lowest ids are kept. It needs
// the weights that weigh computes.
func (c *Candidates) keepMass(mass float64) { c.keepWeight(mass, true) }

// keepWeight is keepMass; all equal logits are kept unless cut is set.
func (c *Candidates) keepWeight(mass float64, cut bool) {
	var found uint32 // the digits of the last one kept so far
	for level, shift := range shifts {
		var sum [1 << radixBits]float64
		for i, v := range c.Logits {
			if b := key(v); prefix(b, level) == prefix(found, level) {
				sum[digit(b, level)] += c.weights[i]
			}
		}
		var d int
		d, mass = reach(sum[:], mass)
		found |= uint32(d) << shift
		c.keep(found, math.MaxInt)
	}
	for i, v := range c.Logits {
		if cut && key(v) == found {
			ties := math.Ceil(min(mass/c.weights[i], float64(len(c.Logits))))
			c.keep(found, max(1, int(ties)))
			return
		}
	}
}

// reach adds up sums from the last to the first and returns the index at which
// mass is reached and what it contributes. If rounding keeps the sums below mass,
// it is the first that is not 0, and contributes everything.
func reach(sums []float64, mass float64) (d int, rest float64) {
	for i := len(sums) - 1; i >= 0; i-- {
		switch {
		case sums[i] == 0:
			continue
		case sums[i] >= mass:
			return i, mass
		}
		mass -= sums[i]
		d = i
	}
	return d, math.Inf(1)
}
