package decoding

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/tfgen/tfgen/gen/generation"
	"github.com/tfgen/tfgen/runtime/sample"
)

// arguments are those of a processor's constructor in transformers.
type arguments struct {
	Temperature   float64           `json:"temperature"`
	TopK          int               `json:"top_k"`
	TopP          float64           `json:"top_p"`
	MinP          float64           `json:"min_p"`
	TopH          float64           `json:"top_h"`
	Mass          float64           `json:"mass"`
	Epsilon       float64           `json:"epsilon"`
	N             float64           `json:"n"`
	Keep          int               `json:"min_tokens_to_keep"`
	Penalty       float64           `json:"penalty"`
	Ignore        int               `json:"prompt_ignore_length"`
	Encoder       [][]int32         `json:"encoder_input_ids"`
	NGram         int               `json:"ngram_size"`
	EncoderNGram  int               `json:"encoder_ngram_size"`
	BadWords      [][]int32         `json:"bad_words_ids"`
	SequenceBias  []json.RawMessage `json:"sequence_bias"`
	EOS           generation.IDs    `json:"eos_token_id"`
	BOS           int32             `json:"bos_token_id"`
	MinLength     int               `json:"min_length"`
	MinNew        int               `json:"min_new_tokens"`
	Skip          int               `json:"prompt_length_to_skip"`
	MaxLength     int               `json:"max_length"`
	Suppress      []int32           `json:"suppress_tokens"`
	SuppressFirst []int32           `json:"begin_suppress_tokens"`
	BeginIndex    int               `json:"begin_index"`
	Decay         []float64         `json:"exponential_decay_length_penalty"`
	InputLength   int               `json:"input_ids_seq_length"`
	Guidance      float64           `json:"guidance_scale"`
	generation.Watermarking
}

// class is a row of the table of processors: the options that stand for the class, and the length of the prompt that the
// processor was told.
type class struct {
	options func(a *arguments, row int) sample.Options
	prompt  func(a *arguments) int
	direct  func(a *arguments, row int) sample.Processor // a processor that the options do not reach
}

// warper makes the options of a class that counts when sampling.
func warper(set func(a *arguments, o *sample.Options)) class {
	return class{options: func(a *arguments, _ int) sample.Options {
		o := sample.Options{Temperature: 1, Keep: a.Keep}
		set(a, &o)
		return o
	}}
}

// always makes the options of a class that counts in any case.
func always(set func(a *arguments, o *sample.Options)) class {
	return class{options: func(a *arguments, _ int) sample.Options {
		o := sample.Options{Ends: a.EOS}
		set(a, &o)
		return o
	}}
}

// after adds the length of the prompt.
func (c class) after(prompt func(a *arguments) int) class {
	c.prompt = prompt
	return c
}

// encoder returns the row's prompt.
func (a *arguments) encoder(row int) []int32 { return a.Encoder[row%len(a.Encoder)] }

