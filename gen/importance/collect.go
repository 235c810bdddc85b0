package importance

import (
	"context"
	"errors"
	"fmt"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/ref"
	"github.com/tfgen/tfgen/gen/weights"
)

// Limits of a calibration: sequences of so many tokens, and one row of the head for each so many.
const (
	window    = 256
	headEvery = 16
)

// Collect runs a model over the tokens of a text in float64 and returns the mean squares of what every matrix is multiplied
// with. Experts share those of all rows. progress is called with the tokens done; it may be nil.
func Collect(ctx context.Context, g *ir.Graph, src weights.Source, tokens []int32, progress func(done int)) (Matrix, error) {
	if g.Towers() {
		return nil, errors.New("an encoder–decoder cannot be calibrated by a text alone: give an importance matrix")
	}
	c := &collector{sums: map[string][]float64{}, rows: map[string]float64{}}
	m := ref.New(g, src)
	m.Observe = c.observe
	for at := 0; at < len(tokens); at += window {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		s := op.Segment{Tokens: tokens[at:min(at+window, len(tokens), at+max(1, g.MaxPos))]}
		if len(g.States) > 0 {
			s.KV = m.NewKV()
		}
		var selected []int
		for i := 0; i < len(s.Tokens); i += headEvery {
			selected = append(selected, i)
		}
		if _, err := m.Run([]op.Segment{s}, selected); err != nil {
			return nil, fmt.Errorf("calibrating: %w", err)
		}
		if progress != nil {
			progress(min(at+window, len(tokens)))
		}
	}
	return c.matrix()
}

// A collector adds up the squares of the inputs of products.
type collector struct {
	sums map[string][]float64
	rows map[string]float64
}

// observe looks at the operands of an operation.
func (c *collector) observe(x *op.Exec, o *ir.Op) {
	row, _ := op.Lookup(o.Kind)
	for i, w := range o.Weights {
		if w == nil || row.Weights[i].Use != op.Product || len(o.In) == 0 {
			continue
		}
		in := x.Values[o.In[0]]
		_, cols := weights.Dims(w)
		for name := range tensors(w) {
			c.add(name, in, cols)
		}
	}
}

// tensors are the names of what a weight is made of.
func tensors(w *ir.Weight) map[string]bool {
	names := map[string]bool{}
	for _, p := range w.Parts {
		if p.Zeros == 0 {
			names[p.Tensor] = true
		}
	}
	return names
}

// add adds rows that consist of parts of so many columns: heads and choices of experts have one each.
func (c *collector) add(name string, in *op.Tensor, cols int) {
	sums := c.sums[name]
	if sums == nil {
		sums = make([]float64, cols)
		c.sums[name] = sums
	}
	if len(sums) != cols || in.Width%cols != 0 {
		return // a tensor that is multiplied in two ways
	}
	for i, v := range in.Data {
		sums[i%cols] += v * v
	}
	c.rows[name] += float64(len(in.Data) / cols)
}

func (c *collector) matrix() (Matrix, error) {
	m := Matrix{}
	for name, sums := range c.sums {
		f32 := make([]float32, len(sums))
		for i, v := range sums {
			f32[i] = float32(v)
		}
		if err := m.add(name, f32, c.rows[name]); err != nil {
			return nil, err
		}
	}
	return m, nil
}
