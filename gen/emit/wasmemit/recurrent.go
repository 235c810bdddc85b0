package wasmemit

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/plan"
)

// recurrence emits an operation with a state of fixed size. Threads share channels or heads, each with the whole sequence:
// the order of a sum never depends on their number.
type recurrence struct {
	*code
	y         wasm.Local // rows of the result and of the inputs, from the current one on
	in        []wasm.Local
	weights   []wasm.Local // addresses, zero for what is absent
	state     wasm.Local
	unit      wasm.Local // the channel or head that is computed
	from, end wasm.Local // this thread's share
	rows, pos wasm.Local // of the segment
	row       wasm.Local // number of the current row in the segment
	strides   []int      // of y, then of the inputs
	present   []bool     // of the weights
}

// recur emits the call of an operation over all segments. clear begins the state of a new sequence for one unit, body works
// on one segment.
func (e *emitter) recur(f *code, s plan.Step, name string, units int, clear, body func(r *recurrence)) error {
	o := s.Op
	if o.State == nil {
		return unsupported(o, "no state")
	}
	r := &recurrence{}
	y, stride := e.address(o.Out[0])
	args, strides := []int{y}, []int{stride}
	for _, v := range o.In {
		at, stride := e.address(v)
		args, strides = append(args, at), append(strides, stride)
	}
	for _, w := range o.Weights {
		at := 0
		if w != nil {
			at = e.weight(w)
		}
		args, r.present = append(args, at), append(r.present, w != nil)
	}
	r.strides = strides
	key := fmt.Sprintf("%s %v %v %v", name, o.Attrs, strides, r.present)
	g := e.sharedFunc(key, words(len(args)+1), nil, func(f *code) { r.function(f, len(strides), len(args), units, clear, body) })
	for _, a := range args {
		f.I32(a)
	}
	f.I32(e.state(o.State)).Call(g)
	return nil
}

// function writes the function of (y, inputs…, weights…, state).
func (r *recurrence) function(f *code, matrices, n, units int, clear, body func(r *recurrence)) {
	r.code = f
	pointers := f.Locals(wasm.I32, matrices)
	r.y, r.in = pointers[0], pointers[1:]
	for i := matrices; i < n; i++ {
		r.weights = append(r.weights, wasm.Local(i))
	}
	r.unit, r.from, r.end, r.row = f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
	f.I32(units).Set(r.end)
	f.share(r.end, r.from)
	f.Get(r.end).Get(r.from).Do(wasm.I32Add).Set(r.end)
	f.segments(wasm.Local(n), func(start, rows, pos wasm.Local, c cache) {
		r.rows, r.pos, r.state = rows, pos, c.k
		for i, p := range pointers {
			f.Get(wasm.Local(i)).Get(start).I32(r.strides[i]).Do(wasm.I32Mul, wasm.I32Add).Set(p)
		}
		f.Get(pos).Do(wasm.I32Eqz).If(func() { r.eachUnit(func() { clear(r) }) })
		body(r)
	})
}

// eachUnit runs body for each unit of this thread.
func (r *recurrence) eachUnit(body func()) {
	r.Get(r.from).Set(r.unit)
	r.while(func() { r.Get(r.unit).Get(r.end).Do(wasm.I32LtU) }, func() {
		body()
		r.add(r.unit, 1)
	})
}

// eachRow runs body for each row of the segment, and each unit in it.
func (r *recurrence) eachRow(body func()) {
	r.I32(0).Set(r.row)
	r.while(func() { r.Get(r.row).Get(r.rows).Do(wasm.I32LtU) }, func() {
		r.eachUnit(body)
		for i, p := range append([]wasm.Local{r.y}, r.in...) {
			r.add(p, r.strides[i])
		}
		r.add(r.row, 1)
	})
}

// at pushes the address of element i of a list of float32.
func (r *recurrence) at(list, i wasm.Local) { r.Get(list).Get(i).I32(2).Do(wasm.I32Shl, wasm.I32Add) }

// float pushes element i of a list, offset bytes further.
func (r *recurrence) float(list, i wasm.Local, offset int) {
	r.at(list, i)
	r.Mem(wasm.F32Load, offset)
}

// zeros clears n numbers of the state for each unit, which follow each other.
func zeros(n int) func(r *recurrence) {
	return func(r *recurrence) {
		r.Get(r.state).Get(r.unit).I32(4*n).Do(wasm.I32Mul, wasm.I32Add).I32(0).I32(4 * n).Fill()
	}
}

// strided clears a number of each of n rows of width of the state.
func strided(n, width int, value float32) func(r *recurrence) {
	return func(r *recurrence) {
		for i := range n {
			r.at(r.state, r.unit)
			r.F32(value).Mem(wasm.F32Store, 4*i*width)
		}
	}
}

