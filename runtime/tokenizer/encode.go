package tokenizer

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// Input is a text or a pair of texts. A text can be given as its words, which pre-tokenizers then cut further but
// never join.
type Input struct {
	Text, Pair        string
	Words, PairWords  []string
	HasWords, HasPair bool
	PairHasWords      bool
}

// Text is the input of one text.
func Text(s string) Input { return Input{Text: s} }

// Pair is the input of two texts.
func Pair(a, b string) Input { return Input{Text: a, Pair: b, HasPair: true} }

// Words is the input of one text that is already cut into words.
func Words(w []string) Input { return Input{Words: w, HasWords: true} }

// PairOfWords is the input of two texts that are already cut into words.
func PairOfWords(a, b []string) Input {
	return Input{Words: a, PairWords: b, HasWords: true, HasPair: true, PairHasWords: true}
}

// Strategy says which text of a pair is made shorter.
type Strategy int32

// Strategies of truncation.
const (
	LongestFirst Strategy = iota
	OnlyFirst
	OnlySecond
)

// Truncation bounds the tokens of an encoding, added ones included. What does not fit makes windows in Overflow.
type Truncation struct {
	Max      int
	Stride   int // tokens that a window shares with the one before it
	Strategy Strategy
	Left     bool // the end of a text stays, not its beginning
}

// Padding fills encodings up to the length of the longest of a batch, or to Length if that is not 0, and further to
// a multiple of Multiple if that is not 0.
type Padding struct {
	Length, Multiple int
	ID, TypeID       int32
	Left             bool
}

// Options are what EncodeInput and EncodeBatch do beside encoding.
type Options struct {
	Special    bool // add the post-processor's tokens
	Literal    bool // a special token's text in the input is text
	Runes      bool // offsets count characters in place of bytes
	Truncation *Truncation
	Padding    *Padding
	Workers    int // goroutines for a batch, 0 for one a processor
}

// Truncation returns what the tokenizer's file asks for, nil for nothing.
func (t *Tokenizer) Truncation() *Truncation { return t.truncation }

// Padding returns what the tokenizer's file asks for, nil for nothing.
func (t *Tokenizer) Padding() *Padding { return t.padding }

// EncodeInput encodes one input with all that is known of its tokens. It fails if truncation cannot be done.
func (t *Tokenizer) EncodeInput(in Input, o Options) (*Encoding, error) {
	e, err := t.encodeOne(in, &o)
	if err != nil {
		return nil, err
	}
	t.finishBatch([]*Encoding{e}, &o)
	return e, nil
}

// EncodeBatch encodes inputs side by side. The result does not depend on the number of workers.
func (t *Tokenizer) EncodeBatch(in []Input, o Options) ([]*Encoding, error) {
	out := make([]*Encoding, len(in))
	errs := make([]error, len(in))
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(workers, len(in)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(in); i = int(next.Add(1)) - 1 {
				out[i], errs[i] = t.encodeOne(in[i], &o)
			}
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("input %d: %w", i, err)
		}
	}
	t.finishBatch(out, &o)
	return out, nil
}

// encodeOne does everything but padding.
func (t *Tokenizer) encodeOne(in Input, o *Options) (*Encoding, error) {
	list := []*Encoding{t.sequence(in.Text, in.Words, in.HasWords, 0, o)}
	if in.HasPair {
		list = append(list, t.sequence(in.Pair, in.PairWords, in.PairHasWords, 1, o))
	}
	if o.Truncation != nil {
		if err := t.truncate(list, o); err != nil {
			return nil, err
		}
	}
	return t.post.process(list, o.Special)
}

// sequence encodes one text, or its words one by one.
func (t *Tokenizer) sequence(text string, words []string, given bool, typeID int32, o *Options) *Encoding {
	s := t.acquire(true, o.Literal)
	s.trim = t.post.trim
	defer t.release(s)
	e := &Encoding{}
	if !given {
		s.encode(text)
		s.appendTo(e, text, typeID, -1)
		return e
	}
	for i, w := range words {
		s.encode(w)
		s.appendTo(e, w, typeID, int32(i))
	}
	return e
}

