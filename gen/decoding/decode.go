package decoding

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/tfgen/tfgen/gen/generation"
	"github.com/tfgen/tfgen/runtime/generate"
	"github.com/tfgen/tfgen/runtime/sample"
)

// decoding checks records of decoded sequences with one model.
type decoding struct {
	model *model
	eos   []int32
}

// newDecoding opens the model in a directory.
func newDecoding(dir string, eos []int32) (*decoding, error) {
	m, err := openModel(dir)
	return &decoding{m, eos}, err
}

// decoded is a record: prompts, which were padded on the left to equal length, and the sequences behind them.
type decoded struct {
	Kind      string          `json:"kind"`
	Prompts   [][]int32       `json:"prompts"`
	Config    json.RawMessage `json:"config"`
	Sequences [][]int32       `json:"sequences"`
	Scores    []float64       `json:"sequences_scores"`
	Beams     [][]int         `json:"beam_indices"`
	Noise     float64         `json:"noise"`
	Logits    [][]Values      `json:"logits"`
	Processed [][]Values      `json:"scores"`
}

// kinds are the kinds of records that tfgen has.
var kinds = []string{"greedy", "prompt-lookup", "beam", "diverse-beam", "constrained-beam", "contrastive", "dola"}

// check checks one record.
func (d *decoding) check(line []byte) (kind string, err error) {
	var r decoded
	if err := json.Unmarshal(line, &r); err != nil {
		return "record", err
	}
	if !slices.Contains(kinds, r.Kind) {
		return r.Kind, errSkip
	}
	c, _, err := generation.Parse(r.Config)
	if err != nil {
		return r.Kind, err
	}
	if c.EOS == nil {
		c.EOS = d.eos
	}
	o, err := c.Options()
	if err != nil {
		return r.Kind, err
	}
	if err := d.model.contrast(string(c.DoLa)); err != nil {
		return r.Kind, err
	}
	o.DoLa = d.model.layers
	padded := 0
	for _, p := range r.Prompts {
		padded = max(padded, len(p))
	}
	n := len(r.Sequences) / len(r.Prompts)
	for i, prompt := range r.Prompts {
		if err := d.prompt(&r, i, n, prompt, padded-len(prompt), o); err != nil {
			return r.Kind, fmt.Errorf("%s, prompt %d: %w", r.Config, i, err)
		}
	}
	return r.Kind, nil
}

// prompt checks the n sequences of one prompt, which was padded by pad tokens.
func (d *decoding) prompt(r *decoded, i, n int, prompt []int32, pad int, o generate.Options) error {
	if o.MaxLength > 0 {
		o.MaxLength -= pad
		o.Length = o.MaxLength
	}
	o.MinLength = max(o.MinLength-pad, 0)
	if r.Logits != nil {
		if err := d.steps(r, i, prompt, o); err != nil {
			return err
		}
	}
	got, err := d.run(r.Kind, prompt, o)
	if err != nil {
		return err
	}
	if len(got) != n {
		return fmt.Errorf("%d sequences, expected %d", len(got), n)
	}
	for j, s := range got {
		if err := r.compare(i*n+j, i*max(o.Beam.Width, 1), s, o.EOS); err != nil {
			return fmt.Errorf("sequence %d: %w", j, err)
		}
	}
	return nil
}

// run generates as the kind of the record does.
func (d *decoding) run(kind string, prompt []int32, o generate.Options) ([]generate.Sequence, error) {
	ctx := context.Background()
	if kind != "greedy" && kind != "prompt-lookup" && kind != "dola" {
		return generate.Search[*session](ctx, d.model, 0, prompt, o)
	}
	s, err := d.model.NewSession(0)
	if err != nil {
		return nil, err
	}
	var stats generate.Stats
	o.Stats = &stats
	q := generate.Sequence{End: -1}
	for id, err := range generate.Tokens(ctx, s, prompt, o) {
		if err != nil {
			return nil, err
		}
		q.Tokens = append(q.Tokens, id)
	}
	if stats.Reason == generate.EndOfText {
		q.End = stats.End
	}
	return []generate.Sequence{q}, nil
}

// compare compares a sequence with record i; beams are numbered from first.
func (r *decoded) compare(i, first int, s generate.Sequence, eos []int32) error {
	tokens := slices.Clone(s.Tokens)
	if s.End >= 0 {
		tokens = append(tokens, s.End)
	}
	want := r.Sequences[i]
	if at := slices.IndexFunc(want, func(id int32) bool { return slices.Contains(eos, id) }); at >= 0 {
		want = want[:at+1] // padding follows
	}
	if !slices.Equal(tokens, want) {
		return fmt.Errorf("tokens %v, expected %v", tokens, want)
	}
	if r.Scores != nil {
		if delta := math.Abs(s.Score - r.Scores[i]); delta > 4*r.Noise+1e-6*max(1, math.Abs(r.Scores[i])) {
			return fmt.Errorf("score %v, expected %v (noise %v)", s.Score, r.Scores[i], r.Noise)
		}
	}
	if r.Beams == nil || r.Kind != "beam" {
		return nil
	}
	beams := r.Beams[i]
	for len(beams) > 0 && beams[len(beams)-1] < 0 {
		beams = beams[:len(beams)-1]
	}
	got := slices.Clone(s.Beams)
	for j := range got {
		got[j] += first
	}
	if !slices.Equal(got, beams) {
		return fmt.Errorf("beam indices %v, expected %v", got, beams)
	}
	return nil
}

// steps compares the logits of the first steps, and what the processors make of them.
func (d *decoding) steps(r *decoded, i int, prompt []int32, o generate.Options) error {
	s, err := d.model.NewSession(0)
	if err != nil {
		return err
	}
	o.Options.Ends = o.EOS
	sampler, err := sample.New(o.Options)
	if err != nil {
		return err
	}
	history := slices.Clone(prompt)
	logits, err := s.Prefill(context.Background(), prompt)
	for step := range r.Logits {
		if err != nil {
			return err
		}
		if text := difference(logits, r.Logits[step][i], 1e-5); text != "" {
			return fmt.Errorf("logits of step %d: %s", step, text)
		}
		c, err2 := sampler.Process(logits, history, len(prompt))
		if err2 != nil {
			return err2
		}
		if text := difference(dense(c, len(logits)), r.Processed[step][i], 1e-5); text != "" {
			return fmt.Errorf("scores of step %d: %s", step, text)
		}
		next := r.Sequences[i][step]
		history = append(history, next)
		logits, err = s.Decode(context.Background(), next)
	}
	return nil
}
