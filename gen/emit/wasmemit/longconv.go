package wasmemit

import (
	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/plan"
)

// longConv emits y[t, c] = d[c]·x[t, c] + Σ filter[j, c]·x[t−j, c] (Poli et al. 2023, Hyena). The state are all inputs so far, rows of
// all channels by position, which need no clearing: nothing is read before it is written.
func (e *emitter) longConv(f *code, s plan.Step) error {
	o := s.Op
	width := o.In[0].Type.Width()
	return e.recur(f, s, "longConv", width, func(*recurrence) {}, func(r *recurrence) {
		c := &longConvCode{recurrence: r, stride: 4 * width, length: o.Attrs.Int("length"), past: r.Local(wasm.I32), tap: r.Local(wasm.I32),
			left: r.Local(wasm.I32), t: r.Local(wasm.I32), sums: r.Locals(wasm.V128, 4)}
		c.remember()
		r.Get(r.from).Set(r.unit)
		for _, channels := range []int{16, 4, 1} {
			r.while(func() { r.Get(r.unit).I32(channels - 1).Do(wasm.I32Add).Get(r.end).Do(wasm.I32LtU) }, func() {
				c.channels(channels)
				r.add(r.unit, channels)
			})
		}
	})
}

// longConvCode emits the convolution of neighbouring channels, from unit on, in lanes.
type longConvCode struct {
	*recurrence
	stride, length int        // bytes of a row of all channels, rows of the filter
	past, tap      wasm.Local // an input and the row of the filter that weighs it
	left, t        wasm.Local // products to go, and position of the row
	sums           []wasm.Local
}

// remember copies the channels of this thread to the state.
func (c *longConvCode) remember() {
	bytes := func(channels func()) {
		channels()
		c.I32(2).Do(wasm.I32Shl)
	}
	c.I32(0).Set(c.row)
	c.while(func() { c.Get(c.row).Get(c.rows).Do(wasm.I32LtU) }, func() {
		c.Get(c.state).Get(c.pos).Get(c.row).Do(wasm.I32Add).I32(c.stride).Do(wasm.I32Mul, wasm.I32Add)
		bytes(func() { c.Get(c.from) })
		c.Do(wasm.I32Add)
		c.source(c.in[0], c.strides[1], c.from)
		bytes(func() { c.Get(c.end).Get(c.from).Do(wasm.I32Sub) })
		c.Copy()
		c.add(c.row, 1)
	})
}

// source pushes the address of a channel in the current row of a matrix.
func (c *longConvCode) source(matrix wasm.Local, stride int, channel wasm.Local) {
	c.at(matrix, channel)
	c.Get(c.row).I32(stride).Do(wasm.I32Mul, wasm.I32Add)
}

// channels computes n channels of all rows of the segment.
func (c *longConvCode) channels(n int) {
	load := func(at wasm.Local, i int) {
		c.Get(at)
		if n == 1 {
			c.Mem(wasm.V128Load32Zero, 0)
			return
		}
		c.Mem(wasm.V128Load, 16*i)
	}
	sums := c.sums[:max(n/4, 1)]
	c.I32(0).Set(c.row)
	c.while(func() { c.Get(c.row).Get(c.rows).Do(wasm.I32LtU) }, func() {
		c.begin(sums, load)
		c.repeat(c.left, func() {
			for i, sum := range sums {
				c.madd(sum, func() { load(c.tap, i) }, func() { load(c.past, i) })
			}
			c.add(c.tap, -c.stride)
			c.add(c.past, c.stride)
		})
		c.source(c.y, c.strides[0], c.unit)
		c.Set(c.past)
		for i, sum := range sums {
			c.Get(c.past).Get(sum)
			if n == 1 {
				c.MemLane(wasm.V128Store32Lane, 0, 0)
			} else {
				c.Mem(wasm.V128Store, 16*i)
			}
		}
		c.add(c.row, 1)
	})
}

// begin sets the sums to d·x, and past and tap to the oldest input that the filter still reaches.
func (c *longConvCode) begin(sums []wasm.Local, load func(at wasm.Local, i int)) {
	if c.present[1] {
		c.source(c.in[0], c.strides[1], c.unit)
		c.Set(c.past)
		c.at(c.weights[1], c.unit)
		c.Set(c.tap)
	}
	for i, sum := range sums {
		if c.present[1] {
			load(c.tap, i)
			load(c.past, i)
			c.Do(wasm.F32x4Mul).Set(sum)
		} else {
			c.V(0).Set(sum)
		}
	}
	c.Get(c.pos).Get(c.row).Do(wasm.I32Add).Tee(c.t).I32(1).Do(wasm.I32Add).Tee(c.left)
	c.I32(c.length).Get(c.left).I32(c.length).Do(wasm.I32LtU, wasm.Select).Set(c.left)
	c.at(c.weights[0], c.unit)
	c.Get(c.left).I32(1).Do(wasm.I32Sub).I32(c.stride).Do(wasm.I32Mul, wasm.I32Add).Set(c.tap)
	c.at(c.state, c.unit)
	c.Get(c.t).I32(1).Do(wasm.I32Add).Get(c.left).Do(wasm.I32Sub).I32(c.stride).Do(wasm.I32Mul, wasm.I32Add).Set(c.past)
}
