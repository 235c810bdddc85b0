package wasmemit

import (
	"fmt"
	"math"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/plan"
)

// Operations of encoder–decoders: attention to the keys and values of a source, biases by distance, sinusoids.

// keep emits the storing of the encoder's keys and values.
func (e *emitter) keep(f *code, s plan.Step) error {
	o := s.Op
	a := &attention{kv: o.Attrs.Int("kv_heads"), dim: o.Attrs.Int("head_dim")}
	var k, v int
	k, a.ldk = e.address(o.In[0])
	v, a.ldv = e.address(o.In[1])
	f.I32(k).I32(v).I32(e.state(o.State)).Call(e.storeKV(a))
	return nil
}

// attendKept emits attention to what keep has stored.
func (e *emitter) attendKept(f *code, s plan.Step) error {
	o := s.Op
	a := &attention{heads: o.Attrs.Int("heads"), kv: o.Attrs.Int("kv_heads"), dim: o.Attrs.Int("head_dim"), scale: float32(o.Attrs.Float("scale")), kept: true}
	var y, q int
	y, a.ldy = e.address(o.Out[0])
	q, a.ldq = e.address(o.In[0])
	state, table := e.state(o.State), len(states(e.Model))*StateEntry
	f.I32(y).I32(q).I32(state).I32(table - state).Call(e.units(a))
	return nil
}

// relativeBias sets where the biases of an attention by distance lie. The literal table holds, for each distance from the
// farthest behind to the farthest ahead, where the row of its bucket begins, in bytes.
func (e *emitter) relativeBias(o *ir.Op, a *attention) {
	buckets, most := o.Attrs.Int("buckets"), o.Attrs.Int("max_distance")
	rows := make([]float64, 2*most+1)
	for i := range rows {
		rows[i] = math.Float64frombits(uint64(4 * a.heads * op.RelativeBucket(i-most, buckets, most, !a.causal)))
	}
	a.relative, a.buckets, a.farthest = e.weight(o.Weights[1]), e.table(rows), most
}

// byDistance adds the biases of the four keys' distances to the vector on the stack (Raffel et al. 2020).
func (s *softmaxCode) byDistance() {
	a, distance, bias := s.a, s.vectors("distance", 1)[0], s.vectors("bias", 1)[0]
	s.Get(s.key).Get(s.pos).Do(wasm.I32x4Splat, wasm.I32x4Sub)
	s.I32(-a.farthest).Do(wasm.I32x4Splat, wasm.I32x4MaxS).I32(a.farthest).Do(wasm.I32x4Splat, wasm.I32x4MinS).Set(distance)
	for lane := range 4 {
		if lane > 0 {
			s.Get(bias)
		}
		s.Get(distance).Lane(wasm.I32x4Extract, lane).I32(a.farthest).Do(wasm.I32Add).I32(3).Do(wasm.I32Shl).Mem(wasm.I32Load, a.buckets)
		s.Get(s.head).I32(2).Do(wasm.I32Shl, wasm.I32Add).Mem(wasm.F32Load, a.relative)
		if lane == 0 {
			s.Do(wasm.F32x4Splat).Set(bias)
			continue
		}
		s.Lane(wasm.F32x4Replace, lane).Set(bias)
	}
	s.Get(bias).Do(wasm.F32x4Add)
}

// shiftTokens returns the function that writes what the decoder reads of sequences that it shares with the encoder: a start
// token, then the tokens one place later. Every thread writes all of it, so that none has to wait.
func (e *emitter) shiftTokens() *wasm.Func {
	return e.sharedFunc("shift tokens", nil, nil, func(f *code) {
		state, r, end := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
		f.segments(state, func(start, rows, _ wasm.Local, _ cache) {
			f.Get(start).I32(2).Do(wasm.I32Shl).I32(e.Plan.Graph.Shift).Mem(wasm.I32Store, int(e.memory.Shifted))
			f.Get(start).I32(1).Do(wasm.I32Add).Set(r).Get(start).Get(rows).Do(wasm.I32Add).Set(end)
			f.while(func() { f.Get(r).Get(end).Do(wasm.I32LtU) }, func() {
				f.Get(r).I32(2).Do(wasm.I32Shl).Get(r).I32(1).Do(wasm.I32Sub).I32(2).Do(wasm.I32Shl).Mem(wasm.I32Load, int(e.memory.Tokens)).Mem(wasm.I32Store, int(e.memory.Shifted))
				f.add(r, 1)
			})
		})
	})
}

// sinusoid emits the sines, then the cosines of the rows' positions times frequencies (Vaswani et al. 2017).
func (e *emitter) sinusoid(f *code, s plan.Step) error {
	o := s.Op
	frequencies := op.Sinusoid(o)
	table, offset, half := e.table(frequencies), o.Attrs.Int("offset"), 4*len(frequencies)
	at, stride := e.address(o.Out[0])
	key := fmt.Sprintf("sinusoid %d %d %d %d", table, offset, half, stride)
	g := e.rowwise(key, []int{stride, 4}, 0, func(f *code, rows, _ []wasm.Local) {
		i, cos, sin := f.Local(wasm.I32), f.Local(wasm.F64), f.Local(wasm.F64)
		f.steps(i, 0, half, 4, func() {
			f.Get(rows[1]).Mem(wasm.I32Load, 0).I32(offset).Do(wasm.I32Add, wasm.F64ConvertI32S)
			f.Get(i).I32(1).Do(wasm.I32Shl).Mem(wasm.F64Load, table).Do(wasm.F64Mul).Call(e.sincos()).Set(cos).Set(sin)
			for k, v := range []wasm.Local{sin, cos} {
				f.Get(rows[0]).Get(i).Do(wasm.I32Add).Get(v).Do(wasm.F32DemoteF64).Mem(wasm.F32Store, half*k)
			}
		})
	})
	positions, err := e.input(o.In[0])
	if err != nil {
		return fmt.Errorf("%s: %w", o.Pos, err)
	}
	e.call(f, g, o.Out[0].Type.Rows, at, int(positions))
	return nil
}
