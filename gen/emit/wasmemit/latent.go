package wasmemit

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/plan"
)

// latent is the setting of attention over compressed keys and values (DeepSeek-AI 2024, DeepSeek-V2). All heads share what
// is cached, so that heads of one token are the rows of a unit of work.
type latent struct {
	attention // of the latents: rank is the width of a head
	rot       int
	ldqr      int // stride of the rotated queries, in bytes
	ldc, ldkr int // strides of latents and rotated keys
}

// valuesBlockAt is where a block of latents stands in the layout of values, in a thread's scratch memory.
func (l *latent) valuesBlockAt() int { return valuesAt + vectorRows*l.pad() }

// latentScratch is the scratch memory of attention over latents.
func latentScratch(rank int) int {
	l := &latent{attention: attention{dim: rank}}
	return l.valuesBlockAt() + 4*blockKeys*l.pad()
}

// attendLatent emits attention over latents: both caches are packed weights of the scores' products.
func (e *emitter) attendLatent(f *code, s plan.Step) error {
	o := s.Op
	if o.State == nil {
		return unsupported(o, "no state")
	}
	l := &latent{attention: attention{heads: o.Attrs.Int("heads"), dim: o.Attrs.Int("rank"), causal: true, scale: float32(o.Attrs.Float("scale"))},
		rot: o.Attrs.Int("rope_dim")}
	var at [5]int
	for i, v := range append([]*ir.Value{o.Out[0]}, o.In...) {
		stride := []*int{&l.ldy, &l.ldq, &l.ldqr, &l.ldc, &l.ldkr}[i]
		at[i], *stride = e.address(v)
	}
	state := e.state(o.State)
	f.I32(at[3]).I32(at[4]).I32(state).Call(e.storeLatents(l))
	if e.Threads {
		f.Call(e.barrier)
	}
	f.I32(at[0]).I32(at[1]).I32(at[2]).I32(state).Call(e.latentUnits(l))
	return nil
}

// storeLatents returns the function of (c, kr, state) that puts latents and rotated keys into the caches.
func (e *emitter) storeLatents(l *latent) *wasm.Func {
	return e.sharedFunc(fmt.Sprintf("storeLatents %d %d %d %d", l.dim, l.rot, l.ldc, l.ldkr), words(3), nil, func(f *code) {
		r, p := f.Local(wasm.I32), f.Local(wasm.I32)
		f.segments(2, func(start, rows, pos wasm.Local, c cache) {
			f.Get(start).Set(r)
			f.while(func() { f.Get(r).Get(start).Get(rows).Do(wasm.I32Add, wasm.I32LtU) }, func() {
				f.mine(r, func() {
					f.Get(pos).Get(r).Do(wasm.I32Add).Get(start).Do(wasm.I32Sub).Set(p)
					for i, to := range []wasm.Local{c.k, c.v} {
						f.Get(wasm.Local(i)).Get(r).I32([]int{l.ldc, l.ldkr}[i]).Do(wasm.I32Mul, wasm.I32Add).Get(p).Get(to)
						f.Call(e.storeLanes([]int{l.dim, l.rot}[i]))
					}
				})
				f.add(r, 1)
			})
		})
	})
}

// storeLanes returns the function of (x, p, cache) that stores one row at position p of a cache [block][4 tiles of 16
// keys][width][16].
func (e *emitter) storeLanes(width int) *wasm.Func {
	return e.sharedFunc(fmt.Sprintf("storeLanes %d", width), words(3), nil, func(f *code) {
		x, p, cache, i := wasm.Local(0), wasm.Local(1), wasm.Local(2), f.Local(wasm.I32)
		f.Get(cache).Get(p).I32(4).Do(wasm.I32ShrU).I32(64*width).Do(wasm.I32Mul, wasm.I32Add)
		f.Get(p).I32(15).Do(wasm.I32And).I32(2).Do(wasm.I32Shl, wasm.I32Add).Set(cache)
		f.steps(i, 0, 4*width, 4, func() {
			f.Get(cache).Get(i).I32(4).Do(wasm.I32Shl, wasm.I32Add)
			f.Get(x).Get(i).Do(wasm.I32Add).Mem(wasm.F32Load, 0).Mem(wasm.F32Store, 0)
		})
	})
}

