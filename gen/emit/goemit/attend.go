package goemit

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/plan"
)

// queryTile is the number of query rows that one unit of attention work handles: their scores against a block of keys
// stay in the first-level cache.
const queryTile = 32

// attention is one distinct setting of the attend operation.
type attention struct {
	key                 string
	heads, kv, dim, pad int
	window              int
	causal, cached      bool
	scale               float64
	alibi               op.ALiBi
	sinks               bool
	format              cacheFormat
	kept                bool // keys and values of the encoder's rows, from the state
	distances           int  // of a relative bias: its table has a row of so many for each head; 0: none
	by                  string
	span                int    // of products with vectors of distances: each head has 2·span; 0: none
	distanceRows        string // table of their rows by distance
	marks               bool   // queries also see keys that are marked
	marked              bool   // only rows that are marked are computed
	projected           int    // keys that a matrix makes of those of a sequence; 0: it makes none
	units               string // the sharing of work, if it is not the usual
}

// located reports whether a row of queries needs to know its position.
func (a *attention) located() bool {
	return a.window > 0 || a.distances > 0 || a.span > 0 || a.marks || a.alibi.Slopes != nil
}

// group is the number of query heads that share a key/value head.
func (a *attention) group() int { return a.heads / a.kv }

// decodeRows is how many heads of a group one unit of a decode step takes: the whole group unless there are too few
// key/value heads to share among workers.
func (a *attention) decodeRows() int {
	g := min(a.group(), queryTile)
	for g > 1 && (a.group()%g != 0 || a.heads/g < 4) {
		g--
	}
	return g
}

// word tells the kinds of attention apart that one package may have: with a cache, and within a pass.
func (a *attention) word() string {
	return pick(a.projected > 0, fmt.Sprintf("Projected%dOf", a.projected), pick(a.marked, "Marked", pick(a.kept, "Kept", pick(a.cached, "", pick(a.causal, "Causal", "Full")))))
}

// attend emits the attention core: keys and values go to the cache, then streaming softmax over blocks of 64 keys at
// fixed positions, so that a query's result does not depend on what is computed beside it.
func (e *emitter) attend(s plan.Step) (string, error) {
	o := s.Op
	a := &attention{
		heads: o.Attrs.Int("heads"), kv: o.Attrs.Int("kv_heads"), dim: o.Attrs.Int("head_dim"),
		window: o.Attrs.Int("window"), causal: o.Attrs.Str("mask") == "causal", cached: o.State != nil,
		scale: o.Attrs.Float("scale"), alibi: op.NewALiBi(o.Attrs), sinks: o.Weights[0] != nil, format: cacheFormatOf(o.State),
	}
	a.pad = (a.dim + 15) / 16 * 16
	if a.cached && !a.causal {
		return "", fmt.Errorf("%s: the Go backend keeps keys and values of causal attention only; found mask %s with state", o.Pos, o.Attrs.Str("mask"))
	}
	relative := ""
	if o.Weights[1] != nil {
		relative = e.relative(o)
		a.distances = 2*o.Attrs.Int("max_distance") + 1
	}
	if products, marks := op.Extras(o); len(o.In) > 3 {
		if a.marks = marks != nil; len(products) > 0 {
			a.by, a.span, a.distanceRows = o.Attrs.Str("by"), o.Attrs.Int("span"), e.distanceRows(o)
		}
	}
	if n := min(a.span, 1) + min(a.distances, 1) + len(pick(a.marks, "m", "")); n > 1 || a.marks && a.cached {
		return "", fmt.Errorf("%s: the Go backend has one of products with distances, biases by distance and marked keys, the last without a state", o.Pos)
	}
	name := e.attentionOf(a, o)
	layer := 0
	if a.cached {
		layer = e.stateIndex(o.State)
	}
	args := []string{e.ref(o.Out[0]), e.ref(o.In[0]), e.ref(o.In[1]), e.ref(o.In[2])}
	if a.sinks {
		args = append(args, e.weightRef(o.Weights[0], o.Region))
	}
	if relative != "" {
		args = append(args, "t.run.model."+relative)
	}
	for _, v := range o.In[3:] {
		args = append(args, e.ref(v))
	}
	return fmt.Sprintf("t.%s(%s, %d, n)", name, strings.Join(args, ", "), layer), nil
}

