package amd64

import (
	"github.com/mmcloughlin/avo/reg"

	"github.com/tfgen/tfgen/asm/kernel"
)

// accumulators is the number of partial sums of a row, so that the latency of
// an addition is hidden; they are added in a fixed order.
const accumulators = 4

// A norm is the state of one normalisation: a row is read once for each moment
// and once to be written.
type norm struct {
	*function
	dim        int
	y, x, d, w reg.GPVirtual // d is nil without a residual
	tail       *mask
}

// norm loads the parameters that all normalisations share and writes the loop
// over rows.
func (f *function) norm(k kernel.Kernel, body func(n *norm)) {
	n := &norm{function: f, dim: k.D[0], y: f.arg("y"), x: f.arg("x"), w: f.arg("w")}
	pointers := []reg.GPVirtual{n.y, n.x}
	strides := []reg.GPVirtual{f.stride("ldy", 4), f.stride("ldx", 4)}
	if k.Op == "addRMSNorm" || k.Op == "addLayerNorm" {
		n.d = f.arg("d")
		pointers, strides = append(pointers, n.d), append(strides, f.stride("ldd", 4))
	}
	n.tail = f.tailMask(n.dim)
	f.eachRow(f.arg("rows"), pointers, strides, func() { body(n) })
}

// residual loads a vector of x, adding d to it in memory when there is one.
func (n *norm) residual(c column, v reg.VecVirtual) {
	n.load(c.address(n.x), v, c.mask)
	if n.d == nil {
		return
	}
	u := n.vec()
	n.load(c.address(n.d), u, c.mask)
	n.add(u, v, v)
	n.store(v, c.address(n.x), c.mask)
}

// sum writes a pass over the row that adds to accumulators and returns their
// total in the lowest lane.
func (n *norm) sum(name string, body func(c column, acc reg.VecVirtual)) reg.VecVirtual {
	acc := n.vecs(accumulators)
	for _, a := range acc {
		n.zero(a)
	}
	n.columns(name, n.dim, accumulators, n.tail, func(c column) { body(c, acc[c.index]) })
	n.add(acc[1], acc[0], acc[0])
	n.add(acc[3], acc[2], acc[2])
	n.add(acc[2], acc[0], acc[0])
	return n.total(acc[0])
}

// total adds the lanes of a vector: upper half to lower half until one is left.
// It returns a 128-bit register with the sum in its lowest lane.
func (f *function) total(v reg.VecVirtual) reg.VecVirtual {
	if f.isa == AVX512 {
		h := f.YMM()
		f.VEXTRACTF64X4(imm(1), v, h)
		f.VADDPS(h, v.AsY(), h)
		v = h
	}
	h := f.XMM()
	f.VEXTRACTF128(imm(1), v, h)
	f.VADDPS(h, v.AsX(), h)
	t := f.XMM()
	f.VMOVHLPS(h, h, t)
	f.VADDPS(t, h, h)
	f.VMOVSHDUP(h, t)
	f.VADDSS(t, h, h)
	return h
}

// inverseRoot turns a sum into 1 / √(sum/dim + eps), in every lane.
func (n *norm) inverseRoot(sum reg.VecVirtual) reg.VecVirtual {
	n.Comment("1 / √(sum/d + eps).")
	n.VMULSS(n.inverseDim().Mem, sum, sum)
	n.VADDSS(n.literal("Eps", n.kernel.F[0]).Mem, sum, sum)
	n.VSQRTSS(sum, sum, sum)
	one := n.XMM()
	n.VMOVSS(n.float("one", 1).Mem, one)
	n.VDIVSS(sum, one, one)
	v := n.vec()
	n.VBROADCASTSS(one, v)
	return v
}

// inverseDim is the constant 1/d.
func (n *norm) inverseDim() constant { return n.literal("Inverse", 1/float64(n.dim)) }

// rmsNorm writes y = x / √(mean(x²) + eps) · w, after x += d for addRMSNorm.
func rmsNorm(f *function, k kernel.Kernel) {
	f.norm(k, func(n *norm) {
		n.Comment("Sum of squares.")
		inv := n.inverseRoot(n.sum("squares", func(c column, acc reg.VecVirtual) {
			v := n.vec()
			n.residual(c, v)
			n.fma(v, v, acc)
		}))
		n.Comment("y = x · inv · w.")
		n.columns("normed", n.dim, 4, n.tail, func(c column) {
			v, w := n.vec(), n.vec()
			n.load(c.address(n.x), v, c.mask)
			n.load(c.address(n.w), w, c.mask)
			n.mul(inv, v, v)
			n.mul(w, v, v)
			n.store(v, c.address(n.y), c.mask)
		})
	})
}

// layerNorm writes y = (x − mean) / √(var + eps) · w + b, after x += d for
// addLayerNorm; the variance is the mean of (x − mean)², in a second pass.
func layerNorm(f *function, k kernel.Kernel) {
	b := f.arg("b")
	f.norm(k, func(n *norm) {
		n.Comment("Mean.")
		mean := n.broadcastMean(n.sum("sum", func(c column, acc reg.VecVirtual) {
			v := n.vec()
			n.residual(c, v)
			n.add(v, acc, acc)
		}))
		n.Comment("Sum of (x − mean)².")
		inv := n.inverseRoot(n.sum("squares", func(c column, acc reg.VecVirtual) {
			v := n.vec()
			n.load(c.address(n.x), v, c.mask)
			n.sub(mean, v, v)
			n.clear(v, c.mask)
			n.fma(v, v, acc)
		}))
		n.Comment("y = (x − mean) · inv · w + b.")
		n.columns("normed", n.dim, 2, n.tail, func(c column) {
			v, w, u := n.vec(), n.vec(), n.vec()
			n.load(c.address(n.x), v, c.mask)
			n.load(c.address(n.w), w, c.mask)
			n.load(c.address(b), u, c.mask)
			n.sub(mean, v, v)
			n.mul(inv, v, v)
			n.horner(u, w, v)
			n.store(v, c.address(n.y), c.mask)
		})
	})
}

// broadcastMean divides a sum by the dimension and copies it to every lane.
func (n *norm) broadcastMean(sum reg.VecVirtual) reg.VecVirtual {
	n.VMULSS(n.inverseDim().Mem, sum, sum)
	v := n.vec()
	n.VBROADCASTSS(sum, v)
	return v
}