// shortConv emits y[t, c] = b[c] + Σ w[c, j] · x[t−k+1+j, c]; the state is the last k−1 rows.
func (e *emitter) shortConv(f *code, s plan.Step) error {
	d, k := s.Op.In[0].Type.Width(), s.Op.Attrs.Int("kernel")
	return e.recur(f, s, "shortConv", d, strided(k-1, d, 0), func(r *recurrence) {
		j, sum, first := r.Local(wasm.I32), r.Local(wasm.F32), r.Local(wasm.I32)
		r.Get(r.in[0]).Set(first)
		stride := r.strides[1]
		source := func() { // element of row j, which counts from k−1 rows before the segment
			r.Get(j).I32(k-1).Do(wasm.I32LtS).IfElse(func() {
				r.at(r.state, r.unit)
				r.Get(j).I32(4*d).Do(wasm.I32Mul, wasm.I32Add).Mem(wasm.F32Load, 0).Set(sum)
			}, func() {
				r.at(first, r.unit)
				r.Get(j).I32(k-1).Do(wasm.I32Sub).I32(stride).Do(wasm.I32Mul, wasm.I32Add).Mem(wasm.F32Load, 0).Set(sum)
			})
		}
		total, tap := r.Local(wasm.F32), r.Local(wasm.I32)
		r.eachRow(func() {
			r.F32(0).Set(total)
			if r.present[1] {
				r.float(r.weights[1], r.unit, 0)
				r.Set(total)
			}
			r.Get(r.row).Set(j).Get(r.weights[0]).Get(r.unit).I32(4*k).Do(wasm.I32Mul, wasm.I32Add).Set(tap)
			for i := range k {
				source()
				r.Get(total).Get(tap).Mem(wasm.F32Load, 4*i).Get(sum).Do(wasm.F32Mul, wasm.F32Add).Set(total)
				r.add(j, 1)
			}
			r.at(r.y, r.unit)
			r.Get(total).Mem(wasm.F32Store, 0)
		})
		r.eachUnit(func() { // the last k−1 rows
			for i := range k - 1 {
				r.Get(r.rows).I32(i).Do(wasm.I32Add).Set(j)
				source()
				r.at(r.state, r.unit)
				r.Get(sum).Mem(wasm.F32Store, 4*i*d)
			}
		})
	})
}

// selectiveScan emits h = e^(dt·a) ⊙ h + dt·x Bᵀ and y = h C + d·x for each head (Gu and Dao 2023, Dao and Gu 2024).
func (e *emitter) selectiveScan(f *code, s plan.Step) error {
	o := s.Op
	heads, n := o.Attrs.Int("heads"), o.Attrs.Int("state_size")
	c := &scanCode{e: e, n: n, dim: o.In[0].Type.Width() / heads, share: heads / max(o.Attrs.Int("groups"), 1),
		each: o.Attrs.Str("decay") == "state", low: o.Attrs.Float("low"), high: o.Attrs.Float("high")}
	return e.recur(f, s, "scan", heads, zeros(c.dim*n), c.segment)
}

// scanCode is the setting of a selective scan.
type scanCode struct {
	e             *emitter
	n, dim, share int
	each          bool // a decay for each element of the state
	low, high     float64
}

// segment emits the work on one segment: inputs are x, step, B and C, weights a, d and the bias of steps.
func (c *scanCode) segment(r *recurrence) {
	step, group := r.Local(wasm.F32), r.Local(wasm.I32)
	decay, in, sum, h, q := r.Local(wasm.V128), r.Local(wasm.V128), r.Local(wasm.V128), r.Local(wasm.V128), r.Local(wasm.F32)
	p, b, k, a, at, left := r.Local(wasm.I32), r.Local(wasm.I32), r.Local(wasm.I32), r.Local(wasm.I32), r.Local(wasm.I32), r.Local(wasm.I32)
	exp := c.e.exp()
	r.eachRow(func() {
		c.step(r, step)
		r.Get(r.unit).I32(c.share).Do(wasm.I32DivU).I32(4 * c.n).Do(wasm.I32Mul).Set(group)
		r.Get(r.in[2]).Get(group).Do(wasm.I32Add).Set(b).Get(r.in[3]).Get(group).Do(wasm.I32Add).Set(k)
		if c.each {
			r.Get(r.weights[0]).Get(r.unit).I32(4).Do(wasm.I32ShrU).I32(64*c.n).Do(wasm.I32Mul, wasm.I32Add)
			r.Get(r.unit).I32(15).Do(wasm.I32And).I32(4).Do(wasm.I32Mul, wasm.I32Add).Set(a)
		} else {
			r.Get(step)
			r.float(r.weights[0], r.unit, 0)
			r.Do(wasm.F32Mul, wasm.F32x4Splat).Call(exp).Set(decay)
		}
		r.Get(r.unit).I32(c.dim).Do(wasm.I32Mul).Set(at)
		r.Get(r.state).Get(at).I32(4*c.n).Do(wasm.I32Mul, wasm.I32Add).Set(p)
		r.I32(c.dim).Set(left)
		r.repeat(left, func() {
			r.float(r.in[0], at, 0)
			r.Tee(q).Get(step).Do(wasm.F32Mul, wasm.F32x4Splat).Set(in).V(0).Set(sum)
			r.columns(c.n, func(col column) {
				if c.each {
					col.loadTiled(a, decay).Get(step).Do(wasm.F32x4Splat, wasm.F32x4Mul).Call(exp).Set(decay)
				}
				col.store(p, func() {
					col.load(p).Get(decay).Do(wasm.F32x4Mul)
					col.load(b).Get(in).Do(wasm.F32x4Mul, wasm.F32x4Add).Tee(h)
				})
				r.Get(sum).Get(h)
				col.load(k).Do(wasm.F32x4Mul, wasm.F32x4Add).Set(sum)
			})
			r.at(r.y, at)
			r.float(r.weights[1], r.unit, 0)
			r.Get(q).Do(wasm.F32Mul)
			r.sumLanes(sum)
			r.Do(wasm.F32Add).Mem(wasm.F32Store, 0)
			r.add(p, 4*c.n)
			r.add(at, 1)
		})
	})
}

