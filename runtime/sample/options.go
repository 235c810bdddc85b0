package sample

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Options says how tokens are chosen. The zero value is greedy: the token with
// the largest logit. Names in parentheses are those of generation_config.json
// where they differ. The processors run in the order of Steps.
type Options struct {
	Temperature float64 // logits are divided by it; 0 is greedy, and switches the options marked * off
	Seed        uint64  // of the generator, see Sampler
	Sequence    uint64  // the second half of the seed: samples that differ in it are independent

	TopK           int     // * keep the k largest logits and those equal to the k-th; 0 keeps all
	TopP           float64 // * keep the most probable tokens until their sum reaches p; 0 or 1 keeps all
	MinP           float64 // * keep tokens with at least this share of the largest probability; 0 keeps all
	TopH           float64 // * keep the most probable tokens until their share of the entropy reaches h; 0 keeps all
	TypicalP       float64 // * see Typical; 0 or 1 keeps all
	EpsilonCutoff  float64 // * see Epsilon; 0 keeps all
	EtaCutoff      float64 // * see Eta; 0 keeps all
	TopNSigma      float64 // * see TopNSigma; 0 keeps all
	XTCProbability float64 // * see XTC; 0 is off
	XTCThreshold   float64 // *
	Mirostat       int     // * 1 or 2: see Mirostat, in place of the other options that drop tokens; 0 is off
	MirostatTau    float64 // * 0 is 5
	MirostatEta    float64 // * 0 is 0.1
	Keep           int     // * tokens that those options keep at least (min_tokens_to_keep); 0 is 1

	RepetitionPenalty        float64 // divides the positive and multiplies the negative logits of tokens seen; 0 or 1 is off
	EncoderRepetitionPenalty float64 // see PromptPenalty; 0 or 1 is off
	FrequencyPenalty         float64 // see Occurrence
	PresencePenalty          float64
	PenaltyWindow            int // the last tokens that FrequencyPenalty and PresencePenalty look at; 0 is all
	DRY                      DRY // off if its Multiplier is 0
	NoRepeatNGram            int // (no_repeat_ngram_size) 0 is off
	EncoderNoRepeatNGram     int // (encoder_no_repeat_ngram_size) the same for the n-grams of the prompt
	SequenceBias             []Bias
	BadWords                 [][]int32 // (bad_words_ids)

	Ends          []int32       // tokens that end a text; package generate sets them
	Length        int           // at which a text ends, prompt included; package generate sets it
	MinLength     int           // no end before prompt and text have so many tokens
	MinNewTokens  int           // no end before the text has so many tokens
	ForcedBOS     []int32       // (forced_bos_token_id) the token after a prompt of one token; none or one
	ForcedEOS     []int32       // (forced_eos_token_id) the last token at Length; none or several to choose from
	ForcedTokens  map[int]int32 // (forced_decoder_ids) tokens by their place, prompt included
	DecayStart    int           // (exponential_decay_length_penalty) see LengthDecay
	DecayFactor   float64       // 0 is off
	Suppress      []int32       // (suppress_tokens) never chosen
	SuppressFirst []int32       // (begin_suppress_tokens) never chosen as the first token

	RemoveInvalid bool // (remove_invalid_values) see RemoveInvalid
	Renormalize   bool // (renormalize_logits) see Normalize
	Diversity     *Diversity
	Watermark     *Watermark
	SynthID       *SynthID
}

// number is a rule for one option.
type number struct {
	name     string
	value    float64
	from, to float64
	says     string
}

