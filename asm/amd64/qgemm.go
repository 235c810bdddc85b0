package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/runtime/quant"
)

// A quantProduct is the state of one qgemm lowering: rows of x quantised to 8 bits times weights of a quantised format.
//
// In every group of columns the product is an exact integer, so all instruction sets agree; float32 accumulators then
// take one multiply-add a group, in order. A vector lane belongs to one output: a line of codes is 4 columns of 16 rows.
type quantProduct struct {
	*function
	format  *quant.Format
	k       int
	parts   int                   // vectors in a tile of 16 outputs
	ways    integerProduct        // how codes and activations are multiplied
	fixed   map[string]operand.Op // constants in registers or memory
	rowAt   []reg.GPVirtual       // where the rows of x of the block begin
	acc     []reg.VecVirtual      // float32 accumulators, [row][part]; nil: they are in sums
	sums    operand.Mem           // float32 accumulators on the stack
	factor  operand.Mem           // [16] float32: factors of scales of the unit, on the stack
	lower   operand.Mem           // the same of offsets
	codes   reg.GPVirtual         // codes of the block
	header  reg.GPVirtual         // header of the unit, moved on by the scales of the blocks done
	column  reg.GPVirtual         // first column of the block
	scaleAt reg.GPVirtual         // column/8: the scale of the block from the first one of a row of x
	temps   map[string][]reg.VecVirtual
}

// qgemm writes y = c + x·w, one tile of weights after the other, each for all rows of x.
func qgemm(f *function, k kernel.Kernel) {
	format, err := quant.Lookup(k.S)
	if err != nil {
		panic(err)
	}
	p := &quantProduct{function: f, format: format, k: k.D[0], parts: kernel.Tile / f.lanes(), fixed: map[string]operand.Op{}}
	heights := p.heights()
	p.places(heights[0])
	y, c, left := p.AllocLocal(8), p.AllocLocal(8), p.AllocLocal(8)
	tiles, done := p.arg("tiles"), p.AllocLocal(8)
	w := p.arg("w")
	p.MOVQ(tiles, done)
	for _, v := range []struct {
		name string
		to   operand.Mem
	}{{"y", y}, {"c", c}} {
		p.MOVQ(p.arg(v.name), v.to)
	}
	s := rowPointers{x: p.GP64(), y: p.GP64(), c: p.GP64()}
	tile := p.label("tile")
	for _, v := range []struct {
		from operand.Op
		to   reg.GPVirtual
	}{{p.argument("x"), s.x}, {y, s.y}, {c, s.c}} {
		p.MOVQ(v.from, v.to)
	}
	rows := p.arg("rows")
	p.MOVQ(rows, left)
	p.rowBlocks(heights, s, w, left)
	p.Comment("Next tile.")
	p.add64(format.TileBytes(p.k), w)
	p.ADDQ(imm(64), y)
	p.ADDQ(imm(64), c)
	p.DECQ(done)
	p.JNZ(tile)
}

// places prepares constants and memory for up to so many rows at a time.
func (p *quantProduct) places(rows int) {
	if p.format.Whole {
		p.constant("ones", 0x00010001)
		p.sums = p.AllocLocal(64 * rows)
		return
	}
	p.ways = p.chooseProduct()
	p.prepare()
	p.sums = p.AllocLocal(64 * rows)
	p.factor, p.lower = p.AllocLocal(64), p.AllocLocal(64)
}

// rowPointers are the first rows that are not done yet.
type rowPointers struct{ x, y, c reg.GPVirtual }

// heights are the numbers of rows that one pass over a tile serves, the largest first.
func (p *quantProduct) heights() []int {
	list := []int{p.cut.Rows}
	for n := 8; n > 0; n /= 2 {
		if n < p.cut.Rows {
			list = append(list, n)
		}
	}
	return list
}

// rowBlocks computes all rows for one tile.
func (p *quantProduct) rowBlocks(heights []int, s rowPointers, w reg.GPVirtual, left operand.Mem) {
	for i, n := range heights {
		next := p.newLabel("fewer")
		p.CMPQ(left, imm(n))
		p.JLT(next)
		loop := p.label("rows")
		p.block(n, s, w)
		p.advance(n, s)
		p.SUBQ(imm(n), left)
		if i == 0 {
			p.CMPQ(left, imm(n))
			p.JGE(loop)
		}
		p.Label(string(next))
	}
}

