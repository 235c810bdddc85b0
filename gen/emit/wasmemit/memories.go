package wasmemit

import (
	"math"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/plan"
)

// Operations whose state is a matrix for each head, keys by values: the gated delta rule and mLSTM.

// matrixMemory has the sizes and variables of such an operation for one head.
type matrixMemory struct {
	*recurrence
	keys, values       int        // widths of a head
	cell               wasm.Local // the head's matrix
	row, i             wasm.Local // a row of the matrix and its number
	out, value         wasm.Local // of the head
	factor, gate, keep wasm.Local
}

func newMatrixMemory(r *recurrence, keys, values int) *matrixMemory {
	return &matrixMemory{r, keys, values, r.Local(wasm.I32), r.Local(wasm.I32), r.Local(wasm.I32), r.Local(wasm.I32), r.Local(wasm.I32),
		r.Local(wasm.F32), r.Local(wasm.F32), r.Local(wasm.F32)}
}

// head sets address to that of part unit/share of a row of parts of width.
func (m *matrixMemory) head(address, list wasm.Local, share, width int) {
	m.Get(list).Get(m.unit).I32(share).Do(wasm.I32DivU).I32(4*width).Do(wasm.I32Mul, wasm.I32Add).Set(address)
}

// eachKey runs body for each row of the matrix.
func (m *matrixMemory) eachKey(body func()) {
	m.Get(m.cell).Set(m.row)
	m.steps(m.i, 0, m.keys, 1, func() {
		body()
		m.add(m.row, 4*m.values)
	})
}

// clearAt clears n numbers at an address.
func (m *matrixMemory) clearAt(address wasm.Local, n int) { m.Get(address).I32(0).I32(4 * n).Fill() }

// memoryScratch is the scratch memory of the gated delta rule: a query, a key and a row of values.
func memoryScratch(o *ir.Op) int {
	keys := o.In[1].Type.Width() / max(o.Attrs.Int("key_heads"), 1)
	values := o.In[2].Type.Width() / o.Attrs.Int("heads")
	return 4 * (2*keys + values)
}

// deltaRule emits S = α·S, S += β·k·(v − Sᵀk)ᵀ, y = Sᵀq/√keys with q and k of length 1 (Yang et al. 2024, Gated DeltaNet).
func (e *emitter) deltaRule(f *code, s plan.Step) error {
	o := s.Op
	heads, keyHeads := o.Attrs.Int("heads"), o.Attrs.Int("key_heads")
	keys, values := o.In[1].Type.Width()/keyHeads, o.In[2].Type.Width()/heads
	eps := 1e-6
	if _, ok := o.Attrs["eps"]; ok {
		eps = o.Attrs.Float("eps")
	}
	return e.recur(f, s, "deltaRule", heads, zeros(keys*values), func(r *recurrence) {
		m := newMatrixMemory(r, keys, values)
		q, k, d, from := r.Local(wasm.I32), r.Local(wasm.I32), r.Local(wasm.I32), r.Local(wasm.I32)
		r.GetGlobal(e.scratch).Tee(q).I32(4 * keys).Do(wasm.I32Add).Tee(k).I32(4 * keys).Do(wasm.I32Add).Set(d)
		r.eachRow(func() {
			for i, to := range []wasm.Local{q, k} {
				m.head(from, r.in[i], heads/keyHeads, keys)
				m.unitLength(to, from, eps, []float64{1 / math.Sqrt(float64(keys)), 1}[i])
			}
			m.deltaGates()
			m.head(m.cell, r.state, 1, keys*values)
			m.head(m.out, r.y, 1, values)
			m.head(m.value, r.in[2], 1, values)
			m.forget(k, d)
			m.learn(q, k, d)
		})
	})
}

// deltaGates sets keep to α = e^(a·softplus(step + bias)) and gate to β = σ(beta).
func (m *matrixMemory) deltaGates() {
	e := m.e
	m.float(m.weights[0], m.unit, 0)
	m.float(m.in[3], m.unit, 0)
	m.Do(wasm.F64PromoteF32)
	m.float(m.weights[1], m.unit, 0)
	m.Do(wasm.F64PromoteF32, wasm.F64Add).Call(e.softplus()).Do(wasm.F32DemoteF64, wasm.F32Mul, wasm.F64PromoteF32)
	m.Call(e.exp64()).Do(wasm.F32DemoteF64).Set(m.keep)
	m.F64(1).F64(1)
	m.float(m.in[4], m.unit, 0)
	m.Do(wasm.F64PromoteF32, wasm.F64Neg).Call(e.exp64()).Do(wasm.F64Add, wasm.F64Div, wasm.F32DemoteF64).Set(m.gate)
}

