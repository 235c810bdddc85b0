package wasmemit

import (
	"fmt"
	"math"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/plan"
	"github.com/tfgen/tfgen/gen/weights"
	"github.com/tfgen/tfgen/runtime/quant"
)

// grouped is the setting of products in groups of rows of a weight: the chosen experts of a row, or its heads. Results of
// a group go through the thread's scratch memory, because the last tile may be wider than the group.
type grouped struct {
	gemm
	perGroup   int  // tiles of a group
	dim        int  // outputs of a group
	count      int  // groups that a row multiplies with
	chosen     bool // the numbers of the groups are in the row's routes; else all, in order
	part       int  // bytes from one group's input to the next; 0: all have the same
	inputs     int  // stride of the rows of inputs, in bytes
	routes     int  // of routes
	results    int  // of results
	quantised  bool
	inputsAt   int // of the quantised input in the scratch memory
	groupBytes int // of the weights of a group
	biased     bool
}

// groupedScratch is the scratch memory of a grouped product: results, then a quantised input.
func groupedScratch(dim, k int) (inputsAt, bytes int) {
	inputsAt = (dim + 15) / 16 * 64
	return inputsAt, inputsAt + 4*quant.ActivationWords(k)
}

func (e *emitter) expertLinear(f *code, s plan.Step) error {
	o := s.Op
	g, err := e.grouped(o, op.Choices(o))
	if err != nil {
		return err
	}
	g.chosen = true
	if o.Attrs.Bool("parts") {
		g.part = 4 * g.k
	}
	return e.callGrouped(f, o, g)
}

func (e *emitter) headLinear(f *code, s plan.Step) error {
	o := s.Op
	g, err := e.grouped(o, o.Attrs.Int("heads"))
	if err != nil {
		return err
	}
	g.part = 4 * g.k
	return e.callGrouped(f, o, g)
}

// grouped describes the product of an operation.
func (e *emitter) grouped(o *ir.Op, count int) (*grouped, error) {
	p := e.Place[o.Weights[0]]
	q := weights.Quantised(p.Layout)
	if _, ok := formats[p.Layout]; !ok && q == nil {
		return nil, unsupported(o, "the weight layout %s", p.Layout)
	}
	g := &grouped{gemm: gemm{format: p.Layout, k: p.Cols, start: o.Weights[1] != nil}, dim: o.Attrs.Int("dim"), count: count,
		quantised: q != nil, biased: o.Weights[1] != nil}
	g.perGroup = (g.dim + 15) / 16
	g.groupBytes = g.perGroup * g.tileBytes()
	g.inputsAt, _ = groupedScratch(g.dim, g.k)
	return g, nil
}

// callGrouped emits the call of a grouped product.
func (e *emitter) callGrouped(f *code, o *ir.Op, g *grouped) error {
	y, ldy := e.address(o.Out[0])
	x, ldx := e.address(o.In[0])
	g.results, g.inputs = ldy, ldx
	args := []int{y, x, 0, e.weight(o.Weights[0]), 0}
	if g.chosen {
		args[2], g.routes = e.address(o.In[1])
	}
	if g.biased {
		args[4] = e.weight(o.Weights[1])
	}
	e.call(f, e.groupedProduct(g), o.Out[0].Type.Rows, args...)
	return nil
}

// groupedProduct returns the function of (y, x, routes, w, b, n). Threads share the tiles of each group.
func (e *emitter) groupedProduct(g *grouped) *wasm.Func {
	return e.sharedFunc(fmt.Sprintf("grouped %+v", *g), words(6), nil, func(f *code) {
		y, x, routes, w, bias, n := wasm.Local(0), wasm.Local(1), wasm.Local(2), wasm.Local(3), wasm.Local(4), wasm.Local(5)
		c := f.Local(wasm.I32)
		p := &groupedCode{code: f, grouped: g, c: c, group: f.Local(wasm.I32), input: f.Local(wasm.I32), from: f.Local(wasm.I32), tiles: f.Local(wasm.I32)}
		f.I32(g.perGroup).Set(p.tiles)
		f.share(p.tiles, p.from)
		f.Get(p.tiles).Get(n).Do(wasm.I32Mul).I32(0).Do(wasm.I32Eq).If(func() { f.Do(wasm.Return) })
		f.repeat(n, func() {
			f.steps(c, 0, g.count, 1, func() {
				p.choose(routes)
				p.product(x, w, bias)
				p.deliver(y)
			})
			f.add(y, g.results)
			f.add(x, g.inputs)
			f.add(routes, g.routes)
		})
	})
}

