package wasmemit

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
)

// queries returns the function of (y, ldy, q, rows, pos, step, length, head, cacheK, cacheV, keys, sinks) that computes rows of
// queries of one key/value head over the blocks of 64 keys that they see. Row r is the query at position pos + r·step, of
// head + r·(1 − step); without a causal mask the sequence has the given length.
func (e *emitter) queries(a *attention, ldq int) *wasm.Func {
	key := fmt.Sprintf("queries %d %d %d %v %v %v", a.dim, ldq, a.group(), a.mask(), a.bias(), a.sinks)
	return e.sharedFunc(key, words(12), nil, func(f *code) {
		y, ldy, q, rows, pos, step := wasm.Local(0), wasm.Local(1), wasm.Local(2), wasm.Local(3), wasm.Local(4), wasm.Local(5)
		length, head, k, v, keys := wasm.Local(6), wasm.Local(7), wasm.Local(8), wasm.Local(9), wasm.Local(10)
		scratch, block, last, at, end := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
		f.GetGlobal(e.scratch).Set(scratch)
		f.startSoftmax(scratch, rows, a.pad())
		if a.sinks {
			f.startSinks(scratch, rows, step, head, 11)
		}
		scores := e.gemm(gemm{format: "tile16_f32", k: a.dim, ldy: 4 * blockKeys, ldx: ldq})
		values := e.gemm(gemm{format: "tile16_f32", k: blockKeys, ldy: 4 * a.pad(), ldx: 4 * blockKeys, ldc: 4 * a.pad(), start: true})
		softmax := e.softmax(a)
		f.lastKey(a, rows, pos, step, length, last)
		f.firstBlock(a, pos, block)
		span := f.markedBlocks(a, pos, length, block, last)
		f.while(func() { f.Get(block).Get(last).Do(wasm.I32LeS) }, func() {
			f.skipUnmarked(a, span, length, block)
			f.Get(block).Get(keys).Do(wasm.I32RemU).Set(at)
			f.Get(scratch).Get(q).Get(k).Get(at).I32(4*a.dim).Do(wasm.I32Mul, wasm.I32Add).I32(0)
			f.Get(last).Get(block).Do(wasm.I32Sub).I32(4).Do(wasm.I32ShrU).I32(1).Do(wasm.I32Add).Tee(end)
			f.I32(4).Get(end).I32(4).Do(wasm.I32LtS, wasm.Select)
			f.Get(rows).Call(scores)
			f.Get(scratch).Get(rows).Get(pos).Get(step).Get(length).Get(head).Get(block).Call(softmax)
			f.scaleRows(scratch, rows, a.pad(), 2*vectorRows)
			f.Get(scratch).I32(valuesAt).Do(wasm.I32Add).Get(scratch).Get(v).Get(at).I32(4*a.pad()).Do(wasm.I32Mul, wasm.I32Add)
			f.Get(scratch).I32(valuesAt).Do(wasm.I32Add).I32(a.pad() / 16).Get(rows).Call(values)
			f.add(block, blockKeys)
		})
		f.finish(a, y, ldy, scratch, rows)
	})
}

// lastKey sets last to the position of the last key that a row sees.
func (f *code) lastKey(a *attention, rows, pos, step, length, last wasm.Local) {
	f.Get(pos).Get(rows).I32(1).Do(wasm.I32Sub).Get(step).Do(wasm.I32Mul, wasm.I32Add).Set(last)
	if a.causal {
		return
	}
	end := f.Local(wasm.I32)
	f.Get(length).I32(1).Do(wasm.I32Sub).Set(end)
	if a.window == 0 {
		f.Get(end).Set(last)
		return
	}
	f.Get(last).I32(a.window-1).Do(wasm.I32Add).Tee(last).Get(end).Get(last).Get(end).Do(wasm.I32LtS, wasm.Select).Set(last)
}

// mask is what decides which keys a query sees.
func (a *attention) mask() string {
	return fmt.Sprintf("%v %d %v %d", a.causal, a.window, a.marks, a.marksStride)
}

