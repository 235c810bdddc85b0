package wasmemit

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/plan"
)

// Sizes of attention: keys in a block of the caches, and queries in a unit of work.
const (
	blockKeys  = 64
	queryTile  = 32
	vectorRows = 4 * queryTile // bytes of one number a query
)

// attention is one distinct setting of the attend operation.
type attention struct {
	heads, kv, dim     int
	window             int
	causal             bool
	scale, cap         float32
	sinks              bool    // each head has a key without value, of a learned score (Xiao et al. 2023)
	slopes             int     // address of the heads' slopes (ALiBi) in float64, 0 without
	rounded            bool    // positions and biases are rounded to bfloat16, …
	factor             float32 // … and then multiplied
	relative           int     // address of the biases of each bucket and head, 0 without, …
	buckets, farthest  int     // … of the buckets' rows in it by distance, and the largest distance of these
	kept               bool    // the keys are those of a source, whose length stands behind the state table
	products           products
	marks              bool // queries also see keys that are marked
	marksStride        int  // in bytes
	ldy, ldq, ldk, ldv int  // strides in bytes
}

// pad is the width of a head in the value cache: tiles of 16.
func (a *attention) pad() int { return (a.dim + 15) / 16 * 16 }

func (a *attention) group() int { return a.heads / a.kv }

// decodeRows is how many heads of a group one unit of a decode step takes: the whole group unless there are too few
// key/value heads to share among threads.
func (a *attention) decodeRows() int {
	g := min(a.group(), queryTile)
	for g > 1 && (a.group()%g != 0 || a.heads/g < 4) {
		g--
	}
	return g
}

// keyBlock and valueBlock are the bytes of one block of 64 keys and values of one head.
func keyBlock(dim int) int   { return 4 * blockKeys * dim }
func valueBlock(dim int) int { return 4 * blockKeys * ((dim + 15) / 16 * 16) }

// Scratch memory of a thread: scores of 32 queries with 64 keys, per query the largest score, the sum of weights and a
// factor, then the weighted values.
const (
	scoresAt = 0
	statsAt  = 4 * queryTile * blockKeys
	valuesAt = statsAt + 3*vectorRows
)

// scratchBytes is the scratch memory that a thread needs: operations use it one after the other.
func scratchBytes(g *ir.Graph, rows int) int64 {
	bytes := 3 * 16 * spectrumLength(g, rows)
	for _, o := range g.Ops {
		switch o.Kind {
		case "attend", "attend_kept", "attend_marked":
			bytes = max(bytes, valuesAt+vectorRows*((o.Attrs.Int("head_dim")+15)/16*16))
		case "attend_latent":
			bytes = max(bytes, latentScratch(o.Attrs.Int("rank")))
		case "attend_projected":
			bytes = max(bytes, newProjection(o).scratch())
		case "attend_features":
			bytes = max(bytes, 4*o.In[0].Type.Width()/o.Attrs.Int("heads")*(o.Attrs.Int("head_dim")+2))
		case "linear_attention":
			bytes = max(bytes, 4*o.In[0].Type.Width()/o.Attrs.Int("heads"))
		case "delta_rule":
			bytes = max(bytes, memoryScratch(o))
		case "slstm":
			bytes = max(bytes, slstmScratch(o))
		case "route":
			bytes = max(bytes, routeScratch(o.In[0].Type.Width()))
		case "expert_linear", "head_linear":
			_, n := groupedScratch(o.Attrs.Int("dim"), o.Weights[0].Shape[1])
			bytes = max(bytes, n)
		}
	}
	return (int64(bytes) + 63) &^ 63
}