// groupedCode emits the work for one group of one row.
type groupedCode struct {
	*code
	*grouped
	c, group, input wasm.Local
	from, tiles     wasm.Local // this thread's share
}

// choose sets the number of the group.
func (p *groupedCode) choose(routes wasm.Local) {
	if !p.chosen {
		p.Get(p.c).Set(p.group)
		return
	}
	p.Get(routes).Get(p.c).I32(2).Do(wasm.I32Shl, wasm.I32Add).Mem(wasm.F32Load, 0).Do(wasm.F64PromoteF32, wasm.I32TruncSatF64).Set(p.group)
}

// product writes this thread's tiles to its scratch memory.
func (p *groupedCode) product(x, w, bias wasm.Local) {
	f := p.code
	f.Get(x).Get(p.c).I32(p.part).Do(wasm.I32Mul, wasm.I32Add).Set(p.input)
	if p.quantised {
		quantize := f.e.quantizeRow(p.k)
		f.GetGlobal(f.e.scratch).I32(p.inputsAt).Do(wasm.I32Add).Get(p.input).Call(quantize)
		f.GetGlobal(f.e.scratch).I32(p.inputsAt).Do(wasm.I32Add).Set(p.input)
	}
	f.GetGlobal(f.e.scratch).Get(p.input)
	f.Get(w).Get(p.group).I32(p.groupBytes).Do(wasm.I32Mul, wasm.I32Add).Get(p.from).I32(p.tileBytes()).Do(wasm.I32Mul, wasm.I32Add)
	f.Get(bias)
	if p.biased {
		f.Get(p.group).I32(p.perGroup).Do(wasm.I32Mul).Get(p.from).Do(wasm.I32Add).I32(6).Do(wasm.I32Shl, wasm.I32Add)
	}
	f.Get(p.tiles).I32(1).Call(f.e.gemm(p.gemm))
}

// deliver copies the results to their place in the row, without what the last tile has beyond the group.
func (p *groupedCode) deliver(y wasm.Local) {
	f, bytes := p.code, p.integers("deliver", 1)[0]
	f.Get(p.tiles).I32(6).Do(wasm.I32Shl).Tee(bytes)
	f.I32(4*p.dim).Get(p.from).I32(6).Do(wasm.I32Shl, wasm.I32Sub)
	f.Get(bytes).I32(4*p.dim).Get(p.from).I32(6).Do(wasm.I32Shl, wasm.I32Sub, wasm.I32LtS, wasm.Select).Set(bytes)
	f.Get(y).Get(p.c).I32(4*p.dim).Do(wasm.I32Mul, wasm.I32Add).Get(p.from).I32(6).Do(wasm.I32Shl, wasm.I32Add)
	f.GetGlobal(f.e.scratch).Get(bytes).Copy()
}

