package sample

import "math"

// RepetitionPenalty makes tokens of the history less probable: their logits are
// divided by Penalty if positive, else multiplied, once each
// (RepetitionPenaltyLogitsProcessor; Keskar et al., CTRL, 2019).
type RepetitionPenalty struct {
	Penalty float32
	Skip    int // tokens at the beginning of the history that do not count
	seen    marks
}

// NeedsHistory returns true.
func (r *RepetitionPenalty) NeedsHistory() bool { return true }

// Process penalises the tokens in c.History. Ids outside of the vocabulary have
// no logit and are passed over.
func (r *RepetitionPenalty) Process(c *Candidates) {
	r.seen.scale(c, c.History[min(r.Skip, len(c.History)):], r.Penalty)
}

// PromptPenalty is RepetitionPenalty over the prompt alone, with the inverse of
// Penalty: above 1 it makes the tokens of the prompt more probable
// (EncoderRepetitionPenaltyLogitsProcessor).
type PromptPenalty struct {
	Penalty float64
	Tokens  []int32 // the prompt; nil is that of the history
	seen    marks
}

// NeedsHistory returns true.
func (p *PromptPenalty) NeedsHistory() bool { return p.Tokens == nil }

// Process scales the logits of the prompt's tokens.
func (p *PromptPenalty) Process(c *Candidates) {
	p.seen.scale(c, promptOr(p.Tokens, c), float32(1/p.Penalty))
}

// promptOr returns tokens, or the prompt of the history if tokens is nil.
func promptOr(tokens []int32, c *Candidates) []int32 {
	if tokens != nil {
		return tokens
	}
	return c.History[:min(c.Prompt, len(c.History))]
}

// marks remembers which tokens a step has seen.
type marks struct {
	step uint32
	last []uint32 // by id: the step that saw it last
}

// begin starts a step over a vocabulary of n tokens.
func (m *marks) begin(n int) {
	if m.step++; m.step == 0 || len(m.last) != n {
		m.last, m.step = make([]uint32, n), 1
	}
}

// first reports whether the step sees a token of the vocabulary for the first time.
func (m *marks) first(id int32) bool {
	if uint32(id) >= uint32(len(m.last)) || m.last[id] == m.step {
		return false
	}
	m.last[id] = m.step
	return true
}

// scale multiplies the negative and divides the positive logits of tokens.
func (m *marks) scale(c *Candidates, tokens []int32, penalty float32) {
	m.begin(c.vocabulary)
	for _, id := range tokens {
		if !m.first(id) {
			continue
		}
		if v := c.At(id); v == nil {
			continue
		} else if *v < 0 {
			*v *= penalty
		} else {
			*v /= penalty
		}
	}
}

// Occurrence subtracts from the logits of tokens that occurred: Frequency for
// each time and Presence once (the OpenAI API's penalties, with llama.cpp's
// window).
type Occurrence struct {
	Frequency, Presence float32
	Window              int // the last tokens of the history that count; 0 is all
	counts              []int32
}

// NeedsHistory returns true.
func (o *Occurrence) NeedsHistory() bool { return true }

// Process lowers the logits of the tokens in the window.
func (o *Occurrence) Process(c *Candidates) {
	if len(o.counts) != c.vocabulary {
		o.counts = make([]int32, c.vocabulary)
	}
	window := tail(c.History, o.Window)
	for _, id := range window {
		if uint32(id) < uint32(len(o.counts)) {
			o.counts[id]++
		}
	}
	for _, id := range window {
		if uint32(id) >= uint32(len(o.counts)) || o.counts[id] == 0 {
			continue
		}
		if v := c.At(id); v != nil {
			*v -= float32(float32(o.counts[id])*o.Frequency) + o.Presence
		}
		o.counts[id] = 0
	}
}

// tail returns the last n tokens, all if n is 0.
func tail(tokens []int32, n int) []int32 {
	if n > 0 && n < len(tokens) {
		return tokens[len(tokens)-n:]
	}
	return tokens
}

// NoRepeatNGram forbids tokens that would repeat a sequence of N tokens
// (NoRepeatNGramLogitsProcessor). With Tokens it is those of Tokens that must not
// be repeated (EncoderNoRepeatNGramLogitsProcessor).
type NoRepeatNGram struct {
	N      int
	Prompt bool    // the sequences of the prompt alone, not of all tokens so far
	Tokens []int32 // in place of the prompt of the history, if not nil
}

