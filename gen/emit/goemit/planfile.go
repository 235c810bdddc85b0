package goemit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/plan"
	"github.com/tfgen/tfgen/runtime/arena"
)

// planFile emits plan.go: literal sizes, the places in the arena, and the machinery of a run.
func (e *emitter) planFile() ([]File, error) {
	texts := []string{e.constants(), e.arenaViews(), e.threadText(), e.runText()}
	f, err := e.file("plan.go", "", "", texts...)
	return []File{f}, err
}

func (e *emitter) constants() string {
	g, l := e.Plan.Graph, e.Plan.Limits
	layers := 0
	for _, r := range g.Regions {
		if r.Kind == ir.Layer && r.Tower == "" {
			layers++
		}
	}
	return fmt.Sprintf(`// Sizes of the model.
const (
	Layers     = %d
	Vocabulary = %d
	Parameters = %d

	// MaxContext is the longest sequence in tokens.
	MaxContext = %d
	// WeightsBytes is the size of the weights file, which is mapped, not read into memory.
	WeightsBytes = %d
	// ArenaBytes is the memory of activations, one block for the whole model%s.
	ArenaBytes = %d
	// WorkerBytes is the memory of one worker's scratch.
	WorkerBytes = %d

	maxRows      = %d // tokens in one pass through the layers
	maxSelected  = %d // rows in one pass through the head
	maxSequences = %d // sequences in one pass
	arenaSize    = %d // float32 values
)
`, layers, g.Vocab, e.Parameters, e.maxContext(), e.FileSize, pick(attendsWithin(g), ", with an encoder's keys and values", ""),
		ActivationBytes(e.Plan), WorkerBytes(e.Plan), l.Tokens, l.Selected, l.Sequences, e.Plan.Arena)
}

// maxContext is the longest sequence: of a session, or of a text that an encoder takes.
func (e *emitter) maxContext() int {
	if e.Causal {
		return e.Plan.Graph.MaxPos
	}
	return min(e.Plan.Graph.MaxPos, e.Plan.Limits.Tokens)
}

// scratchSizes are the rows and the padded width of the attention scratch.
func scratchSizes(g *ir.Graph) (rows, pad int) {
	rows = queryTile
	for _, o := range g.Ops {
		if o.Kind == "attend" || o.Kind == "attend_kept" || o.Kind == "attend_marked" || o.Kind == "attend_projected" {
			pad = max(pad, (o.Attrs.Int("head_dim")+15)/16*16)
		}
		pad = max(pad, (o.Attrs.Int("rank")+15)/16*16)
	}
	return rows, max(pad, 16)
}

// biased reports whether some attention adds biases to its scores.
func biased(g *ir.Graph) bool {
	return slices.ContainsFunc(g.Ops, func(o *ir.Op) bool {
		return o.Kind == "attend" && (o.Attrs.Float("alibi") != 0 || o.Weights[1] != nil || len(o.In) > 3)
	})
}

// rotated reports whether some attention rotates its queries.
func rotated(g *ir.Graph) bool {
	return slices.ContainsFunc(g.States, func(s *ir.State) bool { return cacheFormatOf(s).scales })
}

// WorkerBytes is the memory of one worker's scratch: attention scores, rows of experts.
func WorkerBytes(p *plan.Plan) int64 {
	rows, pad := scratchSizes(p.Graph)
	row := 64 + pad + 5
	if biased(p.Graph) {
		row += 64
	}
	if rotated(p.Graph) {
		row += pad
	}
	return int64(4*rows*row) + scratchOfExperts(p.Graph, p.Limits.Tokens).bytes() + int64(4*latentValues(p.Graph)) + efficientBytes(p.Graph) +
		int64(3*16*spectrumLength(p.Graph, p.Limits.Tokens)) +
		int64(12*scanWidth(p.Graph)) + int64(4*passingState(p.Graph))
}

func (e *emitter) arenaViews() string {
	var b strings.Builder
	b.WriteString(comment("Places in the arena: where a matrix begins and the stride of its rows, in elements. Matrices that are not alive at the same time share memory.") + "var (\n")
	for _, v := range e.views {
		fmt.Fprintf(&b, "%s = view{%d, %d} // [%s, %d]\n", v.name, v.at.Buffer.Offset+v.at.Col, v.at.Buffer.Stride, count(v.rows), v.width)
	}
	return b.String() + ")\n"
}