// step sets the step of a head: softplus of its logit, within bounds.
func (c *scanCode) step(r *recurrence, step wasm.Local) {
	r.float(r.in[1], r.unit, 0)
	r.Do(wasm.F64PromoteF32)
	if r.present[2] {
		r.float(r.weights[2], r.unit, 0)
		r.Do(wasm.F64PromoteF32, wasm.F64Add)
	}
	r.Call(c.e.softplus()).F64(c.low).Do(wasm.F64Max)
	if c.high > 0 {
		r.F64(c.high).Do(wasm.F64Min)
	}
	r.Do(wasm.F32DemoteF64).Set(step)
}

// softplus is ln(1 + eˣ) = max(x, 0) + ln(1 + z) with z = e^−|x|, and ln(1 + z) = 2·artanh(z/(2 + z)) as a series.
func (e *emitter) softplus() *wasm.Func {
	exp := e.exp64()
	return e.sharedFunc("softplus", []wasm.Type{wasm.F64}, []wasm.Type{wasm.F64}, func(f *code) {
		x, s, q := wasm.Local(0), f.Local(wasm.F64), f.Local(wasm.F64)
		f.Get(x).Do(wasm.F64Abs, wasm.F64Neg).Call(exp).Tee(s).Get(s).F64(2).Do(wasm.F64Add, wasm.F64Div).Tee(s).Get(s).Do(wasm.F64Mul).Set(q)
		f.F64(0)
		for i := 23; i > 0; i -= 2 {
			f.Get(q).Do(wasm.F64Mul).F64(1 / float64(i)).Do(wasm.F64Add)
		}
		f.Get(s).Do(wasm.F64Mul).F64(2).Do(wasm.F64Mul).Get(x).F64(0).Do(wasm.F64Max, wasm.F64Add)
	})
}

// rgLRU emits h = a ⊙ h + √(1−a²) ⊙ σ(input) ⊙ x with a = e^(decay · σ(recurrence)), and factor 1 for a first token (De et
// al. 2024, Griffin).
func (e *emitter) rgLRU(f *code, s plan.Step) error {
	width, exp := s.Op.In[0].Type.Width(), e.exp64()
	sigmoid := func(r *recurrence, in wasm.Local) {
		r.F64(1).F64(1)
		r.float(in, r.unit, 0)
		r.Do(wasm.F64PromoteF32, wasm.F64Neg).Call(exp).Do(wasm.F64Add, wasm.F64Div)
	}
	return e.recur(f, s, "rgLRU", width, strided(1, width, 0), func(r *recurrence) {
		v, log, h := r.Local(wasm.F64), r.Local(wasm.F64), r.Local(wasm.F32)
		r.eachRow(func() {
			sigmoid(r, r.in[1])
			r.float(r.in[0], r.unit, 0)
			r.Do(wasm.F64PromoteF32, wasm.F64Mul).Set(v)
			r.Get(r.pos).Get(r.row).Do(wasm.I32Or).If(func() {
				sigmoid(r, r.in[2])
				r.float(r.weights[0], r.unit, 0)
				r.Do(wasm.F64PromoteF32, wasm.F64Mul).Tee(log).Call(exp)
				r.float(r.state, r.unit, 0)
				r.Do(wasm.F64PromoteF32, wasm.F64Mul)
				r.F64(1).Get(log).F64(2).Do(wasm.F64Mul).Call(exp).Do(wasm.F64Sub, wasm.F64Sqrt).Get(v).Do(wasm.F64Mul, wasm.F64Add).Set(v)
			})
			r.Get(v).Do(wasm.F32DemoteF64).Set(h)
			for _, to := range []wasm.Local{r.state, r.y} {
				r.at(to, r.unit)
				r.Get(h).Mem(wasm.F32Store, 0)
			}
		})
	})
}

