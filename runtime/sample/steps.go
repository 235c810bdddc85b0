package sample

import "cmp"

// step is a row of the table of processors: the option that asks for it and what
// it makes.
type step struct {
	name string // of transformers' class, or the method's own
	has  func(o *Options) bool
	make func(s *Sampler, o *Options) Processor
}

// on reports whether a factor that 0 and 1 switch off is on.
func on(factor float64) bool { return factor != 0 && factor != 1 }

// byID are the processors that look tokens up by id, in their order: that of
// transformers' _get_logits_processor, with those that it does not have beside
// their relatives.
var byID = []step{
	{"SequenceBiasLogitsProcessor", func(o *Options) bool { return len(o.SequenceBias) > 0 },
		func(_ *Sampler, o *Options) Processor { return SequenceBias(o.SequenceBias) }},
	{"HammingDiversityLogitsProcessor", func(o *Options) bool { return o.Diversity != nil },
		func(_ *Sampler, o *Options) Processor { return o.Diversity }},
	{"EncoderRepetitionPenaltyLogitsProcessor", func(o *Options) bool { return on(o.EncoderRepetitionPenalty) },
		func(_ *Sampler, o *Options) Processor { return &PromptPenalty{Penalty: o.EncoderRepetitionPenalty} }},
	{"RepetitionPenaltyLogitsProcessor", func(o *Options) bool { return on(o.RepetitionPenalty) },
		func(_ *Sampler, o *Options) Processor {
			return &RepetitionPenalty{Penalty: float32(o.RepetitionPenalty)}
		}},
	{"FrequencyPresencePenalty", func(o *Options) bool { return o.FrequencyPenalty != 0 || o.PresencePenalty != 0 },
		func(_ *Sampler, o *Options) Processor {
			return &Occurrence{Frequency: float32(o.FrequencyPenalty), Presence: float32(o.PresencePenalty), Window: o.PenaltyWindow}
		}},
	{"DRY", func(o *Options) bool { return o.DRY.Multiplier != 0 }, func(_ *Sampler, o *Options) Processor {
		d := o.DRY
		d.Base, d.AllowedLength = cmp.Or(d.Base, 1.75), cmp.Or(d.AllowedLength, 2)
		return &d
	}},
	{"NoRepeatNGramLogitsProcessor", func(o *Options) bool { return o.NoRepeatNGram > 0 },
		func(_ *Sampler, o *Options) Processor { return &NoRepeatNGram{N: o.NoRepeatNGram} }},
	{"EncoderNoRepeatNGramLogitsProcessor", func(o *Options) bool { return o.EncoderNoRepeatNGram > 0 },
		func(_ *Sampler, o *Options) Processor { return &NoRepeatNGram{N: o.EncoderNoRepeatNGram, Prompt: true} }},
	{"NoBadWordsLogitsProcessor", func(o *Options) bool { return len(o.BadWords) > 0 },
		func(_ *Sampler, o *Options) Processor { return badWords(o.BadWords, o.Ends) }},
	{"MinLengthLogitsProcessor", func(o *Options) bool { return o.MinLength > 0 && len(o.Ends) > 0 },
		func(_ *Sampler, o *Options) Processor { return MinLength(o.MinLength, o.Ends) }},
	{"MinNewTokensLengthLogitsProcessor", func(o *Options) bool { return o.MinNewTokens > 0 && len(o.Ends) > 0 },
		func(_ *Sampler, o *Options) Processor { return MinNewTokens(o.MinNewTokens, o.Ends) }},
	{"ForcedBOSTokenLogitsProcessor", func(o *Options) bool { return len(o.ForcedBOS) > 0 },
		func(_ *Sampler, o *Options) Processor { return ForceFirst(o.ForcedBOS[0]) }},
	{"ForcedEOSTokenLogitsProcessor", func(o *Options) bool { return len(o.ForcedEOS) > 0 && o.Length > 0 },
		func(_ *Sampler, o *Options) Processor { return ForceLast(o.Length, o.ForcedEOS) }},
	{"InfNanRemoveLogitsProcessor", func(o *Options) bool { return o.RemoveInvalid },
		func(*Sampler, *Options) Processor { return RemoveInvalid{} }},
	{"ExponentialDecayLengthPenalty", func(o *Options) bool { return o.DecayFactor > 0 && len(o.Ends) > 0 },
		func(_ *Sampler, o *Options) Processor { return LengthDecay{o.DecayStart, o.DecayFactor, o.Ends} }},
	{"SuppressTokensLogitsProcessor", func(o *Options) bool { return o.Suppress != nil },
		func(_ *Sampler, o *Options) Processor { return Suppress(o.Suppress) }},
	{"SuppressTokensAtBeginLogitsProcessor", func(o *Options) bool { return o.SuppressFirst != nil },
		func(_ *Sampler, o *Options) Processor { return SuppressFirst(o.SuppressFirst, len(o.ForcedBOS) > 0) }},
	{"ForceTokensLogitsProcessor", func(o *Options) bool { return len(o.ForcedTokens) > 0 },
		func(_ *Sampler, o *Options) Processor { return ForceAt(o.ForcedTokens) }},
}

