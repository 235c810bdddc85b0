package sample

import (
	"fmt"
	"math"
)

// Watermark favours a part of the vocabulary that depends on the tokens before
// (WatermarkLogitsProcessor; Kirchenbauer et al., A Watermark for Large Language
// Models, 2023). Its zero values are transformers' defaults.
type Watermark struct {
	Ratio    float64 // of the vocabulary that is favoured; 0 is 0.25
	Bias     float64 // added to their logits; 0 is 2
	Key      int64   // 0 is 15485863
	SelfHash bool    // the favoured tokens depend on the token to be chosen as well ("selfhash")
	Width    int     // tokens that the choice depends on; 0 is 1

	vocabulary int
	generator  twister
	table      []int32 // of selfhash
	order      []int32
	green      marks
}

// watermarkTable is the length of the table of selfhash.
const watermarkTable = 1_000_003

// Check returns an error for a ratio outside of (0, 1).
func (w *Watermark) Check() error {
	if w.Ratio < 0 || w.Ratio >= 1 || w.Width < 0 {
		return fmt.Errorf("watermark: ratio %v must be between 0 and 1, width %d not negative", w.Ratio, w.Width)
	}
	return nil
}

// complete returns a copy with the defaults filled in.
func (w Watermark) complete() *Watermark {
	if w.Ratio == 0 {
		w.Ratio = 0.25
	}
	if w.Bias == 0 {
		w.Bias = 2
	}
	if w.Key == 0 {
		w.Key = 15485863
	}
	w.Width = max(w.Width, 1)
	return &w
}

// NeedsHistory returns true.
func (w *Watermark) NeedsHistory() bool { return true }

// Process adds the bias to the favoured tokens.
func (w *Watermark) Process(c *Candidates) {
	if len(c.History) < w.Width || len(c.History) == 0 {
		return
	}
	if w.vocabulary != c.vocabulary {
		w.vocabulary, w.order = c.vocabulary, make([]int32, c.vocabulary)
	}
	if w.SelfHash {
		w.selfHash(c)
		return
	}
	w.generator.seed(uint64(w.Key) * uint64(c.History[len(c.History)-1]) % math.MaxUint64)
	w.favour(c, w.list())
}

// list returns the favoured tokens of the seeded generator.
func (w *Watermark) list() []int32 {
	n := int(float64(w.vocabulary) * w.Ratio)
	w.generator.permute(w.order, n)
	return w.order[:n]
}

// favour adds the bias to tokens.
func (w *Watermark) favour(c *Candidates, tokens []int32) {
	for _, id := range tokens {
		if v := c.At(id); v != nil {
			*v += float32(w.Bias)
		}
	}
}

// selfHash favours those of the 40 most probable tokens that favour themselves.
func (w *Watermark) selfHash(c *Candidates) {
	if w.table == nil {
		w.table = make([]int32, watermarkTable)
		w.generator.seed(uint64(w.Key))
		w.generator.permute(w.table, watermarkTable)
	}
	probe := *c
	probe.IDs, probe.Logits = append([]int32(nil), c.IDs...), append([]float32(nil), c.Logits...)
	probe.weights = nil
	var favoured []int32
	context := append([]int32(nil), c.History...)
	for _, i := range probe.sorted(40) {
		id := probe.IDs[i]
		w.seedSelf(tail(append(context, id), w.Width), id)
		w.green.begin(w.vocabulary)
		for _, g := range w.list() {
			w.green.first(g)
		}
		if !w.green.first(id) {
			favoured = append(favoured, id)
		}
	}
	w.favour(c, favoured)
}

// seedSelf seeds the generator with the least hash of the tokens and the last.
func (w *Watermark) seedSelf(tokens []int32, last int32) {
	b := int64(w.table[last%watermarkTable]) + 1
	least := int64(math.MaxInt64)
	for _, id := range tokens {
		a := int64(w.table[id%watermarkTable]) + 1
		least = min(least, w.Key*a*b)
	}
	seed := least
	if seed < 0 { // Python's modulo is not negative
		w.generator.seed(uint64(seed) - 1) // 2⁶⁴ − 1 + seed
		return
	}
	w.generator.seed(uint64(seed))
}

