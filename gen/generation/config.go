// Package generation reads generation_config.json.
package generation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tfgen/tfgen/runtime/generate"
	"github.com/tfgen/tfgen/runtime/sample"
)

// Config is generation_config.json of transformers 5, with the keys of version 4 that have a meaning here.
type Config struct {
	DoSample *bool `json:"do_sample"`

	Temperature  *float64        `json:"temperature"`
	TopK         *int            `json:"top_k"`
	TopP         *float64        `json:"top_p"`
	MinP         *float64        `json:"min_p"`
	TopH         *float64        `json:"top_h"`
	TypicalP     *float64        `json:"typical_p"`
	Epsilon      *float64        `json:"epsilon_cutoff"`
	Eta          *float64        `json:"eta_cutoff"`
	Renormalize  bool            `json:"renormalize_logits"`
	RemoveNaN    bool            `json:"remove_invalid_values"`
	Guidance     *float64        `json:"guidance_scale"`
	Watermarking json.RawMessage `json:"watermarking_config"`

	Repetition        *float64          `json:"repetition_penalty"`
	EncoderRepetition *float64          `json:"encoder_repetition_penalty"`
	NoRepeat          *int              `json:"no_repeat_ngram_size"`
	EncoderNoRepeat   *int              `json:"encoder_no_repeat_ngram_size"`
	SequenceBias      []json.RawMessage `json:"sequence_bias"`
	BadWords          [][]int32         `json:"bad_words_ids"`

	MaxLength     *int        `json:"max_length"`
	MaxNewTokens  *int        `json:"max_new_tokens"`
	MinLength     *int        `json:"min_length"`
	MinNewTokens  *int        `json:"min_new_tokens"`
	MaxTime       *float64    `json:"max_time"`
	StopStrings   texts       `json:"stop_strings"`
	EOS           IDs         `json:"eos_token_id"`
	ForcedBOS     IDs         `json:"forced_bos_token_id"`
	ForcedEOS     IDs         `json:"forced_eos_token_id"`
	ForcedDecoder [][2]*int32 `json:"forced_decoder_ids"`
	Decay         []float64   `json:"exponential_decay_length_penalty"`
	Suppress      []int32     `json:"suppress_tokens"`
	SuppressFirst []int32     `json:"begin_suppress_tokens"`

	Beams         *int            `json:"num_beams"`
	Groups        *int            `json:"num_beam_groups"`
	Diversity     *float64        `json:"diversity_penalty"`
	LengthPenalty *float64        `json:"length_penalty"`
	EarlyStopping json.RawMessage `json:"early_stopping"`
	Return        *int            `json:"num_return_sequences"`
	ForceWords    json.RawMessage `json:"force_words_ids"`
	DoLa          json.RawMessage `json:"dola_layers"` // means layers of a model: pass.EarlyLayers
	PenaltyAlpha  *float64        `json:"penalty_alpha"`
	Lookup        *int            `json:"prompt_lookup_num_tokens"`
	LookupNGram   *int            `json:"max_matching_ngram_size"`
}

// ignored are keys that say nothing about which tokens are generated here: ids that other files decide, how results are
// returned, caches, and how an assistant model is asked.
var ignored = []string{
	"_from_model_config", "transformers_version", "bos_token_id", "pad_token_id", "decoder_start_token_id", "use_cache", "cache_implementation",
	"cache_config", "max_cache_len", "return_dict_in_generate", "output_scores", "output_logits", "output_attentions", "output_hidden_states",
	"num_assistant_tokens", "num_assistant_tokens_schedule", "assistant_confidence_threshold", "assistant_early_exit", "assistant_lookbehind",
	"target_lookbehind", "assistant_ensemble_weight", "is_assistant", "compile_config", "disable_compile", "continuous_batching_config", "low_memory",
	"prefill_chunk_size", "return_legacy_cache", "generation_kwargs", "use_mtp", "speculation_type", "trust_remote_code", "_commit_hash",
}

// unsupported are keys that change the tokens in ways that tfgen does not have, with the values that are harmless.
var unsupported = map[string][]string{
	"constraints": {"null"}, "token_healing": {"null", "false"},
}