// numbers returns the ranges of the options.
func (o *Options) numbers() []number {
	inf := math.MaxFloat32
	return []number{
		{"temperature", o.Temperature, 0, inf, "0 (greedy) or positive"},
		{"top-k", float64(o.TopK), 0, inf, "0 (off) or positive"},
		{"top-p", o.TopP, 0, 1, "from 0 to 1"},
		{"min-p", o.MinP, 0, 1, "from 0 to 1"},
		{"top-h", o.TopH, 0, 1, "from 0 to 1"},
		{"typical-p", o.TypicalP, 0, 1, "from 0 to 1"},
		{"epsilon cutoff", o.EpsilonCutoff, 0, 1, "from 0 to 1"},
		{"eta cutoff", o.EtaCutoff, 0, 1, "from 0 to 1"},
		{"top-n-sigma", o.TopNSigma, 0, inf, "0 (off) or positive"},
		{"XTC probability", o.XTCProbability, 0, 1, "from 0 to 1"},
		{"XTC threshold", o.XTCThreshold, 0, 1, "from 0 to 1"},
		{"mirostat", float64(o.Mirostat), 0, 2, "0 (off), 1 or 2"},
		{"mirostat tau", o.MirostatTau, 0, 100, "from 0 to 100"},
		{"mirostat eta", o.MirostatEta, 0, 10, "from 0 to 10"},
		{"tokens to keep", float64(o.Keep), 0, inf, "0 or positive"},
		{"repetition penalty", o.RepetitionPenalty, 0, inf, "0 (off) or positive"},
		{"encoder repetition penalty", o.EncoderRepetitionPenalty, 0, inf, "0 (off) or positive"},
		{"frequency penalty", o.FrequencyPenalty, -inf, inf, "a number"},
		{"presence penalty", o.PresencePenalty, -inf, inf, "a number"},
		{"penalty window", float64(o.PenaltyWindow), 0, inf, "0 (all) or positive"},
		{"DRY multiplier", o.DRY.Multiplier, 0, inf, "0 (off) or positive"},
		{"DRY base", o.DRY.Base, 0, inf, "0 (1.75) or positive"},
		{"DRY allowed length", float64(o.DRY.AllowedLength), 0, inf, "0 (2) or positive"},
		{"DRY window", float64(o.DRY.Window), 0, inf, "0 (all) or positive"},
		{"no-repeat n-gram size", float64(o.NoRepeatNGram), 0, inf, "0 (off) or positive"},
		{"encoder no-repeat n-gram size", float64(o.EncoderNoRepeatNGram), 0, inf, "0 (off) or positive"},
		{"min length", float64(o.MinLength), 0, inf, "0 or positive"},
		{"min new tokens", float64(o.MinNewTokens), 0, inf, "0 or positive"},
		{"length decay start", float64(o.DecayStart), 0, inf, "0 or positive"},
		{"length decay factor", o.DecayFactor, 0, inf, "0 (off) or positive"},
	}
}

// Check returns an error that names the option that is out of its range.
func (o Options) Check() error {
	for _, n := range o.numbers() {
		if !(n.value >= n.from && n.value <= n.to) {
			return fmt.Errorf("%s %v: must be %s", n.name, n.value, n.says)
		}
	}
	if o.Temperature > 0 && float32(o.Temperature) == 0 {
		return fmt.Errorf("temperature %v: too small; 0 is greedy", o.Temperature)
	}
	if len(o.ForcedBOS) > 1 {
		return fmt.Errorf("forced first token: %d tokens, expected one", len(o.ForcedBOS))
	}
	for _, b := range o.SequenceBias {
		if len(b.Tokens) == 0 || b.Bias != b.Bias {
			return fmt.Errorf("sequence bias %v of %v: needs tokens and a number", b.Bias, b.Tokens)
		}
	}
	if slices.ContainsFunc(o.BadWords, func(w []int32) bool { return len(w) == 0 }) {
		return errors.New("bad words: a word without tokens")
	}
	if o.Watermark != nil && o.SynthID != nil {
		return errors.New("watermark: one kind at a time")
	}
	if o.Watermark != nil {
		return o.Watermark.Check()
	}
	if o.SynthID != nil {
		return o.SynthID.Check()
	}
	return nil
}
