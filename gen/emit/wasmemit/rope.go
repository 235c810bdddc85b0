package wasmemit

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/plan"
)

// angles emits cosines and sines of the rows' positions, computed in float64 (Su et al. 2021).
func (e *emitter) angles(f *code, s plan.Step) error {
	o := s.Op
	r, err := op.NewRope(o.Attrs)
	if err != nil {
		return fmt.Errorf("%s: %w", o.Pos, err)
	}
	w := &rotary{Rope: r, table: e.table(r.InvFreq)}
	if r.LongFreq != nil {
		w.long = e.table(r.LongFreq)
	}
	at, stride := e.address(o.Out[0])
	key := fmt.Sprintf("angles %d %d %v %v %v %v %d", w.table, w.long, r.Original, r.Factor, r.Theta, r.Scale, stride)
	g := e.rowwise(key, []int{stride, 4, 4}, 0, w.row)
	e.call(f, g, o.Out[0].Type.Rows, at, int(e.memory.Positions), int(e.memory.Totals))
	return nil
}

// rotary is the setting of a rope_angles operation: where its frequencies lie.
type rotary struct {
	*op.Rope
	table, long int
}

// dynamic reports whether sequences beyond the original context compute their frequencies.
func (w *rotary) dynamic() bool { return w.Original > 0 && w.LongFreq == nil }

// needsPow reports whether a graph needs powers, which only dynamic frequencies do.
func needsPow(g *ir.Graph) bool {
	for _, o := range g.Ops {
		if o.Kind != "rope_angles" {
			continue
		}
		if r, err := op.NewRope(o.Attrs); err == nil && (&rotary{Rope: r}).dynamic() {
			return true
		}
	}
	return false
}

// row writes one row: rows are the row, its position and the length of its sequence.
func (w *rotary) row(f *code, rows, _ []wasm.Local) {
	n, sincos := len(w.InvFreq), f.e.sincos()
	i, y, table := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
	base, freq, cos := f.Local(wasm.F64), f.Local(wasm.F64), f.Local(wasm.F64)
	f.I32(w.table).Set(table).F64(0).Set(base)
	if w.Original > 0 {
		f.Get(rows[2]).Mem(wasm.I32Load, 0).I32(w.Original).Do(wasm.I32GtS).If(func() { w.longer(f, rows[2], table, base) })
	}
	f.Get(rows[0]).Set(y)
	f.steps(i, 0, n, 1, func() {
		f.Get(table).Get(i).I32(3).Do(wasm.I32Shl, wasm.I32Add).Mem(wasm.F64Load, 0).Set(freq)
		if w.dynamic() {
			f.Get(base).F64(0).Do(wasm.F64Gt).If(func() { // 1 / base^(2i/rot)
				f.F64(1).Get(base).Get(i).Do(wasm.F64ConvertI32S).F64(float64(n)).Do(wasm.F64Div).Call(f.e.pow).Do(wasm.F64Div).Set(freq)
			})
		}
		f.Get(rows[1]).Mem(wasm.I32Load, 0).Do(wasm.F64ConvertI32S).Get(freq).Do(wasm.F64Mul).Call(sincos)
		f.Set(cos).Set(freq)
		for k, v := range []wasm.Local{cos, freq} {
			f.Get(y).Get(v).F64(w.Factor).Do(wasm.F64Mul, wasm.F32DemoteF64).Mem(wasm.F32Store, 4*n*k)
		}
		f.add(y, 4)
	})
}

// longer changes the frequencies for a sequence beyond the original context: another table, or a base that grows with the
// length (transformers, modeling_rope_utils.py, _compute_dynamic_ntk_parameters).
func (w *rotary) longer(f *code, total, table, base wasm.Local) {
	if !w.dynamic() {
		f.I32(w.long).Set(table)
		return
	}
	d := float64(2 * len(w.InvFreq))
	f.F64(w.Theta)
	f.Get(total).Mem(wasm.I32Load, 0).Do(wasm.F64ConvertI32S).F64(w.Scale).Do(wasm.F64Mul).F64(float64(w.Original)).Do(wasm.F64Div)
	f.F64(w.Scale - 1).Do(wasm.F64Sub).F64(d / (d - 2)).Call(f.e.pow).Do(wasm.F64Mul).Set(base)
}