// unitLength writes x·c/√(Σx² + eps) of a key to y.
func (m *matrixMemory) unitLength(y, x wasm.Local, eps, c float64) {
	sum, v := m.Local(wasm.F64), m.Local(wasm.F64)
	m.F64(eps).Set(sum)
	m.steps(m.i, 0, m.keys, 1, func() {
		m.float(x, m.i, 0)
		m.Do(wasm.F64PromoteF32).Tee(v).Get(v).Do(wasm.F64Mul).Get(sum).Do(wasm.F64Add).Set(sum)
	})
	m.F64(c).Get(sum).Do(wasm.F64Sqrt, wasm.F64Div).Set(sum)
	m.steps(m.i, 0, m.keys, 1, func() {
		m.at(y, m.i)
		m.float(x, m.i, 0)
		m.Do(wasm.F64PromoteF32).Get(sum).Do(wasm.F64Mul, wasm.F32DemoteF64).Mem(wasm.F32Store, 0)
	})
}

// forget computes S = α·S and d = (v − Sᵀk)·β.
func (m *matrixMemory) forget(k, d wasm.Local) {
	v := m.vectors("row", 1)[0]
	m.clearAt(d, m.values)
	m.eachKey(func() {
		m.float(k, m.i, 0)
		m.Set(m.factor)
		m.columns(m.values, func(c column) {
			c.store(m.row, func() { c.load(m.row).Get(m.keep).Do(wasm.F32x4Splat, wasm.F32x4Mul).Tee(v) })
			c.store(d, func() { c.load(d).Get(v).Get(m.factor).Do(wasm.F32x4Splat, wasm.F32x4Mul, wasm.F32x4Add) })
		})
	})
	m.columns(m.values, func(c column) {
		c.store(d, func() {
			c.load(m.value)
			c.load(d).Do(wasm.F32x4Sub).Get(m.gate).Do(wasm.F32x4Splat, wasm.F32x4Mul)
		})
	})
}

// learn computes S += k·dᵀ and y = Sᵀq.
func (m *matrixMemory) learn(q, k, d wasm.Local) {
	v, w := m.vectors("row", 1)[0], m.Local(wasm.F32)
	m.clearAt(m.out, m.values)
	m.eachKey(func() {
		m.float(k, m.i, 0)
		m.Set(m.factor)
		m.float(q, m.i, 0)
		m.Set(w)
		m.columns(m.values, func(c column) {
			c.store(m.row, func() {
				c.load(m.row)
				c.load(d).Get(m.factor).Do(wasm.F32x4Splat, wasm.F32x4Mul, wasm.F32x4Add).Tee(v)
			})
			c.store(m.out, func() { c.load(m.out).Get(v).Get(w).Do(wasm.F32x4Splat, wasm.F32x4Mul, wasm.F32x4Add) })
		})
	})
}

// mLSTM emits C = f·C + i·k·vᵀ, n = f·n + i·k, y = Cᵀq / (max(|nᵀq|, e^−m) + eps), where all is divided by the running
// maximum e^m (Beck et al. 2024, xLSTM). The state of a head is C, n and m.
func (e *emitter) mLSTM(f *code, s plan.Step) error {
	o := s.Op
	heads := o.Attrs.Int("heads")
	keys, values := o.In[0].Type.Width()/heads, o.In[2].Type.Width()/heads
	eps := 1e-6
	if _, ok := o.Attrs["eps"]; ok {
		eps = o.Attrs.Float("eps")
	}
	return e.recur(f, s, "mLSTM", heads, zeros(keys*values+keys+1), func(r *recurrence) {
		m := newMatrixMemory(r, keys, values)
		q, k, n := r.Local(wasm.I32), r.Local(wasm.I32), r.Local(wasm.I32)
		top, norm := r.Local(wasm.F32), r.Local(wasm.F32)
		r.eachRow(func() {
			m.head(m.cell, r.state, 1, keys*values+keys+1)
			m.head(m.out, r.y, 1, values)
			m.head(q, r.in[0], 1, keys)
			m.head(k, r.in[1], 1, keys)
			m.head(m.value, r.in[2], 1, values)
			r.Get(m.cell).I32(4 * keys * values).Do(wasm.I32Add).Set(n)
			m.lstmGates(top)
			m.remember(q, k, n, norm)
			m.divide(top, norm, eps)
		})
	})
}