// NeedsHistory returns true.
func (n *NoRepeatNGram) NeedsHistory() bool { return true }

// Process forbids what follows each earlier occurrence of the last N-1 tokens.
func (n *NoRepeatNGram) Process(c *Candidates) {
	from, k := c.History, n.N-1
	if n.Prompt {
		from = promptOr(n.Tokens, c)
	}
	if k < 0 || len(c.History) < k || !n.Prompt && len(c.History) < n.N {
		return
	}
	last := c.History[len(c.History)-k:]
	for i := 0; i+k < len(from); i++ {
		if equal(from[i:i+k], last) {
			c.Forbid(from[i+k])
		}
	}
}

// equal compares from the end, where sequences that differ usually do.
func equal(a, b []int32) bool {
	for i := len(a) - 1; i >= 0; i-- {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// DRY lowers the logits of tokens that would continue a repetition: if the last
// n ≥ AllowedLength tokens occurred before and a token followed, it loses
// Multiplier·Base^(n − AllowedLength) (p-e-w, "Don't Repeat Yourself", 2024; the
// arithmetic is that of llama.cpp's llama_sampler_dry).
type DRY struct {
	Multiplier    float64   // 0 is off
	Base          float64   // 0 is 1.75
	AllowedLength int       // 0 is 2
	Window        int       // the last tokens of the history that count; 0 is all
	Breakers      [][]int32 // sequences that repetitions do not extend across

	lengths []int
	longest []int // by id
}

// NeedsHistory returns true.
func (d *DRY) NeedsHistory() bool { return true }

// maxExponent bounds the penalty to the range of float32.
func maxExponent(base float64) int {
	if base <= 1.000001 {
		return math.MaxInt32
	}
	return int(88.7228391 / log(base))
}

// Process penalises the tokens that end a repetition.
func (d *DRY) Process(c *Candidates) {
	window := tail(c.History, d.Window)
	limit := d.limit(window)
	if len(window) <= d.AllowedLength || limit < d.AllowedLength {
		return
	}
	if len(d.longest) != c.vocabulary {
		d.longest = make([]int, c.vocabulary)
	}
	d.suffixes(window)
	for i, n := range d.lengths[:len(window)-1] { // window[i+1] followed n matching tokens
		n = min(n, limit)
		if id := window[i+1]; n >= d.AllowedLength && uint32(id) < uint32(len(d.longest)) {
			d.longest[id] = max(d.longest[id], n)
		}
	}
	for _, id := range window {
		if uint32(id) >= uint32(len(d.longest)) || d.longest[id] == 0 {
			continue
		}
		if v := c.At(id); v != nil && !d.breaks(id) {
			*v -= float32(d.Multiplier * powerInt(d.Base, min(d.longest[id]-d.AllowedLength, maxExponent(d.Base))))
		}
		d.longest[id] = 0
	}
}

// breaks reports whether a token is a breaker of its own.
func (d *DRY) breaks(id int32) bool {
	for _, b := range d.Breakers {
		if len(b) == 1 && b[0] == id {
			return true
		}
	}
	return false
}

// limit returns the number of tokens after the last breaker.
func (d *DRY) limit(window []int32) int {
	for end := len(window); end > 0; end-- {
		longest := 0 // of the breakers that begin at end-1
		for _, b := range d.Breakers {
			if rest := window[end-1:]; len(b) > longest && len(rest) >= len(b) && equal(rest[:len(b)], b) {
				longest = len(b)
			}
		}
		if longest > 0 {
			return len(window) - end + 1 - longest
		}
	}
	return len(window)
}

// suffixes sets lengths[i] to how many tokens up to and including i equal those
// at the end of window: the Z-algorithm (Gusfield 1997) from the end.
func (d *DRY) suffixes(window []int32) {
	n := len(window)
	d.lengths = grow(d.lengths, n)
	at := func(i int) int32 { return window[n-1-i] } // reversed
	left, right := 0, 0
	for i := 1; i < n; i++ {
		k := 0
		if i < right {
			k = min(right-i, d.lengths[n-1-(i-left)])
		}
		for i+k < n && at(k) == at(i+k) {
			k++
		}
		if i+k > right {
			left, right = i, i+k
		}
		d.lengths[n-1-i] = k
	}
}
