package wasm

import (
	"maps"
	"reflect"
	"slices"
	"strconv"

	"github.com/tfgen/tfgen/runtime/generate"
)

// scriptOptions are the options of index.d.ts by the names that package sample has for them, in order.
var scriptOptions = [][2]string{
	{"Temperature", "temperature"}, {"Seed", "seed"}, {"TopK", "topK"}, {"TopP", "topP"}, {"MinP", "minP"}, {"TopH", "topH"}, {"TypicalP", "typicalP"},
	{"EpsilonCutoff", "epsilonCutoff"}, {"EtaCutoff", "etaCutoff"}, {"Keep", "keep"}, {"RepetitionPenalty", "repetitionPenalty"},
	{"EncoderRepetitionPenalty", "encoderRepetitionPenalty"}, {"NoRepeatNGram", "noRepeatNGram"}, {"EncoderNoRepeatNGram", "encoderNoRepeatNGram"},
	{"BadWords", "badWords"}, {"MinLength", "minLength"}, {"MinNewTokens", "minNewTokens"}, {"ForcedBOS", "forcedBOS"}, {"ForcedEOS", "forcedEOS"},
	{"DecayStart", "decayStart"}, {"DecayFactor", "decayFactor"}, {"Suppress", "suppress"}, {"SuppressFirst", "suppressFirst"},
	{"RemoveInvalid", "removeInvalid"}, {"Renormalize", "renormalize"}, {"Stop", "stop"}, {"MaxTokens", "maxTokens"}, {"MaxLength", "maxLength"},
}

// Generation returns the options that the Go package begins a generation with by the names of index.d.ts, without those that are off,
// and the names of settings that JavaScript does not have. Searches and prompt lookup are left out: the first are not asked for here,
// the second does not change the tokens.
func Generation(o generate.Options) (options map[string]any, lacks []string) {
	options = map[string]any{}
	v := reflect.ValueOf(o)
	for _, row := range scriptOptions {
		if f := v.FieldByName(row[0]); !f.IsZero() {
			options[row[1]] = f.Interface()
		}
	}
	if len(o.SequenceBias) > 0 {
		var list []map[string]any
		for _, b := range o.SequenceBias {
			list = append(list, map[string]any{"tokens": b.Tokens, "bias": b.Bias})
		}
		options["sequenceBias"] = list
	}
	if len(o.ForcedTokens) > 0 {
		forced := map[string]int32{}
		for _, at := range slices.Sorted(maps.Keys(o.ForcedTokens)) {
			forced[strconv.Itoa(at)] = o.ForcedTokens[at]
		}
		options["forcedTokens"] = forced
	}
	if o.Deadline > 0 {
		options["maxTime"] = o.Deadline.Seconds() * 1000
	}
	for _, l := range []struct {
		name string
		on   bool
	}{{"guidance_scale", o.Guidance != 0 && o.Guidance != 1}, {"watermarking_config", o.Watermark != nil || o.SynthID != nil}, {"dola_layers", len(o.DoLa) > 0}} {
		if l.on {
			lacks = append(lacks, l.name)
		}
	}
	return options, lacks
}