// advance moves the pointers down by n rows.
func (p *quantProduct) advance(n int, s rowPointers) {
	r := p.GP64()
	for _, v := range []struct {
		p  reg.GPVirtual
		ld string
	}{{s.x, "ldx"}, {s.y, "ldy"}, {s.c, "ldc"}} {
		p.MOVQ(p.argument(v.ld), r)
		p.IMUL3Q(imm(4*n), r, r)
		p.ADDQ(r, v.p)
	}
}

// distance is how far ahead of their use weights are fetched by the block of rows in work.
func (p *quantProduct) distance() int {
	if len(p.rowAt) == 1 {
		return p.cut.Prefetch
	}
	return p.cut.Ahead
}

// block computes n rows × 16 outputs.
func (p *quantProduct) block(n int, s rowPointers, w reg.GPVirtual) {
	p.temps = map[string][]reg.VecVirtual{}
	if p.format.Whole {
		p.wholeRows(n, s, w)
		return
	}
	p.Commentf("%s: start from c.", describe(n, 1))
	p.acc = nil
	if n == 1 || p.isa == AVX512 {
		p.acc = p.vecs(n * p.parts)
	}
	p.loadSums(n, s.c)
	p.pointToRows(n, s.x)
	p.codes, p.column, p.scaleAt = p.GP64(), p.GP64(), p.GP64()
	p.XORQ(p.column, p.column)
	p.XORQ(p.scaleAt, p.scaleAt)
	p.MOVQ(w, p.codes)
	if p.format.Super == 0 {
		p.plainUnits()
	} else {
		p.superUnits()
	}
	p.storeSums(n, s.y)
}

// pointToRows sets the pointers to n rows of x.
func (p *quantProduct) pointToRows(n int, x reg.GPVirtual) {
	p.rowAt = make([]reg.GPVirtual, n)
	p.rowAt[0] = x
	ld := p.stride("ldx", 4)
	for r := 1; r < n; r++ {
		p.rowAt[r] = p.GP64()
		p.LEAQ(at(p.rowAt[r-1], 0).Idx(ld, 1), p.rowAt[r])
	}
}

// loadSums starts the accumulators from rows of c.
func (p *quantProduct) loadSums(n int, c reg.GPVirtual) {
	row, ld := p.GP64(), p.stride("ldc", 4)
	p.MOVQ(c, row)
	for r := range n {
		for h := range p.parts {
			v := p.temp("copy", 1)[0]
			if p.acc != nil {
				v = p.acc[r*p.parts+h]
			}
			p.VMOVUPS(at(row, h*p.width()), v)
			if p.acc == nil {
				p.VMOVUPS(v, p.sums.Offset(64*r+h*p.width()))
			}
		}
		if r+1 < n {
			p.ADDQ(ld, row)
		}
	}
}

// storeSums writes the accumulators to rows of y.
func (p *quantProduct) storeSums(n int, y reg.GPVirtual) {
	p.Comment("Store the outputs.")
	row, ld := p.GP64(), p.stride("ldy", 4)
	p.MOVQ(y, row)
	for r := range n {
		for h := range p.parts {
			v := p.temp("copy", 1)[0]
			if p.acc != nil {
				v = p.acc[r*p.parts+h]
			} else {
				p.VMOVUPS(p.sums.Offset(64*r+h*p.width()), v)
			}
			p.VMOVUPS(v, at(row, h*p.width()))
		}
		if r+1 < n {
			p.ADDQ(ld, row)
		}
	}
}

// temp returns n registers that all steps of a block of this name share: avo's time grows with their number.
func (p *quantProduct) temp(name string, n int) []reg.VecVirtual {
	if len(p.temps[name]) < n {
		p.temps[name] = append(p.temps[name], p.vecs(n-len(p.temps[name]))...)
	}
	return p.temps[name][:n]
}

// plainUnits writes the loop over units of two blocks with f16 scales of their own.
func (p *quantProduct) plainUnits() {
	f := p.format
	unit := p.codes // the unit begins with its header
	p.header = unit
	loop := p.label("unit")
	for b := range 2 {
		p.Commentf("Block %d of the unit.", b)
		p.columns32(f.HeaderBytes()+b*f.BlockBytes(), b)
	}
	p.Comment("Next unit.")
	p.ADDQ(imm(f.UnitBytes()), unit)
	p.ADDQ(imm(2*quant.Block), p.column)
	p.ADDQ(imm(2*4), p.scaleAt)
	p.CMPQ(p.column, imm(f.Columns(p.k)))
	p.JLT(loop)
}

