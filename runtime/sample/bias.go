package sample

import (
	"math"
	"slices"
)

// Bias is added to the logit of the last of Tokens where the others precede it.
type Bias struct {
	Tokens []int32
	Bias   float64 // -Inf forbids
}

// SequenceBias adds biases to tokens and to the ends of sequences
// (SequenceBiasLogitsProcessor).
type SequenceBias []Bias

// NeedsHistory reports whether a sequence has more than one token.
func (s SequenceBias) NeedsHistory() bool {
	return slices.ContainsFunc(s, func(b Bias) bool { return len(b.Tokens) > 1 })
}

// Process adds the biases that apply. Several of one token are summed first.
func (s SequenceBias) Process(c *Candidates) {
	for i, b := range s {
		k := len(b.Tokens) - 1
		if k < 0 || s.earlier(i, b.Tokens[k], c.History) {
			continue
		}
		v := c.At(b.Tokens[k])
		if v == nil {
			continue
		}
		sum, applies := float32(0), false
		for _, other := range s[i:] {
			if other.applies(b.Tokens[k], c.History) {
				sum, applies = sum+float32(other.Bias), true
			}
		}
		if applies {
			*v += sum
		}
	}
}

// earlier reports whether one of the first n biases applies to a token.
func (s SequenceBias) earlier(n int, id int32, history []int32) bool {
	for _, b := range s[:n] {
		if b.applies(id, history) {
			return true
		}
	}
	return false
}

// applies reports whether b changes the logit of a token after history.
func (b Bias) applies(id int32, history []int32) bool {
	k := len(b.Tokens) - 1
	return k >= 0 && b.Tokens[k] == id && len(history) >= k && equal(history[len(history)-k:], b.Tokens[:k])
}

// Diversity lowers the logits of tokens by Penalty for each time they are in
// Tokens, which package generate sets to what other groups of beams chose in the
// same place (HammingDiversityLogitsProcessor; Vijayakumar et al., Diverse Beam
// Search, 2016).
type Diversity struct {
	Penalty float64
	Tokens  []int32
}

// Process lowers the logits.
func (d *Diversity) Process(c *Candidates) {
	for i, id := range d.Tokens {
		if slices.Contains(d.Tokens[:i], id) {
			continue
		}
		n := 0
		for _, other := range d.Tokens[i:] {
			if other == id {
				n++
			}
		}
		if v := c.At(id); v != nil {
			*v -= float32(d.Penalty * float64(n))
		}
	}
}

// badWords returns the biases that forbid words. A word that is an end of text
// on its own is not forbidden (NoBadWordsLogitsProcessor).
func badWords(words [][]int32, ends []int32) SequenceBias {
	var s SequenceBias
	for _, w := range words {
		if len(w) != 1 || !slices.Contains(ends, w[0]) {
			s = append(s, Bias{w, math.Inf(-1)})
		}
	}
	return s
}

// Suppress forbids tokens (SuppressTokensLogitsProcessor).
type Suppress []int32

// Process sets their logits to -Inf.
func (s Suppress) Process(c *Candidates) {
	for _, id := range s {
		c.Forbid(id)
	}
}

// When applies a processor while the history has the lengths for which If holds.
type When struct {
	If func(history, prompt int) bool
	Processor
}

// NeedsHistory returns true.
func (w When) NeedsHistory() bool { return true }

// Process applies the processor if it is due.
func (w When) Process(c *Candidates) {
	if w.If(len(c.History), c.Prompt) {
		w.Processor.Process(c)
	}
}

// MinLength forbids the ends of text while prompt and generated tokens are fewer
// than n (MinLengthLogitsProcessor).
func MinLength(n int, ends []int32) Processor {
	return When{func(history, _ int) bool { return history < n }, Suppress(ends)}
}

// MinNewTokens forbids the ends of text while the generated tokens are fewer
// than n (MinNewTokensLengthLogitsProcessor).
func MinNewTokens(n int, ends []int32) Processor {
	return When{func(history, prompt int) bool { return history-prompt < n }, Suppress(ends)}
}

// SuppressFirst forbids tokens as the first one generated; behind a prompt of one
// token whose successor is forced, as the second
// (SuppressTokensAtBeginLogitsProcessor).
func SuppressFirst(ids []int32, forcedFirst bool) Processor {
	return When{func(history, prompt int) bool {
		if prompt <= 1 && forcedFirst {
			prompt++
		}
		return history == prompt
	}, Suppress(ids)}
}

// Force leaves the given tokens only.
type Force []int32

// Process drops all other tokens.
func (f Force) Process(c *Candidates) { c.Force(f) }

// ForceFirst forces a token where the history has one token
// (ForcedBOSTokenLogitsProcessor).
func ForceFirst(id int32) Processor {
	return When{func(history, _ int) bool { return history == 1 }, Force{id}}
}

// ForceLast forces one of the given tokens as the last of length tokens, prompt
// included (ForcedEOSTokenLogitsProcessor).
func ForceLast(length int, ids []int32) Processor {
	return When{func(history, _ int) bool { return history == length-1 }, Force(ids)}
}

// ForceAt forces tokens by their place in the text, prompt included
// (ForceTokensLogitsProcessor of transformers 4, forced_decoder_ids).
type ForceAt map[int]int32

// NeedsHistory returns true.
func (f ForceAt) NeedsHistory() bool { return true }

// Process leaves the token that belongs to the next place, if there is one.
func (f ForceAt) Process(c *Candidates) {
	if id, ok := f[len(c.History)]; ok {
		c.Force([]int32{id})
	}
}

// RemoveInvalid turns NaN into 0 and infinities into the largest and smallest
// numbers (InfNanRemoveLogitsProcessor).
type RemoveInvalid struct{}

// Process replaces what is no number.
func (RemoveInvalid) Process(c *Candidates) {
	for i, v := range c.Logits {
		switch {
		case v != v:
			c.Logits[i] = 0
		case math.IsInf(float64(v), 1):
			c.Logits[i] = math.MaxFloat32
		case math.IsInf(float64(v), -1):
			c.Logits[i] = -math.MaxFloat32
		}
	}
}

// LengthDecay makes the ends of text more probable with every token after Start
// generated ones: |logit|·(Factorⁿ − 1) is added, n tokens past Start
// (ExponentialDecayLengthPenalty).
type LengthDecay struct {
	Start  int
	Factor float64
	Ends   []int32
}

// NeedsHistory returns true.
func (l LengthDecay) NeedsHistory() bool { return true }

// Process raises the logits of the ends of text.
func (l LengthDecay) Process(c *Candidates) {
	n := len(c.History) - c.Prompt - l.Start
	if n <= 0 {
		return
	}
	factor := float32(powerInt(l.Factor, n) - 1)
	for i, id := range l.Ends {
		if v := c.At(id); v != nil && !math.IsInf(float64(*v), 0) && !slices.Contains(l.Ends[:i], id) {
			*v += float32(float32(math.Abs(float64(*v))) * factor)
		}
	}
}

// Normalize replaces the logits by their log-softmax (LogitNormalization).
type Normalize struct{}

// Process normalises the candidates that are left.
func (Normalize) Process(c *Candidates) { logSoftmax(c.Logits, c.Logits) }
