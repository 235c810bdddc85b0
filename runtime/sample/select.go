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

// value returns the v of key(v).
func value(k uint32) float32 {
	if k>>31 != 0 {
		return math.Float32frombits(k &^ (1 << 31))
	}
	return math.Float32frombits(^k)
}

// digit returns the bits of k that the given level of the descent looks at.
func digit(k uint32, level int) uint32 { return k >> shifts[level] & (1<<radixBits - 1) }

// prefix returns the bits of k above the given level.
func prefix(k uint32, level int) uint64 {
	if level == 0 {
		return 0
	}
	return uint64(k) >> shifts[level-1]
}

// kthLargest returns the k-th largest value, 1 ≤ k ≤ len(values).
func kthLargest(values []float32, k int) float32 {
	var found uint32
	for level := range shifts {
		var count [1 << radixBits]int
		want := prefix(found, level)
		for _, v := range values {
			if b := key(v); prefix(b, level) == want {
				count[digit(b, level)]++
			}
		}
		d := len(count) - 1
		for ; d > 0 && count[d] < k; d-- {
			k -= count[d]
		}
		found |= uint32(d) << shifts[level]
	}
	return value(found)
}

// massCut returns where to cut when values are taken in descending order until
// their weights add up to at least mass: the value of the last one taken, and how
// many of the values equal to it are taken. Equal values have equal weights.
func massCut(values []float32, weights []float64, mass float64) (least float32, ties int) {
	var found uint32
	for level := range shifts {
		var sum [1 << radixBits]float64
		want := prefix(found, level)
		for i, v := range values {
			if b := key(v); prefix(b, level) == want {
				sum[digit(b, level)] += weights[i]
			}
		}
		d := len(sum) - 1
		lowest := d
		for ; d >= 0; d-- {
			if sum[d] > 0 {
				lowest = d
				if sum[d] >= mass {
					break
				}
				mass -= sum[d]
			}
		}
		if d < 0 { // rounding: all are taken
			d = lowest
			mass = math.Inf(1)
		}
		found |= uint32(d) << shifts[level]
	}
	least = value(found)
	for i, v := range values {
		if v == least {
			for ties++; mass > weights[i] && ties < len(values); ties++ {
				mass -= weights[i]
			}
			break
		}
	}
	return least, ties
}
