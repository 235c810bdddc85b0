package wasmemit

import (
	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
)

// code is a function of the module with what all functions of a model need to write themselves.
type code struct {
	*wasm.Func
	e    *emitter
	pool map[string][]wasm.Local
}

// vectors returns n vector variables. Those of one name are the same for the whole function.
func (f *code) vectors(name string, n int) []wasm.Local {
	for len(f.pool[name]) < n {
		f.pool[name] = append(f.pool[name], f.Local(wasm.V128))
	}
	return f.pool[name][:n]
}

// integers is vectors for variables of 32 bits.
func (f *code) integers(name string, n int) []wasm.Local {
	name = "integer " + name
	for len(f.pool[name]) < n {
		f.pool[name] = append(f.pool[name], f.Local(wasm.I32))
	}
	return f.pool[name][:n]
}

// add increases a local.
func (f *code) add(l wasm.Local, n int) {
	if n != 0 {
		f.Get(l).I32(n).Do(wasm.I32Add).Set(l)
	}
}

// while runs body as long as cond leaves a number other than zero on the stack.
func (f *code) while(cond, body func()) {
	f.Block(func() {
		f.Loop(func() {
			cond()
			f.Do(wasm.I32Eqz).BrIf(1)
			body()
			f.Br(0)
		})
	})
}

// repeat runs body n times, at least once; n is zero afterwards.
func (f *code) repeat(n wasm.Local, body func()) {
	f.Loop(func() {
		body()
		f.Get(n).I32(1).Do(wasm.I32Sub).Tee(n).BrIf(0)
	})
}

// steps runs body for i = from, from+step, … below to, both literal; at least one step is needed.
func (f *code) steps(i wasm.Local, from, to, step int, body func()) {
	if from >= to {
		return
	}
	f.I32(from).Set(i)
	f.Loop(func() {
		body()
		f.Get(i).I32(step).Do(wasm.I32Add).Tee(i).I32(to).Do(wasm.I32LtS).BrIf(0)
	})
}

// madd leaves a·b + acc in acc: fused where the variant has it.
func (f *code) madd(acc wasm.Local, a, b func()) {
	if f.e.Relaxed {
		a()
		b()
		f.Get(acc).Do(wasm.F32x4RelaxedMadd).Set(acc)
		return
	}
	f.Get(acc)
	a()
	b()
	f.Do(wasm.F32x4Mul, wasm.F32x4Add).Set(acc)
}

// share narrows 0 … n to this thread's part: from is set, n becomes the number of units.
func (f *code) share(n, from wasm.Local) {
	if !f.e.Threads {
		return
	}
	end := func(next int) {
		f.Get(n).GetGlobal(f.e.thread).I32(next).Do(wasm.I32Add, wasm.I32Mul).GetGlobal(f.e.threads).Do(wasm.I32DivU)
	}
	end(0)
	f.Set(from)
	end(1)
	f.Get(from).Do(wasm.I32Sub).Set(n)
}

// forward moves a pointer by from units of stride bytes.
func (f *code) forward(pointer, from wasm.Local, stride int) {
	if f.e.Threads && stride != 0 {
		f.Get(pointer).Get(from).I32(stride).Do(wasm.I32Mul, wasm.I32Add).Set(pointer)
	}
}

// rowwise returns a function that computes each row of its result from the same row of its operands. Its parameters are
// pointers to rows with the given strides in bytes, others, and the number of rows, of which each thread takes a share.
func (e *emitter) rowwise(key string, strides []int, others int, row func(f *code, rows, others []wasm.Local)) *wasm.Func {
	return e.sharedFunc(key, words(len(strides)+others+1), nil, func(f *code) {
		pointers := make([]wasm.Local, len(strides)+others+1)
		for i := range pointers {
			pointers[i] = wasm.Local(i)
		}
		n, from := pointers[len(pointers)-1], f.Local(wasm.I32)
		f.share(n, from)
		for i, s := range strides {
			f.forward(pointers[i], from, s)
		}
		f.Get(n).If(func() {
			f.repeat(n, func() {
				row(f, pointers[:len(strides)], pointers[len(strides):len(strides)+others])
				for i, s := range strides {
					f.add(pointers[i], s)
				}
			})
		})
	})
}

// column is the part of a row that a loop works on: four elements, or one at the end of a row.
type column struct {
	*code
	offset wasm.Local // bytes from the beginning of the row
	single bool
}

// columns runs body over the columns of a row of width elements.
func (f *code) columns(width int, body func(c column)) {
	offset := f.Local(wasm.I32)
	whole := width &^ 3 * 4
	f.steps(offset, 0, whole, 16, func() { body(column{f, offset, false}) })
	f.steps(offset, whole, width*4, 4, func() { body(column{f, offset, true}) })
}

// load pushes the elements at the column, zeros behind a single one.
func (c column) load(pointer wasm.Local) *wasm.Func { return c.loadAt(pointer, 0) }

// loadAt is load for a row that begins so many bytes behind a pointer.
func (c column) loadAt(pointer wasm.Local, bytes int) *wasm.Func {
	c.Get(pointer).Get(c.offset).Do(wasm.I32Add)
	if c.single {
		return c.Mem(wasm.V128Load32Zero, bytes)
	}
	return c.Mem(wasm.V128Load, bytes)
}

// loadTiled is load for one row of a matrix in tiles of 16 rows, where the elements of a row are 64 bytes apart; vector is scratch.
func (c column) loadTiled(pointer, vector wasm.Local) *wasm.Func {
	at := func() { c.Get(pointer).Get(c.offset).I32(4).Do(wasm.I32Shl, wasm.I32Add) }
	at()
	c.Mem(wasm.V128Load32Zero, 0)
	if c.single {
		return c.Func
	}
	for lane := 1; lane < 4; lane++ {
		c.Set(vector)
		at()
		c.Get(vector).MemLane(wasm.V128Load32Lane, 64*lane, lane)
	}
	return c.Func
}

// store writes what value pushes.
func (c column) store(pointer wasm.Local, value func()) { c.storeAt(pointer, 0, value) }

// storeAt is store for a row that begins so many bytes behind a pointer.
func (c column) storeAt(pointer wasm.Local, bytes int, value func()) {
	c.Get(pointer).Get(c.offset).Do(wasm.I32Add)
	value()
	if c.single {
		c.MemLane(wasm.V128Store32Lane, bytes, 0)
	} else {
		c.Mem(wasm.V128Store, bytes)
	}
}

// doubles pushes the lower or upper two lanes of a vector as float64.
func (f *code) doubles(v wasm.Local, upper bool) {
	f.Get(v)
	if upper {
		f.Get(v).Shuffle(2, 3, 2, 3)
	}
	f.Do(wasm.F64x2PromoteLow)
}

// sumDoubles pushes the sum of all lanes of two vectors of float64.
func (f *code) sumDoubles(a, b wasm.Local) {
	f.Get(a).Get(b).Do(wasm.F64x2Add).Tee(a)
	f.Lane(wasm.F64x2Extract, 0).Get(a).Lane(wasm.F64x2Extract, 1).Do(wasm.F64Add)
}

// sumLanes pushes the sum of the four lanes of a vector.
func (f *code) sumLanes(v wasm.Local) {
	f.Get(v).Get(v).Get(v).Shuffle(2, 3, 2, 3).Do(wasm.F32x4Add).Tee(v)
	f.Lane(wasm.F32x4Extract, 0).Get(v).Lane(wasm.F32x4Extract, 1).Do(wasm.F32Add)
}
