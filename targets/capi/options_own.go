package capi

import (
	"errors"
	"slices"
	"time"

	"github.com/tfgen/tfgen/runtime/generate"
	"github.com/tfgen/tfgen/runtime/json"
	"github.com/tfgen/tfgen/runtime/sample"
)

// own are the options that are not fields: grammars, and those with values of several kinds.
var own = map[string]func(i *Instance, o *generate.Options, value json.RawMessage) error{
	"do_sample": doSample, "logprobs": logprobs, "early_stopping": earlyStopping, "penalty_alpha": penaltyAlpha, "max_time": maxTime,
	"stop_strings": stopStrings, "exponential_decay_length_penalty": decay, "sequence_bias": sequenceBias, "force_words_ids": forceWords,
	"forced_decoder_ids": forcedTokens, "dola_layers": dola,
	"json_schema": follow("json_schema"), "grammar": follow("grammar"), "regex": follow("regex"), "choices": follow("choices"), "json": follow("json"),
}

// follow returns the option of a kind of grammar.
func follow(kind string) func(i *Instance, o *generate.Options, value json.RawMessage) error {
	return func(i *Instance, o *generate.Options, value json.RawMessage) (err error) {
		if i.Follow == nil {
			return unsupported("%s has no tokenizer, a text cannot follow a grammar", model.Name)
		}
		if o.Constraint != nil {
			return argument("two grammars are given")
		}
		o.Constraint, err = i.Follow(kind, value)
		return err
	}
}

// logprobs is the number of most probable tokens to report beside each chosen one; true is none.
func logprobs(_ *Instance, o *generate.Options, value json.RawMessage) error {
	if json.Unmarshal(value, &o.LogProbs) == nil {
		return nil
	}
	o.LogProbs = true
	return json.Unmarshal(value, &o.TopLogProbs)
}

// earlyStopping is false, true or "never".
func earlyStopping(_ *Instance, o *generate.Options, value json.RawMessage) error {
	rule, ok := map[string]generate.EarlyStopping{"false": generate.StopLikely, "true": generate.StopWhenFull, `"never"`: generate.StopNever}[string(value)]
	if !ok {
		return errors.New(`expected false, true or "never"`)
	}
	o.Beam.Early = rule
	return nil
}

// penaltyAlpha switches contrastive search on, with the top_k as candidates.
func penaltyAlpha(_ *Instance, o *generate.Options, value json.RawMessage) error {
	return json.Unmarshal(value, &o.Contrastive.Alpha)
}

// doSample is false or true; apply does what it says when the other options are set.
func doSample(_ *Instance, _ *generate.Options, value json.RawMessage) error {
	var on bool
	return json.Unmarshal(value, &on)
}

// maxTime is in seconds.
func maxTime(_ *Instance, o *generate.Options, value json.RawMessage) error {
	var seconds float64
	if err := json.Unmarshal(value, &seconds); err != nil {
		return err
	}
	if !(seconds >= 0 && seconds < 1e9) {
		return errors.New("expected seconds from 0 (no limit) to 1e9")
	}
	o.Deadline = time.Duration(seconds * float64(time.Second))
	return nil
}

// stopStrings is a text or a list of them.
func stopStrings(_ *Instance, o *generate.Options, value json.RawMessage) error {
	var one string
	if json.Unmarshal(value, &one) == nil && len(value) > 0 && value[0] == '"' {
		o.Stop = []string{one}
		return nil
	}
	return json.Unmarshal(value, &o.Stop)
}

// decay is a list of the token to begin at and of the factor.
func decay(_ *Instance, o *generate.Options, value json.RawMessage) error {
	o.DecayStart, o.DecayFactor = 0, 0
	if string(value) == "null" {
		return nil
	}
	pair, err := items(value, 2)
	if err != nil {
		return err
	}
	return errors.Join(json.Unmarshal(pair[0], &o.DecayStart), json.Unmarshal(pair[1], &o.DecayFactor))
}

// sequenceBias is a list of pairs of a sequence and its bias; the last of equal sequences counts.
func sequenceBias(_ *Instance, o *generate.Options, value json.RawMessage) error {
	list, err := items(value, -1)
	o.SequenceBias = nil
	for _, text := range list {
		var b sample.Bias
		pair, err := items(text, 2)
		if err == nil {
			err = errors.Join(json.Unmarshal(pair[0], &b.Tokens), json.Unmarshal(pair[1], &b.Bias), knownIn(&b.Tokens))
		}
		if err != nil {
			return err
		}
		o.SequenceBias = slices.DeleteFunc(o.SequenceBias, func(old sample.Bias) bool { return slices.Equal(old.Tokens, b.Tokens) })
		o.SequenceBias = append(o.SequenceBias, b)
	}
	return err
}

// forceWords is a list of words, each of which is a phrase, a list of tokens, or a list of phrases.
func forceWords(_ *Instance, o *generate.Options, value json.RawMessage) error {
	list, err := items(value, -1)
	o.Beam.Words = nil
	for _, text := range list {
		phrases := [][]int32{nil}
		if json.Unmarshal(text, &phrases[0]) != nil {
			if err := json.Unmarshal(text, &phrases); err != nil {
				return err
			}
		}
		if err := knownIn(&phrases); err != nil {
			return err
		}
		o.Beam.Words = append(o.Beam.Words, phrases)
	}
	return err
}

// forcedTokens is a list of pairs of a place, prompt included, and its token.
func forcedTokens(_ *Instance, o *generate.Options, value json.RawMessage) error {
	list, err := items(value, -1)
	o.ForcedTokens = map[int]int32{}
	for _, text := range list {
		var pair []int32
		if err := json.Unmarshal(text, &pair); err != nil {
			return err
		}
		if len(pair) != 2 {
			return errors.New("expected pairs of a place and a token")
		}
		if err := known(pair[1]); err != nil {
			return err
		}
		o.ForcedTokens[int(pair[0])] = pair[1]
	}
	return err
}

// dola is a list of layers that were compiled in.
func dola(_ *Instance, o *generate.Options, value json.RawMessage) error {
	var layers []int32
	if err := json.Unmarshal(value, &layers); err != nil {
		return err
	}
	o.DoLa = nil
	for _, n := range layers {
		o.DoLa = append(o.DoLa, int(n))
	}
	return nil
}

// items are the items of a list of n, or of any number if n is negative, when null has none.
func items(value json.RawMessage, n int) (list []json.RawMessage, err error) {
	if err := json.Unmarshal(value, &list); err != nil {
		return nil, err
	}
	if n >= 0 && len(list) != n {
		return nil, errors.New("a list has another length than is expected")
	}
	return list, nil
}