// bias is what makes weights of scores.
func (a *attention) bias() string {
	return fmt.Sprintf("%v %v %d %v %v %d %d %v", a.scale, a.cap, a.slopes, a.rounded, a.factor, a.relative, a.buckets, a.products)
}

// firstBlock sets block to the position of the first block that the first query sees.
func (f *code) firstBlock(a *attention, pos, block wasm.Local) {
	f.I32(0).Set(block)
	if a.window == 0 {
		return
	}
	f.Get(pos).I32(a.window - 1).Do(wasm.I32GtS).If(func() {
		f.Get(pos).I32(a.window - 1).Do(wasm.I32Sub).I32(-blockKeys).Do(wasm.I32And).Set(block)
	})
}

// startSoftmax prepares a streaming softmax: largest score −1e30, no weight, values zero.
func (f *code) startSoftmax(scratch, rows wasm.Local, pad int) {
	i, p := f.Local(wasm.I32), f.Local(wasm.I32)
	f.steps(i, 0, vectorRows, 16, func() {
		f.Get(scratch).Get(i).Do(wasm.I32Add).Tee(p).V(minScore).Mem(wasm.V128Store, statsAt)
		f.Get(p).V(0).Mem(wasm.V128Store, statsAt+vectorRows)
	})
	f.Get(scratch).I32(valuesAt).Do(wasm.I32Add).I32(0).Get(rows).I32(4 * pad).Do(wasm.I32Mul).Fill()
}

// startSinks begins each row with the score of its head's sink, of weight 1.
func (f *code) startSinks(scratch, rows, step, head, sinks wasm.Local) {
	p, at, left := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
	f.Get(scratch).Set(p).Get(rows).Set(left).Get(sinks).Get(head).I32(2).Do(wasm.I32Shl, wasm.I32Add).Set(at)
	f.repeat(left, func() {
		f.Get(p).Get(at).Mem(wasm.F32Load, 0).Mem(wasm.F32Store, statsAt)
		f.Get(p).F32(1).Mem(wasm.F32Store, statsAt+vectorRows)
		f.add(p, 4)
		f.Get(at).I32(1).Get(step).Do(wasm.I32Sub).I32(2).Do(wasm.I32Shl, wasm.I32Add).Set(at)
	})
}

// minScore starts a streaming softmax: below every score that occurs, yet finite, so that differences are never NaN.
const minScore = -1e30

// scaleRows multiplies the weighted values of each row by its number at stat.
func (f *code) scaleRows(scratch, rows wasm.Local, pad, stat int) {
	p, s, left, i := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
	factor := f.vectors("factor", 1)[0]
	f.Get(scratch).Tee(p).Set(s).Get(rows).Set(left)
	f.repeat(left, func() {
		f.Get(s).Mem(wasm.V128Load32Splat, statsAt+stat).Set(factor)
		f.steps(i, 0, 4*pad, 16, func() {
			f.Get(p).Get(p).Mem(wasm.V128Load, valuesAt).Get(factor).Do(wasm.F32x4Mul).Mem(wasm.V128Store, valuesAt)
			f.add(p, 16)
		})
		f.add(s, 4)
	})
}

// finish writes the weighted values divided by the sums of weights to y.
func (f *code) finish(a *attention, y, ldy, scratch, rows wasm.Local) {
	p, s := f.Local(wasm.I32), f.Local(wasm.I32)
	inv := f.vectors("factor", 1)[0]
	f.Get(scratch).I32(valuesAt).Do(wasm.I32Add).Set(p).Get(scratch).Set(s)
	f.repeat(rows, func() {
		f.V(1).Get(s).Mem(wasm.V128Load32Splat, statsAt+vectorRows).Do(wasm.F32x4Div).Set(inv)
		f.columns(a.dim, func(c column) {
			c.store(y, func() { c.load(p).Get(inv).Do(wasm.F32x4Mul) })
		})
		f.Get(y).Get(ldy).Do(wasm.I32Add).Set(y)
		f.add(p, 4*a.pad())
		f.add(s, 4)
	})
}