// classes are transformers' processors, and others by the name of their method.
var classes = map[string]class{
	"TemperatureLogitsWarper": warper(func(a *arguments, o *sample.Options) { o.Temperature = a.Temperature }),
	"TopKLogitsWarper":        warper(func(a *arguments, o *sample.Options) { o.TopK = a.TopK }),
	"TopPLogitsWarper":        warper(func(a *arguments, o *sample.Options) { o.TopP = max(a.TopP, generation.SmallestShare) }),
	"MinPLogitsWarper":        warper(func(a *arguments, o *sample.Options) { o.MinP = a.MinP }),
	"TopHLogitsWarper":        warper(func(a *arguments, o *sample.Options) { o.TopH = a.TopH }),
	"TypicalLogitsWarper":     warper(func(a *arguments, o *sample.Options) { o.TypicalP = a.Mass }),
	"EpsilonLogitsWarper":     warper(func(a *arguments, o *sample.Options) { o.EpsilonCutoff = a.Epsilon }),
	"EtaLogitsWarper":         warper(func(a *arguments, o *sample.Options) { o.EtaCutoff = a.Epsilon }),
	"TopNSigma":               warper(func(a *arguments, o *sample.Options) { o.TopNSigma = a.N }),
	"RepetitionPenaltyLogitsProcessor": {direct: func(a *arguments, _ int) sample.Processor {
		return &sample.RepetitionPenalty{Penalty: float32(a.Penalty), Skip: a.Ignore}
	}},
	"EncoderRepetitionPenaltyLogitsProcessor": {direct: func(a *arguments, row int) sample.Processor {
		return &sample.PromptPenalty{Penalty: a.Penalty, Tokens: a.encoder(row)}
	}},
	"NoRepeatNGramLogitsProcessor": always(func(a *arguments, o *sample.Options) { o.NoRepeatNGram = a.NGram }),
	"EncoderNoRepeatNGramLogitsProcessor": {direct: func(a *arguments, row int) sample.Processor {
		return &sample.NoRepeatNGram{N: a.EncoderNGram, Prompt: true, Tokens: a.encoder(row)}
	}},
	"NoBadWordsLogitsProcessor": always(func(a *arguments, o *sample.Options) { o.BadWords = a.BadWords }),
	"SequenceBiasLogitsProcessor": always(func(a *arguments, o *sample.Options) {
		o.SequenceBias, _ = generation.SequenceBias(a.SequenceBias)
	}),
	"MinLengthLogitsProcessor": always(func(a *arguments, o *sample.Options) { o.MinLength = a.MinLength }),
	"MinNewTokensLengthLogitsProcessor": always(func(a *arguments, o *sample.Options) { o.MinNewTokens = a.MinNew }).
		after(func(a *arguments) int { return a.Skip }),
	"ForcedBOSTokenLogitsProcessor": always(func(a *arguments, o *sample.Options) { o.ForcedBOS = []int32{a.BOS} }),
	"ForcedEOSTokenLogitsProcessor": always(func(a *arguments, o *sample.Options) { o.ForcedEOS, o.Length = a.EOS, a.MaxLength }),
	"SuppressTokensLogitsProcessor": always(func(a *arguments, o *sample.Options) { o.Suppress = a.Suppress }),
	"SuppressTokensAtBeginLogitsProcessor": always(func(a *arguments, o *sample.Options) { o.SuppressFirst = a.SuppressFirst }).
		after(func(a *arguments) int { return a.BeginIndex }),
	"ExponentialDecayLengthPenalty": always(func(a *arguments, o *sample.Options) {
		if len(a.Decay) == 2 {
			o.DecayStart, o.DecayFactor = int(a.Decay[0]), a.Decay[1]
		}
	}).after(func(a *arguments) int { return a.InputLength }),
	"LogitNormalization":                  always(func(_ *arguments, o *sample.Options) { o.Renormalize = true }),
	"InfNanRemoveLogitsProcessor":         always(func(_ *arguments, o *sample.Options) { o.RemoveInvalid = true }),
	"WatermarkLogitsProcessor":            always(func(a *arguments, o *sample.Options) { a.mark(o) }),
	"SynthIDTextWatermarkLogitsProcessor": always(func(a *arguments, o *sample.Options) { a.mark(o) }),
}

// mark sets the watermark of the options.
func (a *arguments) mark(o *sample.Options) {
	w := a.Watermarking
	if w.Keys != nil {
		o.SynthID = w.SynthID()
	} else {
		o.Watermark = w.Greenlist()
	}
}

// record is a line of a file of processors.
type record struct {
	Processor string          `json:"processor"`
	Args      json.RawMessage `json:"args"`
	Vector    string          `json:"vector"`
	Scores    []Values        `json:"scores"`
	IDs       [][]int32       `json:"ids"`
	Expected  []Values        `json:"expected"`
	Error     string          `json:"expected_error"`
	Table     []uint8         `json:"-"`
	Steps     []struct {
		Scores   []Values `json:"scores"`
		Expected []Values `json:"expected"`
		Next     []int32  `json:"next"`
	} `json:"steps"`
}

// Differences of float32 and float64 arithmetic, relative to a logit.
const (
	rounding      = 1e-6
	roundingChain = 2e-5 // of a dozen products of probabilities
)