// attentionOf records kernels and methods of one attention setting and returns the name of the first method.
func (e *emitter) attentionOf(a *attention, o *ir.Op) string {
	softmax := e.kernel(kernel.Kernel{Op: "softmaxBlock", D: []int{kernel.BlockKeys}, F: []float64{o.Attrs.Float("scale"), o.Attrs.Float("softcap")}})
	scores := e.kernel(kernel.Kernel{Op: "gemm", S: a.format.gemm, D: []int{a.dim}})
	values := e.kernel(kernel.Kernel{Op: "gemm", S: a.format.gemm, D: []int{kernel.BlockKeys}})
	scaleRows := e.kernel(kernel.Kernel{Op: "scaleRows", D: []int{a.pad}})
	e.needZeros(kernel.BlockKeys)
	a.key = fmt.Sprintf("%dx%dx%d%s", a.heads, a.kv, a.dim, softmax)
	kernels := []string{softmax, scores, values, scaleRows}
	if a.format.scales {
		kernels = append(kernels, e.kernel(kernel.Kernel{Op: "mul", D: []int{kernel.BlockKeys}}), e.kernel(kernel.Kernel{Op: "add", D: []int{kernel.BlockKeys}}))
	}
	return e.attentionMethods(a, o, kernels)
}

// attendKept emits attention to what keep has stored.
func (e *emitter) attendKept(s plan.Step) (string, error) {
	o := s.Op
	a := &attention{heads: o.Attrs.Int("heads"), kv: o.Attrs.Int("kv_heads"), dim: o.Attrs.Int("head_dim"), cached: true, kept: true,
		scale: o.Attrs.Float("scale"), format: cacheFormats[0]}
	a.pad = (a.dim + 15) / 16 * 16
	return fmt.Sprintf("t.%s(%s, %s, %d, n)", e.attentionOf(a, o), e.ref(o.Out[0]), e.ref(o.In[0]), e.stateIndex(o.State)), nil
}

// keep emits the storing of the encoder's keys and values in a session.
func (e *emitter) keep(s plan.Step) (string, error) {
	o := s.Op
	a := &attention{kv: o.Attrs.Int("kv_heads"), heads: o.Attrs.Int("kv_heads"), dim: o.Attrs.Int("head_dim"), cached: true,
		format: cacheFormats[0]}
	a.pad = (a.dim + 15) / 16 * 16
	name := fmt.Sprintf("keep%dx%d", a.kv, a.dim)
	e.method(name, fmt.Sprintf("stores keys and values of %d heads of %d of the encoder's rows, as packed weights of two matrix products.", a.kv, a.dim),
		"k, v view, layer, n int", e.fillAttention(a, storeText, name))
	return fmt.Sprintf("t.%s(%s, %s, %d, n)", name, e.ref(o.In[0]), e.ref(o.In[1]), e.stateIndex(o.State)), nil
}

func (e *emitter) stateIndex(s *ir.State) int {
	for i, t := range e.Plan.Graph.States {
		if s == t {
			return i
		}
	}
	return -1
}

