package wasmemit

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/plan"
	"github.com/tfgen/tfgen/runtime/quant"
)

// Products with quantised weights follow package runtime/quant: inputs are quantised to 8 bits in blocks of 32 columns,
// products of integers are exact, and groups are added in order, so that results have the bits of the portable Go kernels.

// quantize emits the operation that brings rows to 8 bits. Where Go keeps two sums of 16 columns, the sum of both stands
// here as one integer.
func (e *emitter) quantize(f *code, s plan.Step) error {
	o := s.Op
	k := o.In[0].Type.Width()
	yAt, yStride := e.address(o.Out[0])
	xAt, xStride := e.address(o.In[0])
	e.call(f, e.quantizeRows(k, yStride, xStride), o.Out[0].Type.Rows, yAt, xAt)
	return nil
}

// quantizeRows returns the function that quantises rows of k columns.
func (e *emitter) quantizeRows(k, yStride, xStride int) *wasm.Func {
	quantize := e.quantizeRow(k)
	return e.rowwise(fmt.Sprintf("quantize %d %d %d", k, yStride, xStride), []int{yStride, xStride}, 0, func(f *code, rows, _ []wasm.Local) {
		f.Get(rows[0]).Get(rows[1]).Call(quantize)
	})
}

// quantizeRow returns the function of (y, x) that quantises one row.
func (e *emitter) quantizeRow(k int) *wasm.Func {
	return e.sharedFunc(fmt.Sprintf("quantize %d", k), words(2), nil, func(f *code) {
		q := &quantizer{code: f, k: k, y: 0, x: 1, codes: f.Local(wasm.I32), scales: f.Local(wasm.I32),
			values: f.Locals(wasm.V128, 8), top: f.Local(wasm.V128), v: f.Local(wasm.V128), d: f.Local(wasm.F32), sum: f.Local(wasm.I32)}
		left := f.Local(wasm.I32)
		f.Get(q.y).Tee(q.codes).Set(q.scales)
		if whole := k / quant.Block; whole > 0 {
			f.I32(whole).Set(left)
			f.repeat(left, func() { q.block(quant.Block) })
		}
		if k%quant.Block > 0 {
			q.block(k % quant.Block)
		}
		if (k+quant.Block-1)/quant.Block*quant.Block < quant.ActivationColumns(k) {
			q.block(0)
		}
	})
}

// quantizer emits the quantisation of a block.
type quantizer struct {
	*code
	k              int
	y, x           wasm.Local
	codes, scales  wasm.Local // where the next codes go; scales, sums and sums of 16 columns have the same distance for all blocks
	values         []wasm.Local
	top, v, d, sum wasm.Local
}

// block quantises n ≤ 32 columns; the other codes of the block are zero.
func (q *quantizer) block(n int) {
	q.V(0).Set(q.top)
	for i, v := range q.values {
		if 4*i >= n {
			q.V(0).Set(v)
			continue
		}
		q.load(v, i, min(4, n-4*i))
		q.Get(v).Do(wasm.F32x4Abs).Get(q.top).Do(wasm.I32x4MaxU).Set(q.top)
	}
	for _, other := range [][]int{{2, 3, 0, 1}, {1, 0, 3, 2}} {
		q.Get(q.top).Get(q.top).Get(q.top).Shuffle(other...).Do(wasm.I32x4MaxU).Set(q.top)
	}
	q.Get(q.top).Lane(wasm.F32x4Extract, 0).Set(q.d)
	q.F32(127).Get(q.d).Do(wasm.F32Div).F32(0).Get(q.d).F32(1e-30).Do(wasm.F32Ge, wasm.Select, wasm.F32x4Splat).Set(q.top)
	q.Get(q.d).F32(127).Do(wasm.F32Div).Set(q.d)
	for _, v := range q.values {
		q.Get(v).Get(q.top).Do(wasm.F32x4Mul, wasm.F32x4Nearest, wasm.I32x4TruncSatF32).Set(v)
	}
	q.store()
	q.add(q.x, 4*n)
	q.add(q.codes, quant.Block)
	q.add(q.scales, 4)
}

// load sets v to elements of vector i of the block: n ≤ 4, zeros behind them.
func (q *quantizer) load(v wasm.Local, i, n int) {
	if n == 4 {
		q.Get(q.x).Mem(wasm.V128Load, 16*i).Set(v)
		return
	}
	q.Get(q.x).Mem(wasm.V128Load32Zero, 16*i).Set(v)
	for lane := 1; lane < n; lane++ {
		q.Get(q.x).Get(v).MemLane(wasm.V128Load32Lane, 16*i+4*lane, lane).Set(v)
	}
}