// attend emits attention: keys and values go to the cache, then streaming softmax over blocks of 64 keys at fixed
// positions, so that a query's result does not depend on what is computed beside it (Dao 2022, Milakov and Gimelshein
// 2018). The caches are packed weights of two matrix products: scores = q·kᵀ and output = p·v.
func (e *emitter) attend(f *code, s plan.Step) error {
	o := s.Op
	a := &attention{
		heads: o.Attrs.Int("heads"), kv: o.Attrs.Int("kv_heads"), dim: o.Attrs.Int("head_dim"), window: o.Attrs.Int("window"),
		causal: o.Attrs.Str("mask") == "causal", scale: float32(o.Attrs.Float("scale")), cap: float32(o.Attrs.Float("softcap")),
	}
	sinks := 0
	if o.Weights[0] != nil {
		a.sinks, sinks = true, e.weight(o.Weights[0])
	}
	if o.State != nil && !a.causal {
		return unsupported(o, "mask %s and a cache: only causal attention has one", o.Attrs.Str("mask"))
	}
	b := op.NewALiBi(o.Attrs)
	if b.Slopes != nil {
		a.slopes, a.rounded, a.factor = e.table(b.Slopes), b.BF16, float32(b.Scale)
	}
	if o.Weights[1] != nil {
		e.relativeBias(o, a)
	}
	if err := e.extras(f, o, a); err != nil {
		return err
	}
	var at [4]int
	for i, v := range []*ir.Value{o.Out[0], o.In[0], o.In[1], o.In[2]} {
		stride := []*int{&a.ldy, &a.ldq, &a.ldk, &a.ldv}[i]
		at[i], *stride = e.address(v)
	}
	state := e.state(o.State)
	f.I32(at[2]).I32(at[3]).I32(state).Call(e.storeKV(a))
	if e.Threads {
		f.Call(e.barrier)
	}
	f.I32(at[0]).I32(at[1]).I32(state).I32(sinks).Call(e.units(a))
	return nil
}

// state is where a state stands in the state table of a sequence, in bytes: nil for the keys and values of an encoder's layer,
// which stand behind the others.
func (e *emitter) state(s *ir.State) int {
	for i, t := range e.Plan.Graph.States {
		if s == t {
			return i * StateEntry
		}
	}
	return len(e.Plan.Graph.States) * StateEntry
}

// StateEntry is the size of an entry of a state table: addresses of keys and values, and the number of positions.
const StateEntry = 12

// AddressUnit is what addresses in state tables and segments count where addresses have 64 bits; elsewhere it is a byte.
const AddressUnit = 64

// loadAddress loads an address from a state table or a segment.
func (f *code) loadAddress(offset int) *wasm.Func {
	f.Mem(wasm.I32Load, offset)
	if f.e.Wide {
		f.I32(AddressUnit).Do(wasm.I32Mul)
	}
	return f.Func
}

// cache holds the entry of a state table, and its address.
type cache struct{ k, v, keys, entry wasm.Local }

// segments runs body for each segment; its words are loaded, and the entry of its state table.
func (f *code) segments(state wasm.Local, body func(start, rows, pos wasm.Local, c cache)) {
	at, left, entry := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
	start, rows, pos := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
	c := cache{f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32), entry}
	f.I32(int(f.e.memory.Segments)).Set(at).GetGlobal(f.e.counts[ir.Sequences]).Set(left)
	f.repeat(left, func() {
		for i, l := range []wasm.Local{start, rows, pos} {
			f.Get(at).Mem(wasm.I32Load, 4*i).Set(l)
		}
		f.Get(at)
		f.loadAddress(12).Get(state).Do(wasm.I32Add).Set(entry)
		for i, l := range []wasm.Local{c.k, c.v} {
			f.Get(entry)
			f.loadAddress(4 * i).Set(l)
		}
		f.Get(entry).Mem(wasm.I32Load, 8).Set(c.keys)
		body(start, rows, pos, c)
		f.add(at, Segment)
	})
}

