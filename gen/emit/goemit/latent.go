package goemit

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/plan"
)

// attendLatent emits attention over compressed keys and values. Heads share everything that is cached, so that the heads
// of one token are the rows of a unit of work, whether it stands in a prompt or is decoded.
func (e *emitter) attendLatent(s plan.Step) (string, error) {
	o := s.Op
	heads, rank, rot := o.Attrs.Int("heads"), o.Attrs.Int("rank"), o.Attrs.Int("rope_dim")
	pad := (rank + 15) / 16 * 16
	e.needZeros(kernel.BlockKeys)
	softmax := e.kernel(kernel.Kernel{Op: "softmaxBlock", D: []int{kernel.BlockKeys}, F: []float64{o.Attrs.Float("scale"), 0}})
	r := strings.NewReplacer("$heads", fmt.Sprint(heads), "$rank", fmt.Sprint(rank), "$rot", fmt.Sprint(rot), "$pad", fmt.Sprint(pad),
		"$tiles", fmt.Sprint(pad/16), "$rows", fmt.Sprint(queryTile), "$softmax", softmax,
		"$latent", e.kernel(kernel.Kernel{Op: "gemm", S: "f32", D: []int{rank}}),
		"$turned", e.kernel(kernel.Kernel{Op: "gemm", S: "f32", D: []int{rot}}),
		"$values", e.kernel(kernel.Kernel{Op: "gemm", S: "f32", D: []int{kernel.BlockKeys}}),
		"$scaleRows", e.kernel(kernel.Kernel{Op: "scaleRows", D: []int{pad}}),
		"$cache", pick(o.State != nil, "s.kv[layer]", "s.own"))
	name := e.variant(fmt.Sprintf("attendLatent%dx%dx%d", heads, rank, rot), softmax)
	e.method(name, fmt.Sprintf("is attention of %d heads over latents of %d, which are keys and values, and rotated keys of %d, scale %s. "+
		"Both are stored first, as packed weights of the scores' products. A unit of work are up to %d heads of one token.",
		heads, rank, rot, number(o.Attrs.Float("scale")), queryTile), "y, q, qr, c, kr view, layer, n int", strings.ReplaceAll(r.Replace(latentText), "$name", name))
	e.method(name+"Tile", fmt.Sprintf("computes rows of heads of the query at position pos over the blocks of 64 latents before it, with a streaming "+
		"softmax. y and q have rows of %d, qr of %d.", rank, rot), "y, q, qr []float32, rows, pos int, latents, rotated []float32", r.Replace(latentTile))
	return fmt.Sprintf("t.%s(%s, %s, %s, %s, %s, %d, n)", name, e.ref(o.Out[0]), e.ref(o.In[0]), e.ref(o.In[1]), e.ref(o.In[2]), e.ref(o.In[3]), max(e.stateIndex(o.State), 0)), nil
}

const latentText = `from, to := t.rows(n)
for i := range t.run.segments {
	s := &t.run.segments[i]
	kv := &$cache
	for r := max(from, s.start); r < min(to, s.start+s.rows); r++ {
		p := s.pos + r - s.start
		portable.StoreK(kv.k, t.at(c, r), 0, p, 1, $rank)
		portable.StoreK(kv.v, t.at(kr, r), 0, p, 1, $rot)
	}
}
t.sync()
unit := 0
for i := range t.run.segments {
	s := &t.run.segments[i]
	kv := &$cache
	for r := range s.rows {
		for h := 0; h < $heads; h += $rows {
			if t.mine(unit) {
				t.$nameTile(t.at(y, s.start+r)[h*$rank:], t.at(q, s.start+r)[h*$rank:], t.at(qr, s.start+r)[h*$rot:],
					min($rows, $heads-h), s.pos+r, kv.k, kv.v)
			}
			unit++
		}
	}
}`

const latentTile = `c := &t.scratch
acc := c.acc[:rows*$pad]
clear(acc)
portable.StartSoftmax(c.m[:rows], c.l[:rows])
for b := 0; b <= pos/64; b++ {
	block := latents[b*64*$rank:][:64*$rank]
	for r := range rows {
		c.lo[r], c.hi[r] = 0, int32(min(pos+1-b*64, 64))
	}
	$latent(c.scores[:], 64, q, $rank, block, 4, zeros[:], 0, rows)
	$turned(c.scores[:], 64, qr, $rot, rotated[b*64*$rot:], 4, c.scores[:], 64, rows)
	$softmax(c.scores[:], rows, c.lo[:], c.hi[:], c.m[:], c.l[:], c.alpha[:])
	$scaleRows(acc, $pad, c.alpha[:], rows)
	portable.KeysAsValues(t.latent.values[:], block, $rank)
	$values(acc, $pad, c.scores[:], 64, t.latent.values[:], $tiles, acc, $pad, rows)
}
portable.FinishSoftmax(c.alpha[:rows], c.l[:rows])
$scaleRows(acc, $pad, c.alpha[:], rows)
for r := range rows {
	copy(y[r*$rank:][:$rank], acc[r*$pad:])
}`

// latentValues is the number of elements of a worker's block of values, 0 if the graph has no attention over latents.
func latentValues(g *ir.Graph) (n int) {
	for _, o := range g.Ops {
		if o.Kind == "attend_latent" {
			n = max(n, kernel.BlockKeys*((o.Attrs.Int("rank")+15)/16*16))
		}
	}
	return n
}

// latentScratch is the field of a worker for values of attention over latents.
func latentScratch(g *ir.Graph) string {
	if n := latentValues(g); n > 0 {
		return fmt.Sprintf("\nlatent struct { // a block of latents in the layout of values\nvalues [%d]float32\n}", n)
	}
	return ""
}