// IDs is a token id or a list of them.
type IDs []int32

// UnmarshalJSON reads a number, a list or null.
func (l *IDs) UnmarshalJSON(text []byte) error {
	if text[0] == '[' {
		return json.Unmarshal(text, (*[]int32)(l))
	}
	var id *int32
	if err := json.Unmarshal(text, &id); err != nil || id == nil {
		return err
	}
	*l = IDs{*id}
	return nil
}

// texts is a string or a list of them.
type texts []string

// UnmarshalJSON reads a string, a list or null.
func (l *texts) UnmarshalJSON(text []byte) error {
	if text[0] == '[' {
		return json.Unmarshal(text, (*[]string)(l))
	}
	var s *string
	if err := json.Unmarshal(text, &s); err != nil || s == nil {
		return err
	}
	*l = texts{*s}
	return nil
}

// Parse reads a generation config. Keys that would change the generated tokens but are not supported are errors. Other
// unknown keys are returned.
func Parse(text []byte) (c *Config, unknown []string, err error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, nil, fmt.Errorf("generation config: %w", err)
	}
	c = new(Config)
	if err := json.Unmarshal(text, c); err != nil {
		return nil, nil, fmt.Errorf("generation config: %w", err)
	}
	known := map[string]bool{}
	for _, f := range fields {
		known[f] = true
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		harmless, hard := unsupported[key]
		switch {
		case hard && !slices.Contains(harmless, string(bytes.TrimSpace(all[key]))):
			return nil, nil, fmt.Errorf("generation config: %s is not supported; supported are %v", key, fields)
		case !hard && !known[key] && !slices.Contains(ignored, key):
			unknown = append(unknown, key)
		}
	}
	return c, unknown, nil
}

// Defaults fills in what transformers' generate assumes where the model's own file says nothing about sampling.
func (c *Config) Defaults() {
	if c.TopK == nil {
		k := 50
		c.TopK = &k
	}
}

// or returns *p, or the value if p is nil.
func or[T any](p *T, value T) T {
	if p == nil {
		return value
	}
	return *p
}

// Options returns what the config means.
func (c *Config) Options() (generate.Options, error) {
	o := generate.Options{
		MaxTokens: or(c.MaxNewTokens, 0), EOS: c.EOS, Stop: c.StopStrings,
		Deadline: time.Duration(or(c.MaxTime, 0) * float64(time.Second)),
		Guidance: or(c.Guidance, 0), Return: or(c.Return, 0), Lookup: or(c.Lookup, 0), LookupNGram: or(c.LookupNGram, 0),
	}
	if c.MaxNewTokens == nil {
		o.MaxLength = or(c.MaxLength, 0)
	}
	if alpha := or(c.PenaltyAlpha, 0); alpha > 0 && or(c.TopK, 50) > 1 {
		o.Contrastive = generate.Contrastive{Alpha: alpha, K: or(c.TopK, 50)}
	}
	var err error
	if o.Beam, err = c.beam(); err != nil {
		return o, err
	}
	if o.Options, err = c.sampling(o.Beam.Width); err != nil {
		return o, err
	}
	o.Length = o.MaxLength
	return o, o.Options.Check()
}

// beam returns the settings of beam search.
func (c *Config) beam() (b generate.Beam, err error) {
	words, err := forceWords(c.ForceWords)
	if or(c.Beams, 1) <= 1 {
		if words != nil {
			err = errors.New("generation config: force_words_ids needs num_beams of 2 or more")
		}
		return b, err
	}
	b = generate.Beam{Width: *c.Beams, Groups: or(c.Groups, 1), Diversity: or(c.Diversity, 0), LengthPenalty: or(c.LengthPenalty, 1)}
	switch s := string(c.EarlyStopping); s {
	case "", "null", "false":
	case "true":
		b.Early = generate.StopWhenFull
	case `"never"`:
		b.Early = generate.StopNever
	default:
		return b, fmt.Errorf("generation config: early_stopping is %s, expected true, false or \"never\"", s)
	}
	b.Words = words
	return b, err
}

