package wasmemit

import (
	"fmt"
	"math"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/plan"
)

// Attention whose cost grows with the length of a sequence and not with its square: over projected keys (Wang et al. 2020,
// Linformer) and by features (Choromanski et al. 2021, Performer). Threads share the heads of all sequences.

// projection is the setting of attention over a fixed number of projected keys and values.
type projection struct {
	attention
	rows, length int
	each         bool // heads have matrices of their own
}

func newProjection(o *ir.Op) *projection {
	return &projection{attention{heads: o.Attrs.Int("heads"), kv: 1, dim: o.Attrs.Int("head_dim"), scale: float32(o.Attrs.Float("scale"))},
		o.Attrs.Int("rows"), o.Attrs.Int("length"), o.Attrs.Bool("each")}
}

// keys is the number of keys of the packed caches.
func (p *projection) keys() int { return (p.rows + blockKeys - 1) / blockKeys * blockKeys }

// Places in the scratch memory, behind those of attention: a projected key and value, then the caches.
func (p *projection) rowAt() int   { return valuesAt + vectorRows*p.pad() }
func (p *projection) keysAt() int  { return p.rowAt() + 2*4*p.pad() }
func (p *projection) valsAt() int  { return p.keysAt() + 4*p.keys()*p.dim }
func (p *projection) scratch() int { return p.valsAt() + 4*p.keys()*p.pad() }

// attendProjected emits attention to keys and values of which matrices have made a fixed number.
func (e *emitter) attendProjected(f *code, s plan.Step) error {
	o := s.Op
	p := newProjection(o)
	second := o.Weights[1]
	if second == nil {
		second = o.Weights[0]
	}
	for _, w := range []*ir.Weight{o.Weights[0], second} {
		if layout := e.Place[w].Layout; layout != "rows_f32" && layout != "vector_f32" {
			return unsupported(o, "the weight layout %s", layout)
		}
	}
	var at [4]int
	for i, v := range append([]*ir.Value{o.Out[0]}, o.In...) {
		stride := []*int{&p.ldy, &p.ldq, &p.ldk, &p.ldv}[i]
		at[i], *stride = e.address(v)
	}
	for _, a := range at {
		f.I32(a)
	}
	f.I32(e.weight(o.Weights[0])).I32(e.weight(second)).Call(e.projectedUnits(p))
	return nil
}

// projectedUnits returns the function of (y, q, k, v, e, f).
func (e *emitter) projectedUnits(p *projection) *wasm.Func {
	return e.sharedFunc(fmt.Sprintf("projected %+v", *p), words(6), nil, func(f *code) {
		tile, project, store := e.queries(&p.attention, p.ldq), e.project(p), e.storeRow(&p.attention)
		state, unit, h, r, j := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
		scratch, n, zero, row := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
		at := func(offset int) { f.Get(scratch).I32(offset).Do(wasm.I32Add) }
		pointer := func(base, row wasm.Local, stride int) {
			f.Get(base).Get(row).I32(stride).Do(wasm.I32Mul, wasm.I32Add).Get(h).I32(4*p.dim).Do(wasm.I32Mul, wasm.I32Add)
		}
		f.GetGlobal(e.scratch).Set(scratch)
		f.segments(state, func(start, rows, _ wasm.Local, _ cache) {
			f.steps(h, 0, p.heads, 1, func() {
				f.mine(unit, func() {
					at(p.keysAt())
					f.I32(0).I32(p.scratch() - p.keysAt()).Fill()
					f.steps(j, 0, p.rows, 1, func() {
						for i, x := range []wasm.Local{2, 3} {
							at(p.rowAt() + 4*p.pad()*i)
							f.Get(wasm.Local(4 + i)).Get(j)
							if p.each {
								f.Get(h).I32(p.rows).Do(wasm.I32Mul, wasm.I32Add)
							}
							f.I32(4*p.length).Do(wasm.I32Mul, wasm.I32Add)
							pointer(x, start, []int{p.ldk, p.ldv}[i])
							f.I32([]int{p.ldk, p.ldv}[i]).Get(rows).Call(project)
						}
						at(p.rowAt())
						at(p.rowAt() + 4*p.pad())
						f.Get(j)
						at(p.keysAt())
						at(p.valsAt())
						f.I32(p.keys()).Call(store)
					})
					f.I32(0).Set(r)
					f.while(func() { f.Get(r).Get(rows).Do(wasm.I32LtS) }, func() {
						f.Get(start).Get(r).Do(wasm.I32Add).Set(row)
						f.Get(rows).Get(r).Do(wasm.I32Sub).Tee(n).I32(queryTile).Get(n).I32(queryTile).Do(wasm.I32LtS, wasm.Select).Set(n)
						pointer(0, row, p.ldy)
						f.I32(p.ldy)
						pointer(1, row, p.ldq)
						f.Get(n).I32(0).I32(1).I32(p.rows).Get(h)
						at(p.keysAt())
						at(p.valsAt())
						f.I32(p.keys()).Get(zero).Call(tile)
						f.add(r, queryTile)
					})
				})
				f.add(unit, 1)
			})
		})
	})
}

