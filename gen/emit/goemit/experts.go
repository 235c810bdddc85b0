package goemit

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/asm/tuning"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/plan"
	"github.com/tfgen/tfgen/gen/weights"
	"github.com/tfgen/tfgen/runtime/quant"
)

// gatherRows is the number of rows of an expert that are multiplied at a time, which the kernels' register tiles divide.
const gatherRows = 24

// gatherTiles bounds the tiles of outputs that a worker keeps before they go to their rows.
const gatherTiles = 8

// product is a matrix product in groups of rows of its weight: experts or heads.
type product struct {
	o           *ir.Op
	matrix      kernel.Matrix
	k, dim      int
	tiles       int // of a group
	block       int // tiles at a time
	gemm        string
	quantize    string // the statement that brings gathered rows to 8 bits; "" for plain formats
	input       string // where the products read rows
	params, arg string // of weight and bias
	start       string // where sums begin, from tile i of group g on
}

// product describes the grouped product of an operation and records its kernel.
func (e *emitter) product(o *ir.Op, dim int) (*product, error) {
	packed := e.Place[o.Weights[0]]
	m, ok := matrixOf(packed.Layout, packed.Cols)
	if !ok {
		return nil, fmt.Errorf("%s: no matrix product reads the layout %s of %s", o.Pos, packed.Layout, packed.Name)
	}
	p := &product{o: o, matrix: m, k: packed.Cols, dim: dim, tiles: (dim + 15) / 16, input: "x"}
	p.block = min(tuning.SweepRule(m.Input, m.Bytes).Tiles, gatherTiles, p.tiles)
	p.gemm = e.kernel(m.Kernel)
	if weights.Quantised(packed.Layout) != nil {
		k := e.kernel(kernel.Kernel{Op: "quantize", D: []int{p.k}})
		p.quantize, p.input = fmt.Sprintf("%s(s.q[:], %d, s.x[:], %d, len(rows))\n", k, m.Input, p.k), "q"
	}
	p.params, p.arg = "w []"+elem(packed.Layout), e.weightRef(o.Weights[0], o.Region)
	p.start = "zeros[:]"
	if o.Weights[1] != nil {
		p.params, p.arg = p.params+", b []float32", p.arg+", "+e.weightRef(o.Weights[1], o.Region)
		p.start = fmt.Sprintf("b[(g*%d+i)*16:]", p.tiles)
	}
	e.needZeros(p.block * 16)
	return p, nil
}

// name is that of the method: the kind, the format and the sizes.
func (p *product) name(kind string) string {
	bias := pick(p.o.Weights[1] != nil, "Bias", "")
	return fmt.Sprintf("%s%sx%dx%d%s", kind, strings.ToUpper(p.matrix.Kernel.S), p.k, p.dim, bias)
}

// fill replaces the markers of a text.
func (p *product) fill(text string, more ...string) string {
	pairs := []string{"$tiles", fmt.Sprint(p.tiles), "$block", fmt.Sprint(p.block), "$wide", fmt.Sprint(p.block * 16), "$stride", fmt.Sprint(p.matrix.Stride), "$gemm", p.gemm,
		"$start", p.start, "$dim", fmt.Sprint(p.dim), "$k", fmt.Sprint(p.k), "$quantize", p.quantize, "$in", p.input, "$words", fmt.Sprint(p.matrix.Input), "$rows", fmt.Sprint(gatherRows)}
	return strings.NewReplacer(append(pairs, more...)...).Replace(text)
}

// expertLinear emits the products of the chosen experts: rows that chose the same expert are multiplied together.
func (e *emitter) expertLinear(s plan.Step) (string, error) {
	o := s.Op
	experts, top := o.Attrs.Int("experts"), op.Choices(o)
	p, err := e.product(o, o.Attrs.Int("dim"))
	if err != nil {
		return "", err
	}
	name, what, input := p.name("experts"), "the row", "t.at(x, int(choice)/$top)"
	if o.Attrs.Bool("parts") {
		name, what, input = name+"Parts", "the row's part for the choice", "t.at(x, int(choice)/$top)[int(choice)%$top*$k:]"
	}
	name += fmt.Sprintf("Of%dTop%d", experts, top)
	doc := fmt.Sprintf("computes, for each of the %d experts that a row chose among %d, w·x%s, [%d] → [%d]; x is %s. "+
		"The rows of an expert are multiplied together; workers share its %d tiles of 16 outputs. Weights of experts that no row chose are not read.",
		top, experts, pick(o.Weights[1] != nil, " + b", ""), p.k, p.dim, what, p.tiles)
	e.method(name, doc, "y, x, routes view, "+p.params+", n int",
		p.fill(strings.ReplaceAll(expertsText, "$rowinput", input), "$experts", fmt.Sprint(experts), "$bounds", fmt.Sprint(experts+1), "$top", fmt.Sprint(top)))
	return fmt.Sprintf("t.%s(%s, %s, %s, %s, %s)", name, e.ref(o.Out[0]), e.ref(o.In[0]), e.ref(o.In[1]), p.arg, count(o.Out[0].Type.Rows)), nil
}

