package golden

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/ref"
)

// Reference is the Runner over the float64 reference.
type Reference struct{ Model *ref.Model }

// Full implements Runner. Hidden states are the results of the embedding and of the layers.
func (r Reference) Full(segments []op.Segment) (Result, error) {
	own := append([]op.Segment(nil), segments...)
	n := 0
	for i := range own {
		own[i].KV = r.Model.NewKV()
		n += len(own[i].Tokens)
	}
	sel := make([]int, n)
	for i := range sel {
		sel[i] = i
	}
	x, err := r.Model.Run(own, sel)
	if err != nil {
		return nil, err
	}
	result := Result{}
	for _, o := range r.Model.Graph().Outputs {
		result[o.Name] = matrix(x.Values[o.Value])
	}
	for _, region := range r.Model.Graph().Regions {
		tower := ""
		if r.Model.Graph().Towers() {
			tower = "decoder/"
		}
		if region.Tower != "" {
			tower = region.Tower + "/"
		}
		switch {
		case region.Result == nil:
		case region.Kind == ir.Embed:
			result[tower+"hidden/0"] = matrix(x.Values[region.Result])
		case region.Kind == ir.Layer:
			result[fmt.Sprintf("%shidden/%d", tower, region.Index+1)] = matrix(x.Values[region.Result])
		}
	}
	return result, nil
}

func matrix(t *op.Tensor) *Matrix {
	m := &Matrix{Rows: t.Rows, Width: t.Width, Data: make([]float32, len(t.Data))}
	for i, v := range t.Data {
		m.Data[i] = float32(v)
	}
	return m
}

// Decode implements Runner.
func (r Reference) Decode(segment op.Segment, prefill int) ([][]float32, error) {
	s, tokens := &sequence{model: r.Model, kv: r.Model.NewKV(), source: segment.Source}, segment.Tokens
	if _, err := s.feed(tokens[:prefill]); err != nil {
		return nil, err
	}
	var logits [][]float32
	for _, token := range tokens[prefill:] {
		row, err := s.feed([]int32{token})
		if err != nil {
			return nil, err
		}
		logits = append(logits, matrix(row).Data)
	}
	return logits, nil
}

// Greedy implements Runner.
func (r Reference) Greedy(tokens []int32, n int) ([]int32, error) {
	s := &sequence{model: r.Model, kv: r.Model.NewKV()}
	next := tokens
	var ids []int32
	for range n {
		row, err := s.feed(next)
		if err != nil {
			return nil, err
		}
		best := 0
		for i, v := range row.Data {
			if v > row.Data[best] {
				best = i
			}
		}
		next = []int32{int32(best)}
		ids = append(ids, next[0])
	}
	return ids, nil
}

// sequence is one sequence with its cache.
type sequence struct {
	model *ref.Model
	kv    map[*ir.State]*op.KV
	pos   int

	source []int32 // of the encoder, until the first tokens are fed
}

// feed appends tokens and returns the logits of the last.
func (s *sequence) feed(tokens []int32) (*op.Tensor, error) {
	logits := s.model.Graph().Output("logits")
	if logits == nil || len(s.kv) == 0 {
		return nil, fmt.Errorf("%s does not generate: it has no logits or no cache", s.model.Graph().Name)
	}
	x, err := s.model.Run([]op.Segment{{Tokens: tokens, Source: s.source, Pos: s.pos, KV: s.kv}}, []int{len(tokens) - 1})
	if err != nil {
		return nil, err
	}
	s.pos, s.source = s.pos+len(tokens), nil
	return x.Values[logits], nil
}