// attentionMethods records the methods of one attention setting and returns the name of the first.
func (e *emitter) attentionMethods(a *attention, o *ir.Op, kernels []string) string {
	name := fmt.Sprintf("attend%s%dx%dx%d", a.word(), a.heads, a.kv, a.dim)
	doc := fmt.Sprintf("is attention of %d heads over %d key/value heads of %d, scale %s", a.heads, a.kv, a.dim, number(o.Attrs.Float("scale")))
	if a.window > 0 {
		name += fmt.Sprintf("Window%d", a.window)
		doc += ", over " + pick(a.causal, fmt.Sprintf("the last %d positions", a.window), fmt.Sprintf("%d positions to each side", a.window-1))
	}
	if c := o.Attrs.Float("softcap"); c > 0 {
		doc += fmt.Sprintf(", scores capped at ±%s", number(c))
	}
	if a.alibi.Slopes != nil {
		name += "ALiBi"
		doc += ", biased by slope · distance (ALiBi, Press et al. 2022)"
	}
	params := "y, q, k, v view"
	if a.distances > 0 {
		name += fmt.Sprintf("Relative%d", a.distances/2)
		doc += ", biased by a table of distances for each head (Raffel et al. 2020)"
	}
	if a.sinks {
		name += "Sinks"
		doc += ", each head with a sink, a key without value (Xiao et al. 2023)"
		params += ", sinks []float32"
	}
	if a.format.name != "f32" {
		name += strings.ToUpper(a.format.name)
		doc += ", keys and values kept as " + a.format.doc
	}
	if a.distances > 0 {
		params += ", relative []float32"
	}
	if v := strings.TrimPrefix(kernels[0], "softmaxBlock64"); v != "" {
		name += v
	}
	views := a.distanceViews()
	if a.marks || a.marked {
		params += ", " + views
	}
	if a.marks {
		name += "Marks"
		doc += ", and over all keys that are marked (Beltagy et al. 2020)"
	}
	if a.span > 0 {
		name = e.variant(fmt.Sprintf("%sDistances%d", name, a.span), a.key+a.by+a.distanceRows)
		doc += fmt.Sprintf(", with products of %s and %d vectors of distances (He et al. 2021)", distanceWords[a.by], 2*a.span)
		params += ", " + views
	}
	store := storeText + "\nt.sync()\n"
	if a.kept {
		params, store, doc = "y, q view", "", doc+", the keys and values being those of the encoder in the session"
	} else if a.projected > 0 {
		params, store, doc = params+", e, f []float32", "", doc+fmt.Sprintf(", each token sees the %d rows that matrices make of keys and values (Wang et al. 2020)", a.projected)
	} else if a.marked {
		doc += ", of the rows that are marked: they replace what y holds (Beltagy et al. 2020)"
	} else if !a.causal && a.window == 0 {
		doc += ", each token sees its whole sequence"
	}
	doc += ".\n" + pick(a.kept || a.projected > 0, "", "Keys and values are stored first, as packed weights of two matrix products: scores = q·kᵀ and output = p·v. ") + "Work is " +
		"shared by units: a key/value head of a token, or a head of 32 tokens of a prompt."
	e.method(name, doc, params+", layer, n int", e.fillAttention(a, store+unitsText(a), name))
	e.method(name+"Tile", fmt.Sprintf("computes rows of queries of one key/value head over the blocks of 64 keys that they see, with a streaming "+
		"softmax (Dao 2022, Milakov & Gimelshein 2018). q and y have rows of %d at strides ldq and ldy. %s", a.dim, a.rowDoc()),
		e.fillAttention(a, "y []float32, ldy int, q []float32, ldq, rows, $params int, $sinkscacheK, cacheV []$element, keys int"+pick(views != "" && !a.marked, ", "+views, ""), name), e.fillAttention(a, pick(a.format.scales, scaledTileText, tileText), name, kernels...))
	return name
}