// storeKV returns the function of (k, v, state) that puts the keys and values of all rows into the caches. Threads take
// every threads-th row.
func (e *emitter) storeKV(a *attention) *wasm.Func {
	return e.sharedFunc(fmt.Sprintf("store %d %d %d %d", a.kv, a.dim, a.ldk, a.ldv), words(3), nil, func(f *code) {
		k, v, state := wasm.Local(0), wasm.Local(1), wasm.Local(2)
		store := e.storeRow(a)
		r, end := f.Local(wasm.I32), f.Local(wasm.I32)
		f.segments(state, func(start, rows, pos wasm.Local, c cache) {
			f.Get(start).Set(r).Get(start).Get(rows).Do(wasm.I32Add).Set(end)
			f.while(func() { f.Get(r).Get(end).Do(wasm.I32LtU) }, func() {
				f.mine(r, func() {
					f.Get(k).Get(r).I32(a.ldk).Do(wasm.I32Mul, wasm.I32Add)
					f.Get(v).Get(r).I32(a.ldv).Do(wasm.I32Mul, wasm.I32Add)
					f.Get(pos).Get(r).Do(wasm.I32Add).Get(start).Do(wasm.I32Sub).Get(c.keys).Do(wasm.I32RemU)
					f.Get(c.k).Get(c.v).Get(c.keys).Call(store)
				})
				f.add(r, 1)
			})
		})
	})
}

// mine runs body if a unit of work is this thread's.
func (f *code) mine(unit wasm.Local, body func()) {
	if !f.e.Threads {
		body()
		return
	}
	f.Get(unit).GetGlobal(f.e.threads).Do(wasm.I32RemU).GetGlobal(f.e.thread).Do(wasm.I32Eq).If(body)
}

// storeRow returns the function of (k, v, p, cacheK, cacheV, keys) that stores one row at position p of the cache. Keys lie
// in lanes, [head][block][4 tiles of 16 keys][dim][16], values in [head][block][tiles of 16 dims][64 keys][16].
func (e *emitter) storeRow(a *attention) *wasm.Func {
	return e.sharedFunc(fmt.Sprintf("storeRow %d %d", a.kv, a.dim), words(6), nil, func(f *code) {
		k, v, p, cacheK, cacheV, keys := wasm.Local(0), wasm.Local(1), wasm.Local(2), wasm.Local(3), wasm.Local(4), wasm.Local(5)
		heads, i := f.Local(wasm.I32), f.Local(wasm.I32)
		to := f.Local(wasm.I32)
		f.Get(cacheK).Get(p).I32(4).Do(wasm.I32ShrU).I32(64*a.dim).Do(wasm.I32Mul, wasm.I32Add)
		f.Get(p).I32(15).Do(wasm.I32And).I32(2).Do(wasm.I32Shl, wasm.I32Add).Set(cacheK)
		f.Get(cacheV).Get(p).I32(6).Do(wasm.I32ShrU).I32(valueBlock(a.dim)).Do(wasm.I32Mul, wasm.I32Add)
		f.Get(p).I32(63).Do(wasm.I32And).I32(6).Do(wasm.I32Shl, wasm.I32Add).Set(cacheV)
		f.I32(a.kv).Set(heads)
		f.repeat(heads, func() {
			f.steps(i, 0, 4*a.dim, 4, func() {
				f.Get(cacheK).Get(i).I32(4).Do(wasm.I32Shl, wasm.I32Add)
				f.Get(k).Get(i).Do(wasm.I32Add).Mem(wasm.F32Load, 0).Mem(wasm.F32Store, 0)
			})
			f.Get(cacheV).Set(to)
			f.steps(i, 0, 4*a.dim, 4, func() {
				f.Get(to).Get(v).Get(i).Do(wasm.I32Add).Mem(wasm.F32Load, 0).Mem(wasm.F32Store, 0)
				f.Get(to).I32(4).I32(64*blockKeys-60).Get(i).I32(63).Do(wasm.I32And).I32(60).Do(wasm.I32Ne, wasm.Select, wasm.I32Add).Set(to)
			})
			f.add(k, 4*a.dim)
			f.add(v, 4*a.dim)
			f.Get(cacheK).Get(keys).I32(4*a.dim).Do(wasm.I32Mul, wasm.I32Add).Set(cacheK)
			f.Get(cacheV).Get(keys).I32(4*a.pad()).Do(wasm.I32Mul, wasm.I32Add).Set(cacheV)
		})
	})
}

