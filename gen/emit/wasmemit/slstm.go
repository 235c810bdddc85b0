package wasmemit

import (
	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/plan"
)

// slstmScratch is the scratch memory of sLSTM: the four gates of a head.
func slstmScratch(o *ir.Op) int { return 4 * 4 * o.In[0].Type.Width() / o.Attrs.Int("heads") }

// slstmCode emits the scalar memory of one head of xLSTM.
type slstmCode struct {
	*recurrence
	dim, width  int        // of a head and of all
	gates       wasm.Local // of the head: input, forget, z, o
	memory      wasm.Local // of the head in the state: y, and width further c, n and m
	tap, j      wasm.Local
	before      wasm.Local // an element of y before
	keep, enter wasm.Local // vectors: what the forget gate and the input gate let through, …
	top         wasm.Local // … and the larger of their exponents
}

// sLSTM emits c = f·c + i·tanh(z), n = f·n + i, y = σ(o)·c/n with i = e^(input−m), f = σ(forget)·e^(m before − m) and m the larger of
// both exponents, where the gates also see y before (Beck et al. 2024, xLSTM).
func (e *emitter) sLSTM(f *code, s plan.Step) error {
	o := s.Op
	heads, width := o.Attrs.Int("heads"), o.In[0].Type.Width()
	c := &slstmCode{dim: width / heads, width: width}
	clear := func(r *recurrence) {
		at, j := r.integers("memory", 1)[0], r.integers("element", 1)[0]
		r.Get(r.state).Get(r.unit).I32(4*c.dim).Do(wasm.I32Mul, wasm.I32Add).Set(at)
		r.steps(j, 0, c.dim, 1, func() {
			for part, v := range []float32{0, 0, 0, minScore} {
				r.Get(at).F32(v).Mem(wasm.F32Store, c.part(part))
			}
			r.add(at, 4)
		})
	}
	return e.recur(f, s, "sLSTM", heads, clear, func(r *recurrence) {
		c.recurrence, c.gates, c.memory, c.tap, c.j = r, r.Local(wasm.I32), r.Local(wasm.I32), r.Local(wasm.I32), r.Local(wasm.I32)
		c.before, c.keep, c.enter, c.top = r.Local(wasm.F32), r.Local(wasm.V128), r.Local(wasm.V128), r.Local(wasm.V128)
		r.GetGlobal(e.scratch).Set(c.gates)
		r.eachRow(func() {
			r.Get(r.state).Get(r.unit).I32(4*c.dim).Do(wasm.I32Mul, wasm.I32Add).Set(c.memory)
			c.gather()
			c.recur()
			c.forget()
			c.step()
			c.head(r.y)
			r.Get(c.memory).I32(4 * c.dim).Copy()
		})
	})
}

// part is where part i of the state lies, in bytes.
func (c *slstmCode) part(i int) int { return 4 * c.width * i }

// head pushes the address of the head in a row.
func (c *slstmCode) head(row wasm.Local) {
	c.Get(row).Get(c.unit).I32(4*c.dim).Do(wasm.I32Mul, wasm.I32Add)
}

// gather copies the inputs of the head's gates side by side, and adds their biases.
func (c *slstmCode) gather() {
	for i, in := range c.in {
		c.Get(c.gates).I32(4 * c.dim * i).Do(wasm.I32Add)
		c.head(in)
		c.I32(4 * c.dim).Copy()
	}
	if !c.present[1] {
		return
	}
	c.Get(c.weights[1]).Get(c.unit).I32(16*c.dim).Do(wasm.I32Mul, wasm.I32Add).Set(c.tap)
	c.columns(4*c.dim, func(col column) {
		col.store(c.gates, func() {
			col.load(c.gates)
			col.load(c.tap).Do(wasm.F32x4Add)
		})
	})
}

// recur adds r · (y before) to the gates, element by element of y.
func (c *slstmCode) recur() {
	c.Get(c.weights[0]).Get(c.unit).I32(16*c.dim*c.dim).Do(wasm.I32Mul, wasm.I32Add).Set(c.tap)
	c.steps(c.j, 0, c.dim, 1, func() {
		c.float(c.memory, c.j, 0)
		c.Set(c.before)
		c.columns(4*c.dim, func(col column) {
			col.store(c.gates, func() {
				col.load(c.gates)
				col.load(c.tap).Get(c.before).Do(wasm.F32x4Splat, wasm.F32x4Mul, wasm.F32x4Add)
			})
		})
		c.add(c.tap, 16*c.dim)
	})
}

// forget makes the forget gates the exponents m + ln σ(forget).
func (c *slstmCode) forget() {
	softplus := c.e.softplus()
	c.steps(c.j, 0, c.dim, 1, func() {
		c.at(c.gates, c.j)
		c.float(c.memory, c.j, c.part(3))
		c.Do(wasm.F64PromoteF32)
		c.float(c.gates, c.j, 4*c.dim)
		c.Do(wasm.F64PromoteF32, wasm.F64Neg).Call(softplus).Do(wasm.F64Sub, wasm.F32DemoteF64).Mem(wasm.F32Store, 4*c.dim)
	})
}

// step updates the memory of the head by its gates.
func (c *slstmCode) step() {
	exp, tanh, sigmoid := c.e.exp(), c.e.tanh(), c.e.sigmoid()
	c.columns(c.dim, func(col column) {
		col.load(c.gates).Set(c.enter)
		col.loadAt(c.gates, 4*c.dim).Tee(c.keep).Get(c.enter).Do(wasm.F32x4Max).Set(c.top)
		col.storeAt(c.memory, c.part(3), func() { c.Get(c.top) })
		for _, gate := range []wasm.Local{c.keep, c.enter} {
			c.Get(gate).Get(c.top).Do(wasm.F32x4Sub).Call(exp).Set(gate)
		}
		col.storeAt(c.memory, c.part(1), func() {
			col.loadAt(c.memory, c.part(1)).Get(c.keep).Do(wasm.F32x4Mul)
			col.loadAt(c.gates, 8*c.dim).Call(tanh).Get(c.enter).Do(wasm.F32x4Mul, wasm.F32x4Add)
		})
		col.storeAt(c.memory, c.part(2), func() {
			col.loadAt(c.memory, c.part(2)).Get(c.keep).Do(wasm.F32x4Mul).Get(c.enter).Do(wasm.F32x4Add)
		})
		col.store(c.memory, func() {
			col.loadAt(c.gates, 12*c.dim).Call(sigmoid)
			col.loadAt(c.memory, c.part(1)).Do(wasm.F32x4Mul)
			col.loadAt(c.memory, c.part(2)).Do(wasm.F32x4Div)
		})
	})
}
