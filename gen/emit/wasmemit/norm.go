package wasmemit

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/plan"
)

// norm emits a norm over groups of elements, with an addition before it if the operation has one. Sums are taken in
// float64, as in the Go backend.
func (e *emitter) norm(f *code, s plan.Step) error {
	o := s.Op
	added := strings.HasPrefix(o.Kind, "add_")
	x, y := o.In[0], o.Out[len(o.Out)-1]
	if added {
		e.copied(f, s)
		delta := []*ir.Value{o.Out[0], o.In[1]}
		e.elementwise(f, "add", o.Out[0], delta, func(f *code) { f.Do(wasm.F32x4Add) })
		x = o.Out[0]
	}
	yAt, yStride := e.address(y)
	xAt, xStride := e.address(x)
	n := &norm{width: x.Type.Width(), dim: op.NormDim(o), eps: o.Attrs.Float("eps"), each: o.Attrs.Bool("each"), bias: len(o.Weights) > 1 && o.Weights[1] != nil}
	row, name := (*norm).rms, "rmsnorm"
	if strings.HasSuffix(o.Kind, "layernorm") {
		row, name = (*norm).layer, "layernorm"
	}
	args := []int{yAt, xAt, e.weight(o.Weights[0])}
	if n.bias {
		args = append(args, e.weight(o.Weights[1]))
	}
	key := fmt.Sprintf("%s %+v %d %d", name, *n, yStride, xStride)
	g := e.rowwise(key, []int{yStride, xStride}, len(args)-2, func(f *code, rows, others []wasm.Local) {
		n.groups(f, rows, others, func(y, x wasm.Local, others []wasm.Local) { row(n, f, y, x, others) })
	})
	e.call(f, g, y.Type.Rows, args...)
	return nil
}

// norm is the setting of a norm: groups of dim elements in rows of width.
type norm struct {
	width, dim int
	eps        float64
	each       bool // every group has weights of its own
	bias       bool
}

// groups runs body for each group of a row, with its weights.
func (n *norm) groups(f *code, rows, weights []wasm.Local, body func(y, x wasm.Local, weights []wasm.Local)) {
	if n.dim == n.width {
		body(rows[0], rows[1], weights)
		return
	}
	y, x, left := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
	f.Get(rows[0]).Set(y).Get(rows[1]).Set(x).I32(n.width / n.dim).Set(left)
	own := weights
	if n.each {
		own = f.Locals(wasm.I32, len(weights))
		for i, w := range weights {
			f.Get(w).Set(own[i])
		}
	}
	f.repeat(left, func() {
		body(y, x, own)
		f.add(y, 4*n.dim)
		f.add(x, 4*n.dim)
		for i := 0; n.each && i < len(own); i++ {
			f.add(own[i], 4*n.dim)
		}
	})
}

// rms is y = x / √(mean(x²) + eps) · w (Zhang and Sennrich 2019).
func (n *norm) rms(f *code, y, x wasm.Local, others []wasm.Local) {
	a, b, v := f.Local(wasm.V128), f.Local(wasm.V128), f.Local(wasm.V128)
	f.V(0).Tee(a).Set(b)
	f.columns(n.dim, func(c column) {
		c.load(x).Set(v)
		for i, sum := range []wasm.Local{a, b} {
			f.Get(sum)
			f.doubles(v, i == 1)
			f.doubles(v, i == 1)
			f.Do(wasm.F64x2Mul, wasm.F64x2Add).Set(sum)
		}
	})
	f.F64(1)
	f.sumDoubles(a, b)
	f.F64(float64(n.dim)).Do(wasm.F64Div).F64(n.eps).Do(wasm.F64Add, wasm.F64Sqrt, wasm.F64Div, wasm.F32DemoteF64, wasm.F32x4Splat).Set(v)
	f.columns(n.dim, func(c column) {
		c.store(y, func() {
			c.load(x).Get(v).Do(wasm.F32x4Mul)
			c.load(others[0]).Do(wasm.F32x4Mul)
		})
	})
}