// superUnits writes the loops over units whose scales share a factor, and over the blocks in a unit.
func (p *quantProduct) superUnits() {
	f := p.format
	p.header = p.GP64()
	units := p.label("unit")
	p.Comment("The factors of the unit.")
	for h := range p.parts {
		v := p.temp("copy", 1)[0]
		p.half(at(p.codes, h*p.width()/2), v)
		p.VMOVUPS(v, p.factor.Offset(h*p.width()))
		if f.Min {
			p.half(at(p.codes, 32+h*p.width()/2), v)
			p.VMOVUPS(v, p.lower.Offset(h*p.width()))
		}
	}
	p.MOVQ(p.codes, p.header)
	p.ADDQ(imm(f.HeaderBytes()), p.codes)
	blocks := p.label("block")
	p.columns32(0, 0)
	p.ADDQ(imm(f.BlockBytes()), p.codes)
	p.ADDQ(imm(quant.Block/f.Group*quant.Rows), p.header)
	p.ADDQ(imm(quant.Block), p.column)
	p.ADDQ(imm(4), p.scaleAt)
	p.TESTQ(operand.U32(f.Super-1), p.column)
	p.JNZ(blocks)
	p.Comment("Next unit.")
	p.CMPQ(p.column, imm(p.k))
	p.JLT(units)
}

// half reads factors of 16 bits and widens them.
func (p *quantProduct) half(from operand.Mem, v reg.VecVirtual) {
	if p.format.Wide {
		p.VPMOVZXWD(from, v)
		p.VPSLLD(operand.U8(16), v, v)
		return
	}
	p.VCVTPH2PS(from, v)
}

// columns32 adds the products of block b of the unit, whose codes are at displacement at, to all accumulators.
func (p *quantProduct) columns32(disp, b int) {
	n := len(p.rowAt)
	for line := 0; line < p.format.BlockBytes(); line += 64 {
		p.prefetch(at(p.codes, disp+line), p.distance())
	}
	quads := p.format.Group / 4
	for group := range quant.Block / p.format.Group {
		sums := p.temp("sum", n*p.parts)
		first := group * p.format.Group
		p.ways.seed(p, sums, b*quant.Block+first)
		for step := first / 4; step < first/4+quads; step++ {
			w := p.temp("weights", p.parts)
			for h := range p.parts {
				p.unpack(step, h, disp, w[h])
			}
			p.ways.multiply(p, sums, w, b*quant.Block+4*step)
		}
		p.ways.finish(p, sums, b*quant.Block+first)
		p.scaleGroup(sums, group, b)
	}
}

// unpack writes the operand of a quad of columns for part h of the rows: codes of 8 bits, or the values that they stand for.
func (p *quantProduct) unpack(quad, h, disp int, w reg.VecVirtual) {
	for i, plane := range p.format.Planes() {
		line, shift := plane.Line(quad)
		from := at(p.codes, disp+plane.At+64*line+h*p.width())
		v := w
		if i > 0 {
			v = p.temp("plane", 1)[0]
		}
		p.bits(from, v, plane, plane.Shift-shift)
		if i > 0 {
			p.orBits(v, w, w)
		}
	}
	if t, ok := p.fixed["values"]; ok {
		p.VPSHUFB(w, p.register(t, "valuesCopy"), w)
	}
	p.ways.adapt(p, w)
}

// bits loads a line, shifts each byte left (right when negative) and keeps the bits of the plane.
func (p *quantProduct) bits(from operand.Mem, v reg.VecVirtual, plane quant.Plane, shift int) {
	if plane.Bits == 8 {
		p.load(from, v, nil)
		return
	}
	mask := p.byteMask((1<<plane.Bits - 1) << plane.Shift)
	switch {
	case shift == 0 && p.isa == AVX512:
		p.VPANDD(from, mask.(reg.Register), v)
		return
	case shift == 0:
		p.VMOVDQU(from, v)
	case p.isa == AVX512 && shift > 0:
		p.VPSLLW(operand.U8(uint8(shift)), from, v)
	case p.isa == AVX512:
		p.VPSRLW(operand.U8(uint8(-shift)), from, v)
	default:
		p.VMOVDQU(from, v)
		if shift > 0 {
			p.VPSLLW(operand.U8(uint8(shift)), v, v)
		} else {
			p.VPSRLW(operand.U8(uint8(-shift)), v, v)
		}
	}
	p.andBits(mask, v, v)
}