// store writes codes, scale and sums of a block.
func (q *quantizer) store() {
	q.I32(0).Set(q.sum)
	for half := range 2 {
		v := q.values[4*half : 4*half+4]
		q.Get(q.codes)
		q.Get(v[0]).Get(v[1]).Do(wasm.I16x8NarrowI32).Get(v[2]).Get(v[3]).Do(wasm.I16x8NarrowI32, wasm.I8x16NarrowI16)
		q.Mem(wasm.V128Store, 16*half)
		q.Get(v[0]).Get(v[1]).Do(wasm.I32x4Add).Get(v[2]).Do(wasm.I32x4Add).Get(v[3]).Do(wasm.I32x4Add).Set(q.v)
		q.Get(q.v).Get(q.v).Get(q.v).Shuffle(2, 3, 0, 1).Do(wasm.I32x4Add).Tee(q.v)
		q.Lane(wasm.I32x4Extract, 0).Get(q.v).Lane(wasm.I32x4Extract, 1).Do(wasm.I32Add).Set(q.last())
		q.Get(q.codes).Get(q.y).Do(wasm.I32Sub).I32(2).Do(wasm.I32ShrU).Get(q.y).Do(wasm.I32Add) // 4 bytes for 16 codes
		q.Get(q.last()).Mem(wasm.I32Store, quant.PairsAt(q.k)+4*half)
		q.Get(q.sum).Get(q.last()).Do(wasm.I32Add).Set(q.sum)
	}
	q.Get(q.scales).Get(q.d).Mem(wasm.F32Store, quant.ScalesAt(q.k))
	q.Get(q.scales).Get(q.d).Get(q.sum).Do(wasm.F32ConvertI32S, wasm.F32Mul).Mem(wasm.F32Store, quant.SumsAt(q.k))
}

// last is the variable of the sum of 16 columns.
func (q *quantizer) last() wasm.Local { return q.integers("sum16", 1)[0] }

// quantRows are the numbers of rows that a product takes together.
var quantRows = []int{4, 1}

// quantProduct returns the function of a product with quantised weights; its parameters are those of gemm.
func (e *emitter) quantProduct(g gemm, q *quant.Format) *wasm.Func {
	return e.sharedFunc(fmt.Sprintf("gemm %+v", g), words(6), nil, func(f *code) {
		y, x, w, c, tiles, rows := wasm.Local(0), wasm.Local(1), wasm.Local(2), wasm.Local(3), wasm.Local(4), wasm.Local(5)
		quarter, yr, xr, cr, left := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
		f.Get(tiles).I32(0).Do(wasm.I32Eq).If(func() { f.Do(wasm.Return) })
		f.repeat(tiles, func() {
			f.steps(quarter, 0, 4, 1, func() { // 4 of the 16 outputs, whose weights stay in the first-level cache meanwhile
				f.Get(y).Set(yr).Get(x).Set(xr).Get(c).Set(cr).Get(rows).Set(left)
				for _, n := range quantRows {
					f.while(func() { f.Get(left).I32(n).Do(wasm.I32GeU) }, func() {
						b := newQuantBlock(f, g, q, n)
						b.compute(yr, xr, w, cr, quarter)
						f.add(yr, n*g.ldy)
						f.add(xr, n*g.ldx)
						f.add(cr, n*g.ldc)
						f.add(left, -n)
					})
				}
				f.add(y, 16)
				if g.start {
					f.add(c, 16)
				}
			})
			f.add(w, q.TileBytes(g.k))
		})
	})
}

// quantBlock emits rows × 4 outputs.
type quantBlock struct {
	*code
	gemm
	q    *quant.Format
	rows int

	x, scales, sums, sixteens    wasm.Local // of the first row: codes, scales, sums of 32 and of 16 columns
	unit, codes, header          wasm.Local // of the weights: unit, codes of the block, scales of the block for these 4 outputs
	outputs                      []wasm.Local
	dots                         []wasm.Local // two for each row, or one with relaxed dot products
	v, line, scale, offset       wasm.Local
	factor, offsetFactor, lo, hi wasm.Local
}

func newQuantBlock(f *code, g gemm, q *quant.Format, rows int) *quantBlock {
	i := f.integers("quant", 7)
	v := f.vectors("quant", 8)
	return &quantBlock{code: f, gemm: g, q: q, rows: rows, x: i[0], scales: i[1], sums: i[2], sixteens: i[3], unit: i[4], codes: i[5], header: i[6],
		outputs: f.vectors("output", rows), dots: f.vectors("dot", 2*rows), v: v[0], line: v[1], scale: v[2], offset: v[3], factor: v[4],
		offsetFactor: v[5], lo: v[6], hi: v[7]}
}

// fused reports whether codes go into relaxed dot products: numbers of at most 7 bits.
func (b *quantBlock) fused() bool { return b.e.Relaxed && b.q.Values == nil && b.q.Bits < 8 }

