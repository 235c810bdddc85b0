package wasmemit

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/plan"
	"github.com/tfgen/tfgen/gen/weights"
)

// lowering is one row of the table of operations that this backend supports.
type lowering struct {
	access access
	attrs  string // the attributes that it takes into account; others must have their defaults
	emit   func(e *emitter, f *code, s plan.Step) error
}

// lowerings is the table of operations. A slice is a place and needs no instructions.
var lowerings map[string]lowering

func init() {
	lowerings = map[string]lowering{
		"embed":          {rowwise, "rows dim scale offset", (*emitter).embed},
		"linear":         {anywhere, "dim", (*emitter).linear},
		"quantize":       {rowwise, "", (*emitter).quantize},
		"rmsnorm":        {rowwise, "eps dim each", (*emitter).norm},
		"layernorm":      {rowwise, "eps dim each", (*emitter).norm},
		"add_rmsnorm":    {rowwise, "eps dim each", (*emitter).norm},
		"add_layernorm":  {rowwise, "eps dim each", (*emitter).norm},
		"add":            {rowwise, "", (*emitter).binary},
		"mul":            {rowwise, "", (*emitter).binary},
		"scale":          {rowwise, "c", (*emitter).scale},
		"gain":           {rowwise, "", (*emitter).gain},
		"clamp":          {rowwise, "low high", (*emitter).clamp},
		"softcap":        {rowwise, "cap", (*emitter).softcap},
		"act":            {rowwise, "kind", (*emitter).act},
		"glu":            {rowwise, "kind", (*emitter).glu},
		"rope_angles":    {rowwise, "rot dim theta scaling max_pos beta", (*emitter).angles},
		"rope":           {rowwise, "heads head_dim rot style", (*emitter).rope},
		"attend":         {staged, "heads kv_heads head_dim scale mask window softcap alibi alibi_factor alibi_bf16 buckets max_distance by span log_buckets marked", (*emitter).attend},
		"keep":           {anywhere, "kv_heads head_dim", (*emitter).keep},
		"attend_kept":    {anywhere, "heads kv_heads head_dim scale", (*emitter).attendKept},
		"sinusoid":       {rowwise, "dim offset spread", (*emitter).sinusoid},
		"route":          {rowwise, "top score normalise eps scale groups top_groups group_score", (*emitter).route},
		"expert_linear":  {anywhere, "experts dim parts", (*emitter).expertLinear},
		"head_linear":    {anywhere, "heads dim", (*emitter).headLinear},
		"combine":        {rowwise, "", (*emitter).combine},
		"scale_rows":     {rowwise, "", (*emitter).scaleRows},
		"attend_latent":  {stagedPair, "heads rank rope_dim scale", (*emitter).attendLatent},
		"delta_rule":     {anywhere, "heads key_heads eps", (*emitter).deltaRule},
		"mlstm":          {anywhere, "heads eps", (*emitter).mLSTM},
		"short_conv":     {anywhere, "kernel", (*emitter).shortConv},
		"selective_scan": {anywhere, "heads groups state_size decay low high", (*emitter).selectiveScan},
		"slstm":          {anywhere, "heads", (*emitter).sLSTM},
		"state_space":    {anywhere, "state_size rank", (*emitter).stateSpace},
		"long_conv":      {anywhere, "length", (*emitter).longConv},
		"rg_lru":         {anywhere, "", (*emitter).rgLRU},
		"shift":          {anywhere, "", (*emitter).shift},
		"lerp":           {rowwise, "", (*emitter).lerp},
		"wkv":            {anywhere, "", (*emitter).wkv},
		"select":         {gathers, "", (*emitter).gather},
		"first":          {gathers, "", (*emitter).first},
		"last":           {gathers, "id", (*emitter).last},
		"mean":           {gathers, "", (*emitter).mean},
		"l2norm":         {rowwise, "", (*emitter).l2norm},
		"concat":         {rowwise, "", (*emitter).concat},
		"position_scale": {rowwise, "beta period", (*emitter).positionScale},
		"xielu":          {rowwise, "", (*emitter).xielu},
		"unfold":         {anywhere, "kernel before", (*emitter).unfold},
		"marks":          {anywhere, "rule id", (*emitter).marks},
		"row_spectrum":   {rowwise, "", (*emitter).rowSpectrum},

		"attend_marked":     {anywhere, "heads kv_heads head_dim scale", (*emitter).attendMarked},
		"attend_projected":  {anywhere, "heads head_dim scale rows length each", (*emitter).attendProjected},
		"attend_features":   {anywhere, "heads head_dim kernel eps", (*emitter).attendFeatures},
		"linear_attention":  {anywhere, "heads key_heads scale w", (*emitter).linearAttention},
		"sequence_spectrum": {anywhere, "dim", (*emitter).sequenceSpectrum},
	}
}