// lstmGates sets keep to f and gate to i, and moves the running maximum.
func (m *matrixMemory) lstmGates(top wasm.Local) {
	exp := m.e.exp64()
	at := 4 * (m.keys*m.values + m.keys)
	m.Get(m.cell).Mem(wasm.F32Load, at).Do(wasm.F64PromoteF32)
	m.float(m.in[4], m.unit, 0)
	m.Do(wasm.F64PromoteF32, wasm.F64Neg).Call(m.e.softplus()).Do(wasm.F64Sub, wasm.F32DemoteF64).Set(m.keep)
	m.float(m.in[3], m.unit, 0)
	m.Tee(m.gate).Get(m.keep).Do(wasm.F32Max).Set(top)
	m.Get(m.cell).Get(top).Mem(wasm.F32Store, at)
	for _, g := range []wasm.Local{m.keep, m.gate} {
		m.Get(g).Get(top).Do(wasm.F32Sub, wasm.F64PromoteF32).Call(exp).Do(wasm.F32DemoteF64).Set(g)
	}
}

// remember computes the new C and n, y = Cᵀq and norm = nᵀq.
func (m *matrixMemory) remember(q, k, n, norm wasm.Local) {
	v, w, scale := m.vectors("row", 1)[0], m.Local(wasm.F32), float32(1/math.Sqrt(float64(m.keys)))
	m.clearAt(m.out, m.values)
	m.F32(0).Set(norm)
	m.eachKey(func() {
		m.Get(m.gate)
		m.float(k, m.i, 0)
		m.Do(wasm.F32Mul).Set(m.factor)
		m.float(q, m.i, 0)
		m.F32(scale).Do(wasm.F32Mul).Set(w)
		m.at(n, m.i)
		m.float(n, m.i, 0)
		m.Get(m.keep).Do(wasm.F32Mul).Get(m.factor).Do(wasm.F32Add).Mem(wasm.F32Store, 0)
		m.Get(norm)
		m.float(n, m.i, 0)
		m.Get(w).Do(wasm.F32Mul, wasm.F32Add).Set(norm)
		m.columns(m.values, func(c column) {
			c.store(m.row, func() {
				c.load(m.row).Get(m.keep).Do(wasm.F32x4Splat, wasm.F32x4Mul)
				c.load(m.value).Get(m.factor).Do(wasm.F32x4Splat, wasm.F32x4Mul, wasm.F32x4Add).Tee(v)
			})
			c.store(m.out, func() { c.load(m.out).Get(v).Get(w).Do(wasm.F32x4Splat, wasm.F32x4Mul, wasm.F32x4Add) })
		})
	})
}

// divide divides y by max(|norm|, e^−top) + eps.
func (m *matrixMemory) divide(top, norm wasm.Local, eps float64) {
	m.F64(1)
	m.Get(norm).Do(wasm.F32Abs, wasm.F64PromoteF32).Get(top).Do(wasm.F64PromoteF32, wasm.F64Neg).Call(m.e.exp64()).Do(wasm.F64Max)
	m.F64(eps).Do(wasm.F64Add, wasm.F64Div, wasm.F32DemoteF64).Set(m.factor)
	m.columns(m.values, func(c column) {
		c.store(m.out, func() { c.load(m.out).Get(m.factor).Do(wasm.F32x4Splat, wasm.F32x4Mul) })
	})
}

