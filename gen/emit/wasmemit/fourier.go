package wasmemit

import (
	"fmt"
	"math"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/plan"
)

// Fourier transforms of rows and of sequences (Lee-Thorp et al. 2022, FNet), in float64: Stockham's algorithm for any factors,
// decimation in frequency, as in runtime/portable (Van Loan 1992). Numbers are complex, 16 bytes each.

// spectrumLength is the number of complex numbers of each of the three lists of a thread's scratch memory: what is transformed, work,
// and the roots of unity.
func spectrumLength(g *ir.Graph, rows int) (n int) {
	for _, o := range g.Ops {
		switch o.Kind {
		case "row_spectrum":
			n = max(n, o.In[0].Type.Width())
		case "sequence_spectrum":
			n = max(n, rows)
		}
	}
	return n
}

// spectrum are the lists of a transform of n numbers.
type spectrum struct {
	*code
	a, work, roots, n wasm.Local
}

// spectrumIn begins a transform: n is set.
func (e *emitter) spectrumIn(f *code) *spectrum {
	s := &spectrum{f, f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)}
	bytes := 16 * spectrumLength(e.Plan.Graph, e.Plan.Limits.Tokens)
	f.GetGlobal(e.scratch).Tee(s.a).I32(bytes).Do(wasm.I32Add).Tee(s.work).I32(bytes).Do(wasm.I32Add).Set(s.roots)
	return s
}

// fillRoots writes the n roots of unity e^(−2πik/n).
func (s *spectrum) fillRoots() {
	k, p, cos := s.Local(wasm.I32), s.Local(wasm.I32), s.Local(wasm.F64)
	s.I32(0).Set(k).Get(s.roots).Set(p)
	s.while(func() { s.Get(k).Get(s.n).Do(wasm.I32LtS) }, func() {
		s.Get(k).Do(wasm.F64ConvertI32S).F64(-2*math.Pi).Do(wasm.F64Mul).Get(s.n).Do(wasm.F64ConvertI32S, wasm.F64Div).Call(s.e.sincos()).Set(cos)
		sin := s.doublesOf("sin", 1)[0]
		s.Set(sin).Get(p).Get(cos).Mem(wasm.F64Store, 0).Get(p).Get(sin).Mem(wasm.F64Store, 8)
		s.add(p, 16)
		s.add(k, 1)
	})
}

// transform replaces what stands at a by its transform.
func (s *spectrum) transform() { s.Get(s.a).Get(s.work).Get(s.roots).Get(s.n).Call(s.e.dft()) }

// doublesOf is vectors for variables of float64.
func (f *code) doublesOf(name string, n int) []wasm.Local {
	name = "double " + name
	for len(f.pool[name]) < n {
		f.pool[name] = append(f.pool[name], f.Local(wasm.F64))
	}
	return f.pool[name][:n]
}

// rowSpectrum emits the transform of every row: real, then imaginary parts of coefficients 0 … d/2.
func (e *emitter) rowSpectrum(f *code, s plan.Step) error {
	o, d := s.Op, s.Op.In[0].Type.Width()
	half := d/2 + 1
	y, ldy := e.address(o.Out[0])
	x, ldx := e.address(o.In[0])
	g := e.rowwise(fmt.Sprintf("rowSpectrum %d %d %d", d, ldy, ldx), []int{ldy, ldx}, 0, func(f *code, rows, _ []wasm.Local) {
		t, i := e.spectrumIn(f), f.Local(wasm.I32)
		f.I32(d).Set(t.n)
		t.fillRoots()
		f.steps(i, 0, d, 1, func() {
			at := func() { f.Get(t.a).Get(i).I32(4).Do(wasm.I32Shl, wasm.I32Add) }
			at()
			f.Get(rows[1]).Get(i).I32(2).Do(wasm.I32Shl, wasm.I32Add).Mem(wasm.F32Load, 0).Do(wasm.F64PromoteF32).Mem(wasm.F64Store, 0)
			at()
			f.F64(0).Mem(wasm.F64Store, 8)
		})
		t.transform()
		f.steps(i, 0, half, 1, func() {
			for part := range 2 {
				f.Get(rows[0]).Get(i).I32(2).Do(wasm.I32Shl, wasm.I32Add)
				f.Get(t.a).Get(i).I32(4).Do(wasm.I32Shl, wasm.I32Add).Mem(wasm.F64Load, 8*part).Do(wasm.F32DemoteF64).Mem(wasm.F32Store, 4*half*part)
			}
		})
	})
	e.call(f, g, o.Out[0].Type.Rows, y, x)
	return nil
}