// units returns the function of (y, q, state, sinks) that shares the work: a head of 32 tokens of a prompt, or for a single token
// heads that share keys and values.
func (e *emitter) units(a *attention) *wasm.Func {
	return e.sharedFunc(fmt.Sprintf("attend %+v", *a), words(4), nil, func(f *code) {
		y, q, state := wasm.Local(0), wasm.Local(1), wasm.Local(2)
		unit := f.Local(wasm.I32)
		u := &unitCode{code: f, a: a, y: y, q: q, sinks: 3, unit: unit, h: f.Local(wasm.I32), r: f.Local(wasm.I32)}
		f.segments(state, func(start, rows, pos wasm.Local, c cache) {
			if a.located() {
				f.Get(start).SetGlobal(e.global("first row"))
			}
			if !a.causal {
				u.prompt(start, rows, pos, c)
				return
			}
			f.Get(rows).I32(1).Do(wasm.I32Eq).IfElse(func() { u.token(start, pos, c) }, func() { u.prompt(start, rows, pos, c) })
		})
	})
}

// unitCode emits the loops over units of work.
type unitCode struct {
	*code
	a          *attention
	y, q, unit wasm.Local
	sinks      wasm.Local
	h, r       wasm.Local
}

// token takes decodeRows heads of one new token as the rows of a unit.
func (u *unitCode) token(start, pos wasm.Local, c cache) {
	a := u.a
	tile := u.e.queries(a, 4*a.dim)
	u.steps(u.h, 0, a.heads, a.decodeRows(), func() {
		u.mine(u.unit, func() {
			u.pointer(u.y, start, a.ldy)
			u.I32(4 * a.dim)
			u.pointer(u.q, start, a.ldq)
			u.I32(a.decodeRows()).Get(pos).I32(0).I32(0).Get(u.h)
			u.caches(c)
			u.Call(tile)
		})
		u.add(u.unit, 1)
	})
}

// prompt takes 32 tokens of one head as the rows of a unit.
func (u *unitCode) prompt(start, rows, pos wasm.Local, c cache) {
	a := u.a
	tile := u.e.queries(a, a.ldq)
	first, n := u.Local(wasm.I32), u.Local(wasm.I32)
	u.steps(u.h, 0, a.heads, 1, func() {
		u.I32(0).Set(u.r)
		u.while(func() { u.Get(u.r).Get(rows).Do(wasm.I32LtU) }, func() {
			u.mine(u.unit, func() {
				u.Get(start).Get(u.r).Do(wasm.I32Add).Set(first)
				u.Get(rows).Get(u.r).Do(wasm.I32Sub).Tee(n).I32(queryTile).Get(n).I32(queryTile).Do(wasm.I32LtU, wasm.Select).Set(n)
				u.pointer(u.y, first, a.ldy)
				u.I32(a.ldy)
				u.pointer(u.q, first, a.ldq)
				u.Get(n)
				u.Get(pos).Get(u.r).Do(wasm.I32Add).I32(1)
				if a.kept { // the parameter sinks says where the length stands
					u.Get(c.entry).Get(u.sinks).Do(wasm.I32Add).Mem(wasm.I32Load, 0).Get(u.h)
				} else {
					u.Get(pos).Get(rows).Do(wasm.I32Add).Get(u.h)
				}
				u.caches(c)
				u.Call(tile)
			})
			u.add(u.unit, 1)
			u.add(u.r, queryTile)
		})
	})
}

// pointer pushes the address of head h in a row.
func (u *unitCode) pointer(base, row wasm.Local, stride int) {
	u.Get(base).Get(row).I32(stride).Do(wasm.I32Mul, wasm.I32Add)
	u.Get(u.h).I32(4*u.a.dim).Do(wasm.I32Mul, wasm.I32Add)
}

// caches pushes the caches of the key/value head that h reads, their number of positions, and the sinks.
func (u *unitCode) caches(c cache) {
	for i, l := range []wasm.Local{c.k, c.v} {
		u.Get(l).Get(u.h).I32(u.a.group()).Do(wasm.I32DivU).Get(c.keys).Do(wasm.I32Mul).I32([]int{4 * u.a.dim, 4 * u.a.pad()}[i]).Do(wasm.I32Mul, wasm.I32Add)
	}
	u.Get(c.keys).Get(u.sinks)
}
