package decoding

import (
	"context"
	"errors"
	"fmt"

	"github.com/tfgen/tfgen/gen/build"
	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/checkpoint/synth"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/pass"
	"github.com/tfgen/tfgen/gen/ref"
)

// model is the float64 reference as a model whose sessions can be searched with. It remembers the results of every
// sequence that it has seen.
type model struct {
	graph  *ir.Graph
	ref    *ref.Model
	logits *ir.Value
	hidden *ir.Value
	layers []int       // early ones
	early  []*ir.Value // of each of them
	max    int
	seen   map[string]result
}

// result is what the model computes behind a sequence.
type result struct {
	logits, hidden []float32
	early          [][]float32
}

// openModel builds the reference of a golden model.
func openModel(dir string) (*model, error) {
	c, err := synth.Open(dir)
	if err != nil {
		return nil, err
	}
	src := bundle.FromCheckpoint(c)
	b, err := build.Model(src)
	if err != nil {
		return nil, err
	}
	logits := b.Graph.Output("logits")
	if logits == nil || logits.Type.Rows != ir.Selected {
		return nil, fmt.Errorf("%s: the model does not generate", dir)
	}
	m := &model{graph: b.Graph, ref: ref.New(b.Graph, src), logits: logits, hidden: b.Graph.Output("final"), max: b.Graph.MaxPos, seen: map[string]result{}}
	return m, m.contrast("")
}

// contrast makes the model compute the logits of early layers, as a setting dola_layers says.
func (m *model) contrast(setting string) (err error) {
	if m.layers, err = pass.EarlyLayers(m.graph, setting); err != nil {
		return err
	}
	if err := pass.AddEarly(m.graph, m.layers); err != nil {
		return err
	}
	m.early = nil
	for _, i := range m.layers {
		m.early = append(m.early, m.graph.Output(fmt.Sprintf("early/%d", i)))
	}
	m.seen = map[string]result{}
	return nil
}

// NewSession implements generate.Model.
func (m *model) NewSession(context int) (*session, error) {
	if context == 0 {
		context = m.max
	}
	return &session{model: m, context: context}, nil
}

// DecodeBatch implements generate.Model.
func (m *model) DecodeBatch(ctx context.Context, sessions []*session, tokens []int32) ([][]float32, error) {
	rows := make([][]float32, len(sessions))
	for i, s := range sessions {
		var err error
		if rows[i], err = s.Decode(ctx, tokens[i]); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// session is a sequence of the reference. It implements generate.Session and generate.Hidden.
type session struct {
	model   *model
	tokens  []int32
	context int
	hidden  []float32
	early   [][]float32
}

// text makes a key of tokens.
func text(tokens []int32) string {
	b := make([]byte, 0, 4*len(tokens))
	for _, t := range tokens {
		b = append(b, byte(t), byte(t>>8), byte(t>>16), byte(t>>24))
	}
	return string(b)
}

// Prefill implements generate.Stepper.
func (s *session) Prefill(ctx context.Context, tokens []int32) (logits []float32, err error) {
	err = s.Score(ctx, tokens, func(_ int, row []float32) error {
		logits = row
		return nil
	})
	return logits, err
}

// Decode implements generate.Stepper.
func (s *session) Decode(ctx context.Context, token int32) ([]float32, error) {
	return s.Prefill(ctx, []int32{token})
}

// Score implements generate.Scorer.
func (s *session) Score(ctx context.Context, tokens []int32, each func(i int, logits []float32) error) error {
	if len(s.tokens)+len(tokens) > s.context {
		return errors.New("the context is full")
	}
	n := len(s.tokens)
	s.tokens = append(s.tokens[:n:n], tokens...)
	rows, err := s.model.rows(s.tokens, n)
	if err != nil {
		return err
	}
	for i, r := range rows {
		s.hidden, s.early = r.hidden, r.early
		if err := each(i, r.logits); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// rows returns the results behind tokens from, from+1, ….
func (m *model) rows(tokens []int32, from int) ([]result, error) {
	var rows []result
	for i := from; i < len(tokens); i++ {
		r, ok := m.seen[text(tokens[:i+1])]
		if !ok {
			return m.compute(tokens, from)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// compute runs the model over all tokens.
func (m *model) compute(tokens []int32, from int) ([]result, error) {
	var selected []int
	for i := from; i < len(tokens); i++ {
		selected = append(selected, i)
	}
	x, err := m.ref.Run([]op.Segment{{Tokens: tokens, KV: m.ref.NewKV()}}, selected)
	if err != nil {
		return nil, err
	}
	rows := make([]result, len(selected))
	for i := range rows {
		rows[i].logits = float32s(x.Values[m.logits], i)
		if m.hidden != nil {
			rows[i].hidden = float32s(x.Values[m.hidden], i)
		}
		for _, v := range m.early {
			rows[i].early = append(rows[i].early, float32s(x.Values[v], i))
		}
		m.seen[text(tokens[:from+i+1])] = rows[i]
	}
	return rows, nil
}

// float32s returns row i of a matrix.
func float32s(t *op.Tensor, i int) []float32 {
	row := make([]float32, t.Width)
	for j, v := range t.Data[i*t.Width:][:t.Width] {
		row[j] = float32(v)
	}
	return row
}

// Truncate implements generate.Scorer.
func (s *session) Truncate(n int) error {
	s.tokens = s.tokens[:n]
	return nil
}

// CopyFrom implements generate.Session.
func (s *session) CopyFrom(other *session, _ int) error {
	s.tokens = append([]int32(nil), other.tokens...)
	s.hidden, s.early = other.hidden, other.early
	return nil
}

// Hidden implements generate.Hidden.
func (s *session) Hidden() []float32 { return s.hidden }

// EarlyLayers implements generate.Layered.
func (s *session) EarlyLayers() []int { return s.model.layers }

// Early implements generate.Layered.
func (s *session) Early(i int) []float32 { return s.early[i] }

// Len implements generate.Stepper.
func (s *session) Len() int { return len(s.tokens) }

// Context implements generate.Stepper.
func (s *session) Context() int { return s.context }

// Close implements generate.Session.
func (s *session) Close() error { return nil }
