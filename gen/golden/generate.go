package golden

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/tfgen/tfgen/gen/generation"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/runtime/generate"
)

// generated compares what an encoder–decoder makes of every row of an input: greedily, and by beam search. The search is
// that of package generate; every step computes the whole sequence.
func (c *Case) generated(in *Input, r Runner) []Finding {
	var findings []Finding
	for _, name := range []string{"greedy", "beam4"} {
		a, ok := c.Expected(in.Name, name)
		if !ok {
			continue
		}
		f := Finding{Input: in.Name, Run: name, Output: name, OK: true}
		if err := c.search(in, a, r, &f); err != nil {
			f.OK, f.Error = false, err.Error()
		}
		findings = append(findings, f)
	}
	return findings
}

// search compares the tokens of every row, up to the one that ends the text, and the scores of beams.
func (c *Case) search(in *Input, a *Array, r Runner, f *Finding) error {
	if len(a.Shape) != 2 || a.Shape[0] != len(in.IDs) || a.Shape[1] > maxGreedy || a.Ints == nil {
		return fmt.Errorf("%s has shape %v for %d rows", f.Output, a.Shape, len(in.IDs))
	}
	o, start, err := c.options(f.Output == "beam4")
	if err != nil {
		return err
	}
	for row, ids := range in.IDs {
		m := &searcher{runner: r, source: ids[:in.Length(row)]}
		found, err := generate.Search[*searchSession](context.Background(), m, 0, []int32{start}, o)
		if err != nil {
			return err
		}
		got := append([]int32{start}, found[0].Tokens...)
		if found[0].End >= 0 {
			got = append(got, found[0].End)
		}
		want := a.Ints[row*a.Shape[1] : (row+1)*a.Shape[1]]
		if i := slices.IndexFunc(want[1:], func(id int32) bool { return slices.Contains(o.EOS, id) }); i >= 0 {
			want = want[:i+2]
		}
		if !slices.Equal(got, want) {
			f.OK, f.Where = false, fmt.Sprintf("row %d is %v, expected %v", row, got, want)
		}
		if scores, ok := c.Expected(in.Name, "beam4/scores"); ok && f.Output == "beam4" {
			f.Tolerance = 1e-4
			f.Worst = max(f.Worst, math.Abs(found[0].Score-float64(scores.Data[row])))
			f.OK = f.OK && f.Worst <= f.Tolerance
		}
	}
	return nil
}

// options are the recorded arguments of generate, and the token that the decoder starts with.
func (c *Case) options(beams bool) (o generate.Options, start int32, err error) {
	settings := maps.Clone(c.Generation)
	if beams {
		maps.Copy(settings, c.Beams)
	}
	if err := json.Unmarshal(settings["decoder_start_token_id"], &start); err != nil {
		return o, 0, fmt.Errorf("decoder_start_token_id: %w", err)
	}
	text, err := json.Marshal(settings)
	if err != nil {
		return o, 0, err
	}
	config, _, err := generation.Parse(text)
	if err != nil {
		return o, 0, err
	}
	o, err = config.Options()
	return o, start, err
}

// searcher is the model of package generate over a Runner.
type searcher struct {
	runner Runner
	source []int32
}

// searchSession holds the tokens that the model has been given.
type searchSession struct {
	model  *searcher
	tokens []int32
}

func (m *searcher) NewSession(int) (*searchSession, error) { return &searchSession{model: m}, nil }

func (m *searcher) DecodeBatch(ctx context.Context, sessions []*searchSession, tokens []int32) ([][]float32, error) {
	var all []op.Segment
	for i, s := range sessions {
		s.tokens = append(s.tokens, tokens[i])
		all = append(all, op.Segment{Source: m.source, Tokens: s.tokens, Total: len(s.tokens)})
	}
	result, err := m.runner.Full(all)
	if err != nil {
		return nil, err
	}
	var rows [][]float32
	at := -1
	for _, s := range all {
		at += len(s.Tokens)
		rows = append(rows, result["logits"].Row(at))
	}
	return rows, nil
}

func (s *searchSession) Prefill(ctx context.Context, tokens []int32) ([]float32, error) {
	s.tokens = append(s.tokens, tokens[:len(tokens)-1]...)
	return s.Decode(ctx, tokens[len(tokens)-1])
}

func (s *searchSession) Decode(ctx context.Context, token int32) ([]float32, error) {
	rows, err := s.model.DecodeBatch(ctx, []*searchSession{s}, []int32{token})
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

func (s *searchSession) Len() int     { return len(s.tokens) }
func (s *searchSession) Context() int { return maxGreedy }
func (s *searchSession) Close() error { return nil }

func (s *searchSession) CopyFrom(other *searchSession, _ int) error {
	s.tokens = append(s.tokens[:0], other.tokens...)
	return nil
}
