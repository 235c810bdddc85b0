package wasmemit

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/plan"
)

// gather emits y[m] = x[selected[m]].
func (e *emitter) gather(f *code, s plan.Step) error {
	return e.rowsOf(f, s, e.memory.Selected, 4)
}

// first emits y[s] = first row of sequence s: the first word of its segment.
func (e *emitter) first(f *code, s plan.Step) error {
	return e.rowsOf(f, s, e.memory.Segments, Segment)
}

// rowsOf copies the rows of x whose numbers stand at index, every stride bytes.
func (e *emitter) rowsOf(f *code, s plan.Step, index int64, indexStride int) error {
	o := s.Op
	yAt, yStride := e.address(o.Out[0])
	xAt, xStride := e.address(o.In[0])
	width := o.Out[0].Type.Width()
	key := fmt.Sprintf("rows %d %d %d %d", width, yStride, xStride, indexStride)
	g := e.rowwise(key, []int{yStride, indexStride}, 1, func(f *code, rows, others []wasm.Local) {
		f.Get(rows[0])
		f.Get(others[0]).Get(rows[1]).Mem(wasm.I32Load, 0).I32(xStride).Do(wasm.I32Mul, wasm.I32Add)
		f.I32(4 * width).Copy()
	})
	e.call(f, g, o.Out[0].Type.Rows, yAt, int(index), xAt)
	return nil
}

// last emits y[s] = last row of sequence s, or the last whose id is the given one.
func (e *emitter) last(f *code, s plan.Step) error {
	o := s.Op
	yAt, yStride := e.address(o.Out[0])
	xAt, xStride := e.address(o.In[0])
	width, id, ids := o.Out[0].Type.Width(), o.Attrs.Int("id"), int64(0)
	if len(o.In) > 1 {
		var err error
		if ids, err = e.input(o.In[1]); err != nil {
			return fmt.Errorf("%s: %w", o.Pos, err)
		}
	}
	key := fmt.Sprintf("last %d %d %d %d %d", width, yStride, xStride, ids, id)
	g := e.rowwise(key, []int{yStride, Segment}, 1, func(f *code, rows, others []wasm.Local) {
		row, i := f.Local(wasm.I32), f.Local(wasm.I32)
		f.Get(rows[1]).Mem(wasm.I32Load, 0).Get(rows[1]).Mem(wasm.I32Load, 4).Do(wasm.I32Add).I32(1).Do(wasm.I32Sub).Tee(row).Set(i)
		if len(o.In) > 1 {
			f.while(func() { f.Get(i).Get(rows[1]).Mem(wasm.I32Load, 0).Do(wasm.I32GeS) }, func() {
				f.Get(i).I32(2).Do(wasm.I32Shl).Mem(wasm.I32Load, int(ids)).I32(id).Do(wasm.I32Eq).If(func() { f.Get(i).Set(row).Br(2) })
				f.add(i, -1)
			})
		}
		f.Get(rows[0]).Get(others[0]).Get(row).I32(xStride).Do(wasm.I32Mul, wasm.I32Add).I32(4 * width).Copy()
	})
	e.call(f, g, o.Out[0].Type.Rows, yAt, int(e.memory.Segments), xAt)
	return nil
}

// mean emits y[s] = mean of the rows of sequence s, summed in float64.
func (e *emitter) mean(f *code, s plan.Step) error {
	o := s.Op
	yAt, yStride := e.address(o.Out[0])
	xAt, xStride := e.address(o.In[0])
	width := o.Out[0].Type.Width()
	key := fmt.Sprintf("mean %d %d %d", width, yStride, xStride)
	g := e.rowwise(key, []int{yStride, Segment}, 1, func(f *code, rows, others []wasm.Local) {
		a, b, v, n := f.Local(wasm.V128), f.Local(wasm.V128), f.Local(wasm.V128), f.Local(wasm.V128)
		x, left := f.Local(wasm.I32), f.Local(wasm.I32)
		f.Get(rows[1]).Mem(wasm.I32Load, 4).Do(wasm.F64ConvertI32S, wasm.F64x2Splat).Set(n)
		f.columns(width, func(c column) {
			f.V(0).Tee(a).Set(b)
			f.Get(others[0]).Get(rows[1]).Mem(wasm.I32Load, 0).I32(xStride).Do(wasm.I32Mul, wasm.I32Add).Set(x)
			f.Get(rows[1]).Mem(wasm.I32Load, 4).Set(left)
			f.repeat(left, func() {
				c.load(x).Set(v)
				for i, sum := range []wasm.Local{a, b} {
					f.Get(sum)
					f.doubles(v, i == 1)
					f.Do(wasm.F64x2Add).Set(sum)
				}
				f.add(x, xStride)
			})
			c.store(rows[0], func() {
				f.Get(a).Get(n).Do(wasm.F64x2Div, wasm.F32x4DemoteF64x2)
				f.Get(b).Get(n).Do(wasm.F64x2Div, wasm.F32x4DemoteF64x2)
				f.Shuffle(0, 1, 4, 5)
			})
		})
	})
	e.call(f, g, ir.Sequences, yAt, int(e.memory.Segments), xAt)
	return nil
}
