package sample

// Candidates are the tokens that can still be chosen, in the order of their
// ids, with their logits. A processor changes logits and drops tokens.
type Candidates struct {
	IDs     []int32   // ascending
	Logits  []float32 // Logits[i] belongs to IDs[i]
	History []int32   // prompt and tokens generated so far; read only
	All     bool      // nothing has been dropped: IDs[i] == i
}

// Processor changes the candidates of one step. At least one must remain.
type Processor interface {
	Process(c *Candidates)
}

// load makes all tokens candidates.
func (c *Candidates) load(logits []float32, history []int32) {
	c.IDs, c.Logits = grow(c.IDs, len(logits)), grow(c.Logits, len(logits))
	for i := range c.IDs {
		c.IDs[i] = int32(i)
	}
	copy(c.Logits, logits)
	c.History, c.All = history, true
}

// Keep drops the candidates with a logit below least, and of those equal to it
// all but the first ties by id.
func (c *Candidates) Keep(least float32, ties int) {
	n := 0
	for i, v := range c.Logits {
		if v < least || v == least && ties <= 0 {
			continue
		}
		if v == least {
			ties--
		}
		c.IDs[n], c.Logits[n] = c.IDs[i], v
		n++
	}
	c.All = c.All && n == len(c.IDs)
	c.IDs, c.Logits = c.IDs[:n], c.Logits[:n]
}

// grow returns a slice of n elements, s itself if it is large enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
