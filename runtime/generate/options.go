package generate

import "github.com/tfgen/tfgen/runtime/sample"

// Options says how to generate. The zero value is greedy and goes on until the
// context is full.
type Options struct {
	sample.Options
	Processors []sample.Processor // run after those of the sample.Options

	MaxTokens int      // tokens to generate at most; 0 is no limit
	EOS       []int32  // tokens that end the text; they are not yielded
	Stop      []string // texts that end the text, for Text; they are not yielded
	Stats     *Stats   // filled in while generating, if not nil
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

// MaxTokens limits the number of tokens generated.
func MaxTokens(n int) Option { return func(o *Options) { o.MaxTokens = n } }

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

// Report fills in s while generating.
func Report(s *Stats) Option { return func(o *Options) { o.Stats = s } }