// linearAttention emits S = w ⊙ S + k·vᵀ, y = scale·qᵀS, with a bonus u scale·qᵀ(S before + (u ⊙ k)·vᵀ), for each head; w is a factor
// for every row of S (Katharopoulos et al. 2020, Sun et al. 2023, Peng et al. 2024).
func (e *emitter) linearAttention(f *code, s plan.Step) error {
	o := s.Op
	heads, shared := o.Attrs.Int("heads"), o.Attrs.Int("key_heads")
	keys, values := o.In[0].Type.Width()/heads, o.In[2].Type.Width()/shared
	scale := 1.0
	if _, ok := o.Attrs["scale"]; ok {
		scale = o.Attrs.Float("scale")
	}
	return e.recur(f, s, "linearAttention", heads, zeros(keys*values), func(r *recurrence) {
		m := newMatrixMemory(r, keys, values)
		q, k, factors, query := r.Local(wasm.I32), r.Local(wasm.I32), r.Local(wasm.I32), r.Local(wasm.F32)
		r.eachRow(func() {
			m.head(m.cell, r.state, 1, keys*values)
			m.head(m.out, r.y, 1, values)
			m.head(q, r.in[0], 1, keys)
			m.head(k, r.in[1], heads/shared, keys)
			m.head(m.value, r.in[2], heads/shared, values)
			m.clearAt(m.out, values)
			decay := m.decays(o.Attrs.Str("w"), factors)
			m.eachKey(func() {
				m.float(k, m.i, 0)
				m.Set(m.factor)
				m.float(q, m.i, 0)
				m.Do(wasm.F64PromoteF32).F64(scale).Do(wasm.F64Mul, wasm.F32DemoteF64).Set(query)
				decay()
				m.Set(m.keep)
				m.recall(query)
			})
		})
	})
}

// decays returns what pushes the factor of row i of the matrix.
func (m *matrixMemory) decays(kind string, list wasm.Local) func() {
	exp := m.e.exp64()
	switch {
	case kind == "retention": // 1 − 2^(−5−h)
		return func() {
			m.F64(1).I64(1023-5).Get(m.unit).Do(wasm.I64ExtendI32, wasm.I64Sub).I64(52).Do(wasm.I64Shl, wasm.F64ReinterpretI64, wasm.F64Sub, wasm.F32DemoteF64)
		}
	case kind == "rate": // e^(−e^rate)
		m.head(list, m.in[3], 1, m.keys)
		return func() {
			m.float(list, m.i, 0)
			m.Do(wasm.F64PromoteF32).Call(exp).Do(wasm.F64Neg).Call(exp).Do(wasm.F32DemoteF64)
		}
	case m.present[0]:
		m.head(list, m.weights[0], 1, m.keys)
		return func() { m.float(list, m.i, 0) }
	}
	return func() { m.F32(1) }
}

// recall updates a row of the matrix, row = keep·row + key·value, and adds query times the row to the results: the row after the
// update, or with a bonus row before + bonus·key·value.
func (m *matrixMemory) recall(query wasm.Local) {
	row, value := m.vectors("row", 1)[0], m.vectors("value", 1)[0]
	if m.present[1] {
		bonus := m.integers("bonus", 1)[0]
		m.head(bonus, m.weights[1], 1, m.keys)
		m.float(bonus, m.i, 0)
		m.Get(m.factor).Do(wasm.F32Mul).Set(m.gate)
	}
	m.columns(m.values, func(c column) {
		c.load(m.value).Set(value)
		c.load(m.row).Set(row)
		if m.present[1] {
			c.store(m.out, func() {
				c.load(m.out).Get(row).Get(value).Get(m.gate).Do(wasm.F32x4Splat, wasm.F32x4Mul, wasm.F32x4Add)
				m.Get(query).Do(wasm.F32x4Splat, wasm.F32x4Mul, wasm.F32x4Add)
			})
		}
		c.store(m.row, func() {
			m.Get(row).Get(m.keep).Do(wasm.F32x4Splat, wasm.F32x4Mul)
			m.Get(value).Get(m.factor).Do(wasm.F32x4Splat, wasm.F32x4Mul, wasm.F32x4Add).Tee(row)
		})
		if !m.present[1] {
			c.store(m.out, func() { c.load(m.out).Get(row).Get(query).Do(wasm.F32x4Splat, wasm.F32x4Mul, wasm.F32x4Add) })
		}
	})
}