// combine emits y = Σ weight · part over the choices of a row, in their order.
func (e *emitter) combine(f *code, s plan.Step) error {
	o := s.Op
	y, ldy := e.address(o.Out[0])
	x, ldx := e.address(o.In[0])
	r, ldr := e.address(o.In[1])
	dim, top := o.Out[0].Type.Width(), op.Choices(o)
	g := e.rowwise(fmt.Sprintf("combine %d %d %d %d %d", dim, top, ldy, ldx, ldr), []int{ldy, ldx, ldr}, 0, func(f *code, rows, _ []wasm.Local) {
		sum, i, p := f.Local(wasm.V128), f.Local(wasm.I32), f.Local(wasm.I32)
		f.columns(dim, func(c column) {
			f.V(0).Set(sum).Get(rows[1]).Set(p)
			f.steps(i, 0, 4*top, 4, func() {
				f.Get(sum)
				c.load(p).Get(rows[2]).Get(i).Do(wasm.I32Add).Mem(wasm.V128Load32Splat, 4*top).Do(wasm.F32x4Mul, wasm.F32x4Add).Set(sum)
				f.add(p, 4*dim)
			})
			c.store(rows[0], func() { f.Get(sum) })
		})
	})
	e.call(f, g, o.Out[0].Type.Rows, y, x, r)
	return nil
}

// scaleRows emits y = x · s, one factor a row.
func (e *emitter) scaleRows(f *code, s plan.Step) error {
	o := s.Op
	y, ldy := e.address(o.Out[0])
	x, ldx := e.address(o.In[0])
	factors, lds := e.address(o.In[1])
	width := o.Out[0].Type.Width()
	g := e.rowwise(fmt.Sprintf("scaleRows %d %d %d %d", width, ldy, ldx, lds), []int{ldy, ldx, lds}, 0, func(f *code, rows, _ []wasm.Local) {
		factor := f.vectors("factor", 1)[0]
		f.Get(rows[2]).Mem(wasm.V128Load32Splat, 0).Set(factor)
		f.columns(width, func(c column) {
			c.store(rows[0], func() { c.load(rows[1]).Get(factor).Do(wasm.F32x4Mul) })
		})
	})
	e.call(f, g, o.Out[0].Type.Rows, y, x, factors)
	return nil
}

// router is the setting of a route operation, see portable.Router.
type router struct {
	experts, top, groups, topGroups       int
	sigmoid, chosen, normalise, two, bias bool
	eps, scale                            float64
}

// route emits the choice of experts. Scores are float64, in the thread's scratch memory: of the experts, what the choice
// is made by, and of groups.
func (e *emitter) route(f *code, s plan.Step) error {
	o := s.Op
	a := o.Attrs
	r := &router{experts: o.In[0].Type.Width(), top: a.Int("top"), groups: max(a.Int("groups"), 1), topGroups: max(a.Int("top_groups"), 1),
		sigmoid: a.Str("score") == "sigmoid", chosen: a.Str("score") == "chosen", normalise: a.Bool("normalise"), two: a.Str("group_score") == "top2",
		bias: o.Weights[0] != nil, eps: a.Float("eps"), scale: 1}
	if _, ok := a["scale"]; ok {
		r.scale = a.Float("scale")
	}
	y, ldy := e.address(o.Out[0])
	x, ldx := e.address(o.In[0])
	args := []int{y, x}
	if r.bias {
		args = append(args, e.weight(o.Weights[0]))
	}
	g := e.rowwise(fmt.Sprintf("route %+v %d %d", *r, ldy, ldx), []int{ldy, ldx}, len(args)-2, func(f *code, rows, others []wasm.Local) {
		c := &routeCode{code: f, router: r, y: rows[0], x: rows[1], i: f.Local(wasm.I32), p: f.Local(wasm.I32), at: f.Local(wasm.I32),
			best: f.Local(wasm.F64), sum: f.Local(wasm.F64), v: f.Local(wasm.F64), scores: f.Local(wasm.I32)}
		f.GetGlobal(e.scratch).Set(c.scores)
		c.score()
		c.choice(others)
		c.limit()
		c.pick()
		c.weigh()
	})
	e.call(f, g, o.Out[0].Type.Rows, args...)
	return nil
}

// routeCode emits the parts of a route operation for one row.
type routeCode struct {
	*code
	*router
	y, x, scores, i, p, at wasm.Local
	best, sum, v           wasm.Local
}

