package goemit

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/plan"
)

// selectiveScan emits the recurrence of Mamba or Mamba 2: rows of a sequence one after the other, 16 channels side by side.
func (e *emitter) selectiveScan(s plan.Step) (string, error) {
	o := s.Op
	heads, n, width := o.Attrs.Int("heads"), o.Attrs.Int("state_size"), o.In[0].Type.Width()
	m := &recurrence{e: e, s: s, name: fmt.Sprintf("scan%dx%dx%d", heads, width/heads, n), units: heads, grain: 1,
		doc: fmt.Sprintf("is the state-space recurrence of %d heads of %d channels, each with a state of %d.", heads, width/heads, n)}
	for i, name := range []string{"x", "dt", "b", "c"} {
		m.input(i, name)
	}
	text := scanHeads
	if o.Attrs.Str("decay") == "state" {
		text, m.grain = scanChannels, 16
		m.doc += " Every element of a state has a decay of its own."
		m.start = fmt.Sprintf("clear(state[from*%d : (to+15)/16*16*%d])", n, n)
	}
	dim := width / heads
	tiles := (dim + 15) / 16
	m.size = tiles * 16 * n
	low, high := number(o.Attrs.Float("low")), number(o.Attrs.Float("high"))
	a, d, bias := m.weight(0, "a"), m.weight(1, "d"), m.weight(2, "bias")
	clamp := ""
	if low != "0" || high != "0" {
		clamp = fmt.Sprintf("portable.ClampSteps(u.dt[:], %s, %s)\n", low, high)
	}
	headBias, channelBias := "bias[h]", "bias[from:to]"
	if bias == "nil" {
		headBias, channelBias = "0", "nil"
	}
	r := strings.NewReplacer("$heads", fmt.Sprint(heads), "$share", fmt.Sprint(heads/max(o.Attrs.Int("groups"), 1)), "$n", fmt.Sprint(n),
		"$dim", fmt.Sprint(dim), "$wide", fmt.Sprint(tiles*16), "$tiles", fmt.Sprint(tiles), "$size", fmt.Sprint(m.size), "$low", low, "$high", high, "$clamp", clamp,
		"$a", a, "$d", d, "$headbias", headBias, "$channelbias", channelBias, "$softplus", e.scanKernel(o, kernel.Kernel{Op: "act", S: "softplus", D: []int{16}}),
		"$scan", e.scanKernel(o, kernel.Kernel{Op: pickScan(o), D: []int{n}}))
	return m.emit(r.Replace(text))
}

func pickScan(o *ir.Op) string { return pick(o.Attrs.Str("decay") == "state", "scanState", "scanHead") }

// scanKernel records a kernel that the recurrence calls: the softplus of steps only where channels have their own.
func (e *emitter) scanKernel(o *ir.Op, k kernel.Kernel) string {
	if k.Op == "act" && o.Attrs.Str("decay") != "state" {
		return ""
	}
	return e.kernel(k)
}

const scanChannels = `u, tiles := &t.scan, (to-from+15)/16
for r := s.start; r < s.start+s.rows; r++ {
	portable.ScanLogits(u.dt[:], t.at(dt, r)[from:to], $channelbias)
	$softplus(u.dt[:], 16, u.dt[:], 16, tiles)
	$clampportable.ScanChannels(u.in[:tiles*16], u.sum[:], t.at(x, r)[from:to], u.dt[:], $d[from:])
	$scan(u.sum[:], 0, u.in[:], 0, u.dt[:], 0, t.at(b, r), 0, t.at(c, r), 0, state[from*$n:], $a[from*$n:], tiles, 1)
	copy(t.at(y, r)[from:to], u.sum[:])
}`

const scanHeads = `u := &t.scan
for r := s.start; r < s.start+s.rows; r++ {
	for h := from; h < to; h++ {
		step := portable.ScanStep(t.at(dt, r)[h], $headbias, $low, $high)
		u.dt[0] = portable.ScanHeadInput(u.in[:$wide], u.sum[:], t.at(x, r)[h*$dim:][:$dim], step, $d[h], $a[h])
		$scan(u.sum[:], 0, u.in[:], 0, t.at(b, r)[h/$share*$n:], 0, t.at(c, r)[h/$share*$n:], 0, state[h*$size:], u.dt[:], $tiles, 1)
		copy(t.at(y, r)[h*$dim:][:$dim], u.sum[:])
	}
}`

// scanWidth is the number of channels that one worker's scan works on at a time, in whole tiles; 0 if the graph has none.
func scanWidth(g *ir.Graph) (n int) {
	for _, o := range g.Ops {
		if o.Kind == "selective_scan" {
			channels := o.In[0].Type.Width()
			if o.Attrs.Str("decay") != "state" {
				channels /= o.Attrs.Int("heads")
			}
			n = max(n, (channels+15)/16*16)
		}
	}
	return n
}

// scanScratch is the field of a worker for a row of a scan.
func scanScratch(g *ir.Graph) string {
	if n := scanWidth(g); n > 0 {
		return fmt.Sprintf("\nscan struct { // a row of a state-space recurrence: inputs, steps, results\nin, dt, sum [%d]float32\n}", n)
	}
	return ""
}