// SynthID is the tournament watermark (SynthIDTextWatermarkLogitsProcessor;
// Dathathri et al., Scalable watermarking for identifying large language model
// outputs, 2024). It remembers the contexts of one sequence.
type SynthID struct {
	NGram     int     // length of the sequences that are hashed, at least 2
	Keys      []int64 // one for each layer of the tournament
	TableSize int     // 0 is 65536
	TableSeed uint64
	History   int  // contexts remembered; 0 is 1024
	SkipFirst bool // no watermark before NGram-1 tokens were generated
	table     []uint8
	context   []int32
	seen      []int64
	calls     int
	g         []uint8
	mass      []float32
}

// Check returns an error for settings that transformers rejects.
func (s *SynthID) Check() error {
	if s.NGram < 2 || s.NGram > 1<<10 || len(s.Keys) == 0 || s.TableSize < 0 || s.TableSize > 1<<24 || s.History < 0 || s.History > 1<<20 {
		return fmt.Errorf("SynthID: needs n-grams of 2 tokens or more, a key, and a table of at most 2^24; found %d, %d keys, %d", s.NGram, len(s.Keys), s.TableSize)
	}
	return nil
}

// start returns a copy with its table and without memory.
func (s SynthID) start() *SynthID {
	if s.TableSize == 0 {
		s.TableSize = 1 << 16
	}
	if s.History == 0 {
		s.History = 1024
	}
	var t twister
	t.seed(s.TableSeed)
	s.table = make([]uint8, s.TableSize)
	for i := range s.table {
		s.table[i] = uint8(t.uint32() % 2)
	}
	s.context, s.seen = make([]int32, s.NGram-1), make([]int64, s.History)
	return &s
}

// NeedsHistory returns true.
func (s *SynthID) NeedsHistory() bool { return true }

// hash continues a hash with one number.
func (s *SynthID) hash(h, v int64) int64 { return (h+v)*6364136223846793005 + 1 }

// Process moves the probabilities to tokens that win the tournament, unless the
// context occurred before.
func (s *SynthID) Process(c *Candidates) {
	if s.calls > 0 && len(c.History) > 0 {
		copy(s.context, s.context[1:])
		s.context[len(s.context)-1] = c.History[len(c.History)-1]
	}
	s.calls++
	if s.SkipFirst && s.calls < s.NGram {
		return
	}
	context := int64(1)
	for _, id := range s.context {
		context = s.hash(context, int64(id))
	}
	repeated := false
	for _, h := range s.seen {
		repeated = repeated || h == context
	}
	copy(s.seen[1:], s.seen)
	s.seen[0] = context
	if !repeated {
		s.tournament(c, context)
	}
}

// tournament replaces the logits by the logarithms of the changed probabilities,
// computed in float32 as the reference does.
func (s *SynthID) tournament(c *Candidates, context int64) {
	total, ok := c.weigh()
	if !ok {
		return
	}
	n := len(c.Logits)
	s.mass, s.g = grow(s.mass, n), grow(s.g, n)
	for i, w := range c.weights {
		s.mass[i] = float32(w / total)
	}
	for _, key := range s.Keys {
		sum := 0.0
		for i, id := range c.IDs {
			s.g[i] = s.table[modulo(s.hash(s.hash(context, int64(id)), key), len(s.table))]
			if s.g[i] != 0 {
				sum += float64(s.mass[i])
			}
		}
		for i := range s.mass {
			s.mass[i] *= 1 + float32(s.g[i]) - float32(sum)
		}
	}
	for i, p := range s.mass {
		c.Logits[i] = -math.MaxFloat32
		if p > 0 {
			c.Logits[i] = float32(log(float64(p)))
		}
	}
}

// modulo is Python's: not negative.
func modulo(h int64, n int) int64 {
	if h %= int64(n); h < 0 {
		h += int64(n)
	}
	return h
}
