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
	Types  []int32           // token types; nil: all zero
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
	for _, s := range x.Segments {
		n += len(s.Tokens)
	}
	return n
}

// Input fills a graph input by its name.
func (x *Exec) Input(v *ir.Value) error {
	t := NewTensor(x.Rows(ir.Tokens), 1)
	i := 0
	for _, s := range x.Segments {
		for j, token := range s.Tokens {
			switch v.Name {
			case "tokens":
				t.Data[i] = float64(token)
			case "positions":
				t.Data[i] = float64(s.Pos + j)
			case "token_types":
				if s.Types != nil {
					t.Data[i] = float64(s.Types[j])
				}
			default:
				return fmt.Errorf("no input is called %q", v.Name)
			}
			i++
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
