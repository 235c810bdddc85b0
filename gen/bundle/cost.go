package bundle

import (
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
)

// Cost is the work that a pass cannot do without: what its products multiply, and what a decoding step reads. Norms,
// activations, routing and recurrences are not counted. Flops are floating-point operations, two for a multiply-add.
type Cost struct {
	RowFlops  float64 // products with weights, for each row of the layers
	HeadFlops float64 // products with weights, for each row of the head or each sequence
	RowBytes  int64   // weights that a step with one row reads, those of the experts that it chooses only
	attention []attention
}

// attention is the cost of one attention for each pair of a query and a key that it sees.
type attention struct {
	flops  float64
	bytes  int64 // of a key and its value
	window int   // keys that a query sees; 0: all
	full   bool  // keys behind the query too
}

// Cost returns the cost of the model without its encoder, if it has a decoder beside it.
func (b *Bundle) Cost() Cost {
	var c Cost
	for _, o := range b.Plan.Graph.Ops {
		if o.Region.Tower != "" {
			continue
		}
		if o.Kind == "attend" {
			c.attention = append(c.attention, newAttention(o))
		}
		row, _ := op.Lookup(o.Kind)
		for i, w := range o.Weights {
			if w == nil || row.Weights[i].Use == op.Table {
				continue
			}
			c.addWeight(b, o, row.Weights[i], w)
		}
	}
	return c
}

// addWeight adds a weight of an operation: its bytes, and its product if it is a matrix.
func (c *Cost) addWeight(b *Bundle, o *ir.Op, role op.Role, w *ir.Weight) {
	share := 1.0 // of the weight that one row uses
	if experts := o.Attrs.Int("experts"); role.Groups == "experts" && experts > 0 {
		share = float64(op.Choices(o)) / float64(experts)
	}
	c.RowBytes += int64(share * float64(b.place[w].Bytes()))
	if role.Use != op.Product {
		return
	}
	flops := 2 * share * float64(w.Elements())
	if o.In[0].Type.Rows == ir.Tokens {
		c.RowFlops += flops
	} else {
		c.HeadFlops += flops
	}
}

func newAttention(o *ir.Op) attention {
	heads, kv, dim := o.Attrs.Int("heads"), o.Attrs.Int("kv_heads"), o.Attrs.Int("head_dim")
	a := attention{flops: 4 * float64(heads*dim), bytes: int64(8 * kv * dim), window: o.Attrs.Int("window"), full: o.Attrs.Str("mask") == "full"}
	switch {
	case o.State == nil:
	case o.State.Attrs.Str("format") == "f16":
		a.bytes /= 2
	case o.State.Attrs.Str("format") == "q8":
		a.bytes = a.bytes/4 + int64(8*kv) // two scales
	}
	return a
}

// Flops returns the floating-point operations of n rows after past tokens of the same sequence, and of one row of the head.
func (c Cost) Flops(n, past int) float64 {
	total := c.RowFlops*float64(n) + c.HeadFlops
	for _, a := range c.attention {
		total += a.flops * a.keys(n, past)
	}
	return total
}

// Bytes returns what a decoding step after past tokens reads: weights, keys and values.
func (c Cost) Bytes(past int) float64 {
	total := float64(c.RowBytes)
	for _, a := range c.attention {
		total += float64(a.bytes) * a.keys(1, past)
	}
	return total
}

// keys counts the pairs of queries and keys of n rows.
func (a attention) keys(n, past int) (pairs float64) {
	for i := range n {
		seen := past + i + 1
		if a.full {
			seen = past + n
		}
		if a.window > 0 {
			seen = min(seen, a.window)
		}
		pairs += float64(seen)
	}
	return pairs
}