func (e *emitter) threadText() string {
	rows, pad := scratchSizes(e.Plan.Graph)
	trace, bias := "", ""
	if e.Trace {
		trace = traceText
	}
	if biased(e.Plan.Graph) {
		bias = fmt.Sprintf("bias [%d * 64]float32 // where scores start\n", rows)
	}
	if rotated(e.Plan.Graph) {
		bias += fmt.Sprintf("query [%d * %d]float32 // rotated\n", rows, pad)
	}
	return fmt.Sprintf(`// view is a matrix in the arena: its first element and the stride of its rows.
type view struct{ at, ld int }

// thread is one worker of a run.
type thread struct {
	run     *run
	id      int
	scratch struct { // attention: 32 queries against a block of 64 keys
		scores      [%[1]d * 64]float32
		acc         [%[1]d * %[2]d]float32
		m, l, alpha [%[1]d]float32
		lo, hi      [%[1]d]int32
		%[4]s}%[5]s
}

// at returns the arena from row r of a matrix on.
func (t *thread) at(v view, r int) []float32 { return t.run.arena[v.at+r*v.ld:] }

// sync waits until all workers have come here.
func (t *thread) sync() { t.run.pool.Barrier(t.id) }

// rows is this worker's share of n rows.
func (t *thread) rows(n int) (from, to int) { return t.run.pool.Range(t.id, n, 1) }

// share is this worker's share of n tiles of outputs.
func (t *thread) share(n int) (from, to int) { return t.run.pool.Range(t.id, n, 1) }

// mine reports whether a unit of attention is this worker's.
func (t *thread) mine(unit int) bool { return unit%%t.run.pool.Active() == t.id }
%[3]s`, rows, pad, trace, bias, scratchOfExperts(e.Plan.Graph, e.Plan.Limits.Tokens).text()+latentScratch(e.Plan.Graph)+
		efficientScratch(e.Plan.Graph)+spectrumScratch(e.Plan.Graph, e.Plan.Limits.Tokens)+scanScratch(e.Plan.Graph)+
		passingScratch(e.Plan.Graph))
}

const traceText = `
// trace hands rows of a matrix to the probe.
func (t *thread) trace(name string, v view, width, n int) {
	if t.id == 0 && t.run.probe != nil {
		for r := range n {
			t.run.probe(name, t.at(v, r)[:width])
		}
	}
	t.sync()
}
`

// shiftText appends what the decoder reads when it runs over a whole text: the text moved by one token.
func (e *emitter) shiftText() string {
	first := fmt.Sprint(e.Plan.Graph.Shift)
	if e.Plan.Graph.Shift < 0 {
		first = "tokens[len(tokens)-1]"
	}
	return fmt.Sprintf("r.shiftedTokens = append(append(r.shiftedTokens, %s), tokens[:len(tokens)-1]...)\n", first)
}

// runText is the run: what one pass through the model works on.
func (e *emitter) runText() string {
	types, resetTypes, addTypes := e.extraRun()
	probe := ""
	if e.Trace {
		probe = "probe func(name string, row []float32)\n"
	}
	kv, kvSet, params := "", "", "tokens []int32, pos, total int"
	if e.Causal {
		kv, kvSet, params = "kv []cache // of the session, one for each layer\n", ", kv: kv", params+", kv []cache"
	}
	if e.within() {
		kv, kvSet = kv+"own cache // of the layer that is being computed\n", kvSet+", own: r.cacheAt(len(tokens))"
	}
	if e.encodes() {
		kv, kvSet, params = kv+"source int // tokens that the encoder has read\n", kvSet+", source: source", params+", source int"
	}
	if e.Plan.Graph.Input("shifted_tokens") != nil {
		types += "shiftedTokens []int32 // what the decoder reads\n"
		resetTypes += "r.shiftedTokens = r.shiftedTokens[:0]\n"
		addTypes += e.shiftText()
	}
	params += e.extraParams()
	text := fmt.Sprintf(`// segment is a part of a run's rows that belongs to one sequence.
type segment struct {
	start, rows int // its rows in the run
	pos         int // position of the first row in the sequence
	%[1]s}

// cache holds keys and values of one layer, in blocks of 64 positions for each head; keys is the number of positions.
type cache struct {
	k, v []float32
	keys int
}

// run is the work of one pass through the model and its memory.
type run struct {
	model     *Model
	pool      *pool.Pool
	arena     []float32
	threads   []thread
	segments  []segment
	tokens    []int32
	positions []int32
	totals    []int32 // length of the row's sequence
	%[2]sselected  []int32 // rows that the head computes
	n, m, s   int
	layers    bool // compute embedding and layers
	%[9]s%[3]s%[4]s}

// begin empties the run.
func (r *run) begin() {
	r.segments, r.tokens, r.positions, r.totals = r.segments[:0], r.tokens[:0], r.positions[:0], r.totals[:0]
	r.selected = r.selected[:0]
	%[5]s}

// add appends tokens of a sequence, at positions from pos on; total is the length of the sequence as far as it is known.
func (r *run) add(%[6]s) {
	r.segments = append(r.segments, segment{start: len(r.tokens), rows: len(tokens), pos: pos%[7]s})
	r.tokens = append(r.tokens, tokens...)
	%[8]sfor i := range tokens {
		r.positions = append(r.positions, int32(pos+i))
		r.totals = append(r.totals, int32(total))
	}
}
`, kv, types, probe, e.encoderFields(), resetTypes, params, kvSet, addTypes,
		pick(e.encodes(), "encoder bool // compute the encoder, nothing else\n", ""))
	return text + e.extraBlanks() + e.encoderCache() + e.workText()
}