// fillAttention replaces the markers of a text by the literals of the setting.
func (e *emitter) fillAttention(a *attention, text, name string, kernels ...string) string {
	first, last, params := "0", "(length - 1) / 64", "length"
	mask, prompt, token := fullMask, "s.rows", ""
	if a.causal {
		last, params = "(pos + step*(rows-1)) / 64", "pos, step"
		mask, prompt, token = causalMask, "s.pos+r, 1", "s.pos, 0"
	}
	if a.window > 0 && a.causal {
		first, mask = fmt.Sprintf("max(0, pos-%d) / 64", a.window-1), fmt.Sprintf(windowMask, a.window-1)
	}
	if a.kept {
		prompt, token = "s.source", "s.source"
	}
	if a.located() && !a.causal {
		prompt, params = "r, s.rows", "pos, length"
	}
	if a.window > 0 && !a.causal {
		first, last = fmt.Sprintf("max(0, pos-%d) / 64", a.window-1), fmt.Sprintf("min(pos+rows+%d, length-1) / 64", a.window-2)
		mask = fmt.Sprintf(bandMask, a.window-1, a.window)
	}
	start, bias := "zeros[:], 0", ""
	if a.alibi.Slopes != nil {
		start, bias = "c.bias[:], 64", e.alibiText(a)
		params, prompt, token = params+", head", prompt+", h", token+", h"
	}
	softmax, sinks := "StartSoftmax(c.m[:rows], c.l[:rows])", ""
	if a.sinks {
		softmax, sinks = "StartSinks(c.m[:rows], c.l[:rows], sinks, 1-step)", "sinks, "
		prompt, token = prompt+", sinks[h:]", token+", sinks[h:]"
	}
	if a.distances > 0 {
		start, bias = "c.bias[:], 64", a.relativeText()
		sinks += "relative, "
		prompt, token = prompt+fmt.Sprintf(", relative[h*%d:]", a.distances), token+fmt.Sprintf(", relative[h*%d:]", a.distances)
	}
	views := ""
	if a.span > 0 {
		start, bias = "c.bias[:], 64", a.distanceText()
		params, prompt, views = params+", first, head", prompt+", s.start, h", ", "+strings.TrimSuffix(a.distanceViews(), " view")
	}
	beyond := ""
	if a.marks {
		start, bias, beyond = "c.bias[:], 64", seeMarked, anyMarked
		beyond = strings.NewReplacer("$from", first, "$to", last).Replace(anyMarked)
		first, last = "0", "(length - 1) / 64"
		params, prompt, views = params+", first", prompt+", s.start", ", marks"
	}
	addBias := ""
	if a.format.scales && bias != "" {
		addBias = "\n	$kernel5(c.scores[:], 64, c.bias[:], 64, rows)"
	}
	cache := "s.kv[layer]"
	if !a.cached {
		cache = "s.own"
	}
	pairs := []string{"$rowswords", rowWords(a.decodeRows()), "$name", name, "$heads", fmt.Sprint(a.heads), "$kv", fmt.Sprint(a.kv), "$dim", fmt.Sprint(a.dim), "$pad", fmt.Sprint(a.pad),
		"$tiles", fmt.Sprint(a.pad / 16), "$group", fmt.Sprint(a.group()), "$rows", fmt.Sprint(a.decodeRows()),
		"$first", first, "$last", last, "$cache", cache, "$element", a.format.element,
		"$store", a.format.store, "$keysize", a.format.headSize(a.dim), "$valuesize", a.format.headSize(a.pad),
		"$keyblock", fmt.Sprint(a.format.blockWords(a.dim)), "$valueblock", fmt.Sprint(a.format.blockWords(a.pad)),
		"$keys", fmt.Sprintf(a.format.view, "k"), "$values", fmt.Sprintf(a.format.view, "v"), "$queries", fmt.Sprint(queryTile)}
	for i, k := range kernels {
		pairs = append(pairs, fmt.Sprintf("$kernel%d", i), k)
	}
	return strings.NewReplacer(pairs...).Replace(strings.NewReplacer("$addbias", addBias, "$mask", mask+bias, "$start", start, "$softmax", softmax, "$sinks", sinks, "$views", views, "$beyond", beyond, "$prompt", prompt, "$token", token, "$params", params).Replace(text))
}

// alibiText writes the biases of a row, in units of the unscaled scores, to where the sums of its scores start. Rows of
// one new token are heads, rows of a prompt are tokens.
func (e *emitter) alibiText(a *attention) string {
	b := a.alibi
	slopes := e.table("slopes", "slopes of the heads (ALiBi).", b.Slopes)
	if !a.causal {
		return fmt.Sprintf("\nportable.ALiBiBoth(c.bias[r*64:][:64], %s[head]*%s, b*64-pos-r)", slopes, number(b.Scale/a.scale))
	}
	slopes += "[head+r*(1-step)]"
	if b.BF16 {
		return fmt.Sprintf("\nportable.ALiBiBF16(c.bias[r*64:][:64], %s, %s, b*64, pos+r*step)", slopes, number(b.Scale/a.scale))
	}
	return fmt.Sprintf("\nportable.ALiBi(c.bias[r*64:][:64], %s*%s, b*64-pos-r*step)", slopes, number(b.Scale/a.scale))
}

