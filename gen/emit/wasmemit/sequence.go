package wasmemit

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/plan"
)

// Operations that bring rows together or look at their places: concatenations, neighbours, factors by position, marks.

// concat emits the copies of two rows to one.
func (e *emitter) concat(f *code, s plan.Step) error {
	o := s.Op
	y, ldy := e.address(o.Out[0])
	a, lda := e.address(o.In[0])
	b, ldb := e.address(o.In[1])
	first, second := 4*o.In[0].Type.Width(), 4*o.In[1].Type.Width()
	key := fmt.Sprintf("concat %d %d %d %d %d", first, second, ldy, lda, ldb)
	g := e.rowwise(key, []int{ldy, lda, ldb}, 0, func(f *code, rows, _ []wasm.Local) {
		f.Get(rows[0]).Get(rows[1]).I32(first).Copy()
		f.Get(rows[0]).I32(first).Do(wasm.I32Add).Get(rows[2]).I32(second).Copy()
	})
	e.call(f, g, o.Out[0].Type.Rows, y, a, b)
	return nil
}

// positionScale emits 1 + beta·ln(1 + ⌊p/period⌋) for the rows' positions p (Llama 4).
func (e *emitter) positionScale(f *code, s plan.Step) error {
	o := s.Op
	beta, period := o.Attrs.Float("beta"), o.Attrs.Float("period")
	positions, err := e.input(o.In[0])
	if err != nil {
		return fmt.Errorf("%s: %w", o.Pos, err)
	}
	y, ldy := e.address(o.Out[0])
	g := e.rowwise(fmt.Sprintf("positionScale %v %v %d", beta, period, ldy), []int{ldy, 4}, 0, func(f *code, rows, _ []wasm.Local) {
		f.Get(rows[0]).F64(1).F64(beta).F64(1)
		f.Get(rows[1]).Mem(wasm.I32Load, 0).Do(wasm.F64ConvertI32S).F64(period).Do(wasm.F64Div, wasm.F64Floor, wasm.F64Add)
		f.Call(e.log64()).Do(wasm.F64Mul, wasm.F64Add, wasm.F32DemoteF64).Mem(wasm.F32Store, 0)
	})
	e.call(f, g, o.Out[0].Type.Rows, y, int(positions))
	return nil
}

// eachRow runs body for every row of every segment that is this thread's; r counts from the segment's first row.
func (f *code) eachRow(body func(start, rows, r wasm.Local)) {
	state, r, row := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
	f.segments(state, func(start, rows, _ wasm.Local, _ cache) {
		f.I32(0).Set(r)
		f.while(func() { f.Get(r).Get(rows).Do(wasm.I32LtS) }, func() {
			f.Get(start).Get(r).Do(wasm.I32Add).Set(row)
			f.mine(row, func() { body(start, rows, r) })
			f.add(r, 1)
		})
	})
}

// unfold emits y[t, c·kernel + j] = x[t − before + j, c], zeros outside of the sequence.
func (e *emitter) unfold(f *code, s plan.Step) error {
	o := s.Op
	kernel, before, width := o.Attrs.Int("kernel"), o.Attrs.Int("before"), o.In[0].Type.Width()
	y, ldy := e.address(o.Out[0])
	x, ldx := e.address(o.In[0])
	g := e.sharedFunc(fmt.Sprintf("unfold %d %d %d %d %d", kernel, before, width, ldy, ldx), words(2), nil, func(f *code) {
		to, from, at, i, j := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
		value := f.Local(wasm.F32)
		f.eachRow(func(start, rows, r wasm.Local) {
			f.steps(j, 0, kernel, 1, func() {
				f.Get(0).Get(start).Get(r).Do(wasm.I32Add).I32(ldy).Do(wasm.I32Mul, wasm.I32Add).Get(j).I32(2).Do(wasm.I32Shl, wasm.I32Add).Set(to)
				f.Get(r).Get(j).Do(wasm.I32Add).I32(before).Do(wasm.I32Sub).Set(at)
				f.Get(1).Get(start).Get(at).Do(wasm.I32Add).I32(ldx).Do(wasm.I32Mul, wasm.I32Add).Set(from)
				f.Get(at).Get(rows).Do(wasm.I32LtU).Set(at) // negative ones are large
				f.steps(i, 0, width, 1, func() {
					f.F32(0).Set(value)
					f.Get(at).If(func() { f.Get(from).Mem(wasm.F32Load, 0).Set(value) })
					f.Get(to).Get(value).Mem(wasm.F32Store, 0)
					f.add(to, 4*kernel)
					f.add(from, 4)
				})
			})
		})
	})
	f.I32(y).I32(x).Call(g)
	return nil
}

