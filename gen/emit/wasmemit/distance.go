package wasmemit

import (
	"fmt"
	"math"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/plan"
)

// products are products of queries, of keys or of both with vectors of distances, which an attention adds to its scores (He et al.
// 2021, DeBERTa). Where they lie is in globals, so that layers share their code.
type products struct {
	by           string
	span         int // each head has 2·span of them; 0: there are none
	rows         int // address of the table with the offset of each distance key − query from −reach on
	reach        int
	ldq, ldk     int // strides in bytes
	query, other bool
}

// located reports whether a query needs to know where its sequence begins.
func (a *attention) located() bool { return a.products.span > 0 || a.marks }

// extras sets what an attention has beside queries, keys and values, and where it lies.
func (e *emitter) extras(f *code, o *ir.Op, a *attention) error {
	list, marks := op.Extras(o)
	if len(list) > 0 {
		if a.causal {
			return unsupported(o, "products with distances and a causal mask")
		}
		p := products{by: o.Attrs.Str("by"), span: o.Attrs.Int("span"), reach: op.DistanceReach(o.Attrs)}
		p.query, p.other = p.by != "key", p.by != "query"
		offsets := make([]float64, 2*p.reach+1)
		for i := range offsets {
			offsets[i] = math.Float64frombits(uint64(4 * op.DistanceRow(o.Attrs, p.reach-i)))
		}
		p.rows = e.table(offsets)
		for _, v := range list {
			at, stride := e.address(v)
			if v == list[0] && p.query {
				p.ldq = stride
				f.I32(at).SetGlobal(e.global("products of queries"))
				continue
			}
			p.ldk = stride
			f.I32(at).SetGlobal(e.global("products of keys"))
		}
		a.products = p
	}
	if marks != nil {
		at, stride := e.address(marks)
		a.marks, a.marksStride = true, stride
		f.I32(at).SetGlobal(e.global("marks"))
	}
	return nil
}

// withProducts adds the products for the four keys' distances to the scores on the stack. Positions behind the sequence count as its
// last: nobody sees them.
func (s *softmaxCode) withProducts() {
	p := s.a.products
	if p.span == 0 {
		return
	}
	sum, key, distance, at := s.vectors("products", 1)[0], s.vectors("product key", 1)[0], s.vectors("product distance", 1)[0], s.integers("product", 1)[0]
	s.Get(s.key).Get(s.length).I32(1).Do(wasm.I32Sub, wasm.I32x4Splat, wasm.I32x4MinS).Set(key)
	s.Get(key).Get(s.pos).Do(wasm.I32x4Splat, wasm.I32x4Sub)
	s.I32(-p.reach).Do(wasm.I32x4Splat, wasm.I32x4MaxS).I32(p.reach).Do(wasm.I32x4Splat, wasm.I32x4MinS).Set(distance)
	first := s.e.global("first row")
	for lane := range 4 {
		s.Get(distance).Lane(wasm.I32x4Extract, lane).I32(p.reach).Do(wasm.I32Add).I32(3).Do(wasm.I32Shl).Mem(wasm.I32Load, p.rows)
		s.Get(s.head).I32(8*p.span).Do(wasm.I32Mul, wasm.I32Add).Set(at)
		if lane > 0 {
			s.Get(sum)
		}
		n := 0
		if p.query {
			s.GetGlobal(s.e.global("products of queries")).GetGlobal(first).Get(s.pos).Do(wasm.I32Add).I32(p.ldq).Do(wasm.I32Mul, wasm.I32Add).Get(at).Do(wasm.I32Add).Mem(wasm.F32Load, 0)
			n++
		}
		if p.other {
			s.GetGlobal(s.e.global("products of keys")).GetGlobal(first).Get(key).Lane(wasm.I32x4Extract, lane).Do(wasm.I32Add).I32(p.ldk).Do(wasm.I32Mul, wasm.I32Add).Get(at).Do(wasm.I32Add).Mem(wasm.F32Load, 0)
			n++
		}
		if n == 2 {
			s.Do(wasm.F32Add)
		}
		if lane == 0 {
			s.Do(wasm.F32x4Splat).Set(sum)
			continue
		}
		s.Lane(wasm.F32x4Replace, lane).Set(sum)
	}
	s.Get(sum).Do(wasm.F32x4Add)
}