// appendTo appends what was encoded to an encoding. word ≥ 0 is the word that all of it belongs to.
func (s *state) appendTo(e *Encoding, text string, typeID, word int32) {
	e.IDs = append(e.IDs, s.ids...)
	e.Offsets = append(e.Offsets, s.off...)
	if s.trim {
		e.spaces = append(e.spaces, s.spaces...)
	} else {
		e.spaces = append(e.spaces, make([][2]int32, len(s.ids))...)
	}
	for _, w := range s.words {
		if word >= 0 {
			w = word
		}
		e.Words = append(e.Words, w)
		e.TypeIDs = append(e.TypeIDs, typeID)
		e.Mask = append(e.Mask, 1)
		e.Special = append(e.Special, 0)
		e.texts = append(e.texts, text)
	}
}

func (t *Tokenizer) truncate(list []*Encoding, o *Options) error {
	p := *o.Truncation
	if p.Max < 0 || p.Stride < 0 {
		return fmt.Errorf("tokenizer: truncation to %d tokens with a stride of %d", p.Max, p.Stride)
	}
	if o.Special {
		added := t.post.added(len(list) == 2)
		if p.Max < added {
			return fmt.Errorf("tokenizer: truncation to %d tokens does not leave room for the %d that are added", p.Max, added)
		}
		p.Max -= added
	}
	total := 0
	for _, e := range list {
		total += e.Len()
	}
	if p.Max > 0 && total <= p.Max {
		return nil
	}
	lengths, err := p.lengths(list, total)
	if err != nil {
		return err
	}
	windows := 1
	for i, e := range list {
		if err := e.truncate(lengths[i], p.Stride, p.Left); err != nil {
			return err
		}
		if windows *= len(e.Overflow) + 1; windows > maxWindows {
			return fmt.Errorf("tokenizer: truncation makes more than %d windows", maxWindows)
		}
	}
	return nil
}

// lengths returns how long each text may be.
func (p *Truncation) lengths(list []*Encoding, total int) ([2]int, error) {
	var n [2]int
	for i, e := range list {
		n[i] = e.Len()
	}
	switch {
	case p.Max == 0:
		return [2]int{}, nil
	case p.Strategy == LongestFirst && len(list) == 1:
		return [2]int{p.Max}, nil
	case p.Strategy == LongestFirst:
		return longestFirst(n, p.Max), nil
	}
	i := 0
	if p.Strategy == OnlySecond {
		i = 1
	}
	if i >= len(list) {
		return n, fmt.Errorf("tokenizer: truncation of the second text, but there is only one")
	}
	if n[i] <= total-p.Max {
		return n, fmt.Errorf("tokenizer: the text to truncate is too short to leave %d tokens in all", p.Max)
	}
	n[i] -= total - p.Max
	return n, nil
}

// longestFirst takes from the longer text, and once both are as long from both.
func longestFirst(n [2]int, most int) [2]int {
	short := min(n[0], n[1])
	long := max(short, most-short)
	if short+long > most {
		short = most / 2
		long = short + most%2
	}
	if n[0] > n[1] {
		return [2]int{long, short}
	}
	return [2]int{short, long}
}

// finishBatch pads, and counts offsets in characters if asked to.
func (t *Tokenizer) finishBatch(list []*Encoding, o *Options) {
	if p := o.Padding; p != nil {
		n := p.Length
		if n == 0 {
			for _, e := range list {
				n = max(n, e.Len())
			}
		}
		if p.Multiple > 0 && n%p.Multiple > 0 {
			n += p.Multiple - n%p.Multiple
		}
		for _, e := range list {
			e.pad(n, p)
		}
	}
	if o.Runes {
		for _, e := range list {
			e.countRunes()
		}
	}
}
