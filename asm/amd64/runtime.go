package amd64

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/asm/tuning"
)

// Kernels whose number of columns is a parameter, and kernels whose strides are literals. Nothing generated calls them: they
// are what kernels with literal shapes are measured against (package dividend).

// EmitRuntime returns products with float32 weights in two other forms: those of any with the number of columns as their
// last parameter, of which the kernel's own number is ignored, and those of fixed with the strides as literals, ldx being
// the number of columns; what is passed for a literal is ignored.
func EmitRuntime(pkg, header string, any, fixed []kernel.Kernel, strides map[string]int) (asmText, stubs []byte, err error) {
	e := newEmitter()
	for _, isa := range Vectors() {
		for _, k := range any {
			if err := e.variant(isa, k, "Any", nil); err != nil {
				return nil, nil, err
			}
		}
		for _, k := range fixed {
			own := map[string]int{"ldx": k.D[0]}
			for name, n := range strides {
				own[name] = n
			}
			if err := e.variant(isa, k, "Fixed", own); err != nil {
				return nil, nil, err
			}
		}
	}
	return e.print(pkg, header)
}

// variant adds a kernel with run-time shapes, or with literal strides if there are any.
func (e *emitter) variant(isa ISA, k kernel.Kernel, word string, strides map[string]int) error {
	if !Supports(isa, k) || k.Op != "gemm" || k.S != "f32" {
		return fmt.Errorf("amd64: %s has no form with run-time shapes; products with float32 weights have one", k.Key())
	}
	name, signature := k.Op+"F32"+word, "func(y *float32, ldy int, x *float32, ldx int, w *float32, tiles int, c *float32, ldc int, rows int"
	if strides == nil {
		signature += ", k int"
	} else {
		name += fmt.Sprint(k.D[0])
	}
	cut, err := blocking(isa, k, (*tuning.Table)(nil))
	if err != nil {
		return err
	}
	doc := []string{name + isa.String() + " computes y = c + x·w as " + k.Name() + " does."}
	return e.function(isa, name+isa.String(), signature+")", doc, func(f *function) {
		f.kernel, f.cut, f.strides, f.runtime = k, cut, strides, strides == nil
		lowering(isa, k)(f, k)
	})
}

// passes reports whether the k may be more than one pass adds.
func (p *product) passes() bool { return p.runtime || p.chunk() < p.k }

// limit is the number of columns.
func (p *product) limit() operand.Op {
	if p.runtime {
		return p.argument("k")
	}
	return operand.U32(uint32(p.k))
}

// prepareRuntime computes the size of a tile.
func (p *product) prepareRuntime() {
	if !p.runtime {
		return
	}
	p.sizes = map[int]reg.GPVirtual{}
	for n := 1; n < max(p.cut.Stream, p.cut.Tiles); n += 2 {
		p.sizes[n] = p.arg("k")
		p.IMUL3Q(imm(n*p.step), p.sizes[n], p.sizes[n])
	}
}

// inTile is the memory at a displacement of tile t from the one at base.
func (p *product) inTile(base reg.Register, t, disp int) operand.Mem {
	switch {
	case !p.runtime:
		return at(base, t*p.tile+disp)
	case t == 0:
		return at(base, disp)
	}
	even := t & -t // the largest power of two that divides t: 1, 2 or 4
	return at(base, disp).Idx(p.sizes[t/even], uint8(even))
}

// addTiles moves a pointer by n tiles.
func (p *product) addTiles(n int, w reg.GPVirtual) {
	if !p.runtime {
		p.add64(n*p.tile, w)
		return
	}
	for ; n > 0; n-- {
		p.ADDQ(p.sizes[1], w)
	}
}

// runtimeSteps is steps for all k of one row.
func (p *product) runtimeSteps(name string, w reg.GPVirtual, unroll int, body func(step int, xk []operand.Mem)) {
	i, turns, end := p.GP64(), p.AllocLocal(8), p.AllocLocal(8)
	n := p.arg("k")
	p.SHLQ(operand.U8(2), n)
	p.MOVQ(n, end)
	p.ANDQ(operand.I32(int32(-4*unroll)), n)
	p.MOVQ(n, turns)
	p.XORQ(i, i)
	rest := p.newLabel(name + "Few")
	p.TESTQ(n, n)
	p.JZ(rest)
	loop := p.label(name)
	for s := range unroll {
		body(s, p.offsets(i, s*4, 1))
	}
	p.ADDQ(imm(unroll*p.step), w)
	p.ADDQ(imm(4*unroll), i)
	p.CMPQ(i, turns)
	p.JLT(loop)
	p.Label(string(rest))
	p.singleSteps(name+"Rest", w, i, end, body)
	p.SHLQ(operand.U8(4), i)
	p.SUBQ(i, w)
}

// singleSteps writes the loop over the k that fill no turn, from offset i up to end.
func (p *product) singleSteps(name string, w, i reg.GPVirtual, end operand.Mem, body func(step int, xk []operand.Mem)) {
	done := p.newLabel(name + "Done")
	p.CMPQ(i, end)
	p.JGE(done)
	loop := p.label(name)
	body(0, p.offsets(i, 0, 1))
	p.ADDQ(imm(p.step), w)
	p.ADDQ(imm(4), i)
	p.CMPQ(i, end)
	p.JLT(loop)
	p.Label(string(done))
}
