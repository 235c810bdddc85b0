package capi

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/runtime/generate"
)

// options are the further options of a generation, by their names in transformers' generation_config.json and in llama.cpp.
var options = map[string]func(o *generate.Options) any{
	"temperature":                func(o *generate.Options) any { return &o.Temperature },
	"seed":                       func(o *generate.Options) any { return &o.Seed },
	"top_k":                      func(o *generate.Options) any { return &o.TopK },
	"top_p":                      func(o *generate.Options) any { return &o.TopP },
	"min_p":                      func(o *generate.Options) any { return &o.MinP },
	"top_h":                      func(o *generate.Options) any { return &o.TopH },
	"typical_p":                  func(o *generate.Options) any { return &o.TypicalP },
	"epsilon_cutoff":             func(o *generate.Options) any { return &o.EpsilonCutoff },
	"eta_cutoff":                 func(o *generate.Options) any { return &o.EtaCutoff },
	"top_n_sigma":                func(o *generate.Options) any { return &o.TopNSigma },
	"xtc_probability":            func(o *generate.Options) any { return &o.XTCProbability },
	"xtc_threshold":              func(o *generate.Options) any { return &o.XTCThreshold },
	"mirostat":                   func(o *generate.Options) any { return &o.Mirostat },
	"mirostat_tau":               func(o *generate.Options) any { return &o.MirostatTau },
	"mirostat_eta":               func(o *generate.Options) any { return &o.MirostatEta },
	"min_tokens_to_keep":         func(o *generate.Options) any { return &o.Keep },
	"repetition_penalty":         func(o *generate.Options) any { return &o.RepetitionPenalty },
	"encoder_repetition_penalty": func(o *generate.Options) any { return &o.EncoderRepetitionPenalty },
	"frequency_penalty":          func(o *generate.Options) any { return &o.FrequencyPenalty },
	"presence_penalty":           func(o *generate.Options) any { return &o.PresencePenalty },
	"penalty_last_n":             func(o *generate.Options) any { return &o.PenaltyWindow },
	"dry_multiplier":             func(o *generate.Options) any { return &o.DRY.Multiplier },
	"dry_base":                   func(o *generate.Options) any { return &o.DRY.Base },
	"dry_allowed_length":         func(o *generate.Options) any { return &o.DRY.AllowedLength },
	"dry_penalty_last_n":         func(o *generate.Options) any { return &o.DRY.Window },
	"no_repeat_ngram_size":       func(o *generate.Options) any { return &o.NoRepeatNGram },
	"bad_words_ids":              func(o *generate.Options) any { return &o.BadWords },
	"min_length":                 func(o *generate.Options) any { return &o.MinLength },
	"min_new_tokens":             func(o *generate.Options) any { return &o.MinNewTokens },
	"max_new_tokens":             func(o *generate.Options) any { return &o.MaxTokens },
	"max_length":                 func(o *generate.Options) any { return &o.MaxLength },
	"forced_eos_token_id":        func(o *generate.Options) any { return &o.ForcedEOS },
	"suppress_tokens":            func(o *generate.Options) any { return &o.Suppress },
	"begin_suppress_tokens":      func(o *generate.Options) any { return &o.SuppressFirst },
	"remove_invalid_values":      func(o *generate.Options) any { return &o.RemoveInvalid },
	"renormalize_logits":         func(o *generate.Options) any { return &o.Renormalize },
	"guidance_scale":             func(o *generate.Options) any { return &o.Guidance },
	"negative_prompt_ids":        func(o *generate.Options) any { return &o.Negative },
	"prompt_lookup_num_tokens":   func(o *generate.Options) any { return &o.Lookup },
	"max_matching_ngram_size":    func(o *generate.Options) any { return &o.LookupNGram },
}

// apply changes options by a JSON object.
func apply(o *generate.Options, text string) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		return argument("the options are not a JSON object: %v", err)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		field := options[name]
		if field == nil {
			return argument("no option is called %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(options)), ", "))
		}
		if err := json.Unmarshal(values[name], field(o)); err != nil {
			return argument("option %s: %s does not fit: %v", name, clip(string(values[name])), err)
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