// marks emits which tokens attend to all: what is given, or where that is negative what the rule says of a row and of the first
// row with the token id.
func (e *emitter) marks(f *code, s plan.Step) error {
	o := s.Op
	rule, id := o.Attrs.Str("rule"), o.Attrs.Int("id")
	var at [2]int
	for i, v := range o.In {
		address, err := e.input(v)
		if err != nil {
			return fmt.Errorf("%s: %w", o.Pos, err)
		}
		at[i] = int(address)
	}
	y, ldy := e.address(o.Out[0])
	g := e.sharedFunc(fmt.Sprintf("marks %s %d %v %d", rule, id, at, ldy), words(1), nil, func(f *code) {
		found, i, mark := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
		word := func(list int, start, r wasm.Local) {
			f.Get(start).Get(r).Do(wasm.I32Add).I32(2).Do(wasm.I32Shl).Mem(wasm.I32Load, list)
		}
		f.eachRow(func(start, rows, r wasm.Local) {
			word(at[0], start, r)
			f.Tee(mark).I32(0).Do(wasm.I32GtS).Set(i)
			f.Get(mark).I32(0).Do(wasm.I32LtS).If(func() {
				f.I32(-1).Set(found).I32(0).Set(i)
				f.while(func() { f.Get(i).Get(rows).Do(wasm.I32LtS) }, func() {
					word(at[1], start, i)
					f.I32(id).Do(wasm.I32Eq).If(func() { f.Get(i).Set(found).Br(2) })
					f.add(i, 1)
				})
				switch rule {
				case "first":
					f.Get(r).Do(wasm.I32Eqz)
				case "before":
					f.Get(r).Get(found).Do(wasm.I32LtS)
				case "after":
					f.Get(found).I32(0).Do(wasm.I32GeS).Get(r).Get(found).I32(1).Do(wasm.I32Add, wasm.I32GtS, wasm.I32And)
				default:
					f.I32(0)
				}
				f.Set(i)
			})
			f.Get(0).Get(start).Get(r).Do(wasm.I32Add).I32(ldy).Do(wasm.I32Mul, wasm.I32Add).Get(i).Do(wasm.F32ConvertI32S).Mem(wasm.F32Store, 0)
		})
	})
	f.I32(y).Call(g)
	return nil
}

// xielu emits y = αp·x² + β·x above zero and αn·(e^min(x, ε) − 1 − x) + β·x below, αp = ln(1 + e^p), αn = β + ln(1 + e^n) (Huang
// and Schlag 2024).
func (e *emitter) xielu(f *code, s plan.Step) error {
	o := s.Op
	y, ldy := e.address(o.Out[0])
	x, ldx := e.address(o.In[0])
	args := []int{y, x}
	for _, w := range o.Weights {
		args = append(args, e.weight(w))
	}
	width := o.Out[0].Type.Width()
	g := e.rowwise(fmt.Sprintf("xielu %d %d %d", width, ldy, ldx), []int{ldy, ldx}, 4, func(f *code, rows, others []wasm.Local) {
		v, beta, i := f.Local(wasm.F64), f.Local(wasm.F64), f.Local(wasm.I32)
		scalar := func(l wasm.Local) { f.Get(l).Mem(wasm.F32Load, 0).Do(wasm.F64PromoteF32) }
		scalar(others[2])
		f.Set(beta)
		f.steps(i, 0, 4*width, 4, func() {
			f.Get(rows[1]).Get(i).Do(wasm.I32Add).Mem(wasm.F32Load, 0).Do(wasm.F64PromoteF32).Set(v)
			f.Get(rows[0]).Get(i).Do(wasm.I32Add)
			f.Get(v).Get(beta).Do(wasm.F64Mul)
			scalar(others[0])
			f.Call(e.softplus()).Get(v).Do(wasm.F64Mul).Get(v).Do(wasm.F64Mul)
			f.Get(beta)
			scalar(others[1])
			f.Call(e.softplus()).Do(wasm.F64Add)
			f.Get(v)
			scalar(others[3])
			f.Do(wasm.F64Min).Call(e.expm1()).Get(v).Do(wasm.F64Sub, wasm.F64Mul)
			f.Get(v).F64(0).Do(wasm.F64Gt, wasm.Select, wasm.F64Add, wasm.F32DemoteF64).Mem(wasm.F32Store, 0)
		})
	})
	e.call(f, g, o.Out[0].Type.Rows, args...)
	return nil
}

// expm1 is eˣ − 1: near zero a series, where the difference cancels.
func (e *emitter) expm1() *wasm.Func {
	exp := e.exp64()
	return e.sharedFunc("expm1", []wasm.Type{wasm.F64}, []wasm.Type{wasm.F64}, func(f *code) {
		x := wasm.Local(0)
		f.F64(0)
		for i := 7; i > 0; i-- { // x·(1 + x/2·(1 + x/3·(…)))
			f.F64(1).Do(wasm.F64Add).Get(x).F64(1/float64(i)).Do(wasm.F64Mul, wasm.F64Mul)
		}
		f.Get(x).Call(exp).F64(1).Do(wasm.F64Sub)
		f.Get(x).Do(wasm.F64Abs).F64(0.02).Do(wasm.F64Lt, wasm.Select)
	})
}

// log64 is ln x of a positive x: x = 2ᵏ·m with m within √2 of 1, ln m = 2·artanh((m−1)/(m+1)) as a series.
func (e *emitter) log64() *wasm.Func {
	return e.sharedFunc("log64", []wasm.Type{wasm.F64}, []wasm.Type{wasm.F64}, func(f *code) {
		x, s, q, bits := wasm.Local(0), f.Local(wasm.F64), f.Local(wasm.F64), f.Local(wasm.I64)
		const offset = 0x3fe6a09e667f3bcd // bits of √½
		f.Get(x).Do(wasm.I64ReinterpretF64).I64(offset).Do(wasm.I64Sub).I64(52).Do(wasm.I64ShrS).Set(bits)
		f.Get(x).Do(wasm.I64ReinterpretF64).Get(bits).I64(52).Do(wasm.I64Shl, wasm.I64Sub, wasm.F64ReinterpretI64).Set(x)
		f.Get(x).F64(1).Do(wasm.F64Sub).Get(x).F64(1).Do(wasm.F64Add, wasm.F64Div).Tee(s).Get(s).Do(wasm.F64Mul).Set(q)
		f.F64(0)
		for i := 23; i > 0; i -= 2 {
			f.Get(q).Do(wasm.F64Mul).F64(1 / float64(i)).Do(wasm.F64Add)
		}
		f.Get(s).Do(wasm.F64Mul).F64(2).Do(wasm.F64Mul)
		f.Get(bits).Do(wasm.F64ConvertI64S).F64(6.93147180559945309417e-01).Do(wasm.F64Mul, wasm.F64Add)
	})
}