// orMarked adds the marked keys of the sequence to the mask on the stack (Beltagy et al. 2020, Longformer).
func (s *softmaxCode) orMarked() {
	marks, key := s.vectors("marks", 1)[0], s.vectors("marked key", 1)[0]
	s.Get(s.key).Get(s.length).I32(1).Do(wasm.I32Sub, wasm.I32x4Splat, wasm.I32x4MinS).Set(key)
	for lane := range 4 {
		s.GetGlobal(s.e.global("marks")).GetGlobal(s.e.global("first row")).Get(key).Lane(wasm.I32x4Extract, lane).Do(wasm.I32Add)
		s.I32(s.a.marksStride).Do(wasm.I32Mul, wasm.I32Add)
		if lane == 0 {
			s.Mem(wasm.V128Load32Zero, 0).Set(marks)
			continue
		}
		s.Get(marks).MemLane(wasm.V128Load32Lane, 0, lane).Set(marks)
	}
	s.Get(marks).V(0).Do(wasm.F32x4Ne, wasm.V128Or)
	s.Get(s.key).Get(s.length).Do(wasm.I32x4Splat, wasm.I32x4LtS, wasm.V128And)
}

// blockSpan are the blocks of keys within the window of some query of a unit.
type blockSpan struct{ first, last wasm.Local }

// markedBlocks makes an attention with marks go through all blocks, and returns those that it goes through anyway.
func (f *code) markedBlocks(a *attention, pos, length, block, last wasm.Local) (s blockSpan) {
	if !a.marks {
		return s
	}
	s = blockSpan{f.Local(wasm.I32), f.Local(wasm.I32)}
	f.Get(block).Set(s.first).Get(last).Set(s.last)
	f.I32(0).Set(block).Get(length).I32(1).Do(wasm.I32Sub).Set(last)
	return s
}

// skipUnmarked goes on with the next block if this one is outside of the window and none of its keys is marked. It stands at the
// beginning of the body of a while.
func (f *code) skipUnmarked(a *attention, s blockSpan, length, block wasm.Local) {
	if !a.marks {
		return
	}
	f.Get(block).Get(s.first).Do(wasm.I32LtS).Get(block).Get(s.last).Do(wasm.I32GtS, wasm.I32Or).If(func() {
		f.Get(block).Get(length).Call(f.e.anyMarked(a)).Do(wasm.I32Eqz).If(func() {
			f.add(block, blockKeys)
			f.Br(2)
		})
	})
}

// anyMarked returns the function of (block, length) that tells whether one of the 64 keys from block on is marked.
func (e *emitter) anyMarked(a *attention) *wasm.Func {
	return e.sharedFunc(fmt.Sprintf("anyMarked %d", a.marksStride), words(2), []wasm.Type{wasm.I32}, func(f *code) {
		p, end := f.Local(wasm.I32), f.Local(wasm.I32)
		f.Get(0).I32(blockKeys).Do(wasm.I32Add).Tee(end).Get(1).Get(end).Get(1).Do(wasm.I32LtS, wasm.Select).Set(end)
		f.while(func() { f.Get(0).Get(end).Do(wasm.I32LtS) }, func() {
			f.GetGlobal(e.global("marks")).GetGlobal(e.global("first row")).Get(0).Do(wasm.I32Add).I32(a.marksStride).Do(wasm.I32Mul, wasm.I32Add).Set(p)
			f.Get(p).Mem(wasm.F32Load, 0).F32(0).Do(wasm.F32Ne).If(func() { f.I32(1).Do(wasm.Return) })
			f.add(0, 1)
		})
		f.I32(0)
	})
}