// each runs body for the numbers 0 … n−1 with p the address of number i of a list of float64 at offset.
func (c *routeCode) each(n, offset int, body func()) {
	c.Get(c.scores).I32(offset).Do(wasm.I32Add).Set(c.p)
	c.steps(c.i, 0, n, 1, func() {
		body()
		c.add(c.p, 8)
	})
}

// Places in the scratch memory.
func (c *routeCode) choiceAt() int { return 8 * c.experts }
func (c *routeCode) groupsAt() int { return 16 * c.experts }

// routeScratch is the scratch memory of a route operation.
func routeScratch(experts int) int { return 24 * experts }

// logit pushes a logit, whose number is in a local, as float64.
func (c *routeCode) logit(i wasm.Local) {
	c.Get(c.x).Get(i).I32(2).Do(wasm.I32Shl, wasm.I32Add).Mem(wasm.F32Load, 0).Do(wasm.F64PromoteF32)
}

// score writes the scores: sigmoid or softmax of the logits, or the logits themselves.
func (c *routeCode) score() {
	exp := c.e.exp64()
	c.each(c.experts, 0, func() {
		c.Get(c.p)
		if c.sigmoid {
			c.F64(1).F64(1)
		}
		c.logit(c.i)
		if c.sigmoid {
			c.Do(wasm.F64Neg).Call(exp).Do(wasm.F64Add, wasm.F64Div)
		}
		c.Mem(wasm.F64Store, 0)
	})
	if !c.sigmoid && !c.chosen {
		c.softmax(c.experts, 0)
	}
}

// softmax replaces n numbers by their softmax.
func (c *routeCode) softmax(n, offset int) {
	exp := c.e.exp64()
	c.F64(math.Inf(-1)).Set(c.best).F64(0).Set(c.sum)
	c.each(n, offset, func() { c.Get(c.best).Get(c.p).Mem(wasm.F64Load, 0).Do(wasm.F64Max).Set(c.best) })
	c.each(n, offset, func() {
		c.Get(c.p).Get(c.p).Mem(wasm.F64Load, 0).Get(c.best).Do(wasm.F64Sub).Call(exp).Tee(c.v).Mem(wasm.F64Store, 0)
		c.Get(c.sum).Get(c.v).Do(wasm.F64Add).Set(c.sum)
	})
	c.each(n, offset, func() { c.Get(c.p).Get(c.p).Mem(wasm.F64Load, 0).Get(c.sum).Do(wasm.F64Div).Mem(wasm.F64Store, 0) })
}

// choice copies the scores, with the correction if there is one, to where the choice is made.
func (c *routeCode) choice(others []wasm.Local) {
	c.each(c.experts, 0, func() {
		c.Get(c.p).Get(c.p).Mem(wasm.F64Load, 0)
		if c.bias {
			c.Get(others[0]).Get(c.i).I32(2).Do(wasm.I32Shl, wasm.I32Add).Mem(wasm.F32Load, 0).Do(wasm.F64PromoteF32, wasm.F64Add)
		}
		c.Mem(wasm.F64Store, c.choiceAt())
	})
}

// largest sets at to the address of the first largest of n numbers, of the first if none is larger than −∞. NaN is not
// larger than anything.
func (c *routeCode) largest(n, offset int) {
	c.Get(c.scores).I32(offset).Do(wasm.I32Add).Set(c.at).F64(math.Inf(-1)).Set(c.best)
	c.each(n, offset, func() {
		c.Get(c.p).Mem(wasm.F64Load, 0).Tee(c.v).Get(c.best).Do(wasm.F64Gt).If(func() { c.Get(c.v).Set(c.best).Get(c.p).Set(c.at) })
	})
}