// project returns the function of (y, w, x, stride, n) that writes y = Σ w[t]·x[t] over n rows of a head.
func (e *emitter) project(p *projection) *wasm.Func {
	return e.sharedFunc(fmt.Sprintf("project %d", p.dim), words(5), nil, func(f *code) {
		y, w, x, stride, n := wasm.Local(0), wasm.Local(1), wasm.Local(2), wasm.Local(3), wasm.Local(4)
		sum, from, factor, left := f.Local(wasm.V128), f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
		f.columns(p.dim, func(c column) {
			f.V(0).Set(sum).Get(x).Set(from).Get(w).Set(factor).Get(n).Set(left)
			f.repeat(left, func() {
				f.Get(sum).Get(factor).Mem(wasm.V128Load32Splat, 0)
				c.load(from).Do(wasm.F32x4Mul, wasm.F32x4Add).Set(sum)
				f.Get(from).Get(stride).Do(wasm.I32Add).Set(from)
				f.add(factor, 4)
			})
			c.store(y, func() { f.Get(sum) })
		})
	})
}

// features is the setting of attention by features of queries and keys.
type features struct {
	heads, dim, count int
	softmax           bool
	eps               float32
	strides           [6]int // of y, features of queries and keys, queries, keys and values
}

// attendFeatures emits y = φ(q)·S / φ(q)·z with S = Σ φ(k)vᵀ and z = Σ φ(k).
func (e *emitter) attendFeatures(f *code, s plan.Step) error {
	o := s.Op
	a := &features{heads: o.Attrs.Int("heads"), dim: o.Attrs.Int("head_dim"), softmax: o.Attrs.Str("kernel") == "softmax", eps: float32(o.Attrs.Float("eps"))}
	a.count = o.In[0].Type.Width() / a.heads
	for i, v := range append([]*ir.Value{o.Out[0]}, o.In...) {
		at, stride := e.address(v)
		a.strides[i] = stride
		f.I32(at)
	}
	f.Call(e.featureUnits(a))
	return nil
}

// featureUnits returns the function of (y, qf, kf, q, k, v).
func (e *emitter) featureUnits(a *features) *wasm.Func {
	return e.sharedFunc(fmt.Sprintf("features %+v", *a), words(6), nil, func(f *code) {
		c := &featureCode{code: f, features: a, h: f.Local(wasm.I32), t: f.Local(wasm.I32), j: f.Local(wasm.I32), p: f.Local(wasm.I32),
			phi: f.Local(wasm.I32), total: f.Local(wasm.I32), sums: f.Local(wasm.I32), top: f.Local(wasm.F32), less: f.Local(wasm.F32), square: f.Local(wasm.F64)}
		f.GetGlobal(e.scratch).Tee(c.phi).I32(4 * a.count).Do(wasm.I32Add).Tee(c.total).I32(4 * a.count).Do(wasm.I32Add).Set(c.sums)
		for i := range c.rows {
			c.rows[i] = f.Local(wasm.I32)
		}
		state, unit := f.Local(wasm.I32), f.Local(wasm.I32)
		f.segments(state, func(start, rows, _ wasm.Local, _ cache) {
			f.steps(c.h, 0, a.heads, 1, func() {
				f.mine(unit, func() {
					c.keys(start, rows)
					c.queries(start, rows)
				})
				f.add(unit, 1)
			})
		})
	})
}

// featureCode emits the work on one head of one sequence.
type featureCode struct {
	*code
	*features
	rows             [6]wasm.Local // of the current token
	h, t, j, p       wasm.Local
	phi, total, sums wasm.Local
	top, less        wasm.Local
	square           wasm.Local
}

// each runs body for every token, with the pointers to the head's part of its rows.
func (c *featureCode) each(start, rows wasm.Local, body func()) {
	for i, p := range c.rows {
		width := c.dim
		if i == 1 || i == 2 {
			width = c.count
		}
		c.Get(wasm.Local(i)).Get(start).I32(c.strides[i]).Do(wasm.I32Mul, wasm.I32Add).Get(c.h).I32(4*width).Do(wasm.I32Mul, wasm.I32Add).Set(p)
	}
	c.I32(0).Set(c.t)
	c.while(func() { c.Get(c.t).Get(rows).Do(wasm.I32LtS) }, func() {
		body()
		for i, p := range c.rows {
			c.add(p, c.strides[i])
		}
		c.add(c.t, 1)
	})
}

