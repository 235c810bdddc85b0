package op

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/ir"
)

// Tensor is a matrix of float64: the value of an ir.Value or an ir.Weight.
type Tensor struct {
	Rows, Width int
	Data        []float64
}

// NewTensor returns a zero matrix.
func NewTensor(rows, width int) *Tensor {
	return &Tensor{rows, width, make([]float64, rows*width)}
}

// Row returns row i.
func (t *Tensor) Row(i int) []float64 { return t.Data[i*t.Width : (i+1)*t.Width] }

// Segment is a run of rows that belong to one sequence.
type Segment struct {
	Tokens []int32
	Source []int32           // of an encoder–decoder: the encoder's tokens, in the run that begins the sequence
	Types  []int32           // token types; nil: all zero
	Global []int32           // which tokens attend to all (1) or not (0); nil: as the model's class has it
	Pos    int               // position of the first token
	Total  int               // length of the sequence as far as it is known, for frequencies that depend on it
	KV     map[*ir.State]*KV // cache of the sequence, filled by the run; nil for encoders
}

// KV is the reference's memory of one state: keys and values of every position so far, or what a recurrence keeps.
type KV struct {
	K, V  [][]float64
	Fixed []float64
	Len   int // positions that Fixed stands for
}

// fixed returns the memory of a recurrence for a segment of n rows, zeros where a sequence begins, and counts the rows.
func fixed(s *Segment, o *ir.Op, n int) []float64 {
	size := index[o.Kind].Size(o)
	kv := &KV{}
	if o.State != nil && s.KV != nil {
		if s.KV[o.State] == nil {
			s.KV[o.State] = kv
		}
		kv = s.KV[o.State]
	}
	if kv.Fixed == nil {
		kv.Fixed = make([]float64, size)
	}
	kv.Len += n
	return kv.Fixed
}

// Exec is one run of the reference: a batch of segments, the rows wanted from the head, and the values so far.
type Exec struct {
	Segments []Segment
	Select   []int
	Shift    int // as in ir.Graph
	Values   map[*ir.Value]*Tensor
	Weight   func(*ir.Weight) (*Tensor, error)
}

// Rows is the number of rows of a row space in this run.
func (x *Exec) Rows(r ir.Rows) int {
	switch r {
	case ir.Selected:
		return len(x.Select)
	case ir.Sequences:
		return len(x.Segments)
	}
	n := 0
	for _, s := range x.spans(r) {
		n += s.rows
	}
	return n
}

// span is the part of a row space that belongs to one segment.
type span struct{ at, rows, pos int }

// spans gives the rows of every segment: its tokens, or those of its source, which begin at position 0.
func (x *Exec) spans(r ir.Rows) []span {
	list, at := make([]span, len(x.Segments)), 0
	for i, s := range x.Segments {
		list[i] = span{at, len(s.Tokens), s.Pos}
		if r == ir.Source {
			list[i] = span{at, len(s.Source), 0}
		}
		at += list[i].rows
	}
	return list
}

// inputs are the values of the graph's inputs: what stands in row j of a segment.
var inputs = map[string]func(x *Exec, s *Segment, j int) int32{
	"tokens":           func(_ *Exec, s *Segment, j int) int32 { return s.Tokens[j] },
	"positions":        func(_ *Exec, s *Segment, j int) int32 { return int32(s.Pos + j) },
	"source_tokens":    func(_ *Exec, s *Segment, j int) int32 { return s.Source[j] },
	"source_positions": func(_ *Exec, _ *Segment, j int) int32 { return int32(j) },
	"token_types": func(_ *Exec, s *Segment, j int) int32 {
		if s.Types == nil {
			return 0
		}
		return s.Types[j]
	},
	"global_attention": func(_ *Exec, s *Segment, j int) int32 {
		if s.Global == nil {
			return -1
		}
		return s.Global[j]
	},
	"shifted_tokens": func(x *Exec, s *Segment, j int) int32 {
		switch {
		case j > 0:
			return s.Tokens[j-1]
		case x.Shift < 0:
			return s.Tokens[len(s.Tokens)-1]
		}
		return int32(x.Shift)
	},
}

// Input fills a graph input by its name.
func (x *Exec) Input(v *ir.Value) error {
	f, ok := inputs[v.Name]
	if !ok {
		return fmt.Errorf("no input is called %q", v.Name)
	}
	t := NewTensor(x.Rows(v.Type.Rows), 1)
	for i, s := range x.spans(v.Type.Rows) {
		for j := range s.rows {
			t.Data[s.at+j] = float64(f(x, &x.Segments[i], j))
		}
	}
	x.Values[v] = t
	return nil
}

func (x *Exec) in(o *ir.Op, i int) *Tensor { return x.Values[o.In[i]] }

// out makes the tensor of result i.
func (x *Exec) out(o *ir.Op, i int) *Tensor {
	t := NewTensor(x.Rows(o.Out[i].Type.Rows), o.Out[i].Type.Width())
	x.Values[o.Out[i]] = t
	return t
}

// weight returns the weight of role i, nil if it is absent.
func (x *Exec) weight(o *ir.Op, i int) (*Tensor, error) {
	if o.Weights[i] == nil {
		return nil, nil
	}
	return x.Weight(o.Weights[i])
}