// rowWords says what the rows of a unit of a decode step are.
func rowWords(n int) string {
	if n == 1 {
		return "a unit is one head"
	}
	return fmt.Sprintf("%d heads that share keys and values are the rows of a unit", n)
}

// rowDoc says which keys a row of a unit sees.
func (a *attention) rowDoc() string {
	if a.causal {
		return "Row r is the query at position pos + r·step."
	}
	if a.located() {
		return "Row r is the query at position pos + r of a sequence of the given length."
	}
	return "Every row sees all keys of the sequence of the given length."
}

// Masks of a block b: keys lo ≤ key < hi of its 64 are seen.
const (
	fullMask   = "c.lo[r], c.hi[r] = 0, int32(min(length-b*64, 64))"
	causalMask = "c.lo[r], c.hi[r] = 0, int32(min(max(pos+r*step+1-b*64, 0), 64))"
	bandMask   = "p := pos + r - b*64\nc.lo[r], c.hi[r] = int32(min(max(p-%d, 0), 64)), int32(min(max(p+%d, 0), length-b*64, 64))"
	windowMask = "p := pos + r*step - b*64\nc.lo[r], c.hi[r] = int32(min(max(p-%d, 0), 64)), int32(min(max(p+1, 0), 64))"
)

const storeText = `from, to := t.rows(n)
for i := range t.run.segments {
	s := &t.run.segments[i]
	kv := &$cache
	for r := max(from, s.start); r < min(to, s.start+s.rows); r++ {
		p := (s.pos + r - s.start) % kv.keys
		for h := range $kv {
			portable.StoreK$store($keys[h*$keysize:], t.at(k, r)[h*$dim:], 0, p, 1, $dim)
			portable.StoreV$store($values[h*$valuesize:], t.at(v, r)[h*$dim:], 0, p, 1, $dim)
		}
	}
}`

func unitsText(a *attention) string {
	if a.units != "" {
		return a.units
	}
	if !a.cached {
		return `unit := 0
for i := range t.run.segments {
	s := &t.run.segments[i]
` + promptText + `
}`
	}
	return `unit := 0
for i := range t.run.segments {
	s := &t.run.segments[i]
	if s.rows > 1 {
` + promptText + `
		continue
	}
	kv := &$cache
	for h := 0; h < $heads; h += $rows { // one new token: $rowswords
		if t.mine(unit) {
			g := h / $group
			t.$nameTile(t.at(y, s.start)[h*$dim:], $dim, t.at(q, s.start)[h*$dim:], $dim, $rows, $token,
				$keys[g*$keysize:], $values[g*$valuesize:], kv.keys$views)
		}
		unit++
	}
}`
}

const promptText = `kv := &$cache
for h := range $heads {
	g := h / $group
	for r := 0; r < s.rows; r += $queries {
		if t.mine(unit) {
			t.$nameTile(t.at(y, s.start+r)[h*$dim:], y.ld, t.at(q, s.start+r)[h*$dim:], q.ld, min($queries, s.rows-r), $prompt,
				$keys[g*$keysize:], $values[g*$valuesize:], kv.keys$views)
		}
		unit++
	}
}`

const tileText = `c := &t.scratch
acc := c.acc[:rows*$pad]
clear(acc)
portable.$softmax
for b := $first; b <= $last; b++ {
	$beyondat := b * 64 % keys
	for r := range rows {
		$mask
	}
	$kernel1(c.scores[:], 64, q, ldq, cacheK[at*$dim:], 4, $start, rows)
	$kernel0(c.scores[:], rows, c.lo[:], c.hi[:], c.m[:], c.l[:], c.alpha[:])
	$kernel3(acc, $pad, c.alpha[:], rows)
	$kernel2(acc, $pad, c.scores[:], 64, cacheV[at*$pad:], $tiles, acc, $pad, rows)
}
portable.FinishSoftmax(c.alpha[:rows], c.l[:rows])
$kernel3(acc, $pad, c.alpha[:], rows)
for r := range rows {
	copy(y[r*ldy:][:$dim], acc[r*$pad:])
}`