// sequenceSpectrum emits the real part of the transform over the rows of each sequence, for coefficients 0 … d/2 of the rows and
// those that mirror them. Threads share the coefficients.
func (e *emitter) sequenceSpectrum(f *code, s plan.Step) error {
	o, d := s.Op, s.Op.Attrs.Int("dim")
	y, ldy := e.address(o.Out[0])
	x, ldx := e.address(o.In[0])
	g := e.sharedFunc(fmt.Sprintf("sequenceSpectrum %d %d %d", d, ldy, ldx), words(2), nil, func(f *code) {
		c := &columnSpectrum{spectrum: e.spectrumIn(f), d: d, half: d/2 + 1, ldy: ldy, ldx: ldx, k: f.Local(wasm.I32), t: f.Local(wasm.I32), x: f.Local(wasm.I32), y: f.Local(wasm.I32)}
		state, from, end := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
		f.I32(c.half).Set(end)
		f.share(end, from)
		f.Get(end).Get(from).Do(wasm.I32Add).Set(end)
		f.segments(state, func(start, rows, _ wasm.Local, _ cache) {
			f.Get(rows).Set(c.n)
			c.fillRoots()
			f.Get(1).Get(start).I32(ldx).Do(wasm.I32Mul, wasm.I32Add).Set(c.x)
			f.Get(0).Get(start).I32(ldy).Do(wasm.I32Mul, wasm.I32Add).Set(c.y)
			f.Get(from).Set(c.k)
			f.while(func() { f.Get(c.k).Get(end).Do(wasm.I32LtS) }, func() {
				c.gather()
				c.transform()
				c.scatter()
				f.add(c.k, 1)
			})
		})
	})
	f.I32(y).I32(x).Call(g)
	return nil
}

// columnSpectrum is the transform of coefficient k of all rows of a sequence.
type columnSpectrum struct {
	*spectrum
	d, half, ldy, ldx int
	k, t, x, y        wasm.Local
}

// each runs body for every row t of the sequence.
func (c *columnSpectrum) each(body func()) {
	c.I32(0).Set(c.t)
	c.while(func() { c.Get(c.t).Get(c.n).Do(wasm.I32LtS) }, func() {
		body()
		c.add(c.t, 1)
	})
}

func (c *columnSpectrum) gather() {
	c.each(func() {
		for part := range 2 {
			c.Get(c.a).Get(c.t).I32(4).Do(wasm.I32Shl, wasm.I32Add)
			c.Get(c.x).Get(c.t).I32(c.ldx).Do(wasm.I32Mul, wasm.I32Add).Get(c.k).I32(2).Do(wasm.I32Shl, wasm.I32Add)
			c.Mem(wasm.F32Load, 4*c.half*part).Do(wasm.F64PromoteF32).Mem(wasm.F64Store, 8*part)
		}
	})
}

func (c *columnSpectrum) scatter() {
	value := func() {
		c.Get(c.a).Get(c.t).I32(4).Do(wasm.I32Shl, wasm.I32Add).Mem(wasm.F64Load, 0).Do(wasm.F32DemoteF64).Mem(wasm.F32Store, 0)
	}
	c.each(func() {
		c.Get(c.y).Get(c.t).I32(c.ldy).Do(wasm.I32Mul, wasm.I32Add).Get(c.k).I32(2).Do(wasm.I32Shl, wasm.I32Add)
		value()
		c.Get(c.k).I32(0).Do(wasm.I32GtS).I32(c.d).Get(c.k).Do(wasm.I32Sub).I32(c.half).Do(wasm.I32GeS, wasm.I32And).If(func() {
			c.Get(c.y).Get(c.n).Get(c.t).Do(wasm.I32Sub).Get(c.n).Do(wasm.I32RemU).I32(c.ldy).Do(wasm.I32Mul, wasm.I32Add)
			c.I32(c.d).Get(c.k).Do(wasm.I32Sub).I32(2).Do(wasm.I32Shl, wasm.I32Add)
			value()
		})
	})
}