// limit excludes the experts outside the best groups.
func (c *routeCode) limit() {
	if c.groups <= 1 || c.topGroups >= c.groups {
		return
	}
	size, g, second := c.experts/c.groups, c.Local(wasm.I32), c.Local(wasm.F64)
	c.Get(c.scores).I32(c.choiceAt()).Do(wasm.I32Add).Set(c.p)
	c.steps(g, 0, 8*c.groups, 8, func() {
		c.F64(math.Inf(-1)).Tee(c.best).Set(second)
		c.steps(c.i, 0, size, 1, func() {
			c.Get(c.p).Mem(wasm.F64Load, 0).Tee(c.v).Get(c.best).Do(wasm.F64Gt).IfElse(
				func() { c.Get(c.best).Set(second).Get(c.v).Set(c.best) },
				func() { c.Get(second).Get(c.v).Do(wasm.F64Max).Set(second) })
			c.add(c.p, 8)
		})
		c.Get(c.scores).Get(g).Do(wasm.I32Add).Get(c.best)
		if c.two {
			c.Get(second).Do(wasm.F64Add)
		}
		c.Mem(wasm.F64Store, c.groupsAt())
	})
	chosen := c.Local(wasm.I32) // the best groups get the score NaN, which no other has
	c.steps(chosen, 0, c.topGroups, 1, func() {
		c.largest(c.groups, c.groupsAt())
		c.Get(c.at).F64(math.NaN()).Mem(wasm.F64Store, 0)
	})
	c.Get(c.scores).I32(c.choiceAt()).Do(wasm.I32Add).Set(c.p)
	c.steps(g, 0, 8*c.groups, 8, func() {
		c.steps(c.i, 0, size, 1, func() {
			c.Get(c.scores).Get(g).Do(wasm.I32Add).Mem(wasm.F64Load, c.groupsAt()).Tee(c.v).Get(c.v).Do(wasm.F64Eq).If(func() {
				c.Get(c.p).F64(math.Inf(-1)).Mem(wasm.F64Store, 0)
			})
			c.add(c.p, 8)
		})
	})
}

// pick writes the numbers of the best experts, best first.
func (c *routeCode) pick() {
	j := c.Local(wasm.I32)
	c.steps(j, 0, 4*c.top, 4, func() {
		c.largest(c.experts, c.choiceAt())
		c.Get(c.at).F64(math.Inf(-1)).Mem(wasm.F64Store, 0)
		c.Get(c.y).Get(j).Do(wasm.I32Add)
		c.Get(c.at).Get(c.scores).Do(wasm.I32Sub).I32(c.choiceAt()).Do(wasm.I32Sub).I32(3).Do(wasm.I32ShrU, wasm.F32ConvertI32S).Mem(wasm.F32Store, 0)
	})
}

// weigh writes the weights of the chosen experts: their scores, normalised, or the softmax of their logits.
func (c *routeCode) weigh() {
	expert := c.Local(wasm.I32)
	c.F64(0).Set(c.sum)
	c.each(c.top, c.choiceAt(), func() {
		c.Get(c.y).Get(c.i).I32(2).Do(wasm.I32Shl, wasm.I32Add).Mem(wasm.F32Load, 0).Do(wasm.F64PromoteF32, wasm.I32TruncSatF64).Set(expert)
		if c.chosen {
			c.logit(expert)
		} else {
			c.Get(c.scores).Get(expert).I32(3).Do(wasm.I32Shl, wasm.I32Add).Mem(wasm.F64Load, 0)
		}
		c.Set(c.v).Get(c.p).Get(c.v).Mem(wasm.F64Store, 0).Get(c.sum).Get(c.v).Do(wasm.F64Add).Set(c.sum)
	})
	c.F64(c.scale)
	if c.normalise && !c.chosen {
		c.Get(c.sum).F64(c.eps).Do(wasm.F64Add, wasm.F64Div)
	}
	factor := c.Local(wasm.F64)
	c.Set(factor)
	if c.chosen {
		c.softmax(c.top, c.choiceAt())
	}
	c.each(c.top, c.choiceAt(), func() {
		c.Get(c.y).Get(c.i).I32(2).Do(wasm.I32Shl, wasm.I32Add)
		c.Get(c.p).Mem(wasm.F64Load, 0).Get(factor).Do(wasm.F64Mul, wasm.F32DemoteF64).Mem(wasm.F32Store, 4*c.top)
	})
}