// softmax returns the function of (scratch, rows, pos, step, length, head, block): one step of a streaming softmax over the 64
// keys from position block on; the other parameters are those of queries. Per row: t = s·scale + bias, capped; m′ = max(m,
// t); s = e^(t − m′), exactly 0 where masked; factor = e^(m − m′); l = l·factor + Σ s (Milakov and Gimelshein 2018).
func (e *emitter) softmax(a *attention) *wasm.Func {
	return e.sharedFunc(fmt.Sprintf("softmax %v %v", a.mask(), a.bias()), words(7), nil, func(f *code) {
		row, rows, pos, step := wasm.Local(0), wasm.Local(1), wasm.Local(2), wasm.Local(3)
		s := &softmaxCode{code: f, a: a, row: row, stats: f.Local(wasm.I32), pos: pos, length: 4, head: 5, block: 6,
			i: f.Local(wasm.I32), p: f.Local(wasm.I32), hi: f.Local(wasm.V128), lo: f.Local(wasm.V128), key: f.Local(wasm.V128),
			top: f.Local(wasm.V128), sum: f.Local(wasm.V128), m: f.Local(wasm.F32), exp: e.exp()}
		f.Get(row).Set(s.stats)
		f.repeat(rows, func() {
			s.largest()
			s.weights()
			f.add(row, 4*blockKeys)
			f.add(s.stats, 4)
			f.Get(pos).Get(step).Do(wasm.I32Add).Set(pos)
			f.Get(s.head).I32(1).Do(wasm.I32Add).Get(step).Do(wasm.I32Sub).Set(s.head)
		})
	})
}

// softmaxCode emits the two sweeps over a row of scores.
type softmaxCode struct {
	*code
	a                     *attention
	row, stats, i, p      wasm.Local
	pos, length, head     wasm.Local
	block                 wasm.Local
	hi, lo, key, top, sum wasm.Local
	m                     wasm.Local // largest score so far
	exp                   *wasm.Func
}

// each runs body for every four scores, at address p; key holds the positions of their keys.
func (s *softmaxCode) each(body func()) {
	s.Get(s.block).Do(wasm.I32x4Splat).Words(0, 1, 2, 3).Do(wasm.I32x4Add).Set(s.key)
	s.Get(s.row).Set(s.p)
	s.steps(s.i, 0, blockKeys, 4, func() {
		body()
		s.add(s.p, 16)
		s.Get(s.key).Words(4, 4, 4, 4).Do(wasm.I32x4Add).Set(s.key)
	})
}

// bounds sets lo and hi: the row sees the keys lo ≤ position < hi.
func (s *softmaxCode) bounds() {
	switch {
	case s.a.causal:
		s.Get(s.pos).I32(1).Do(wasm.I32Add, wasm.I32x4Splat).Set(s.hi)
	case s.a.window == 0:
		s.Get(s.length).Do(wasm.I32x4Splat).Set(s.hi)
	default:
		s.Get(s.pos).I32(s.a.window).Do(wasm.I32Add, wasm.I32x4Splat).Get(s.length).Do(wasm.I32x4Splat, wasm.I32x4MinS).Set(s.hi)
	}
	if s.a.window > 0 {
		s.Get(s.pos).I32(s.a.window-1).Do(wasm.I32Sub, wasm.I32x4Splat).Set(s.lo)
	}
}

// mask pushes ones for the keys that the row sees.
func (s *softmaxCode) mask() {
	s.Get(s.key).Get(s.hi).Do(wasm.I32x4LtS)
	if s.a.window > 0 {
		s.Get(s.key).Get(s.lo).Do(wasm.I32x4GeS, wasm.V128And)
	}
	if s.a.marks {
		s.orMarked()
	}
}