// shift emits y[t] = x[t−1]; the state is the last row.
func (e *emitter) shift(f *code, s plan.Step) error {
	width := s.Op.In[0].Type.Width()
	return e.recur(f, s, "shift", width, strided(1, width, 0), func(r *recurrence) {
		r.eachRow(func() {
			next := r.vectors("next", 1)[0]
			r.at(r.in[0], r.unit)
			r.Mem(wasm.V128Load32Zero, 0).Set(next)
			r.at(r.y, r.unit)
			r.float(r.state, r.unit, 0)
			r.Mem(wasm.F32Store, 0)
			r.at(r.state, r.unit)
			r.Get(next).MemLane(wasm.V128Store32Lane, 0, 0)
		})
	})
}

// lerp emits y = w ⊙ a + (1−w) ⊙ b.
func (e *emitter) lerp(f *code, s plan.Step) error {
	o := s.Op
	y, ldy := e.address(o.Out[0])
	a, lda := e.address(o.In[0])
	b, ldb := e.address(o.In[1])
	width := o.Out[0].Type.Width()
	g := e.rowwise(fmt.Sprintf("lerp %d %d %d %d", width, ldy, lda, ldb), []int{ldy, lda, ldb}, 1, func(f *code, rows, others []wasm.Local) {
		f.columns(width, func(c column) {
			c.store(rows[0], func() {
				c.load(rows[1])
				c.load(others[0]).Do(wasm.F32x4Mul)
				c.load(rows[2]).V(1)
				c.load(others[0]).Do(wasm.F32x4Sub, wasm.F32x4Mul, wasm.F32x4Add)
			})
		})
	})
	e.call(f, g, o.Out[0].Type.Rows, y, a, b, e.weight(o.Weights[0]))
	return nil
}

// wkv emits the recurrence of RWKV-4 (Peng et al. 2023). The state is numerators, denominators and largest exponents.
func (e *emitter) wkv(f *code, s plan.Step) error {
	d, exp := s.Op.In[0].Type.Width(), e.exp64()
	clear := func(r *recurrence) {
		strided(2, d, 0)(r)
		r.at(r.state, r.unit)
		r.F32(minScore).Mem(wasm.F32Store, 8*d)
	}
	return e.recur(f, s, "wkv", d, clear, func(r *recurrence) {
		key, value, top, m, e1, e2, other := r.Local(wasm.F32), r.Local(wasm.F32), r.Local(wasm.F32), r.Local(wasm.F32), r.Local(wasm.F32), r.Local(wasm.F32), r.Local(wasm.F32)
		// mix pushes e1 · (state row i) + e2 · x
		mix := func(i int, x func()) {
			r.Get(e1)
			r.float(r.state, r.unit, 4*i*d)
			r.Do(wasm.F32Mul).Get(e2)
			x()
			r.Do(wasm.F32Mul, wasm.F32Add)
		}
		weigh := func(a, b wasm.Local) { // e1 and e2 are eᵃ and eᵇ, divided by the larger
			r.Get(a).Get(b).Do(wasm.F32Max).Set(m)
			for i, x := range []wasm.Local{a, b} {
				r.Get(x).Get(m).Do(wasm.F32Sub, wasm.F64PromoteF32).Call(exp).Do(wasm.F32DemoteF64).Set([]wasm.Local{e1, e2}[i])
			}
		}
		r.eachRow(func() {
			r.float(r.in[0], r.unit, 0)
			r.Set(key)
			r.float(r.in[1], r.unit, 0)
			r.Set(value)
			r.float(r.state, r.unit, 8*d)
			r.Set(top).Get(key)
			r.float(r.weights[1], r.unit, 0)
			r.Do(wasm.F32Add).Set(other)
			weigh(top, other)
			r.at(r.y, r.unit)
			mix(0, func() { r.Get(value) })
			mix(1, func() { r.F32(1) })
			r.Do(wasm.F32Div).Mem(wasm.F32Store, 0)
			r.Get(top)
			r.float(r.weights[0], r.unit, 0)
			r.Do(wasm.F32Add).Set(top)
			weigh(top, key)
			for i, x := range []func(){func() { r.Get(value) }, func() { r.F32(1) }, nil} {
				r.at(r.state, r.unit)
				if x == nil {
					r.Get(m)
				} else {
					mix(i, x)
				}
				r.Mem(wasm.F32Store, 4*i*d)
			}
		})
	})
}
