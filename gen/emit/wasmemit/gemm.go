package wasmemit

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/plan"
	"github.com/tfgen/tfgen/gen/weights"
)

// gemm is the setting of a matrix product y = c + x·wᵀ over packed weights. Strides are bytes from row to row.
// Each output is one chain over i = 0, 1, … of its own lane, for every number of rows and tiles: the bits of a row never
// depend on what is computed beside it.
type gemm struct {
	format        string
	k             int
	ldy, ldx, ldc int
	start         bool // from c, else from zero
}

// format is one row of the table of weight layouts that can be multiplied with.
type format struct {
	step  int // columns whose weights lie together
	bytes int // of one output's weights for these columns
	// load pushes four outputs' weights of column i < step, which lie offset bytes behind w.
	load func(f *code, w wasm.Local, offset, i int)
}

// formats is the table, by layout of gen/weights.
var formats = map[string]format{
	"tile16_f32": {1, 4, func(f *code, w wasm.Local, offset, _ int) { f.Get(w).Mem(wasm.V128Load, offset) }},
	"tile16_f16": {1, 2, func(f *code, w wasm.Local, offset, _ int) {
		f.Get(w).Mem(wasm.V128Load16x4U, offset).Call(f.e.half())
	}},
	"tile16_bf16": {2, 4, func(f *code, w wasm.Local, offset, i int) {
		f.Get(w).Mem(wasm.V128Load, offset)
		if i == 0 {
			f.I32(16).Do(wasm.I32x4Shl)
		} else {
			f.Words(0xffff0000, 0xffff0000, 0xffff0000, 0xffff0000).Do(wasm.V128And)
		}
	}},
}

// tileBytes is the size of a tile of 16 outputs.
func (g gemm) tileBytes() int {
	if q := weights.Quantised(g.format); q != nil {
		return q.TileBytes(g.k)
	}
	r := formats[g.format]
	return (g.k + r.step - 1) / r.step * 16 * r.bytes
}

// gemm returns the function of a setting. Its parameters are y, x, w, c, the number of tiles and the number of rows.
func (e *emitter) gemm(g gemm) *wasm.Func {
	if q := weights.Quantised(g.format); q != nil {
		return e.quantProduct(g, q)
	}
	return e.sharedFunc(fmt.Sprintf("gemm %+v", g), words(6), nil, func(f *code) {
		y, x, w, c, tiles, rows := wasm.Local(0), wasm.Local(1), wasm.Local(2), wasm.Local(3), wasm.Local(4), wasm.Local(5)
		f.Get(rows).I32(1).Do(wasm.I32Eq).If(func() { g.single(f, y, x, w, c, tiles) })
		f.Get(tiles).If(func() { f.repeat(tiles, func() { g.tile(f, y, x, w, c, rows) }) })
	})
}

// single computes one row, two tiles side by side as long as there are two: the chains hide each other's latency.
func (g gemm) single(f *code, y, x, w, c, tiles wasm.Local) {
	f.while(func() { f.Get(tiles).I32(2).Do(wasm.I32GeU) }, func() {
		g.block(f, y, x, w, c, 1, 8)
		f.add(y, 128)
		f.add(w, 2*g.tileBytes())
		if g.start {
			f.add(c, 128)
		}
		f.add(tiles, -2)
	})
}

// rowBlocks are the numbers of rows that are computed together, with the number of vectors of outputs: 16 registers hold
// the sums, two vectors of weights and one of inputs.
var rowBlocks = []struct{ rows, vectors int }{{6, 2}, {2, 4}, {1, 4}}

// tile computes 16 outputs of all rows and moves on to the next 16.
func (g gemm) tile(f *code, y, x, w, c, rows wasm.Local) {
	yr, xr, cr, left := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
	f.Get(y).Set(yr).Get(x).Set(xr).Get(c).Set(cr).Get(rows).Set(left)
	bytes := formats[g.format].bytes
	for _, b := range rowBlocks {
		f.while(func() { f.Get(left).I32(b.rows).Do(wasm.I32GeU) }, func() {
			for v := 0; v < 4; v += b.vectors {
				g.block(f, yr, xr, w, cr, b.rows, b.vectors)
				f.add(yr, 16*b.vectors)
				f.add(w, 4*bytes*b.vectors)
				if g.start {
					f.add(cr, 16*b.vectors)
				}
			}
			f.add(w, -16*bytes)
			f.add(yr, b.rows*g.ldy-64)
			f.add(xr, b.rows*g.ldx)
			if g.start {
				f.add(cr, b.rows*g.ldc-64)
			}
			f.add(left, -b.rows)
		})
	}
	f.add(y, 64)
	f.add(w, g.tileBytes())
	if g.start {
		f.add(c, 64)
	}
}

// block computes rows × 4·vectors outputs; vectors beyond the fourth belong to the next tile.
func (g gemm) block(f *code, y, x, w, c wasm.Local, rows, vectors int) {
	b := &block{gemm: g, format: formats[g.format], code: f, vectors: vectors, sums: f.vectors("sum", rows*vectors),
		weights: f.vectors("weight", min(vectors, 4)), input: f.vectors("input", 1)[0]}
	for i, sum := range b.sums {
		if g.start {
			f.Get(c).Mem(wasm.V128Load, i/vectors*g.ldc+i%vectors*16)
		} else {
			f.V(0)
		}
		f.Set(sum)
	}
	xi, wi, end := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
	f.Get(x).Set(xi).Get(w).Set(wi)
	b.loop(xi, wi, end)
	for i, sum := range b.sums {
		f.Get(y).Get(sum).Mem(wasm.V128Store, i/vectors*g.ldy+i%vectors*16)
	}
}