// forceWords reads force_words_ids: a list of words, each of which is a phrase, a list of tokens, or a list of phrases.
func forceWords(text json.RawMessage) (words [][][]int32, err error) {
	var list []json.RawMessage
	if len(text) == 0 || string(text) == "null" {
		return nil, nil
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("generation config: force_words_ids: %w", err)
	}
	for _, item := range list {
		var phrases [][]int32
		if json.Unmarshal(item, &phrases) != nil {
			phrases = make([][]int32, 1)
			if err := json.Unmarshal(item, &phrases[0]); err != nil {
				return nil, fmt.Errorf("generation config: force_words_ids: %s is neither tokens nor a list of phrases", item)
			}
		}
		words = append(words, phrases)
	}
	return words, nil
}

// sampling returns the options of the processors.
func (c *Config) sampling(beams int) (o sample.Options, err error) {
	o = sample.Options{
		RepetitionPenalty: or(c.Repetition, 0), EncoderRepetitionPenalty: or(c.EncoderRepetition, 0),
		NoRepeatNGram: or(c.NoRepeat, 0), EncoderNoRepeatNGram: or(c.EncoderNoRepeat, 0), BadWords: c.BadWords,
		Ends: c.EOS, MinLength: or(c.MinLength, 0), MinNewTokens: or(c.MinNewTokens, 0), ForcedBOS: c.ForcedBOS, ForcedEOS: c.ForcedEOS,
		Suppress: c.Suppress, SuppressFirst: c.SuppressFirst, RemoveInvalid: c.RemoveNaN, Renormalize: c.Renormalize,
	}
	if o.SequenceBias, err = SequenceBias(c.SequenceBias); err != nil {
		return o, err
	}
	if len(c.Decay) == 2 {
		o.DecayStart, o.DecayFactor = int(c.Decay[0]), c.Decay[1]
	} else if c.Decay != nil {
		return o, fmt.Errorf("generation config: exponential_decay_length_penalty has %d numbers, expected 2", len(c.Decay))
	}
	for _, pair := range c.ForcedDecoder {
		if pair[0] == nil || pair[1] == nil {
			continue
		}
		if o.ForcedTokens == nil {
			o.ForcedTokens = map[int]int32{}
		}
		o.ForcedTokens[int(*pair[0])] = *pair[1]
	}
	if c.DoSample != nil && *c.DoSample {
		c.warping(&o)
		if beams > 1 {
			o.Keep = max(len(c.EOS), 1) + 1
		}
	}
	return o, c.watermark(&o)
}

// SmallestShare stands for a share of 0, which keeps one token, where the options' 0 is off.
const SmallestShare = 0x1p-1074

// warping sets the options that count when sampling.
func (c *Config) warping(o *sample.Options) {
	o.Temperature, o.TopK, o.TopH = or(c.Temperature, 1), or(c.TopK, 0), or(c.TopH, 0)
	o.TypicalP, o.EpsilonCutoff, o.EtaCutoff = or(c.TypicalP, 0), or(c.Epsilon, 0), or(c.Eta, 0)
	o.MinP = or(c.MinP, 0)
	if c.TopP != nil {
		o.TopP = max(*c.TopP, SmallestShare)
	}
}

// SequenceBias reads pairs of a sequence and its bias. The last of equal sequences counts.
func SequenceBias(list []json.RawMessage) (all []sample.Bias, err error) {
	for _, text := range list {
		var pair []json.RawMessage
		var b sample.Bias
		if err = json.Unmarshal(text, &pair); err == nil && len(pair) != 2 {
			err = fmt.Errorf("%s is not a sequence and a number", text)
		}
		if err == nil {
			err = json.Unmarshal(pair[0], &b.Tokens)
		}
		if err == nil {
			err = json.Unmarshal(pair[1], &b.Bias)
		}
		if err != nil {
			return nil, fmt.Errorf("generation config: sequence_bias: %w", err)
		}
		all = slices.DeleteFunc(all, func(old sample.Bias) bool { return slices.Equal(old.Tokens, b.Tokens) })
		all = append(all, b)
	}
	return all, nil
}