// latentUnits returns the function of (y, q, qr, state) that shares the work: up to 32 heads of a token.
func (e *emitter) latentUnits(l *latent) *wasm.Func {
	return e.sharedFunc(fmt.Sprintf("latentUnits %+v", *l), words(4), nil, func(f *code) {
		tile := e.latentTile(l)
		unit, r, h := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
		pointer := func(base wasm.Local, row wasm.Local, stride, width int) {
			f.Get(base).Get(row).I32(stride).Do(wasm.I32Mul, wasm.I32Add).Get(h).I32(4*width).Do(wasm.I32Mul, wasm.I32Add)
		}
		row, left := f.Local(wasm.I32), f.Local(wasm.I32)
		f.segments(3, func(start, rows, pos wasm.Local, c cache) {
			f.I32(0).Set(r)
			f.while(func() { f.Get(r).Get(rows).Do(wasm.I32LtU) }, func() {
				f.Get(start).Get(r).Do(wasm.I32Add).Set(row)
				f.steps(h, 0, l.heads, queryTile, func() {
					f.mine(unit, func() {
						f.I32(l.heads).Get(h).Do(wasm.I32Sub).Tee(left).I32(queryTile).Get(left).I32(queryTile).Do(wasm.I32LtS, wasm.Select).Set(left)
						pointer(0, row, l.ldy, l.dim)
						pointer(1, row, l.ldq, l.dim)
						pointer(2, row, l.ldqr, l.rot)
						f.Get(left).Get(pos).Get(r).Do(wasm.I32Add).Get(c.k).Get(c.v).Call(tile)
					})
					f.add(unit, 1)
				})
				f.add(r, 1)
			})
		})
	})
}

// latentTile returns the function of (y, q, qr, rows, pos, k, v) that computes heads of the query at position pos over the
// blocks of 64 latents up to it.
func (e *emitter) latentTile(l *latent) *wasm.Func {
	key := fmt.Sprintf("latentTile %d %d %v", l.dim, l.rot, l.scale)
	return e.sharedFunc(key, words(7), nil, func(f *code) {
		y, q, qr, rows, pos, k, v := wasm.Local(0), wasm.Local(1), wasm.Local(2), wasm.Local(3), wasm.Local(4), wasm.Local(5), wasm.Local(6)
		scratch, block, zero, ldy := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
		f.GetGlobal(e.scratch).Set(scratch).I32(4 * l.dim).Set(ldy)
		f.startSoftmax(scratch, rows, l.pad())
		scores := e.gemm(gemm{format: "tile16_f32", k: l.dim, ldy: 4 * blockKeys, ldx: 4 * l.dim})
		turned := e.gemm(gemm{format: "tile16_f32", k: l.rot, ldy: 4 * blockKeys, ldx: 4 * l.rot, ldc: 4 * blockKeys, start: true})
		values := e.gemm(gemm{format: "tile16_f32", k: blockKeys, ldy: 4 * l.pad(), ldx: 4 * blockKeys, ldc: 4 * l.pad(), start: true})
		softmax, transposed := e.softmax(&l.attention), e.keysAsValues(l)
		cached := func(cache wasm.Local, width int) {
			f.Get(cache).Get(block).I32(4*width).Do(wasm.I32Mul, wasm.I32Add)
		}
		f.while(func() { f.Get(block).Get(pos).Do(wasm.I32LeS) }, func() {
			f.Get(scratch).Get(q)
			cached(k, l.dim)
			f.I32(0).I32(4).Get(rows).Call(scores)
			f.Get(scratch).Get(qr)
			cached(v, l.rot)
			f.Get(scratch).I32(4).Get(rows).Call(turned)
			f.Get(scratch).Get(rows).Get(pos).Get(zero).Get(zero).Get(zero).Get(block).Call(softmax)
			f.scaleRows(scratch, rows, l.pad(), 2*vectorRows)
			cached(k, l.dim)
			f.Call(transposed)
			f.Get(scratch).I32(valuesAt).Do(wasm.I32Add).Get(scratch).Get(scratch).I32(l.valuesBlockAt()).Do(wasm.I32Add)
			f.Get(scratch).I32(valuesAt).Do(wasm.I32Add).I32(l.pad() / 16).Get(rows).Call(values)
			f.add(block, blockKeys)
		})
		f.finish(&l.attention, y, ldy, scratch, rows)
	})
}

// keysAsValues returns the function of (keys) that writes a block of latents to the scratch memory in the layout of
// values, [tiles of 16][64 keys][16], zeros behind the last.
func (e *emitter) keysAsValues(l *latent) *wasm.Func {
	return e.sharedFunc(fmt.Sprintf("keysAsValues %d", l.dim), words(1), nil, func(f *code) {
		key, i, to, from := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
		f.GetGlobal(e.scratch).I32(l.valuesBlockAt()).Do(wasm.I32Add).Tee(to).I32(0).I32(4 * blockKeys * l.pad()).Fill()
		f.steps(key, 0, blockKeys, 1, func() {
			f.Get(0).Get(key).I32(4).Do(wasm.I32ShrU).I32(64*l.dim).Do(wasm.I32Mul, wasm.I32Add)
			f.Get(key).I32(15).Do(wasm.I32And).I32(2).Do(wasm.I32Shl, wasm.I32Add).Set(from)
			f.steps(i, 0, l.dim, 1, func() {
				f.Get(to).Get(i).I32(4).Do(wasm.I32ShrU).I32(64*blockKeys).Do(wasm.I32Mul, wasm.I32Add)
				f.Get(i).I32(15).Do(wasm.I32And).I32(2).Do(wasm.I32Shl, wasm.I32Add)
				f.Get(from).Mem(wasm.F32Load, 0).Mem(wasm.F32Store, 0)
				f.add(from, 64)
			})
			f.add(to, 64)
		})
	})
}
