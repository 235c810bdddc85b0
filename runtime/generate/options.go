package generate

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tfgen/tfgen/runtime/sample"
)

// Options says how to generate. The zero value is greedy and goes on until the
// context is full.
type Options struct {
	sample.Options
	Processors []sample.Processor // run after those that look tokens up by id, see sample.Steps

	MaxTokens int           // tokens to generate at most; 0 is no limit
	MaxLength int           // tokens of prompt and text together at most; 0 is no limit
	Deadline  time.Duration // from the start; the token that is being computed is the last; 0 is no limit
	EOS       []int32       // tokens that end the text; they are not yielded
	Before    []int32       // tokens of the prompt that the session holds already
	Stop      []string      // texts that end the text, for Text and Stream; they are not yielded
	Stats     *Stats        // filled in while generating, if not nil

	SpecialText bool // Stream and Text yield the texts of special tokens, which package toolcall reads
	LogProbs    bool // Stream reports the logarithms of probabilities
	TopLogProbs int  // and those of so many most probable tokens

	Constraint Constraint // allows some tokens only; nil allows all

	Guidance float64                 // scale of classifier-free guidance; 0 and 1 are off
	Negative []int32                 // prompt of the other side of the guidance; nil is the prompt's last token
	Guide    func() (Stepper, error) // makes the session of the other side

	DoLa []int // layers to contrast the last one with, of a model compiled with --early (dola_layers); none is off

	Draft       Drafter // guesses tokens, for Tokens, Text and Stream; the result is the same without
	DraftTokens int     // guesses at a time; 0 is 8
	Lookup      int     // guess so many tokens by looking the last ones up in the text so far; 0 is off
	LookupNGram int     // the longest sequence to look up; 0 is 2

	Return      int         // sequences that Search returns; 0 is 1
	BestOf      int         // sequences that Search samples to return the best; 0 is Return
	Beam        Beam        // of Search
	Contrastive Contrastive // of Search
}

// Beam are the settings of beam search; it is off if Width is below 2.
type Beam struct {
	Width         int     // sequences that are pursued
	Groups        int     // of beams that differ from each other; it divides Width; 0 is 1
	Diversity     float64 // taken from a logit for each group before that chose the token in the same place
	LengthPenalty float64 // scores are divided by the length to this power; transformers' default is 1
	Early         EarlyStopping

	// Words are what the texts have to say (force_words_ids of transformers 4): of each word one of its phrases, which
	// are sequences of tokens and do not begin each other. Where the length does not suffice, texts may lack some.
	Words [][][]int32
}

// EarlyStopping says when beam search ends.
type EarlyStopping int

// The rules, early_stopping of transformers.
const (
	StopLikely   EarlyStopping = iota // false: when at the present length no open sequence can be better than a finished one
	StopWhenFull                      // true: when Width sequences are finished
	StopNever                         // "never": when no open sequence can become better, however long it may get
)

// Contrastive are the settings of contrastive search; it is off if Alpha is 0.
type Contrastive struct {
	Alpha float64 // weight of the degeneration penalty, from 0 to 1
	K     int     // candidates at each step
}

// check returns an error that names the option that is out of its range.
func (o *Options) check() error {
	switch {
	case o.MaxTokens < 0:
		return fmt.Errorf("max tokens %d: must be 0 (no limit) or positive", o.MaxTokens)
	case o.MaxLength < 0:
		return fmt.Errorf("max length %d: must be 0 (no limit) or positive", o.MaxLength)
	case o.Deadline < 0:
		return fmt.Errorf("deadline %v: must be 0 (no limit) or positive", o.Deadline)
	case o.TopLogProbs < 0:
		return fmt.Errorf("top logprobs %d: must be 0 or positive", o.TopLogProbs)
	case o.Lookup < 0 || o.LookupNGram < 0 || o.DraftTokens < 0:
		return errors.New("draft tokens, prompt lookup: must be 0 or positive")
	case o.Beam.Width < 0 || o.Beam.Groups < 0 || o.Return < 0 || o.BestOf < 0:
		return errors.New("beams, groups, sequences: must be 0 or positive")
	case o.Contrastive.Alpha < 0 || o.Contrastive.Alpha > 1 || o.Contrastive.K < 0:
		return fmt.Errorf("contrastive search: alpha %v must be from 0 to 1, %d candidates positive", o.Contrastive.Alpha, o.Contrastive.K)
	case o.guided() && o.Guide == nil:
		return errors.New("guidance: needs a session for its other side")
	case o.guided() && len(o.DoLa) > 0:
		return errors.New("guidance and DoLa: one at a time")
	}
	return nil
}

