package wasmemit

import (
	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/plan"
)

// systemCode emits the linear system of one channel, whose complex numbers are real parts and then imaginary ones.
type systemCode struct {
	*recurrence
	n, rank      int
	rule, system wasm.Local // where the description and the state of the channel begin
	u            wasm.Local // the input, …
	u4           wasm.Local // … in all lanes
	re, im, sum  wasm.Local
	taken        []wasm.Local // read·s of each rank, in all lanes
}

// stateSpace emits s = λ ⊙ s + b·x − Σ low·(read·s), y = out·s + d·x for each channel (Gu et al. 2022, S4 and S4D).
func (e *emitter) stateSpace(f *code, s plan.Step) error {
	o := s.Op
	n, rank := o.Attrs.Int("state_size"), o.Attrs.Int("rank")
	rows := (&ir.System{Rank: rank}).Rows()
	return e.recur(f, s, "stateSpace", o.In[0].Type.Width(), zeros(2*n), func(r *recurrence) {
		vectors := r.Locals(wasm.V128, 4)
		c := &systemCode{recurrence: r, n: n, rank: rank, rule: r.Local(wasm.I32), system: r.Local(wasm.I32), u: r.Local(wasm.F32),
			u4: vectors[0], re: vectors[1], im: vectors[2], sum: vectors[3], taken: r.Locals(wasm.V128, rank)}
		r.eachRow(func() {
			r.Get(r.weights[0]).Get(r.unit).I32(c.row(rows)).Do(wasm.I32Mul, wasm.I32Add).Set(c.rule)
			r.Get(r.state).Get(r.unit).I32(c.row(1)).Do(wasm.I32Mul, wasm.I32Add).Set(c.system)
			r.float(r.in[0], r.unit, 0)
			r.Tee(c.u).Do(wasm.F32x4Splat).Set(c.u4)
			c.turn()
			c.result()
		})
	})
}

// row is where row i of the description begins, in bytes: λ; b if there is a rank; out; low and read of each rank.
func (c *systemCode) row(i int) int { return 4 * 2 * c.n * i }

// dot pushes the inner product of row i of the description and the state.
func (c *systemCode) dot(i int) {
	c.V(0).Set(c.sum)
	c.columns(2*c.n, func(col column) {
		c.Get(c.sum)
		col.loadAt(c.rule, c.row(i))
		col.load(c.system).Do(wasm.F32x4Mul, wasm.F32x4Add).Set(c.sum)
	})
	c.sumLanes(c.sum)
}

// turn moves the state one step on. All of read·s are of the state as it was.
func (c *systemCode) turn() {
	for k, taken := range c.taken {
		c.dot(3 + c.rank + k)
		c.Do(wasm.F32x4Splat).Set(taken)
	}
	imaginary := 4 * c.n
	c.columns(c.n, func(col column) {
		col.load(c.system).Set(c.re)
		col.loadAt(c.system, imaginary).Set(c.im)
		col.store(c.system, func() {
			col.load(c.rule).Get(c.re).Do(wasm.F32x4Mul)
			col.loadAt(c.rule, imaginary).Get(c.im).Do(wasm.F32x4Mul, wasm.F32x4Sub)
			c.input(col, 0)
		})
		col.storeAt(c.system, imaginary, func() {
			col.load(c.rule).Get(c.im).Do(wasm.F32x4Mul)
			col.loadAt(c.rule, imaginary).Get(c.re).Do(wasm.F32x4Mul, wasm.F32x4Add)
			c.input(col, imaginary)
		})
	})
}

// input adds b·x and subtracts the low-rank part, for real parts or for imaginary ones, which part bytes lie before.
func (c *systemCode) input(col column, part int) {
	if c.rank == 0 { // b is 1
		if part == 0 {
			c.Get(c.u4).Do(wasm.F32x4Add)
		}
		return
	}
	col.loadAt(c.rule, c.row(1)+part).Get(c.u4).Do(wasm.F32x4Mul, wasm.F32x4Add)
	for k, taken := range c.taken {
		col.loadAt(c.rule, c.row(3+k)+part).Get(taken).Do(wasm.F32x4Mul, wasm.F32x4Sub)
	}
}

// result writes out·s + d·x.
func (c *systemCode) result() {
	c.at(c.y, c.unit)
	c.dot(map[bool]int{true: 1, false: 2}[c.rank == 0])
	if c.present[1] {
		c.float(c.weights[1], c.unit, 0)
		c.Get(c.u).Do(wasm.F32Mul, wasm.F32Add)
	}
	c.Mem(wasm.F32Store, 0)
}