// within reports whether some attention has no cache, so that its keys and values live within a pass.
func (e *emitter) within() bool { return attendsWithin(e.Plan.Graph) }

func attendsWithin(g *ir.Graph) bool {
	return slices.ContainsFunc(g.Ops, keepsWithin)
}

// keepsWithin reports whether an operation stores keys and values for the time of a pass.
func keepsWithin(o *ir.Op) bool {
	return (o.Kind == "attend" || o.Kind == "attend_latent") && o.State == nil || o.Kind == "attend_marked"
}

// encodes reports whether sessions begin with a pass of an encoder.
func (e *emitter) encodes() bool { return e.Causal && e.Plan.Graph.Towers() }

// encoderFields and encoderCache are the memory of keys and values within a run of an encoder.
func (e *emitter) encoderFields() string {
	if !e.within() {
		return ""
	}
	return "k, v []float32 // keys and values of one layer\nblocks int // of 64 positions, in use\n"
}

func (e *emitter) encoderCache() string {
	if !e.within() {
		return ""
	}
	keys, values := encoderWidths(e.Plan.Graph)
	return fmt.Sprintf(`
// cacheAt reserves keys and values for a sequence of n tokens.
func (r *run) cacheAt(n int) cache {
	if len(r.segments) == 0 {
		r.blocks = 0
	}
	at, blocks := r.blocks*64, (n+63)/64
	r.blocks += blocks
	return cache{r.k[at*%d:], r.v[at*%d:], blocks * 64}
}
`, keys, values)
}

// encoderWidths are the elements of keys and of values that a token has in the widest attention of an encoder.
func encoderWidths(g *ir.Graph) (keys, values int) {
	for _, o := range g.Ops {
		if keepsWithin(o) {
			kv, dim := o.Attrs.Int("kv_heads"), o.Attrs.Int("head_dim")
			keys, values = max(keys, kv*dim, o.Attrs.Int("rank")), max(values, kv*((dim+15)/16*16), o.Attrs.Int("rope_dim"))
		}
	}
	return keys, values
}

// encoderBlocks is the number of blocks of 64 positions that one pass of an encoder needs at most.
func encoderBlocks(l plan.Limits) int { return (max(l.Tokens, l.Source)+63)/64 + l.Sequences }

// ActivationBytes is the memory of activations in bytes: the arena, and keys and values of an encoder.
func ActivationBytes(p *plan.Plan) int64 { return arena.Bytes(p.Arena) + encoderBytes(p) }

// encoderBytes is the memory of keys and values within a pass of an encoder.
func encoderBytes(p *plan.Plan) int64 {
	if !attendsWithin(p.Graph) {
		return 0
	}
	keys, values := encoderWidths(p.Graph)
	n := encoderBlocks(p.Limits) * 64
	return arena.Bytes(n*keys) + arena.Bytes(n*values)
}

// workText is the function that every worker runs.
func (e *emitter) workText() string {
	head, encoder := e.regionCalls("head"), ""
	if head != "" && e.Causal {
		head = "if r.m > 0 {\n" + head + "}\n"
	}
	fields, parts := "layers", "layers"
	if e.encodes() {
		encoder = fmt.Sprintf("if r.encoder {\n%sreturn\n}\n", e.regionCalls("encoder"))
		fields, parts = "layers, r.encoder", "layers, false"
	}
	text := fmt.Sprintf(`
// execute runs the layers, if wanted, and the head on all workers.
func (r *run) execute(layers bool) error {
	r.n, r.m, r.s, r.%[3]s = len(r.tokens), len(r.selected), len(r.segments), %[4]s
	return r.pool.Run(r)
}

// Work is the whole pass, run by every worker at the same time; each takes its share of every operation.
func (r *run) Work(worker int) {
	t := &r.threads[worker]
	%[5]sif r.layers {
		%[1]s}
	%[2]s}
`, e.regionCalls("layers"), head, fields, parts, encoder)
	if e.encodes() {
		text += `
// encode runs the encoder.
func (r *run) encode() error {
	r.n, r.s, r.encoder = len(r.tokens), len(r.segments), true
	return r.pool.Run(r)
}
`
	}
	return text
}