// rope emits the rotation of the first rot elements of each head, in place.
func (e *emitter) rope(f *code, s plan.Step) error {
	o := s.Op
	e.copied(f, s)
	r := &rotation{heads: o.Attrs.Int("heads"), dim: o.Attrs.Int("head_dim"), half: o.Attrs.Int("rot") / 2}
	pairs := r.halves
	if o.Attrs.Str("style") == "interleaved" {
		pairs, r.interleaved = r.neighbours, true
	}
	at, stride := e.address(o.Out[0])
	angles, angleStride := e.address(o.In[1])
	key := fmt.Sprintf("rope %+v %d %d", *r, stride, angleStride)
	g := e.rowwise(key, []int{stride, angleStride}, 0, func(f *code, rows, _ []wasm.Local) {
		x, heads := f.Local(wasm.I32), f.Local(wasm.I32)
		f.Get(rows[0]).Set(x).I32(r.heads).Set(heads)
		f.repeat(heads, func() {
			pairs(f, x, rows[1])
			f.add(x, 4*r.dim)
		})
	})
	e.call(f, g, o.Out[0].Type.Rows, at, angles)
	return nil
}

// rotation is the setting of a rope operation.
type rotation struct {
	heads, dim, half int
	interleaved      bool
}

// halves rotates the pairs (i, i + rot/2) of a head: (a, b) → (a·cos − b·sin, b·cos + a·sin).
func (r *rotation) halves(f *code, x, angles wasm.Local) {
	a, b, second, sin := f.Local(wasm.V128), f.Local(wasm.V128), f.Local(wasm.I32), f.Local(wasm.I32)
	f.Get(x).I32(4 * r.half).Do(wasm.I32Add).Set(second)
	f.Get(angles).I32(4 * r.half).Do(wasm.I32Add).Set(sin)
	f.columns(r.half, func(c column) {
		c.load(x).Set(a)
		c.load(second).Set(b)
		c.store(x, func() {
			f.Get(a)
			c.load(angles).Do(wasm.F32x4Mul)
			f.Get(b)
			c.load(sin).Do(wasm.F32x4Mul, wasm.F32x4Sub)
		})
		c.store(second, func() {
			f.Get(b)
			c.load(angles).Do(wasm.F32x4Mul)
			f.Get(a)
			c.load(sin).Do(wasm.F32x4Mul, wasm.F32x4Add)
		})
	})
}

// neighbours rotates the pairs (2i, 2i+1) of a head, one pair at a time.
func (r *rotation) neighbours(f *code, x, angles wasm.Local) {
	i, v, t := f.Local(wasm.I32), f.Local(wasm.V128), f.Local(wasm.V128)
	pair := func() { f.Get(x).Get(i).I32(1).Do(wasm.I32Shl, wasm.I32Add) }
	angle := func(offset int) {
		f.Get(angles).Get(i).Do(wasm.I32Add).Mem(wasm.V128Load32Splat, offset)
	}
	f.steps(i, 0, 4*r.half, 4, func() {
		pair()
		f.Mem(wasm.V128Load64Zero, 0).Set(v)
		pair()
		f.Get(v)
		angle(0)
		f.Do(wasm.F32x4Mul)
		f.Get(v).Get(v).Shuffle(1, 0, 1, 0)
		angle(4 * r.half)
		f.Words(1<<31, 0, 1<<31, 0).Do(wasm.V128Xor, wasm.F32x4Mul, wasm.F32x4Add).Tee(t)
		f.MemLane(wasm.V128Store64Lane, 0, 0)
	})
}