// processor checks a record of one processor.
func (h *head) processor(line []byte) (kind string, err error) {
	var r record
	if err := json.Unmarshal(line, &r); err != nil {
		return "record", err
	}
	a := new(arguments)
	if err := json.Unmarshal(r.Args, a); err != nil {
		return r.Processor, fmt.Errorf("arguments: %w", err)
	}
	scores := r.Scores
	if scores == nil {
		scores = h.Vectors[r.Vector]
	}
	if r.Processor == "ClassifierFreeGuidanceLogitsProcessor" {
		return r.Processor, r.guidance(a, scores)
	}
	c, ok := classes[r.Processor]
	if !ok {
		return r.Processor, errSkip
	}
	if r.Steps != nil {
		return r.Processor, r.steps(c, a)
	}
	for row, want := range r.Expected {
		var history []int32
		if r.IDs != nil {
			history = r.IDs[row]
		}
		p, err := c.start(a, row)
		if err != nil {
			return r.Processor, err
		}
		got, err := p.run(scores[row], history)
		if err != nil {
			return r.Processor, fmt.Errorf("%s, vector %s, row %d: %w", r.Args, r.Vector, row, err)
		}
		if text := difference(got, want, rounding); text != "" && !tied(scores[row], got, want) {
			return r.Processor, fmt.Errorf("%s, vector %s, row %d: %s", r.Args, r.Vector, row, text)
		}
	}
	return r.Processor, nil
}

// tied reports whether two results keep equally many tokens and differ only in which of those that are equally probable in
// float32: sorting does not decide between them.
func tied(scores, got, want []float32) bool {
	top := slices.Max(scores)
	dropped, kept := map[float32]int{}, 0
	for i := range got {
		if got[i] == want[i] {
			continue
		}
		p := float32(math.Exp(float64(scores[i]) - float64(top)))
		switch scores[i] {
		case got[i]:
			dropped[p]++
			kept++
		case want[i]:
			dropped[p]--
			kept++
		default:
			return false
		}
	}
	for _, n := range dropped {
		if n != 0 {
			return false
		}
	}
	return kept > 0
}

// started is a processor at work on one row.
type started struct {
	sampler *sample.Sampler
	prompt  int
}

// start makes the sampler whose only processor is the class.
func (c class) start(a *arguments, row int) (*started, error) {
	var o sample.Options
	var extra []sample.Processor
	if c.direct != nil {
		extra = append(extra, c.direct(a, row))
	} else {
		o = c.options(a, row)
	}
	s, err := sample.New(o, extra...)
	if err != nil {
		return nil, err
	}
	st := &started{sampler: s}
	if c.prompt != nil {
		st.prompt = c.prompt(a)
	}
	return st, nil
}

// run returns the processed logits of all tokens.
func (s *started) run(logits []float32, history []int32) ([]float32, error) {
	c, err := s.sampler.Process(logits, history, s.prompt)
	if err != nil {
		return nil, err
	}
	return dense(c, len(logits)), nil
}

// dense returns the logits of n tokens, -Inf for those dropped.
func dense(c *sample.Candidates, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(math.Inf(-1))
	}
	for i, id := range c.IDs {
		v[id] = c.Logits[i]
	}
	return v
}

// steps checks a processor with a memory over several steps.
func (r *record) steps(c class, a *arguments) error {
	for row, history := range r.IDs {
		p, err := c.start(a, row)
		if err != nil {
			return err
		}
		for i, step := range r.Steps {
			got, err := p.run(step.Scores[row], history)
			if err != nil {
				return err
			}
			if text := difference(got, step.Expected[row], roundingChain); text != "" {
				return fmt.Errorf("%s, row %d, step %d: %s", r.Args, row, i, text)
			}
			history = append(history[:len(history):len(history)], step.Next[row])
		}
	}
	return nil
}

// guidance checks the guidance of batches that hold the conditional rows first and the unconditional ones behind them.
func (r *record) guidance(a *arguments, scores []Values) error {
	n := len(r.IDs)
	if len(scores) != 2*n {
		if r.Error == "" {
			return fmt.Errorf("%d rows of logits for %d of ids", len(scores), n)
		}
		return nil
	}
	if r.Error != "" {
		return fmt.Errorf("no error, expected %s", r.Error)
	}
	for row, want := range r.Expected {
		got := make([]float32, len(want))
		sample.GuideLogits(got, scores[row], scores[n+row], a.Guidance)
		if text := difference(got, want, rounding); text != "" {
			return fmt.Errorf("row %d: %s", row, text)
		}
	}
	return nil
}