// compute runs over the units and blocks of a tile.
func (b *quantBlock) compute(y, x, w, c, quarter wasm.Local) {
	f, left, inUnit := b.code, b.integers("left", 2)[0], b.integers("left", 2)[1]
	for r, out := range b.outputs {
		if b.start {
			f.Get(c).Mem(wasm.V128Load, r*b.ldc).Set(out)
		} else {
			f.V(0).Set(out)
		}
	}
	f.Get(x).Tee(b.x).Tee(b.scales).Tee(b.sums).Set(b.sixteens).Get(w).Set(b.unit)
	f.I32(quant.ActivationColumns(b.k) / quant.Block).Set(left)
	blocks := b.q.Unit() / quant.Block
	f.while(func() { f.Get(left).I32(0).Do(wasm.I32GtS) }, func() {
		b.beginUnit(quarter)
		f.Get(left).I32(blocks).Get(left).I32(blocks).Do(wasm.I32LtS, wasm.Select).Set(inUnit)
		f.add(left, -blocks)
		f.repeat(inUnit, func() { b.block(quarter) })
		f.add(b.unit, b.q.UnitBytes())
	})
	for r, out := range b.outputs {
		f.Get(y).Get(out).Mem(wasm.V128Store, r*b.ldy)
	}
}

// beginUnit points to the codes and scales of a unit and reads the factors of its scales.
func (b *quantBlock) beginUnit(quarter wasm.Local) {
	f := b.code
	f.Get(b.unit).Get(quarter).I32(4).Do(wasm.I32Shl, wasm.I32Add).I32(b.q.HeaderBytes()).Do(wasm.I32Add).Set(b.codes)
	shift := 3 // scales of 16 bits
	if b.q.Super > 0 {
		shift = 2
		f.Get(b.unit).Get(quarter).I32(3).Do(wasm.I32Shl, wasm.I32Add).Tee(b.header)
		b.factors(0)
		f.Set(b.factor)
		if b.q.Min {
			f.Get(b.header)
			b.factors(2 * quant.Rows)
			f.Set(b.offsetFactor)
		}
	}
	f.Get(b.unit).Get(quarter).I32(shift).Do(wasm.I32Shl, wasm.I32Add).Set(b.header)
}

// factors pushes four scales of 16 bits that lie offset bytes behind the address on the stack.
func (b *quantBlock) factors(offset int) {
	b.Mem(wasm.V128Load16x4U, offset)
	if b.q.Wide {
		b.I32(16).Do(wasm.I32x4Shl)
	} else {
		b.Call(b.e.half())
	}
}

// half returns the function that turns four float16, one in each lane, into float32. The bits, moved to their places, are
// the number divided by 2¹¹², also for subnormal ones.
func (e *emitter) half() *wasm.Func {
	return e.vectorFunc("half", func(f *code, x wasm.Local) {
		f.Get(x).Words(0x7fff, 0x7fff, 0x7fff, 0x7fff).Do(wasm.V128And).I32(13).Do(wasm.I32x4Shl).V(0x1p112).Do(wasm.F32x4Mul)
		f.Get(x).Words(0x8000, 0x8000, 0x8000, 0x8000).Do(wasm.V128And).I32(16).Do(wasm.I32x4Shl, wasm.V128Or)
	})
}

// block adds the products of 32 columns.
func (b *quantBlock) block(quarter wasm.Local) {
	groups := quant.Block / b.q.Group
	for group := range groups {
		for _, d := range b.dots {
			b.V(0).Set(d)
		}
		quads := quant.Block / 4 / groups
		for i := range quads {
			b.quad(group*quads + i)
		}
		b.scales4(group)
		for r := range b.rows {
			b.row(r, group)
		}
	}
	b.add(b.x, quant.Block)
	b.add(b.scales, 4)
	b.add(b.sums, 4)
	b.add(b.sixteens, 8)
	b.add(b.codes, b.q.BlockBytes())
	b.add(b.header, groups*b.q.ScaleAt(1)-groups*b.q.ScaleAt(0))
}