func (p *quantProduct) andBits(a, b, d operand.Op) {
	if p.isa == AVX512 {
		p.VPANDD(a, b, d)
		return
	}
	p.VPAND(a, b, d)
}

func (p *quantProduct) orBits(a, b, d operand.Op) {
	if p.isa == AVX512 {
		p.VPORD(a, b, d)
		return
	}
	p.VPOR(a, b, d)
}

// scaleGroup multiplies the integers of a group with its scales and adds them to the accumulators, and subtracts offsets.
func (p *quantProduct) scaleGroup(sums []reg.VecVirtual, group, b int) {
	f := p.format
	inUnit := group + b*quant.Block/f.Group
	scales := p.temp("weights", p.parts)
	for h := range p.parts {
		p.scales(f.ScaleAt(inUnit), h, p.factor, f.Signed, scales[h])
	}
	d, sd := p.temp("plane", 1)[0], p.temp("copy", 1)[0]
	for r := range p.rowAt {
		p.VBROADCASTSS(p.inRow(r, p.scaleAt, 1, quant.ScalesAt(p.k)+4*b), d)
		for h := range p.parts {
			s := sums[r*p.parts+h]
			p.VCVTDQ2PS(s, s)
			p.VMULPS(scales[h], d, sd)
			p.addTo(r, h, s, sd, false)
		}
	}
	if !f.Min {
		return
	}
	for h := range p.parts {
		p.scales(f.OffsetAt(inUnit), h, p.lower, false, scales[h])
	}
	for r := range p.rowAt {
		p.columnSum(r, group, b, d)
		for h := range p.parts {
			p.addTo(r, h, scales[h], d, true)
		}
	}
}

// columnSum loads d·Σ code over the columns of a group into all lanes.
func (p *quantProduct) columnSum(r, group, b int, v reg.VecVirtual) {
	if p.format.Group == quant.Block {
		p.VBROADCASTSS(p.inRow(r, p.scaleAt, 1, quant.SumsAt(p.k)+4*b), v)
		return
	}
	p.VPBROADCASTD(p.inRow(r, p.scaleAt, 2, quant.PairsAt(p.k)+8*b+4*group), v)
	p.VPMADDWD(p.fixed["ones"], v, v)
	p.VCVTDQ2PS(v, v)
	d := p.temp("copy", 1)[0]
	p.VBROADCASTSS(p.inRow(r, p.scaleAt, 1, quant.ScalesAt(p.k)+4*b), d)
	p.VMULPS(d, v, v)
}

// addTo adds a·b to an accumulator, or subtracts it.
func (p *quantProduct) addTo(r, h int, a, b reg.VecVirtual, minus bool) {
	fma := p.fma
	if minus {
		fma = p.fnma
	}
	if p.acc != nil {
		fma(a, b, p.acc[r*p.parts+h])
		return
	}
	m := p.sums.Offset(64*r + h*p.width())
	v := p.temp("accumulator", 1)[0]
	p.VMOVUPS(m, v)
	fma(a, b, v)
	p.VMOVUPS(v, m)
}

// scales reads the scales or offsets of a group: f16, or 8 bits times their factor.
func (p *quantProduct) scales(disp, h int, factor operand.Mem, signed bool, v reg.VecVirtual) {
	if p.format.Super == 0 {
		p.half(at(p.header, disp+h*p.width()/2), v)
		return
	}
	m := at(p.header, disp+h*p.width()/4)
	if signed {
		p.VPMOVSXBD(m, v)
	} else {
		p.VPMOVZXBD(m, v)
	}
	p.VCVTDQ2PS(v, v)
	p.VMULPS(factor.Offset(h*p.width()), v, v)
}

// inRow is the memory at a displacement and an index of a row of x.
func (p *quantProduct) inRow(r int, index reg.GPVirtual, scale uint8, disp int) operand.Mem {
	return at(p.rowAt[r], disp).Idx(index, scale)
}
