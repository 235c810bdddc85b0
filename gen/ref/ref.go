// Package ref evaluates a graph in float64 by calling the reference function of every operation in turn. It is slow
// and obvious, and the oracle of every backend.
package ref

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/weights"
)

// Model is a graph with its weights, which are read when they are first used. It belongs to one goroutine.
type Model struct {
	// Keep keeps every value of a run, not only outputs and results of regions.
	Keep bool
	// Weights, if it is set, gives the weights instead of the source: those of a packed file, for example.
	Weights func(w *ir.Weight) (*op.Tensor, error)

	// Observe, if it is set, is called before every operation, whose operands are computed.
	Observe func(x *op.Exec, o *ir.Op)

	graph *ir.Graph
	src   weights.Source
	cache map[*ir.Weight]*op.Tensor
}

// New returns the reference of a graph, before or after any pass, with weights from src.
func New(g *ir.Graph, src weights.Source) *Model {
	return &Model{graph: g, src: src, cache: map[*ir.Weight]*op.Tensor{}}
}

// Graph returns the graph that the model evaluates.
func (m *Model) Graph() *ir.Graph { return m.graph }

// NewKV returns an empty cache for one sequence, to be put into its segments: every run extends it.
func (m *Model) NewKV() map[*ir.State]*op.KV {
	kv := map[*ir.State]*op.KV{}
	for _, s := range m.graph.States {
		kv[s] = &op.KV{}
	}
	return kv
}

// Run evaluates the graph for a batch of segments; sel are the rows of the batch that the head computes, in order.
// A segment that continues a sequence needs the cache of what came before. Errors name the region, the operation and
// its line in the specification.
func (m *Model) Run(segments []op.Segment, sel []int) (*op.Exec, error) {
	x := &op.Exec{Segments: segments, Select: sel, Shift: m.graph.Shift, Values: map[*ir.Value]*op.Tensor{}, Weight: m.weight}
	if err := m.checkBatch(x); err != nil {
		return nil, err
	}
	for _, v := range m.graph.Inputs {
		if err := x.Input(v); err != nil {
			return nil, err
		}
	}
	uses := m.graph.Uses()
	for _, o := range m.graph.Ops {
		if err := m.step(x, o); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", o.Region.Name, o.Kind, err)
		}
		for _, v := range o.In {
			if uses[v]--; uses[v] == 0 && !m.Keep {
				delete(x.Values, v)
			}
		}
	}
	return x, nil
}

// step evaluates one operation and checks its operands and results.
func (m *Model) step(x *op.Exec, o *ir.Op) error {
	if err := op.Check(o); err != nil {
		return err
	}
	for _, v := range o.In {
		if x.Values[v] == nil {
			return fmt.Errorf("%s: operand %s %s is used before it is computed", o.Pos, v, v.Name)
		}
	}
	if m.Observe != nil {
		m.Observe(x, o)
	}
	row, _ := op.Lookup(o.Kind)
	if err := row.Ref(x, o); err != nil {
		return err
	}
	for _, v := range o.Out {
		rows, width := x.Rows(v.Type.Rows), v.Type.Width()
		if t := x.Values[v]; t == nil || t.Rows != rows || t.Width != width || len(t.Data) != rows*width {
			return fmt.Errorf("%s: the reference did not compute %s as %s", o.Pos, v, v.Type)
		}
	}
	return nil
}

func (m *Model) checkBatch(x *op.Exec) error {
	for i, s := range x.Segments {
		switch {
		case len(s.Tokens) == 0:
			return fmt.Errorf("segment %d has no tokens", i)
		case s.Types != nil && len(s.Types) != len(s.Tokens):
			return fmt.Errorf("segment %d has %d token types for %d tokens", i, len(s.Types), len(s.Tokens))
		case s.Pos < 0:
			return fmt.Errorf("segment %d begins at position %d", i, s.Pos)
		}
		for _, state := range m.graph.States {
			if state.Kind == "cross" {
				if (s.Pos == 0) != (len(s.Source) > 0) {
					return fmt.Errorf("segment %d begins at position %d with %d tokens of the source", i, s.Pos, len(s.Source))
				}
				continue
			}
			have := 0
			if kv := s.KV[state]; kv != nil {
				have = max(len(kv.K), kv.Len)
			}
			if have != s.Pos {
				return fmt.Errorf("segment %d begins at position %d, but %s holds %d", i, s.Pos, state.Name, have)
			}
		}
	}
	n := x.Rows(ir.Tokens)
	for _, r := range x.Select {
		if r < 0 || r >= n {
			return fmt.Errorf("row %d is selected out of %d", r, n)
		}
	}
	return nil
}

// weight returns a weight in float64; a vector is one row.
func (m *Model) weight(w *ir.Weight) (*op.Tensor, error) {
	if t := m.cache[w]; t != nil {
		return t, nil
	}
	if m.Weights != nil {
		t, err := m.Weights(w)
		m.cache[w] = t
		return t, err
	}
	if err := weights.Check(m.src, w); err != nil {
		return nil, err
	}
	rows, cols := weights.Dims(w)
	f32 := make([]float32, rows*cols)
	if err := weights.Rows(m.src, w, 0, rows, f32); err != nil {
		return nil, err
	}
	t := op.NewTensor(rows, cols)
	if len(w.Shape) == 1 {
		t.Rows, t.Width = 1, rows
	}
	for i, v := range f32 {
		t.Data[i] = float64(v)
	}
	m.cache[w] = t
	return t, nil
}