// dft returns the function of (a, work, roots, n) that transforms a in place: one pass for each factor.
func (e *emitter) dft() *wasm.Func {
	return e.sharedFunc("dft", words(4), nil, func(f *code) {
		a, work, roots, n := wasm.Local(0), wasm.Local(1), wasm.Local(2), wasm.Local(3)
		x, y, t := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
		left, stride, p := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
		f.Get(a).Set(x).Get(work).Set(y).Get(n).Set(left).I32(1).Set(stride)
		f.while(func() { f.Get(left).I32(1).Do(wasm.I32GtS) }, func() {
			f.factor(left, p)
			f.Get(left).Get(p).Do(wasm.I32DivU).Set(left)
			f.Get(y).Get(x).Get(roots).Get(p).Get(left).Get(stride).Get(n).Call(e.fourierPass())
			f.Get(stride).Get(p).Do(wasm.I32Mul).Set(stride)
			f.Get(x).Set(t).Get(y).Set(x).Get(t).Set(y)
		})
		f.Get(x).Get(a).Do(wasm.I32Ne).If(func() { f.Get(a).Get(x).Get(n).I32(4).Do(wasm.I32Shl).Copy() })
	})
}

// factor sets p to 4, or to the smallest prime factor of n.
func (f *code) factor(n, p wasm.Local) {
	f.Get(n).I32(3).Do(wasm.I32And, wasm.I32Eqz).IfElse(func() { f.I32(4).Set(p) }, func() {
		f.I32(2).Set(p)
		f.while(func() { f.Get(n).Get(p).Do(wasm.I32RemU) }, func() {
			f.add(p, 1)
			f.Get(p).Get(p).Do(wasm.I32Mul).Get(n).Do(wasm.I32GtU).If(func() { f.Get(n).Set(p) })
		})
	})
}

// fourierPass returns the function of (y, x, roots, p, m, stride, n) that does one pass of radix p: for each q < m the butterflies of
// the elements q, q+m, … of stride interleaved sequences.
func (e *emitter) fourierPass() *wasm.Func {
	return e.sharedFunc("fourierPass", words(7), nil, func(f *code) {
		y, x, roots, p, m, stride, n := wasm.Local(0), wasm.Local(1), wasm.Local(2), wasm.Local(3), wasm.Local(4), wasm.Local(5), wasm.Local(6)
		q, u, r, t, k := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
		sum, v := f.Local(wasm.V128), f.Local(wasm.V128)
		complexAt := func(list wasm.Local, index func()) {
			f.Get(list)
			index()
			f.I32(4).Do(wasm.I32Shl, wasm.I32Add).Mem(wasm.V128Load, 0)
		}
		below := func(i, end wasm.Local, body func()) {
			f.I32(0).Set(i)
			f.while(func() { f.Get(i).Get(end).Do(wasm.I32LtS) }, func() {
				body()
				f.add(i, 1)
			})
		}
		below(q, m, func() {
			below(u, p, func() {
				below(r, stride, func() {
					complexAt(x, func() { f.Get(r).Get(stride).Get(q).Do(wasm.I32Mul, wasm.I32Add) })
					f.Set(sum).I32(0).Set(k).I32(1).Set(t)
					f.while(func() { f.Get(t).Get(p).Do(wasm.I32LtS) }, func() {
						f.Get(k).Get(u).Get(n).Get(p).Do(wasm.I32DivU, wasm.I32Mul, wasm.I32Add).Get(n).Do(wasm.I32RemU).Set(k)
						f.Get(sum)
						complexAt(x, func() {
							f.Get(r).Get(stride).Get(q).Get(m).Get(t).Do(wasm.I32Mul, wasm.I32Add, wasm.I32Mul, wasm.I32Add)
						})
						f.Set(v)
						f.complexMul(v, func() { complexAt(roots, func() { f.Get(k) }) })
						f.Do(wasm.F64x2Add).Set(sum)
						f.add(t, 1)
					})
					f.Get(y).Get(r).Get(stride).Get(p).Get(q).Do(wasm.I32Mul).Get(u).Do(wasm.I32Add, wasm.I32Mul, wasm.I32Add).I32(4).Do(wasm.I32Shl, wasm.I32Add)
					f.complexMul(sum, func() { complexAt(roots, func() { f.Get(q).Get(u).Do(wasm.I32Mul).Get(stride).Do(wasm.I32Mul) }) })
					f.Mem(wasm.V128Store, 0)
				})
			})
		})
	})
}

// complexMul pushes the product of the complex number in v and the one that w pushes.
func (f *code) complexMul(v wasm.Local, w func()) {
	other := f.vectors("complex", 1)[0]
	w()
	f.Set(other)
	f.Get(v).Get(v).Shuffle(0, 1, 0, 1).Get(other).Do(wasm.F64x2Mul) // re·(a, b)
	f.Get(v).Get(v).Shuffle(2, 3, 2, 3).Get(other).Get(other).Shuffle(2, 3, 0, 1)
	f.Words(0, 1<<31, 0, 0).Do(wasm.V128Xor, wasm.F64x2Mul, wasm.F64x2Add) // + im·(−b, a)
}
