package amd64

import (
	"math"
	"slices"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/tfgen/tfgen/runtime/quant"
)

// An integerProduct is one way to multiply codes of 8 bits with activations of 8 bits and to sum the products of a group
// in every lane. All give the same integers.
type integerProduct struct {
	// seed starts the sums of a group whose first column is the given one of the unit.
	seed func(p *quantProduct, sums []reg.VecVirtual, column int)
	// adapt turns an operand as it is stored into what multiply takes.
	adapt func(p *quantProduct, w reg.VecVirtual)
	// multiply adds the products of 4 columns, [row][part] += x[row]·w[part].
	multiply func(p *quantProduct, sums, w []reg.VecVirtual, column int)
	// finish turns the sums into one integer of 32 bits a lane.
	finish func(p *quantProduct, sums []reg.VecVirtual, column int)
}

// The ways: words sums pairs of products in 16 bits, which is exact when the codes are small; signed sums in 32 bits;
// dots uses VPDPBUSD.
var (
	words  = integerProduct{seedWords, asStored, multiplyWords, finishWords}
	signed = integerProduct{seedZero, asStored, multiplySigned, finishNothing}
	offset = integerProduct{seedZero, subtract128, multiplySigned, finishNothing}
	dots   = integerProduct{seedDots, asStored, multiplyDots, finishNothing}
)

// chooseProduct picks the way for the format and the instruction set.
func (p *quantProduct) chooseProduct() integerProduct {
	switch {
	case p.vnni:
		return dots
	case p.format.Bits == 8:
		return offset
	case p.format.Values != nil && largest(p.format) > 63:
		return signed
	}
	return words
}

// largest is the largest magnitude of the values of a format.
func largest(f *quant.Format) int {
	top := 0
	for _, v := range f.Values {
		top = max(top, int(v), -int(v))
	}
	return top
}

// zeroPoint is what is added to a value to make the code that is multiplied with.
func (p *quantProduct) zeroPoint() int {
	switch {
	case p.format.Values == nil:
		return p.format.Zero
	case p.vnni:
		return 128
	}
	return largest(p.format)
}

// excess is what words takes from codes and gives back in 32 bits, so that the sum of half a group fits 16 bits.
func (p *quantProduct) excess() int {
	f := p.format
	if half := 1 << f.Bits / 2; !p.vnni && f.Bits < 8 && f.Zero == 0 && f.Values == nil && f.Group/2*(2*half-1)*127 > math.MaxInt16 {
		return half
	}
	return 0
}

// prepare places the constants of the lowering: registers for AVX-512, which has them, memory for AVX2.
func (p *quantProduct) prepare() {
	p.constant("ones", 0x00010001)
	if n := uint32(p.excess()); n != 0 {
		p.constant("excess", n<<16|n)
	}
	if z := p.zeroPoint() + p.excess(); z != 0 {
		n := uint32(uint16(-z))
		p.constant("minus", n<<16|n)
	}
	if p.format.Bits == 8 && !p.vnni {
		p.constant("sign", 0x80808080)
	}
	for _, plane := range p.format.Planes() {
		if plane.Bits < 8 {
			p.byteMask((1<<plane.Bits - 1) << plane.Shift)
		}
	}
	if p.format.Values != nil {
		p.values()
	}
}

// values places the table of values, as codes that multiply takes.
func (p *quantProduct) values() {
	zero := p.zeroPoint()
	name := "codes"
	if p.tiles || !p.vnni && largest(p.format) > 63 {
		zero, name = 0, "values"
	}
	var words []uint32
	for i := 0; i < 16; i += 4 {
		word := uint32(0)
		for j := range 4 {
			word |= uint32(uint8(int(p.format.Values[i+j])+zero)) << (8 * j)
		}
		words = append(words, word)
	}
	m := p.words(p.format.Name+"_"+name+p.suffix(), slices.Concat(words, words))
	if p.isa == AVX512 {
		v := p.vec()
		p.VBROADCASTI32X4(m, v)
		p.fixed["values"] = v
		return
	}
	p.fixed["values"] = m
}

// suffix distinguishes constants that depend on the way to multiply.
func (p *quantProduct) suffix() string {
	if p.vnni {
		return "Dots"
	}
	return ""
}

// constant places a word of 32 bits in every lane.
func (p *quantProduct) constant(name string, bits uint32) {
	c := p.word("quant_"+hex32(bits), bits)
	if p.isa == AVX512 {
		v := p.vec()
		p.VPBROADCASTD(c.Mem, v)
		p.fixed[name] = v
		return
	}
	p.fixed[name] = c.Mem
}

// byteMask is a mask of bits in every byte.
func (p *quantProduct) byteMask(bits int) operand.Op {
	name := "mask" + hex32(uint32(bits))
	if _, ok := p.fixed[name]; !ok {
		p.constant(name, uint32(bits)*0x01010101)
	}
	return p.fixed[name]
}

func hex32(v uint32) string {
	const digits = "0123456789abcdef"
	var b [8]byte
	for i := range b {
		b[7-i] = digits[v>>(4*i)&15]
	}
	return string(b[:])
}

// register returns a constant in a register, loaded when it is in memory.
func (p *quantProduct) register(c operand.Op, name string) operand.Op {
	if m, ok := c.(operand.Mem); ok {
		v := p.temp(name, 1)[0]
		p.VMOVDQU(m, v)
		return v
	}
	return c
}

func asStored(*quantProduct, reg.VecVirtual) {}

// subtract128 turns codes 0 … 255 into signed bytes.
func subtract128(p *quantProduct, w reg.VecVirtual) {
	if p.isa == AVX512 {
		p.VPXORD(p.fixed["sign"], w, w)
		return
	}
	p.VPXOR(p.fixed["sign"], w, w)
}