// layer is y = (x − mean(x)) / √(var(x) + eps) · w + b (Ba, Kiros and Hinton 2016).
func (n *norm) layer(f *code, y, x wasm.Local, others []wasm.Local) {
	a, b, v := f.Local(wasm.V128), f.Local(wasm.V128), f.Local(wasm.V128)
	mean, inv := f.Local(wasm.V128), f.Local(wasm.V128)
	f.V(0).Tee(a).Set(b)
	f.columns(n.dim, func(c column) {
		c.load(x).Set(v)
		for i, sum := range []wasm.Local{a, b} {
			f.Get(sum)
			f.doubles(v, i == 1)
			f.Do(wasm.F64x2Add).Set(sum)
		}
	})
	f.sumDoubles(a, b)
	f.F64(float64(n.dim)).Do(wasm.F64Div, wasm.F64x2Splat).Set(mean)
	n.squares(f, x, a, b, mean)
	f.F64(1)
	f.sumDoubles(a, b)
	f.F64(float64(n.dim)).Do(wasm.F64Div).F64(n.eps).Do(wasm.F64Add, wasm.F64Sqrt, wasm.F64Div, wasm.F64x2Splat).Set(inv)
	f.columns(n.dim, func(c column) {
		c.store(y, func() {
			c.load(x).Set(v)
			for _, upper := range []bool{false, true} {
				f.doubles(v, upper)
				f.Get(mean).Do(wasm.F64x2Sub).Get(inv).Do(wasm.F64x2Mul, wasm.F32x4DemoteF64x2)
			}
			f.Shuffle(0, 1, 4, 5)
			c.load(others[0]).Do(wasm.F32x4Mul)
			if n.bias {
				c.load(others[1]).Do(wasm.F32x4Add)
			}
		})
	})
}

// squares leaves the sum of the squares of x − mean in the lanes of a and b.
func (n *norm) squares(f *code, x, a, b, mean wasm.Local) {
	v, d := f.Local(wasm.V128), f.Local(wasm.V128)
	f.V(0).Tee(a).Set(b)
	f.columns(n.dim, func(c column) {
		c.load(x).Set(v)
		for i, sum := range []wasm.Local{a, b} {
			f.Get(sum)
			f.doubles(v, i == 1)
			f.Get(mean).Do(wasm.F64x2Sub)
			if c.single { // the other lanes hold no elements
				f.Words(firstDouble(i)...).Do(wasm.V128And)
			}
			f.Tee(d).Get(d).Do(wasm.F64x2Mul, wasm.F64x2Add).Set(sum)
		}
	})
}

// firstDouble is the mask of the only element of a single column: lane 0 of the lower half.
func firstDouble(half int) []uint32 {
	if half == 0 {
		return []uint32{^uint32(0), ^uint32(0), 0, 0}
	}
	return []uint32{0, 0, 0, 0}
}

// l2norm is y = x / max(‖x‖₂, 1e-12).
func (e *emitter) l2norm(f *code, s plan.Step) error {
	y, x := s.Op.Out[0], source(s)
	yAt, yStride := e.address(y)
	xAt, xStride := e.address(x)
	width := y.Type.Width()
	g := e.rowwise(fmt.Sprintf("l2norm %d %d %d", width, yStride, xStride), []int{yStride, xStride}, 0, func(f *code, rows, _ []wasm.Local) {
		a, b, v, inv := f.Local(wasm.V128), f.Local(wasm.V128), f.Local(wasm.V128), f.Local(wasm.V128)
		f.V(0).Tee(a).Set(b)
		f.columns(width, func(c column) {
			c.load(rows[1]).Set(v)
			for i, sum := range []wasm.Local{a, b} {
				f.Get(sum)
				f.doubles(v, i == 1)
				f.doubles(v, i == 1)
				f.Do(wasm.F64x2Mul, wasm.F64x2Add).Set(sum)
			}
		})
		f.F64(1)
		f.sumDoubles(a, b)
		f.Do(wasm.F64Sqrt).F64(1e-12).Do(wasm.F64Max, wasm.F64Div, wasm.F64x2Splat).Set(inv)
		f.columns(width, func(c column) {
			c.store(rows[0], func() {
				c.load(rows[1]).Set(v)
				for _, upper := range []bool{false, true} {
					f.doubles(v, upper)
					f.Get(inv).Do(wasm.F64x2Mul, wasm.F32x4DemoteF64x2)
				}
				f.Shuffle(0, 1, 4, 5)
			})
		})
	})
	e.call(f, g, y.Type.Rows, yAt, xAt)
	return nil
}