// attendMarked emits attention over the whole sequence for the marked rows, in the place of what they hold.
func (e *emitter) attendMarked(f *code, s plan.Step) error {
	o := s.Op
	e.copied(f, s)
	a := &attention{heads: o.Attrs.Int("heads"), kv: o.Attrs.Int("kv_heads"), dim: o.Attrs.Int("head_dim"), scale: float32(o.Attrs.Float("scale"))}
	var at [5]int
	for i, v := range []*ir.Value{o.Out[0], o.In[1], o.In[2], o.In[3], o.In[4]} {
		stride := []*int{&a.ldy, &a.ldq, &a.ldk, &a.ldv, &a.marksStride}[i]
		at[i], *stride = e.address(v)
	}
	marksStride, state := a.marksStride, e.state(nil)
	a.marksStride = 0
	if e.Threads { // others may still read what an attention before has stored
		f.Call(e.barrier)
	}
	f.I32(at[2]).I32(at[3]).I32(state).Call(e.storeKV(a))
	if e.Threads {
		f.Call(e.barrier)
	}
	f.I32(at[0]).I32(at[1]).I32(at[4]).I32(state).Call(e.markedUnits(a, marksStride))
	return nil
}

// markedUnits returns the function of (y, q, marks, state) that shares the marked rows of each head by stretches of 32 rows;
// neighbours are computed together.
func (e *emitter) markedUnits(a *attention, marksStride int) *wasm.Func {
	return e.sharedFunc(fmt.Sprintf("markedUnits %+v %d", *a, marksStride), words(4), nil, func(f *code) {
		r, end, n, row := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
		unit := f.Local(wasm.I32)
		u := &unitCode{code: f, a: a, y: 0, q: 1, sinks: f.Local(wasm.I32), unit: unit, h: f.Local(wasm.I32), r: r}
		tile := e.queries(a, a.ldq)
		marked := func(at func()) {
			f.Get(2)
			at()
			f.I32(marksStride).Do(wasm.I32Mul, wasm.I32Add).Mem(wasm.F32Load, 0).F32(0).Do(wasm.F32Ne)
		}
		run := func(start, rows, pos wasm.Local, c cache) {
			f.Get(start).Get(r).Do(wasm.I32Add).Set(row).I32(0).Set(n)
			f.while(func() { f.Get(r).Get(n).Do(wasm.I32Add).Get(end).Do(wasm.I32LtS) }, func() {
				marked(func() { f.Get(row).Get(n).Do(wasm.I32Add) })
				f.Do(wasm.I32Eqz).BrIf(1)
				f.add(n, 1)
			})
			f.Get(n).IfElse(func() {
				u.pointer(u.y, row, a.ldy)
				f.I32(a.ldy)
				u.pointer(u.q, row, a.ldq)
				f.Get(n).Get(pos).Get(r).Do(wasm.I32Add).I32(1).Get(pos).Get(rows).Do(wasm.I32Add).Get(u.h)
				u.caches(c)
				f.Call(tile)
				f.Get(r).Get(n).Do(wasm.I32Add).Set(r)
			}, func() { f.add(r, 1) })
		}
		f.segments(3, func(start, rows, pos wasm.Local, c cache) {
			f.steps(u.h, 0, a.heads, 1, func() {
				f.I32(0).Set(r)
				f.while(func() { f.Get(r).Get(rows).Do(wasm.I32LtS) }, func() {
					f.Get(r).I32(queryTile).Do(wasm.I32Add).Tee(end).Get(rows).Get(end).Get(rows).Do(wasm.I32LtS, wasm.Select).Set(end)
					f.Get(unit).Set(n)
					f.add(unit, 1)
					f.mineElse(n, func() {
						f.while(func() { f.Get(r).Get(end).Do(wasm.I32LtS) }, func() { run(start, rows, pos, c) })
					}, func() { f.Get(end).Set(r) })
				})
			})
		})
	})
}

// mineElse runs body if a unit of work is this thread's, else other.
func (f *code) mineElse(unit wasm.Local, body, other func()) {
	if !f.e.Threads {
		body()
		return
	}
	f.Get(unit).GetGlobal(f.e.threads).Do(wasm.I32RemU).GetGlobal(f.e.thread).Do(wasm.I32Eq).IfElse(body, other)
}