// greatest moves top to the greatest of the products at a pointer, if that is larger.
func (c *featureCode) greatest(products wasm.Local) {
	c.steps(c.j, 0, 4*c.count, 4, func() {
		c.Get(c.top).Get(products).Get(c.j).Do(wasm.I32Add).Mem(wasm.F32Load, 0).Do(wasm.F32Max).Set(c.top)
	})
}

// of writes φ of a query or key x whose products with the features are given.
func (c *featureCode) of(products, x wasm.Local) {
	c.F64(0).Set(c.square)
	c.steps(c.j, 0, 4*c.dim, 4, func() {
		value := func() { c.Get(x).Get(c.j).Do(wasm.I32Add).Mem(wasm.F32Load, 0).Do(wasm.F64PromoteF32) }
		c.Get(c.square)
		value()
		value()
		c.Do(wasm.F64Mul, wasm.F64Add).Set(c.square)
	})
	c.Get(c.square).F64(2).Do(wasm.F64Div).F64(math.Sqrt(float64(c.dim))).Do(wasm.F64Div, wasm.F32DemoteF64).Get(c.top).Do(wasm.F32Add).Set(c.less)
	exp := c.e.exp()
	c.columns(c.count, func(col column) {
		col.store(c.phi, func() {
			col.load(products)
			if c.softmax {
				c.Get(c.less).Do(wasm.F32x4Splat, wasm.F32x4Sub).Call(exp)
			} else {
				c.V(0).Do(wasm.F32x4Max)
			}
			c.V(c.eps).Do(wasm.F32x4Add)
		})
	})
}

// weigh adds weight j of φ times the vectors at from to those at to.
func (c *featureCode) weigh(to, from wasm.Local) {
	factor := c.vectors("factor", 1)[0]
	c.Get(c.phi).Get(c.j).Do(wasm.I32Add).Mem(wasm.V128Load32Splat, 0).Set(factor)
	c.columns(c.dim, func(col column) {
		col.store(to, func() {
			col.load(to)
			col.load(from).Get(factor).Do(wasm.F32x4Mul, wasm.F32x4Add)
		})
	})
}

// eachFeature runs body for every feature j, in bytes, with p at the feature's row of sums.
func (c *featureCode) eachFeature(body func()) {
	c.Get(c.sums).Set(c.p)
	c.steps(c.j, 0, 4*c.count, 4, func() {
		body()
		c.add(c.p, 4*c.dim)
	})
}

// keys computes S and z.
func (c *featureCode) keys(start, rows wasm.Local) {
	c.Get(c.total).I32(0).I32(4 * c.count * (c.dim + 1)).Fill()
	c.F32(minScore).Set(c.top)
	c.each(start, rows, func() { c.greatest(c.rows[2]) })
	c.each(start, rows, func() {
		c.of(c.rows[2], c.rows[4])
		c.eachFeature(func() {
			total := func() { c.Get(c.total).Get(c.j).Do(wasm.I32Add) }
			total()
			total()
			c.Mem(wasm.F32Load, 0).Get(c.phi).Get(c.j).Do(wasm.I32Add).Mem(wasm.F32Load, 0).Do(wasm.F32Add).Mem(wasm.F32Store, 0)
			c.weigh(c.p, c.rows[5])
		})
	})
}

// queries computes the results.
func (c *featureCode) queries(start, rows wasm.Local) {
	norm := c.doublesOf("norm", 1)[0]
	c.each(start, rows, func() {
		c.F32(minScore).Set(c.top)
		c.greatest(c.rows[1])
		c.of(c.rows[1], c.rows[3])
		c.Get(c.rows[0]).I32(0).I32(4 * c.dim).Fill()
		c.F64(0).Set(norm)
		c.eachFeature(func() {
			c.Get(norm)
			for _, list := range []wasm.Local{c.phi, c.total} {
				c.Get(list).Get(c.j).Do(wasm.I32Add).Mem(wasm.F32Load, 0).Do(wasm.F64PromoteF32)
			}
			c.Do(wasm.F64Mul, wasm.F64Add).Set(norm)
			c.weigh(c.rows[0], c.p)
		})
		c.steps(c.j, 0, 4*c.dim, 4, func() {
			at := func() { c.Get(c.rows[0]).Get(c.j).Do(wasm.I32Add) }
			at()
			at()
			c.Mem(wasm.F32Load, 0).Do(wasm.F64PromoteF32).Get(norm).Do(wasm.F64Div, wasm.F32DemoteF64).Mem(wasm.F32Store, 0)
		})
	})
}