// guided reports whether there is guidance.
func (o *Options) guided() bool { return o.Guidance != 0 && o.Guidance != 1 }

// limit returns the number of tokens to generate at most for a prompt, and
// whether there is a limit.
func (o *Options) limit(prompt int) (n int, limited bool) {
	n, limited = o.MaxTokens, o.MaxTokens > 0
	if o.MaxLength > 0 && (!limited || o.MaxLength-prompt < n) {
		n, limited = max(o.MaxLength-prompt, 0), true
	}
	return n, limited
}

// sampling returns the options of the processors for a prompt of n tokens.
func (o *Options) sampling(n int) sample.Options {
	s := o.Options
	if s.Ends == nil {
		s.Ends = o.EOS
	}
	if most, limited := o.limit(n); s.Length == 0 && limited {
		s.Length = n + most
	}
	return s
}

// Option changes one of the Options.
type Option func(*Options)

// With returns o changed by the given options.
func (o Options) With(options ...Option) Options {
	for _, option := range options {
		option(&o)
	}
	return o
}

// Set applies a function to the options, for those that have no Option of their
// own.
func Set(f func(*Options)) Option { return f }

// Replace sets all options but EOS, which stays if the new one has none.
func Replace(n Options) Option {
	return func(o *Options) {
		if n.EOS == nil {
			n.EOS = o.EOS
		}
		*o = n
	}
}

// MaxTokens limits the number of tokens generated.
func MaxTokens(n int) Option { return func(o *Options) { o.MaxTokens = n } }

// Deadline ends the text after a time.
func Deadline(d time.Duration) Option { return func(o *Options) { o.Deadline = d } }

// Greedy chooses the most probable token every time.
func Greedy() Option { return func(o *Options) { o.Temperature = 0 } }

// Temperature divides the logits by t; 0 chooses the largest.
func Temperature(t float64) Option { return func(o *Options) { o.Temperature = t } }

// TopP keeps the most probable tokens whose probabilities add up to p.
func TopP(p float64) Option { return func(o *Options) { o.TopP = p } }

// TopK keeps the k most probable tokens.
func TopK(k int) Option { return func(o *Options) { o.TopK = k } }

// MinP keeps the tokens with at least the share p of the largest probability.
func MinP(p float64) Option { return func(o *Options) { o.MinP = p } }

// RepetitionPenalty makes tokens that occurred less probable; above 1.
func RepetitionPenalty(p float64) Option { return func(o *Options) { o.RepetitionPenalty = p } }

// Seed sets the seed of the random numbers.
func Seed(n uint64) Option { return func(o *Options) { o.Seed = n } }

// StopAt ends the text before the first of the given texts, also when it spans
// several tokens. It replaces those set before.
func StopAt(texts ...string) Option { return func(o *Options) { o.Stop = texts } }

// EndAt sets the tokens that end the text, in place of the model's own.
func EndAt(ids ...int32) Option { return func(o *Options) { o.EOS = ids } }

// AlsoEndAt adds tokens that end the text to the model's own.
func AlsoEndAt(ids ...int32) Option {
	return func(o *Options) {
		o.EOS = slices.Clip(o.EOS)
		for _, id := range ids {
			if !slices.Contains(o.EOS, id) {
				o.EOS = append(o.EOS, id)
			}
		}
	}
}

// Report fills in s while generating.
func Report(s *Stats) Option { return func(o *Options) { o.Stats = s } }

// LogProbs makes Stream report the logarithm of each token's probability and of
// those of the top most probable ones.
func LogProbs(top int) Option {
	return func(o *Options) { o.LogProbs, o.TopLogProbs = true, top }
}

// Constrain allows only tokens that c allows.
func Constrain(c Constraint) Option { return func(o *Options) { o.Constraint = c } }

// Guesses lets d guess tokens, which makes generation faster and does not change
// its result.
func Guesses(d Drafter) Option { return func(o *Options) { o.Draft = d } }

// PromptLookup guesses n tokens at a time by looking the last ones up in the
// text so far; it does not change the result.
func PromptLookup(n int) Option { return func(o *Options) { o.Lookup = n } }