// quad adds the products of 4 columns, whose codes are 16 bytes: 4 outputs by 4 columns.
func (b *quantBlock) quad(quad int) {
	for i, p := range b.q.Planes() {
		line, shift := p.Line(quad)
		b.Get(b.codes).Mem(wasm.V128Load, p.At+64*line)
		if shift > 0 {
			b.I32(shift).Do(wasm.I16x8ShrU)
		}
		if p.Bits < 8 {
			b.bytes(1<<p.Bits - 1).Do(wasm.V128And)
		}
		if p.Shift > 0 {
			b.I32(p.Shift).Do(wasm.I16x8Shl)
		}
		if i > 0 {
			b.Get(b.v).Do(wasm.V128Or)
		}
		b.Set(b.v)
	}
	if b.fused() {
		for r := range b.rows {
			b.Get(b.x).Mem(wasm.V128Load32Splat, r*b.ldx+4*quad).Get(b.v).Get(b.dots[2*r]).Do(wasm.I32x4RelaxedDotAdd).Set(b.dots[2*r])
		}
		return
	}
	b.signed()
	b.Get(b.v).Do(wasm.I16x8ExtendLoI8).Set(b.lo).Get(b.v).Do(wasm.I16x8ExtendHiI8).Set(b.hi)
	for r := range b.rows {
		b.Get(b.x).Mem(wasm.V128Load32Splat, r*b.ldx+4*quad).Do(wasm.I16x8ExtendLoI8).Set(b.line)
		for i, half := range []wasm.Local{b.lo, b.hi} {
			b.Get(half).Get(b.line).Do(wasm.I32x4DotI16).Get(b.dots[2*r+i]).Do(wasm.I32x4Add).Set(b.dots[2*r+i])
		}
	}
}

// bytes pushes sixteen equal bytes.
func (b *quantBlock) bytes(v int) *wasm.Func {
	w := uint32(v&0xff) * 0x01010101
	return b.Words(w, w, w, w)
}

// signed turns codes into the integers that they stand for.
func (b *quantBlock) signed() {
	switch {
	case b.q.Values != nil:
		var w [4]uint32
		for i, v := range b.q.Values {
			w[i/4] |= uint32(uint8(v)) << (8 * (i % 4))
		}
		b.Words(w[:]...).Get(b.v).Do(wasm.I8x16Swizzle).Set(b.v)
	case b.q.Zero > 0:
		b.Get(b.v)
		b.bytes(b.q.Zero).Do(wasm.I8x16Sub).Set(b.v)
	}
}

// scales4 sets the scales, and offsets if there are, of a group of the block.
func (b *quantBlock) scales4(group int) {
	read := func(at int, factor, to wasm.Local, signed bool) {
		b.Get(b.header)
		if b.q.Super == 0 {
			b.factors(at)
		} else {
			b.Mem(wasm.V128Load32Zero, at)
			if signed {
				b.Do(wasm.I16x8ExtendLoI8, wasm.I32x4ExtendLoI16)
			} else {
				b.Do(wasm.I16x8ExtendLoU8, wasm.I32x4ExtendLoU16)
			}
			b.Do(wasm.F32x4ConvertI32).Get(factor).Do(wasm.F32x4Mul)
		}
		b.Set(to)
	}
	read(b.q.ScaleAt(group), b.factor, b.scale, b.q.Signed)
	if b.q.Min {
		read(b.q.OffsetAt(group), b.offsetFactor, b.offset, false)
	}
}

// row adds the product of a group to the outputs of a row: dot · (scale · d), less offset · (d · Σ codes).
func (b *quantBlock) row(r, group int) {
	out, dot := b.outputs[r], b.dots[2*r]
	if b.fused() {
		if b.q.Zero > 0 {
			b.Get(dot)
			b.codeSum(r, group)
			b.I32(b.q.Zero).Do(wasm.I32Mul, wasm.I32x4Splat, wasm.I32x4Sub).Set(dot)
		}
	} else {
		b.Get(dot).Get(b.dots[2*r+1]).Shuffle(0, 2, 4, 6).Get(dot).Get(b.dots[2*r+1]).Shuffle(1, 3, 5, 7).Do(wasm.I32x4Add).Set(dot)
	}
	d := func() { b.Get(b.scales).Mem(wasm.V128Load32Splat, r*b.ldx+quant.ScalesAt(b.k)) }
	b.Get(out).Get(dot).Do(wasm.F32x4ConvertI32).Get(b.scale)
	d()
	b.Do(wasm.F32x4Mul, wasm.F32x4Mul, wasm.F32x4Add)
	if b.q.Min {
		b.Get(b.offset)
		if b.q.Group == quant.Block {
			b.Get(b.sums).Mem(wasm.V128Load32Splat, r*b.ldx+quant.SumsAt(b.k))
		} else {
			d()
			b.codeSum(r, group)
			b.Do(wasm.F32ConvertI32S, wasm.F32x4Splat, wasm.F32x4Mul)
		}
		b.Do(wasm.F32x4Mul, wasm.F32x4Sub)
	}
	b.Set(out)
}

// codeSum pushes the sum of the codes of a group of a row.
func (b *quantBlock) codeSum(r, group int) {
	at := r*b.ldx + quant.PairsAt(b.k)
	b.Get(b.sixteens).Mem(wasm.I32Load, at+4*group)
	if b.q.Group == quant.Block {
		b.Get(b.sixteens).Mem(wasm.I32Load, at+4).Do(wasm.I32Add)
	}
}