// biased adds −slope · |key − query| to the vector on the stack (ALiBi, Press et al. 2022).
func (s *softmaxCode) biased() {
	if s.a.relative != 0 {
		s.byDistance()
	}
	if s.a.slopes == 0 {
		return
	}
	slope := func() {
		s.Get(s.head).I32(3).Do(wasm.I32Shl).Mem(wasm.F64Load, s.a.slopes).Do(wasm.F32DemoteF64, wasm.F32x4Splat)
	}
	if !s.a.rounded {
		s.Get(s.key).Get(s.pos).Do(wasm.I32x4Splat, wasm.I32x4Sub, wasm.F32x4ConvertI32)
		if !s.a.causal { // keys also lie behind the query
			s.Do(wasm.F32x4Abs, wasm.F32x4Neg)
		}
		slope()
		s.Do(wasm.F32x4Mul).V(s.a.factor).Do(wasm.F32x4Mul, wasm.F32x4Add)
		return
	}
	round := s.e.bf16()
	for _, position := range []func(){func() { s.Get(s.key) }, func() { s.Get(s.pos).Do(wasm.I32x4Splat) }} {
		position()
		s.Do(wasm.F32x4ConvertI32).Call(round)
		slope()
		s.Do(wasm.F32x4Mul).Call(round)
	}
	s.Do(wasm.F32x4Sub).V(s.a.factor).Do(wasm.F32x4Mul, wasm.F32x4Add)
}

// largest scales, biases and masks the scores, and sets top to the largest of them and of the blocks before.
func (s *softmaxCode) largest() {
	s.bounds()
	s.Get(s.stats).Mem(wasm.F32Load, statsAt).Tee(s.m).Do(wasm.F32x4Splat).Set(s.top)
	s.each(func() {
		s.Get(s.p).Get(s.p).Mem(wasm.V128Load, 0)
		s.withProducts()
		s.V(s.a.scale).Do(wasm.F32x4Mul)
		s.biased()
		if s.a.cap > 0 {
			s.V(1 / s.a.cap).Do(wasm.F32x4Mul).Call(s.e.tanh()).V(s.a.cap).Do(wasm.F32x4Mul)
		}
		s.V(minScore)
		s.mask()
		s.Do(wasm.V128Bitselect).Tee(s.sum).Mem(wasm.V128Store, 0)
		s.Get(s.top).Get(s.sum).Do(wasm.F32x4Max).Set(s.top)
	})
	for _, other := range [][]int{{2, 3, 0, 1}, {1, 0, 3, 2}} {
		s.Get(s.top).Get(s.top).Get(s.top).Shuffle(other...).Do(wasm.F32x4Max).Set(s.top)
	}
}

// weights turns the scores into weights and brings the row's numbers up to date.
func (s *softmaxCode) weights() {
	s.V(0).Set(s.sum)
	v := s.vectors("weight", 1)[0]
	s.each(func() {
		s.Get(s.p).Get(s.p).Mem(wasm.V128Load, 0).Get(s.top).Do(wasm.F32x4Sub).Call(s.exp)
		s.mask()
		s.Do(wasm.V128And).Tee(v).Mem(wasm.V128Store, 0)
		s.Get(s.sum).Get(v).Do(wasm.F32x4Add).Set(s.sum)
	})
	factor := s.vectors("factor", 1)[0]
	s.Get(s.m).Do(wasm.F32x4Splat).Get(s.top).Do(wasm.F32x4Sub).Call(s.exp).Set(factor)
	s.Get(s.stats).Get(factor).Lane(wasm.F32x4Extract, 0).Mem(wasm.F32Store, statsAt+2*vectorRows)
	s.Get(s.stats).Get(s.top).Lane(wasm.F32x4Extract, 0).Mem(wasm.F32Store, statsAt)
	s.Get(s.stats)
	s.Get(s.stats).Mem(wasm.F32Load, statsAt+vectorRows).Get(factor).Lane(wasm.F32x4Extract, 0).Do(wasm.F32Mul)
	s.sumLanes(s.sum)
	s.Do(wasm.F32Add).Mem(wasm.F32Store, statsAt+vectorRows)
}
