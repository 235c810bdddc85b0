package capi

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/runtime/generate"
	"github.com/tfgen/tfgen/runtime/json"
)

// options are the further options of a generation, by their names in transformers' generation_config.json and in llama.cpp.
var options = map[string]func(o *generate.Options) any{
	"temperature":                  func(o *generate.Options) any { return &o.Temperature },
	"seed":                         func(o *generate.Options) any { return &o.Seed },
	"top_k":                        func(o *generate.Options) any { return &o.TopK },
	"top_p":                        func(o *generate.Options) any { return &o.TopP },
	"min_p":                        func(o *generate.Options) any { return &o.MinP },
	"top_h":                        func(o *generate.Options) any { return &o.TopH },
	"typical_p":                    func(o *generate.Options) any { return &o.TypicalP },
	"epsilon_cutoff":               func(o *generate.Options) any { return &o.EpsilonCutoff },
	"eta_cutoff":                   func(o *generate.Options) any { return &o.EtaCutoff },
	"top_n_sigma":                  func(o *generate.Options) any { return &o.TopNSigma },
	"xtc_probability":              func(o *generate.Options) any { return &o.XTCProbability },
	"xtc_threshold":                func(o *generate.Options) any { return &o.XTCThreshold },
	"mirostat":                     func(o *generate.Options) any { return &o.Mirostat },
	"mirostat_tau":                 func(o *generate.Options) any { return &o.MirostatTau },
	"mirostat_eta":                 func(o *generate.Options) any { return &o.MirostatEta },
	"min_tokens_to_keep":           func(o *generate.Options) any { return &o.Keep },
	"repetition_penalty":           func(o *generate.Options) any { return &o.RepetitionPenalty },
	"encoder_repetition_penalty":   func(o *generate.Options) any { return &o.EncoderRepetitionPenalty },
	"frequency_penalty":            func(o *generate.Options) any { return &o.FrequencyPenalty },
	"presence_penalty":             func(o *generate.Options) any { return &o.PresencePenalty },
	"penalty_last_n":               func(o *generate.Options) any { return &o.PenaltyWindow },
	"dry_multiplier":               func(o *generate.Options) any { return &o.DRY.Multiplier },
	"dry_base":                     func(o *generate.Options) any { return &o.DRY.Base },
	"dry_allowed_length":           func(o *generate.Options) any { return &o.DRY.AllowedLength },
	"dry_penalty_last_n":           func(o *generate.Options) any { return &o.DRY.Window },
	"encoder_no_repeat_ngram_size": func(o *generate.Options) any { return &o.EncoderNoRepeatNGram },
	"eos_token_id":                 func(o *generate.Options) any { return &o.EOS },
	"no_repeat_ngram_size":         func(o *generate.Options) any { return &o.NoRepeatNGram },
	"bad_words_ids":                func(o *generate.Options) any { return &o.BadWords },
	"min_length":                   func(o *generate.Options) any { return &o.MinLength },
	"min_new_tokens":               func(o *generate.Options) any { return &o.MinNewTokens },
	"max_new_tokens":               func(o *generate.Options) any { return &o.MaxTokens },
	"max_length":                   func(o *generate.Options) any { return &o.MaxLength },
	"forced_eos_token_id":          func(o *generate.Options) any { return &o.ForcedEOS },
	"suppress_tokens":              func(o *generate.Options) any { return &o.Suppress },
	"begin_suppress_tokens":        func(o *generate.Options) any { return &o.SuppressFirst },
	"remove_invalid_values":        func(o *generate.Options) any { return &o.RemoveInvalid },
	"renormalize_logits":           func(o *generate.Options) any { return &o.Renormalize },
	"guidance_scale":               func(o *generate.Options) any { return &o.Guidance },
	"negative_prompt_ids":          func(o *generate.Options) any { return &o.Negative },
	"prompt_lookup_num_tokens":     func(o *generate.Options) any { return &o.Lookup },
	"num_beams":                    func(o *generate.Options) any { return &o.Beam.Width },
	"num_beam_groups":              func(o *generate.Options) any { return &o.Beam.Groups },
	"diversity_penalty":            func(o *generate.Options) any { return &o.Beam.Diversity },
	"length_penalty":               func(o *generate.Options) any { return &o.Beam.LengthPenalty },
	"num_return_sequences":         func(o *generate.Options) any { return &o.Return },
	"best_of":                      func(o *generate.Options) any { return &o.BestOf },
	"forced_bos_token_id":          func(o *generate.Options) any { return &o.ForcedBOS },
	"max_matching_ngram_size":      func(o *generate.Options) any { return &o.LookupNGram },
}

// optionNames are the names of all options, in order.
func optionNames() []string {
	return slices.Sorted(func(yield func(string) bool) {
		for name := range options {
			if !yield(name) {
				return
			}
		}
		for name := range own {
			if !yield(name) {
				return
			}
		}
	})
}

// apply changes options by a JSON object.
func apply(i *Instance, o *generate.Options, text string) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		return argument("the options are not a JSON object: %v", err)
	}
	if b := o.Beam; b.Width == 0 && b.LengthPenalty == 0 && len(b.Words) == 0 {
		o.Beam.LengthPenalty = 1
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if err := set(i, o, name, values[name]); err != nil {
			var c *coded
			if errors.As(err, &c) {
				return err
			}
			return argument("option %s: %s does not fit: %v", name, clip(string(values[name])), err)
		}
	}
	if string(values["do_sample"]) == "false" {
		o.Temperature = 0
	}
	if o.Contrastive.Alpha > 0 {
		o.Contrastive.K, o.TopK = o.TopK, 0
	}
	return nil
}

// set sets one option.
func set(i *Instance, o *generate.Options, name string, value json.RawMessage) error {
	if f := own[name]; f != nil {
		return f(i, o, value)
	}
	field := options[name]
	if field == nil {
		return argument("no option is called %q; there are %s", name, strings.Join(optionNames(), ", "))
	}
	p := field(o)
	if _, ids := p.(*[]int32); ids && len(value) > 0 && value[0] != '[' && string(value) != "null" {
		value = slices.Concat([]byte{'['}, value, []byte{']'}) // one id is a list of one
	}
	if err := json.Unmarshal(value, p); err != nil {
		return err
	}
	return knownIn(p)
}

// knownIn reports a token id outside the vocabulary in an option that was read.
func knownIn(option any) error {
	var lists [][]int32
	switch v := option.(type) {
	case *[]int32:
		lists = [][]int32{*v}
	case *[][]int32:
		lists = *v
	}
	for _, list := range lists {
		for _, id := range list {
			if err := known(id); err != nil {
				return err
			}
		}
	}
	return nil
}

// clip shortens a text for a message.
func clip(s string) string {
	if len(s) > 80 {
		return fmt.Sprintf("%.80s…", s)
	}
	return s
}