const expertsText = `s := &t.experts
starts, order := s.starts[:$bounds], s.order[:n*$top]
portable.GroupRoutes(starts, order, t.at(routes, 0), routes.ld, n, $top)
from, to := t.share(n * $top * $tiles)
for g := range $experts {
	lo, hi := int(starts[g]), int(starts[g+1])
	if lo == hi {
		continue
	}
	first, last := portable.ExpertTiles(lo, hi, $tiles, from, to)
	if first >= last {
		continue
	}
	for at := lo; at < hi; at += $rows {
		rows := order[at:min(at+$rows, hi)]
		for j, choice := range rows {
			copy(s.x[j*$k:][:$k], $rowinput)
		}
		$quantizefor i := first; i < last; i += $block {
			tiles := min($block, last-i)
			$gemm(s.y[:], $wide, s.$in[:], $words, w[(g*$tiles+i)*$stride:], tiles, $start, 0, len(rows))
			for j, choice := range rows {
				r, c := int(choice)/$top, int(choice)%$top
				copy(t.at(y, r)[c*$dim+i*16:][:min(tiles*16, $dim-i*16)], s.y[j*$wide:])
			}
		}
	}
}`

// headLinear emits the products of heads with weights of their own.
func (e *emitter) headLinear(s plan.Step) (string, error) {
	o := s.Op
	heads := o.Attrs.Int("heads")
	p, err := e.product(o, o.Attrs.Int("dim"))
	if err != nil {
		return "", err
	}
	name := p.name(fmt.Sprintf("heads%d", heads))
	doc := fmt.Sprintf("computes w·x%s for each of %d heads, [%d] → [%d]: a block-diagonal product, whose tiles of 16 outputs workers share.",
		pick(o.Weights[1] != nil, " + b", ""), heads, p.k, p.dim)
	text := strings.Replace(headsText, "$product", pick(p.quantize == "", headProduct, headProduct8), 1)
	quantize := ""
	if p.quantize != "" {
		quantize = p.quantize[:strings.Index(p.quantize, "(")]
	}
	e.method(name, doc, "y, x view, "+p.params+", n int", p.fill(text, "$heads", fmt.Sprint(heads), "$brings", quantize))
	return fmt.Sprintf("t.%s(%s, %s, %s, %s)", name, e.ref(o.Out[0]), e.ref(o.In[0]), p.arg, count(o.Out[0].Type.Rows)), nil
}

const headProduct = `$gemm(out, $wide, t.at(x, r)[g*$k:], x.ld, w[at*$stride:], tiles, $start, 0, rows)`

const headProduct8 = `$brings(t.experts.q[:], $words, t.at(x, r)[g*$k:], x.ld, rows)
		$gemm(out, $wide, t.experts.q[:], $words, w[at*$stride:], tiles, $start, 0, rows)`

const headsText = `out := t.experts.y[:]
from, to := t.share($heads * $tiles)
for at := from; at < to; {
	g, i := at/$tiles, at%$tiles
	tiles := min($block, $tiles-i, to-at)
	for r := 0; r < n; r += $rows {
		rows := min($rows, n-r)
		$product
		for j := range rows {
			copy(t.at(y, r+j)[g*$dim+i*16:][:min(tiles*16, $dim-i*16)], out[j*$wide:])
		}
	}
	at += tiles
}`

// route emits the choice of experts.
func (e *emitter) route(s plan.Step) (string, error) {
	o := s.Op
	experts, top := o.In[0].Type.Width(), o.Attrs.Int("top")
	scale := 1.0
	if _, ok := o.Attrs["scale"]; ok {
		scale = o.Attrs.Float("scale")
	}
	rule := fmt.Sprintf("Experts: %d, Top: %d, Scale: %s", experts, top, number(scale))
	for _, f := range []struct {
		on   bool
		text string
	}{
		{o.Attrs.Str("score") == "sigmoid", "Sigmoid: true"},
		{o.Attrs.Str("score") == "chosen", "Chosen: true"},
		{o.Attrs.Bool("normalise"), "Normalise: true, Eps: " + number(o.Attrs.Float("eps"))},
		{o.Attrs.Int("groups") > 1, fmt.Sprintf("Groups: %d, TopGroups: %d", o.Attrs.Int("groups"), o.Attrs.Int("top_groups"))},
		{o.Attrs.Int("groups") > 1 && o.Attrs.Str("group_score") == "top2", "TwoBest: true"},
	} {
		if f.on {
			rule += ", " + f.text
		}
	}
	params, arg, correction := "y, x view", "", "nil"
	if o.Weights[0] != nil {
		params, arg, correction = params+", correction []float32", ", "+e.weightRef(o.Weights[0], o.Region), "correction"
	}
	name := e.variant(fmt.Sprintf("route%dOf%d", top, experts), rule+correction)
	e.rowwise(name, fmt.Sprintf("chooses %d of %d experts for every row of logits x: their numbers, then their weights.", top, experts), params,
		fmt.Sprintf("portable.Route(t.at(y, from), y.ld, t.at(x, from), x.ld, to-from, %s, portable.Router{%s})", correction, rule))
	return fmt.Sprintf("t.%s(%s, %s%s, %s)", name, e.ref(o.Out[0]), e.ref(o.In[0]), arg, count(o.Out[0].Type.Rows)), nil
}