// attributes are the names of attrs.
func (l lowering) attributes() []string { return strings.Fields(l.attrs) }

// check reports an attribute that would change the result and that the lowering does not know.
func (l lowering) check(o *ir.Op) error {
	row, ok := op.Lookup(o.Kind)
	if !ok {
		return nil
	}
	for _, a := range row.Attrs {
		v, set := o.Attrs[a.Name]
		if set && !slices.Contains(l.attributes(), a.Name) && !reflect.DeepEqual(v, a.Default) {
			return unsupported(o, "%s: %v", a.Name, v)
		}
	}
	return nil
}

// Supports reports whether the backend can emit an operation.
func Supports(kind string) bool {
	_, ok := lowerings[kind]
	return ok || kind == "slice"
}

// Operations returns the names of the operations that the backend supports, in order.
func Operations() []string {
	list := []string{"slice"}
	for k := range lowerings {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

// call emits a call of a function whose parameters are addresses, and last the number of rows.
func (e *emitter) call(f *code, g *wasm.Func, rows ir.Rows, args ...int) {
	for _, a := range args {
		f.I32(a)
	}
	f.GetGlobal(e.counts[rows]).Call(g)
}

// copied emits the copy of the operand of an in-place operation to the place of its result, if it has to move.
func (e *emitter) copied(f *code, s plan.Step) {
	if s.Copy != nil {
		e.elementwise(f, "copy", s.Op.Out[0], []*ir.Value{s.Copy}, nil)
	}
}

// elementwise emits y = fn(operands…) for all rows: apply works on the vectors that it finds on the stack, nil leaves the
// operand as it is. name says what apply does.
func (e *emitter) elementwise(f *code, name string, y *ir.Value, operands []*ir.Value, apply func(f *code)) {
	at, stride := e.address(y)
	args, strides := []int{at}, []int{stride}
	for _, v := range operands {
		at, stride := e.address(v)
		args, strides = append(args, at), append(strides, stride)
	}
	width := y.Type.Width()
	g := e.rowwise(fmt.Sprintf("%s %d %v", name, width, strides), strides, 0, func(f *code, rows, _ []wasm.Local) {
		f.columns(width, func(c column) {
			c.store(rows[0], func() {
				for _, x := range rows[1:] {
					c.load(x)
				}
				if apply != nil {
					apply(f)
				}
			})
		})
	})
	e.call(f, g, y.Type.Rows, args...)
}

func (e *emitter) binary(f *code, s plan.Step) error {
	o := s.Op
	e.copied(f, s)
	x := o.In
	if s.Copy != nil {
		x = []*ir.Value{o.Out[0], o.In[1]}
	}
	e.elementwise(f, o.Kind, o.Out[0], x, func(f *code) {
		f.Do(map[string]wasm.Op{"add": wasm.F32x4Add, "mul": wasm.F32x4Mul}[o.Kind])
	})
	return nil
}

func (e *emitter) scale(f *code, s plan.Step) error {
	c := float32(s.Op.Attrs.Float("c"))
	e.elementwise(f, fmt.Sprintf("scale %v", c), s.Op.Out[0], []*ir.Value{source(s)}, func(f *code) { f.V(c).Do(wasm.F32x4Mul) })
	return nil
}

// gain emits y = w ⊙ x: a factor for each channel.
func (e *emitter) gain(f *code, s plan.Step) error {
	o := s.Op
	y, ldy := e.address(o.Out[0])
	x, ldx := e.address(source(s))
	width := o.Out[0].Type.Width()
	g := e.rowwise(fmt.Sprintf("gain %d %d %d", width, ldy, ldx), []int{ldy, ldx}, 1, func(f *code, rows, others []wasm.Local) {
		f.columns(width, func(c column) {
			c.store(rows[0], func() {
				c.load(rows[1])
				c.load(others[0]).Do(wasm.F32x4Mul)
			})
		})
	})
	e.call(f, g, o.Out[0].Type.Rows, y, x, e.weight(o.Weights[0]))
	return nil
}

// source is the operand of an operation of one operand, wherever it stands.
func source(s plan.Step) *ir.Value { return s.Op.In[0] }

func (e *emitter) clamp(f *code, s plan.Step) error {
	low, high := float32(s.Op.Attrs.Float("low")), float32(s.Op.Attrs.Float("high"))
	e.elementwise(f, fmt.Sprintf("clamp %v %v", low, high), s.Op.Out[0], []*ir.Value{source(s)}, func(f *code) {
		f.V(low).Do(wasm.F32x4Max).V(high).Do(wasm.F32x4Min)
	})
	return nil
}

func (e *emitter) softcap(f *code, s plan.Step) error {
	c, tanh := s.Op.Attrs.Float("cap"), e.tanh()
	e.elementwise(f, fmt.Sprintf("softcap %v", c), s.Op.Out[0], []*ir.Value{source(s)}, func(f *code) {
		f.V(float32(1 / c)).Do(wasm.F32x4Mul).Call(tanh).V(float32(c)).Do(wasm.F32x4Mul)
	})
	return nil
}

// activation returns the function of an activation.
func (e *emitter) activation(o *ir.Op) (*wasm.Func, error) {
	kind := o.Attrs.Str("kind")
	make, ok := activations[kind]
	if !ok {
		return nil, unsupported(o, "the activation %s", kind)
	}
	return make(e), nil
}

func (e *emitter) act(f *code, s plan.Step) error {
	g, err := e.activation(s.Op)
	if err != nil {
		return err
	}
	e.elementwise(f, "act "+s.Op.Attrs.Str("kind"), s.Op.Out[0], s.Op.In, func(f *code) { f.Call(g) })
	return nil
}

// glu is kind(gate)·up; up is on the stack above gate.
func (e *emitter) glu(f *code, s plan.Step) error {
	g, err := e.activation(s.Op)
	if err != nil {
		return err
	}
	up := []*ir.Value{s.Op.In[1], s.Op.In[0]}
	e.elementwise(f, "glu "+s.Op.Attrs.Str("kind"), s.Op.Out[0], up, func(f *code) { f.Call(g).Do(wasm.F32x4Mul) })
	return nil
}

// embed copies rows of a table, times scale. The address of element i of a row is base + (i/group)·step + (i%group)·size.
func (e *emitter) embed(f *code, s plan.Step) error {
	o := s.Op
	dim, scale := o.Attrs.Int("dim"), float32(1)
	if _, ok := o.Attrs["scale"]; ok {
		scale = float32(o.Attrs.Float("scale"))
	}
	p := e.Place[o.Weights[0]]
	format, ok := lookups[p.Layout]
	if q := weights.Quantised(p.Layout); q != nil {
		format, ok = quantLookup(q), true
	}
	if !ok {
		return unsupported(o, "the weight layout %s", p.Layout)
	}
	ids, err := e.input(o.In[0])
	if err != nil {
		return fmt.Errorf("%s: %w", o.Pos, err)
	}
	if o.In[0].Name == "shifted_tokens" {
		f.Call(e.shiftTokens())
	}
	offset := o.Attrs.Int("offset")
	at, stride := e.address(o.Out[0])
	key := fmt.Sprintf("embed %s %d %v %d %d", p.Layout, dim, scale, offset, stride)
	g := e.rowwise(key, []int{stride, 4}, 1, func(f *code, rows, others []wasm.Local) {
		id, i, from := f.Local(wasm.I32), f.Local(wasm.I32), f.Local(wasm.I32)
		f.Get(rows[1]).Mem(wasm.I32Load, 0).I32(offset).Do(wasm.I32Add).Set(id)
		format.row(f, others[0], id, dim)
		f.Set(from)
		f.steps(i, 0, dim, 1, func() {
			f.Get(rows[0]).Get(i).I32(2).Do(wasm.I32Shl, wasm.I32Add)
			format.element(f, from, i)
			f.F32(scale).Do(wasm.F32Mul).Mem(wasm.F32Store, 0)
		})
	})
	e.call(f, g, o.Out[0].Type.Rows, at, int(ids), e.weight(o.Weights[0]))
	return nil
}

// lookup reads rows of a table: row pushes where a row begins, element pushes element i of it.
type lookup struct {
	row     func(f *code, table, id wasm.Local, dim int)
	element func(f *code, from, i wasm.Local)
}

// lookups is the table of weight layouts that can be looked up in.
var lookups = map[string]lookup{
	"rows_f32": {rowOf(4), func(f *code, from, i wasm.Local) {
		f.Get(from).Get(i).I32(2).Do(wasm.I32Shl, wasm.I32Add).Mem(wasm.F32Load, 0)
	}},
	"rows_f16": {rowOf(2), func(f *code, from, i wasm.Local) {
		f.Get(from).Get(i).I32(1).Do(wasm.I32Shl, wasm.I32Add)
		f.half1()
	}},
	"tile16_f16": {func(f *code, table, id wasm.Local, dim int) {
		f.Get(table).Get(id).I32(4).Do(wasm.I32ShrU).I32(32*dim).Do(wasm.I32Mul, wasm.I32Add)
		f.Get(id).I32(15).Do(wasm.I32And).I32(1).Do(wasm.I32Shl, wasm.I32Add)
	}, func(f *code, from, i wasm.Local) {
		f.Get(from).Get(i).I32(5).Do(wasm.I32Shl, wasm.I32Add)
		f.half1()
	}},
	"rows_bf16": {rowOf(2), func(f *code, from, i wasm.Local) {
		f.Get(from).Get(i).I32(1).Do(wasm.I32Shl, wasm.I32Add)
		f.widened()
	}},
	"tile16_f32": {rowOfTile(1), func(f *code, from, i wasm.Local) {
		f.Get(from).Get(i).I32(6).Do(wasm.I32Shl, wasm.I32Add).Mem(wasm.F32Load, 0)
	}},
	"tile16_bf16": {rowOfTile(2), func(f *code, from, i wasm.Local) {
		f.Get(from).Get(i).I32(1).Do(wasm.I32ShrU).I32(6).Do(wasm.I32Shl, wasm.I32Add)
		f.Get(i).I32(1).Do(wasm.I32And).I32(1).Do(wasm.I32Shl, wasm.I32Add)
		f.widened()
	}},
}

// half1 loads the float16 whose address is on the stack.
func (f *code) half1() {
	f.Mem(wasm.I32Load16U, 0).Do(wasm.I32x4Splat).Call(f.e.half()).Lane(wasm.F32x4Extract, 0)
}

// widened loads the bfloat16 whose address is on the stack.
func (f *code) widened() {
	f.Mem(wasm.I32Load16U, 0).I32(16).Do(wasm.I32Shl, wasm.F32ReinterpretI32)
}

func rowOf(size int) func(f *code, table, id wasm.Local, dim int) {
	return func(f *code, table, id wasm.Local, dim int) {
		f.Get(table).Get(id).I32(size*dim).Do(wasm.I32Mul, wasm.I32Add)
	}
}

// rowOfTile is where row id begins in tiles of 16 rows, whose elements are four bytes side by side for every pair columns.
func rowOfTile(pair int) func(f *code, table, id wasm.Local, dim int) {
	return func(f *code, table, id wasm.Local, dim int) {
		f.Get(table).Get(id).I32(4).Do(wasm.I32ShrU).I32((dim+pair-1)/pair*64).Do(wasm.I32Mul, wasm.I32Add)
		f.Get(id).I32(15).Do(wasm.I32And).I32(2).Do(wasm.I32Shl, wasm.I32Add)
	}
}

// input is the address of an input of the graph.
func (e *emitter) input(v *ir.Value) (int64, error) {
	at := map[string]int64{"tokens": e.memory.Tokens, "token_types": e.memory.Types, "positions": e.memory.Positions,
		"shifted_tokens": e.memory.Shifted, "source_tokens": e.memory.Tokens, "source_positions": e.memory.Positions,
		"global_attention": e.memory.Global}[v.Name]
	if at == 0 || v.Def != nil {
		return 0, fmt.Errorf("the input %s is %w", v.Name, ErrUnsupported)
	}
	return at, nil
}