// drops reports whether the options that drop tokens count.
func drops(o *Options) bool { return o.Temperature != 0 && o.Mirostat == 0 }

// kept wraps a processor that drops tokens if more than one has to be left.
func kept(o *Options, p Processor) Processor {
	if o.Keep > 1 {
		return Protect{o.Keep, p}
	}
	return p
}

// warpers change and cut the distribution, for sampling only.
var warpers = []step{
	{"TemperatureLogitsWarper", func(o *Options) bool { return on(o.Temperature) },
		func(_ *Sampler, o *Options) Processor { return Temperature(o.Temperature) }},
	{"TopNSigma", func(o *Options) bool { return drops(o) && o.TopNSigma > 0 },
		func(_ *Sampler, o *Options) Processor { return kept(o, TopNSigma(o.TopNSigma)) }},
	{"TopHLogitsWarper", func(o *Options) bool { return drops(o) && o.TopH > 0 },
		func(_ *Sampler, o *Options) Processor { return TopH(o.TopH) }},
	{"TopKLogitsWarper", func(o *Options) bool { return drops(o) && o.TopK > 0 },
		func(_ *Sampler, o *Options) Processor { return TopK(max(o.TopK, o.Keep)) }},
	{"TopPLogitsWarper", func(o *Options) bool { return drops(o) && on(o.TopP) },
		func(_ *Sampler, o *Options) Processor { return kept(o, TopP(o.TopP)) }},
	{"MinPLogitsWarper", func(o *Options) bool { return drops(o) && o.MinP > 0 },
		func(_ *Sampler, o *Options) Processor { return kept(o, MinP(o.MinP)) }},
	{"TypicalLogitsWarper", func(o *Options) bool { return drops(o) && on(o.TypicalP) },
		func(_ *Sampler, o *Options) Processor { return Typical{o.TypicalP, o.Keep} }},
	{"EpsilonLogitsWarper", func(o *Options) bool { return drops(o) && on(o.EpsilonCutoff) },
		func(_ *Sampler, o *Options) Processor { return kept(o, Epsilon(o.EpsilonCutoff)) }},
	{"EtaLogitsWarper", func(o *Options) bool { return drops(o) && on(o.EtaCutoff) },
		func(_ *Sampler, o *Options) Processor { return kept(o, Eta(o.EtaCutoff)) }},
	{"XTC", func(o *Options) bool { return drops(o) && o.XTCProbability > 0 },
		func(s *Sampler, o *Options) Processor {
			return &XTC{o.XTCProbability, o.XTCThreshold, o.Keep, &s.generator}
		}},
	{"Mirostat", func(o *Options) bool { return o.Temperature != 0 && o.Mirostat > 0 },
		func(s *Sampler, o *Options) Processor {
			s.mirostat = NewMirostat(o.Mirostat, cmp.Or(o.MirostatTau, 5), cmp.Or(o.MirostatEta, 0.1))
			return s.mirostat
		}},
}

// last are the processors that follow all others.
var last = []step{
	{"WatermarkLogitsProcessor", func(o *Options) bool { return o.Watermark != nil },
		func(_ *Sampler, o *Options) Processor { return o.Watermark.complete() }},
	{"SynthIDTextWatermarkLogitsProcessor", func(o *Options) bool { return o.SynthID != nil },
		func(_ *Sampler, o *Options) Processor { return o.SynthID.start() }},
	{"LogitNormalization", func(o *Options) bool { return o.Renormalize },
		func(*Sampler, *Options) Processor { return Normalize{} }},
}

// Steps returns the names of all processors in their order; "Custom" stands for
// those of the caller.
func Steps() (names []string) {
	for _, s := range byID {
		names = append(names, s.name)
	}
	names = append(names, "Custom")
	for _, s := range append(append([]step(nil), warpers...), last...) {
		names = append(names, s.name)
	}
	return names
}

// build makes the chain of processors that the options ask for.
func (s *Sampler) build(extra []Processor) {
	add := func(steps []step) {
		for _, row := range steps {
			if row.has(&s.options) {
				s.chain, s.steps = append(s.chain, row.make(s, &s.options)), append(s.steps, row.name)
			}
		}
	}
	add(byID)
	for _, p := range extra {
		s.chain, s.steps = append(s.chain, p), append(s.steps, "Custom")
	}
	add(warpers)
	add(last)
}