// variant returns the name, with a number behind it if the name is taken by another setting.
func (e *emitter) variant(name, setting string) string {
	base := name
	for i := 2; ; i++ {
		have, taken := e.settings[name]
		if !taken || have == setting {
			e.settings[name] = setting
			return name
		}
		name = fmt.Sprintf("%sV%d", base, i)
	}
}

func (e *emitter) combine(s plan.Step) (string, error) {
	o := s.Op
	top, width := op.Choices(o), o.Out[0].Type.Width()
	name := fmt.Sprintf("combine%dx%d", top, width)
	e.rowwise(name, fmt.Sprintf("adds the %d parts of %d of every row, times their weights.", top, width), "y, x, routes view",
		fmt.Sprintf("portable.Combine(t.at(y, from), y.ld, t.at(x, from), x.ld, t.at(routes, from), routes.ld, to-from, %d, %d)", top, width))
	return fmt.Sprintf("t.%s(%s, %s, %s, %s)", name, e.ref(o.Out[0]), e.ref(o.In[0]), e.ref(o.In[1]), count(o.Out[0].Type.Rows)), nil
}

func (e *emitter) scaleRows(s plan.Step) (string, error) {
	o := s.Op
	width := o.Out[0].Type.Width()
	k := e.kernel(kernel.Kernel{Op: "scaleRows", D: []int{width}})
	e.rowwise(k, fmt.Sprintf("multiplies every row of %d by its factor, in place.", width), "y, s view",
		fmt.Sprintf("for r := from; r < to; r++ {\n%s(t.at(y, r), y.ld, t.at(s, r), 1)\n}", k))
	return e.copied(s) + fmt.Sprintf("t.%s(%s, %s, %s)", k, e.ref(o.Out[0]), e.ref(o.In[1]), count(o.Out[0].Type.Rows)), nil
}

// expertScratch are the sizes of a worker's memory for grouped products; zero if the graph has none.
type expertScratch struct{ experts, choices, x, q, y int }

func scratchOfExperts(g *ir.Graph, rows int) (s expertScratch) {
	for _, o := range g.Ops {
		switch o.Kind {
		case "expert_linear":
			s.q = max(s.q, quantisedRows(o.Weights[0]))
			s.experts = max(s.experts, o.Attrs.Int("experts"))
			s.choices = max(s.choices, rows*op.Choices(o))
			s.x = max(s.x, gatherRows*o.Weights[0].Shape[1])
			s.y = gatherRows * gatherTiles * 16
		case "head_linear":
			s.q = max(s.q, quantisedRows(o.Weights[0]))
			s.y = gatherRows * gatherTiles * 16
		}
	}
	return s
}

// bytes is the memory of the scratch.
func (s expertScratch) bytes() int64 {
	n := s.choices + s.x + s.q + s.y
	if s.experts > 0 {
		n += s.experts + 1
	}
	return int64(4 * n)
}

// quantisedRows is the room for gathered rows of 8 bits, none for plain weights.
func quantisedRows(w *ir.Weight) int {
	if !quant.Known(w.Format) {
		return 0
	}
	return gatherRows * quant.ActivationWords(w.Shape[1])
}

// rows8 is the field with rows of 8 bits, if any are needed.
func (s expertScratch) rows8() string {
	if s.q == 0 {
		return ""
	}
	return fmt.Sprintf("q [%d]float32 // rows quantised to 8 bits\n", s.q)
}

// text is the field of a worker.
func (s expertScratch) text() string {
	switch {
	case s.experts > 0:
		return fmt.Sprintf(`
	experts struct { // grouped products: choices by expert, rows of one expert, and their outputs
		starts [%d]int32
		order  [%d]int32
		x      [%d]float32
		%sy      [%d]float32
	}`, s.experts+1, s.choices, s.x, s.rows8(), s.y)
	case s.y > 0:
		return fmt.Sprintf("\nexperts struct { // outputs of products by heads\n%sy [%d]float32\n}", s.rows8(), s.y)
	}
	return ""
}