// clearSum clears a register.
func (p *quantProduct) clearSum(v reg.VecVirtual) {
	if p.isa == AVX512 {
		p.VPXORD(v, v, v)
		return
	}
	p.VPXOR(v, v, v)
}

func seedZero(p *quantProduct, sums []reg.VecVirtual, _ int) {
	for _, s := range sums {
		p.clearSum(s)
	}
}

// pairs is where the sums of pairs of 16 columns of a row are.
func (p *quantProduct) pairs(r, column int) operand.Mem {
	return p.inRow(r, p.scaleAt, 2, quant.PairsAt(p.k)+column/16*4)
}

// seedWords starts from −zero·Σ x, apart for the two words of a lane. Sums wrap on the way; the last value fits 16 bits.
func seedWords(p *quantProduct, sums []reg.VecVirtual, column int) {
	if p.fixed["minus"] == nil {
		seedZero(p, sums, column)
		return
	}
	for r := range p.rowAt {
		s := sums[r*p.parts]
		p.pairSums(r, column, s)
		p.VPMULLW(p.fixed["minus"], s, s)
		for h := 1; h < p.parts; h++ {
			p.move(s, sums[r*p.parts+h])
		}
	}
}

// pairSums loads the sums over the pairs of a group.
func (p *quantProduct) pairSums(r, column int, v reg.VecVirtual) {
	p.VPBROADCASTD(p.pairs(r, column), v)
	if p.format.Group == quant.Block {
		t := p.temp("weights", 1)[0]
		p.VPBROADCASTD(p.pairs(r, column+16), t)
		p.VPADDW(t, v, v)
	}
}

// move copies a register.
func (p *quantProduct) move(a, d reg.VecVirtual) {
	if p.isa == AVX512 {
		p.VMOVDQU32(a, d)
		return
	}
	p.VMOVDQA(a, d)
}

// multiplyWords: VPMADDUBSW adds two products, at most 2·63·127, in a word.
func multiplyWords(p *quantProduct, sums, w []reg.VecVirtual, column int) {
	x, t := p.temp("activations", 1)[0], p.temp("plane", 1)[0]
	for r := range p.rowAt {
		p.VPBROADCASTD(p.inRow(r, p.column, 1, column), x)
		for h := range p.parts {
			s := sums[r*p.parts+h]
			p.VPMADDUBSW(x, w[h], t)
			p.VPADDW(t, s, s)
		}
	}
}

func finishWords(p *quantProduct, sums []reg.VecVirtual, column int) {
	for _, s := range sums {
		p.VPMADDWD(p.fixed["ones"], s, s)
	}
	excess, ok := p.fixed["excess"]
	if !ok {
		return
	}
	t := p.temp("plane", 1)[0]
	for r := range p.rowAt {
		p.pairSums(r, column, t)
		p.VPMADDWD(excess, t, t)
		for h := range p.parts {
			p.VPADDD(t, sums[r*p.parts+h], sums[r*p.parts+h])
		}
	}
}

// multiplySigned: |w| times x with the sign of w.
func multiplySigned(p *quantProduct, sums, w []reg.VecVirtual, column int) {
	x, t := p.temp("activations", 1)[0], p.temp("plane", 1)[0]
	size := p.temp("magnitude", p.parts)
	for h := range p.parts {
		p.VPABSB(w[h], size[h])
	}
	if p.isa == AVX512 {
		p.signed512(sums, w[0], size[0], column)
		return
	}
	for r := range p.rowAt {
		p.VPBROADCASTD(p.inRow(r, p.column, 1, column), x)
		for h := range p.parts {
			s := sums[r*p.parts+h]
			p.VPSIGNB(w[h], x, t)
			p.VPMADDUBSW(t, size[h], t)
			p.VPMADDWD(p.fixed["ones"], t, t)
			p.VPADDD(t, s, s)
		}
	}
}

// signed512 negates activations under a mask, since AVX-512 has no VPSIGNB.
func (p *quantProduct) signed512(sums []reg.VecVirtual, w, size reg.VecVirtual, column int) {
	x := p.temp("activations", 1)[0]
	zero := p.temp("plane", 1)[0]
	p.clearSum(zero)
	negative := p.K()
	p.VPMOVB2M(w, negative)
	for r := range p.rowAt {
		p.VPBROADCASTD(p.inRow(r, p.column, 1, column), x)
		p.VPSUBB(x, zero, negative, x)
		p.VPMADDUBSW(x, size, x)
		p.VPMADDWD(p.fixed["ones"], x, x)
		p.VPADDD(x, sums[r], sums[r])
	}
}

func finishNothing(*quantProduct, []reg.VecVirtual, int) {}

// seedDots starts from −zero·Σ x in 32 bits.
func seedDots(p *quantProduct, sums []reg.VecVirtual, column int) {
	if p.zeroPoint() == 0 {
		seedZero(p, sums, column)
		return
	}
	minus := p.fixed["minus"].(reg.Register)
	for r := range p.rowAt {
		p.VPBROADCASTD(p.pairs(r, column), sums[r])
		p.VPMADDWD(minus, sums[r], sums[r])
		if p.format.Group == quant.Block {
			p.VPDPWSSD_BCST(p.pairs(r, column+16), minus, sums[r])
		}
	}
}

// multiplyDots: VPDPBUSD adds four products in 32 bits.
func multiplyDots(p *quantProduct, sums, w []reg.VecVirtual, column int) {
	for r := range p.rowAt {
		p.VPDPBUSD_BCST(p.inRow(r, p.column, 1, column), w[0], sums[r])
	}
}