// block is a block of outputs while it is computed.
type block struct {
	gemm
	format
	*code
	vectors       int
	sums, weights []wasm.Local
	input         wasm.Local
}

// loop runs over the k columns, several at a time, and over what is left.
func (b *block) loop(x, w, end wasm.Local) {
	unroll := b.step * max(1, 4/b.step)
	whole := b.k / unroll * unroll
	advance := func(columns int) {
		b.add(x, 4*columns)
		b.add(w, (columns+b.step-1)/b.step*16*b.bytes)
	}
	if whole > 0 {
		b.Get(x).I32(4 * whole).Do(wasm.I32Add).Set(end)
		b.Loop(func() {
			b.columnsAt(x, w, unroll)
			advance(unroll)
			b.Get(x).Get(end).Do(wasm.I32Ne).BrIf(0)
		})
	}
	b.columnsAt(x, w, b.k-whole)
}

// columnsAt adds the products of n columns.
func (b *block) columnsAt(x, w wasm.Local, n int) {
	for i := range n {
		for v := 0; v < b.vectors; v += 4 {
			group := min(4, b.vectors-v)
			for j := range group {
				b.format.load(b.code, w, i/b.step*16*b.bytes+v/4*b.tileBytes()+4*b.bytes*j, i%b.step)
				b.Set(b.weights[j])
			}
			for r := range len(b.sums) / b.vectors {
				b.Get(x).Mem(wasm.V128Load32Splat, r*b.ldx+4*i).Set(b.input)
				for j := range group {
					b.madd(b.sums[r*b.vectors+v+j], func() { b.Get(b.weights[j]) }, func() { b.Get(b.input) })
				}
			}
		}
	}
}

// linear emits a matrix product. Threads share the tiles of 16 outputs.
func (e *emitter) linear(f *code, s plan.Step) error {
	o := s.Op
	p := e.Place[o.Weights[0]]
	q := weights.Quantised(p.Layout)
	if _, ok := formats[p.Layout]; !ok && q == nil {
		return unsupported(o, "the weight layout %s", p.Layout)
	}
	if q != nil && q.Whole {
		return unsupported(o, "weights of format %s; q8 has as many bits", q.Name)
	}
	y, ldy := e.address(o.Out[0])
	x, ldx := e.address(o.In[0])
	g := gemm{format: p.Layout, k: o.In[0].Type.Width(), ldy: ldy, ldx: ldx}
	c := 0
	switch bias := o.Weights[1]; {
	case bias != nil && len(o.In) > 1:
		e.biased(f, s)
		c, g.ldc, g.start = y, ldy, true
	case bias != nil:
		c, g.start = e.weight(bias), true
	case len(o.In) > 1:
		c, g.ldc = e.address(o.In[1])
		g.start = true
	}
	args := []int{y, x, e.weight(o.Weights[0]), c}
	if e.Threads {
		args = append(args, e.ticket())
	}
	e.call(f, e.sharedTiles(g, (o.Attrs.Int("dim")+15)/16), o.Out[0].Type.Rows, args...)
	return nil
}

// biased emits y = residual + bias, where the product then starts.
func (e *emitter) biased(f *code, s plan.Step) {
	o := s.Op
	y, ldy := e.address(o.Out[0])
	x, ldx := e.address(o.In[1])
	width := o.Out[0].Type.Width()
	g := e.rowwise(fmt.Sprintf("bias %d %d %d", width, ldy, ldx), []int{ldy, ldx}, 1, func(f *code, rows, others []wasm.Local) {
		f.columns(width, func(c column) {
			c.store(rows[0], func() {
				c.load(rows[1])
				c.load(others[0]).Do(wasm.F32x4Add)
			})
		})
	})
	e.call(f, g, o.Out[0].Type.Rows, y, x, e.weight(o.Weights[1]))
	if e.Threads { // rows were shared, now outputs are
		f.Call(e.barrier)
	}
}

// sharedTiles returns a function of y, x, w, c, with threads the address of its counter, and the number of rows, that computes this
// thread's share of the tiles.
func (e *emitter) sharedTiles(g gemm, tiles int) *wasm.Func {
	product := e.gemm(g)
	key := fmt.Sprintf("tiles %d %+v", tiles, g)
	if !e.Threads {
		return e.sharedFunc(key, words(5), nil, func(f *code) {
			for i := range 4 {
				f.Get(wasm.Local(i))
			}
			f.I32(tiles).Get(4).Call(product)
		})
	}
	return e.sharedFunc(key, words(6), nil, func(f *code) {
		counter, rows := wasm.Local(4), wasm.Local(5)
		f.Get(rows).I32(drawnRows).Do(wasm.I32GeU).If(func() {
			f.drawTiles(g, tiles, counter, rows, product)
			f.Do(wasm.Return)
		})
		f.skipTickets(tiles, counter)
		n, from := f.Local(wasm.I32), f.Local(wasm.I32)
		f.I32(tiles).Set(n)
		f.share(n, from)
		for i, stride := range []int{64, 0, g.tileBytes(), 64} {
			f.forward(wasm.Local(i), from, stride)
		}
		for i := range 4 {
			f.Get(wasm.Local(i))
		}
		f.Get(n).Get(rows).Call(product)
	})
}
