package goemit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/plan"
	"github.com/tfgen/tfgen/gen/weights"
)

// lowering is one row of the table of operations that this backend supports.
type lowering struct {
	// rowwise operations compute each row from the same row of their inputs, so that a worker can go on with its rows
	// without waiting for the others.
	rowwise bool
	call    func(e *emitter, s plan.Step) (string, error)
}

var lowerings map[string]lowering

func init() {
	lowerings = map[string]lowering{
		"embed":         {true, (*emitter).embed},
		"linear":        {false, (*emitter).linear},
		"quantize":      {true, (*emitter).quantize},
		"rmsnorm":       {true, (*emitter).norm},
		"layernorm":     {true, (*emitter).norm},
		"add_rmsnorm":   {true, (*emitter).norm},
		"add_layernorm": {true, (*emitter).norm},
		"add":           {true, (*emitter).binary},
		"mul":           {true, (*emitter).binary},
		"scale":         {true, (*emitter).scale},
		"gain":          {true, (*emitter).gain},
		"softcap":       {true, (*emitter).softcap},
		"clamp":         {true, (*emitter).clamp},
		"act":           {true, (*emitter).act},
		"xielu":         {true, (*emitter).xielu},
		"glu":           {true, (*emitter).glu},
		"rope_angles":   {true, (*emitter).angles},
		"rope":          {true, (*emitter).rope},
		"sinusoid":      {true, (*emitter).sinusoid},
		"attend":        {false, (*emitter).attend},
		"keep":          {false, (*emitter).keep},
		"attend_kept":   {false, (*emitter).attendKept},
		"attend_marked": {false, (*emitter).attendMarked},
		"marks":         {false, (*emitter).marks},
		"unfold":        {false, (*emitter).unfold},
		"row_spectrum":  {true, (*emitter).rowSpectrum},
		"select":        {false, (*emitter).gather},
		"first":         {false, (*emitter).first},
		"last":          {false, (*emitter).last},
		"mean":          {false, (*emitter).mean},
		"l2norm":        {true, (*emitter).l2norm},
		"route":         {true, (*emitter).route},
		"expert_linear": {false, (*emitter).expertLinear},
		"combine":       {true, (*emitter).combine},
		"head_linear":   {false, (*emitter).headLinear},
		"scale_rows":    {true, (*emitter).scaleRows},

		"attend_projected":  {false, (*emitter).attendProjected},
		"attend_features":   {false, (*emitter).attendFeatures},
		"sequence_spectrum": {false, (*emitter).sequenceSpectrum},

		"short_conv":     {false, (*emitter).shortConv},
		"selective_scan": {false, (*emitter).selectiveScan},
		"attend_latent":  {false, (*emitter).attendLatent},
		"rg_lru":         {false, (*emitter).rgLRU},
		"shift":          {false, (*emitter).shift},
		"lerp":           {true, (*emitter).lerp},
		"wkv":            {false, (*emitter).wkv},
		"delta_rule":     {false, (*emitter).deltaRule},
		"mlstm":          {false, (*emitter).mlstm},
		"slstm":          {false, (*emitter).slstm},
		"state_space":    {false, (*emitter).stateSpace},
		"long_conv":      {false, (*emitter).longConv},

		"linear_attention": {false, (*emitter).linearAttention},
		"concat":           {true, (*emitter).concat},
		"position_scale":   {true, (*emitter).positionScale},
	}
}

// Supports reports whether the backend can emit an operation.
func Supports(kind string) bool {
	_, ok := lowerings[kind]
	return ok || kind == "slice"
}

// Operations lists the operations that the backend can emit.
func Operations() []string {
	list := append(keys(lowerings), "slice")
	slices.Sort(list)
	return list
}

// count is the variable that holds the number of rows of a row space.
func count(r ir.Rows) string {
	return map[ir.Rows]string{ir.Tokens: "n", ir.Selected: "m", ir.Sequences: "s", ir.Source: "n"}[r]
}

// kernel records that the package needs a kernel and returns its name.
func (e *emitter) kernel(k kernel.Kernel) string {
	for _, have := range e.kernels {
		if have.Key() == k.Key() {
			return have.Name()
		}
	}
	e.kernels = append(e.kernels, k)
	return k.Name()
}

// method records a method of thread.
func (e *emitter) method(name, doc, params, body string) {
	e.ops[name] = comment(name+" "+doc) + fmt.Sprintf("func (t *thread) %s(%s) {\n%s\n}\n", name, params, body)
}

// rowwise records a method whose workers take a share of the rows each, from ≤ r < to.
func (e *emitter) rowwise(name, doc, params, body string) {
	e.method(name, doc, params+", n int", "if from, to := t.rows(n); from < to {\n"+body+"\n}")
}

// comment formats text as comment lines of at most 118 characters. Lines flow together up to an empty one. Lines that
// begin with a tab are code: they are indented, and go on with four blanks more.
func comment(text string) string {
	var b strings.Builder
	var flow []string
	flush := func() {
		if len(flow) > 0 {
			b.WriteString(wrap("// ", "// ", strings.Join(flow, " ")))
			flow = nil
		}
	}
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, "\t"):
			flush()
			b.WriteString(wrap("//\t", "//\t    ", line))
		case line == "":
			flush()
			b.WriteString("//\n")
		default:
			flow = append(flow, line)
		}
	}
	flush()
	return b.String()
}

// wrap breaks a text into lines of at most 118 characters: the first begins with start, the others with next.
func wrap(start, next, text string) string {
	var b strings.Builder
	line, empty := start, true
	for _, word := range strings.Fields(text) {
		if !empty && utf8.RuneCountInString(line)+utf8.RuneCountInString(word) > 118 {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = next
		}
		line, empty = line+word+" ", false
	}
	b.WriteString(strings.TrimRight(line, " \t") + "\n")
	return b.String()
}

func number(v float64) string {
	s := strconv.FormatFloat(v, 'g', -1, 64)
	return s
}

func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// copied is the statement that brings the operand of an in-place operation to its place, if it has to.
func (e *emitter) copied(s plan.Step) string {
	if s.Copy == nil {
		return ""
	}
	width := s.Copy.Type.Width()
	name := fmt.Sprintf("copy%d", width)
	e.rowwise(name, fmt.Sprintf("copies rows of %d.", width), "y, x view",
		fmt.Sprintf("for r := from; r < to; r++ {\ncopy(t.at(y, r)[:%d], t.at(x, r))\n}", width))
	return fmt.Sprintf("t.%s(%s, %s, %s)\n", name, e.ref(s.Op.Out[0]), e.ref(s.Copy), count(s.Copy.Type.Rows))
}

func (e *emitter) embed(s plan.Step) (string, error) {
	o := s.Op
	p, offset := e.Place[o.Weights[0]], o.Attrs.Int("offset")
	if offset != 0 && !strings.HasPrefix(p.Layout, "rows_") {
		return "", fmt.Errorf("%s: the Go backend adds an offset to ids of tables only that are not multiplied with; %s has the layout %s", o.Pos, p.Name, p.Layout)
	}
	lookup := map[string]string{"rows_f32": "LookupRowsF32", "rows_bf16": "LookupRowsBF16", "rows_f16": "LookupRowsF16",
		"tile16_f32": "LookupF32", "tile16_bf16": "LookupBF16", "tile16_f16": "LookupF16"}[p.Layout]
	format, ident := "", ""
	if f := weights.Quantised(p.Layout); f != nil {
		lookup, format, ident = "LookupQuant", ", quant."+f.Ident(), f.Ident()
	}
	if lookup == "" {
		return "", fmt.Errorf("%s: no lookup reads the layout %s of %s", o.Pos, p.Layout, p.Name)
	}
	dim, scale := o.Attrs.Int("dim"), 1.0
	if _, ok := o.Attrs["scale"]; ok {
		scale = o.Attrs.Float("scale")
	}
	name := fmt.Sprintf("lookup%d%s%s", dim, strings.TrimPrefix(lookup, "Lookup"), ident)
	e.rowwise(name, fmt.Sprintf("copies row ids[r] of a table of width %d, times scale, to row r of y. Layout of the table: %s.", dim, p.Layout),
		fmt.Sprintf("y view, w []%s, ids []int32, scale float32", elem(p.Layout)),
		fmt.Sprintf("portable.%s(t.at(y, from), y.ld, w, ids[from:to], scale, %d%s)", lookup, dim, format))
	table := e.weightRef(o.Weights[0], o.Region)
	if offset != 0 {
		table += fmt.Sprintf("[%d:]", offset*dim)
	}
	return fmt.Sprintf("t.%s(%s, %s, t.run.%s, %s, n)", name, e.ref(o.Out[0]), table, inputField(o.In[0].Name), number(scale)), nil
}

// inputField is the field of run that holds a graph input. The encoder's tokens are those of its own pass.
func inputField(name string) string { return camel(strings.TrimPrefix(name, "source_")) }

// elem is the Go type of the elements of a layout.
func elem(layout string) string {
	l, err := weights.Lookup(layout)
	if err != nil {
		return "float32"
	}
	return map[string]string{"F32": "float32", "BF16": "uint16", "F16": "uint16", "U8": "uint8"}[l.DType]
}

// quantize emits the operation that brings rows to 8 bits for products with quantised weights.
func (e *emitter) quantize(s plan.Step) (string, error) {
	o := s.Op
	width := o.In[0].Type.Width()
	variant, doc := "", "in blocks of 32"
	if o.Attrs.Bool("rows") {
		variant, doc = "rows", "with one scale each"
	}
	k := e.kernel(kernel.Kernel{Op: "quantize", S: variant, D: []int{width}})
	e.rowwise(k, fmt.Sprintf("quantises rows of %d to 8 bits %s.", width, doc), "y, x view",
		fmt.Sprintf("%s(t.at(y, from), y.ld, t.at(x, from), x.ld, to-from)", k))
	return fmt.Sprintf("t.%s(%s, %s, %s)", k, e.ref(o.Out[0]), e.ref(o.In[0]), count(o.Out[0].Type.Rows)), nil
}

func (e *emitter) norm(s plan.Step) (string, error) {
	o := s.Op
	added := strings.HasPrefix(o.Kind, "add_")
	base := map[string]string{"rmsnorm": "rmsNorm", "layernorm": "layerNorm", "add_rmsnorm": "addRMSNorm", "add_layernorm": "addLayerNorm"}[o.Kind]
	width, dim := o.In[0].Type.Width(), op.NormDim(o)
	k := e.kernel(kernel.Kernel{Op: base, D: []int{dim}, F: []float64{o.Attrs.Float("eps")}})
	y, x := o.Out[len(o.Out)-1], o.In[0]
	if added {
		x = o.Out[0]
	}
	args, params, names := []string{e.ref(y), e.ref(x)}, "y, x view", "w"
	call := fmt.Sprintf("%s(t.at(y, from), y.ld, t.at(x, from), x.ld, ", k)
	if added {
		args, params = append(args, e.ref(o.In[1])), "y, x, d view"
		call += "t.at(d, from), d.ld, "
	}
	args = append(args, e.weightRef(o.Weights[0], o.Region))
	if len(o.Weights) > 1 {
		names = "w, b"
		if o.Weights[1] == nil {
			args = append(args, fmt.Sprintf("zeros[:%d]", o.Weights[0].Elements()))
			e.needZeros(o.Weights[0].Elements())
		} else {
			args = append(args, e.weightRef(o.Weights[1], o.Region))
		}
	}
	name, doc := k, fmt.Sprintf("normalises rows of %d: kernel %s.", dim, k)
	body := call + names + ", to-from)"
	if dim != width {
		name = fmt.Sprintf("%sHeads%d", k, width/dim)
		doc = fmt.Sprintf("normalises the %d heads of %d of every row: kernel %s.", width/dim, dim, k)
		body = fmt.Sprintf("for r := from; r < to; r++ {\n%s(t.at(y, r), %d, t.at(x, r), %d, %s, %d)\n}", k, dim, dim, names, width/dim)
	}
	if dim != width && o.Attrs.Bool("each") {
		name += "Each"
		doc = fmt.Sprintf("normalises the %d heads of %d of every row, each with weights of its own: kernel %s.", width/dim, dim, k)
		each := strings.ReplaceAll(names, ",", fmt.Sprintf("[h*%d:],", dim)) + fmt.Sprintf("[h*%d:]", dim)
		body = fmt.Sprintf("for h := range %d {\n%s(t.at(y, from)[h*%d:], y.ld, t.at(x, from)[h*%d:], x.ld, %s, to-from)\n}", width/dim, k, dim, dim, each)
	}
	e.rowwise(name, doc, params+", "+names+" []float32", body)
	return e.copied(s) + fmt.Sprintf("t.%s(%s, %s)", name, strings.Join(args, ", "), count(y.Type.Rows)), nil
}

// binary emits y += x and y *= x; the sum stands where one operand stood.
func (e *emitter) binary(s plan.Step) (string, error) {
	o := s.Op
	other := o.In[1]
	if s.Copy == nil && e.Plan.At[o.In[0]] != e.Plan.At[o.Out[0]] {
		other = o.In[0]
	}
	k := e.kernel(kernel.Kernel{Op: o.Kind, D: []int{o.Out[0].Type.Width()}})
	sign := map[string]string{"add": "+=", "mul": "*="}[o.Kind]
	e.rowwise(k, fmt.Sprintf("computes y %s x for rows of %d.", sign, o.Out[0].Type.Width()), "y, x view",
		fmt.Sprintf("%s(t.at(y, from), y.ld, t.at(x, from), x.ld, to-from)", k))
	return e.copied(s) + fmt.Sprintf("t.%s(%s, %s, %s)", k, e.ref(o.Out[0]), e.ref(other), count(o.Out[0].Type.Rows)), nil
}

func (e *emitter) scale(s plan.Step) (string, error) {
	return e.copied(s) + e.scaled(s.Op.Out[0], s.Op.Attrs.Float("c")), nil
}

// scaled is the call that multiplies the rows of a value by c, in place.
func (e *emitter) scaled(v *ir.Value, c float64) string {
	k := e.kernel(kernel.Kernel{Op: "scale", D: []int{v.Type.Width()}})
	e.rowwise(k, fmt.Sprintf("computes y *= c for rows of %d.", v.Type.Width()), "y view, c float32",
		fmt.Sprintf("factor := [1]float32{c}\n%s(t.at(y, from), y.ld, factor[:], to-from)", k))
	return fmt.Sprintf("t.%s(%s, %s, %s)", k, e.ref(v), number(c), count(v.Type.Rows))
}

// gain multiplies channels by their factors: the kernel for rows that are all multiplied by one row.
func (e *emitter) gain(s plan.Step) (string, error) {
	o, width := s.Op, s.Op.Out[0].Type.Width()
	name := fmt.Sprintf("gain%d", width)
	k := e.kernel(kernel.Kernel{Op: "mul", D: []int{width}})
	e.rowwise(name, fmt.Sprintf("multiplies every channel of rows of %d by its factor, in place.", width), "y view, w []float32",
		fmt.Sprintf("%s(t.at(y, from), y.ld, w, 0, to-from)", k))
	return e.copied(s) + fmt.Sprintf("t.%s(%s, %s, %s)", name, e.ref(o.Out[0]), e.weightRef(o.Weights[0], o.Region), count(o.Out[0].Type.Rows)), nil
}

// softcap is cap·tanh(x/cap), from the kernels that there are.
func (e *emitter) softcap(s plan.Step) (string, error) {
	v, c := s.Op.Out[0], s.Op.Attrs.Float("cap")
	return e.copied(s) + e.scaled(v, 1/c) + "\n" + e.activated(v, v, "tanh") + "\n" + e.scaled(v, c), nil
}

// clamp has no vector kernel: every level runs the portable code.
func (e *emitter) clamp(s plan.Step) (string, error) {
	v, width := s.Op.Out[0], s.Op.Out[0].Type.Width()
	name := fmt.Sprintf("clamp%d", width)
	e.rowwise(name, fmt.Sprintf("bounds rows of %d, in place.", width), "y view, low, high float32",
		fmt.Sprintf("portable.Clamp(t.at(y, from), y.ld, low, high, to-from, %d)", width))
	return e.copied(s) + fmt.Sprintf("t.%s(%s, %s, %s, %s)", name, e.ref(v), number(s.Op.Attrs.Float("low")), number(s.Op.Attrs.Float("high")), count(v.Type.Rows)), nil
}

// xielu has no vector kernel: every level runs the portable code.
func (e *emitter) xielu(s plan.Step) (string, error) {
	o, width := s.Op, s.Op.Out[0].Type.Width()
	args := []string{e.ref(o.Out[0]), e.ref(o.In[0])}
	for _, w := range o.Weights {
		args = append(args, e.weightRef(w, o.Region))
	}
	name := fmt.Sprintf("xielu%d", width)
	e.rowwise(name, fmt.Sprintf("computes y = xIELU(x) for rows of %d, with learned slopes.", width), "y, x view, p, n0, beta, eps []float32",
		fmt.Sprintf("portable.XIELU(t.at(y, from), y.ld, t.at(x, from), x.ld, p[0], n0[0], beta[0], eps[0], to-from, %d)", width))
	return fmt.Sprintf("t.%s(%s, %s)", name, strings.Join(args, ", "), count(o.Out[0].Type.Rows)), nil
}

func (e *emitter) act(s plan.Step) (string, error) {
	return e.activated(s.Op.Out[0], s.Op.In[0], s.Op.Attrs.Str("kind")), nil
}

func (e *emitter) activated(y, x *ir.Value, kind string) string {
	k := e.kernel(kernel.Kernel{Op: "act", S: kind, D: []int{y.Type.Width()}})
	e.rowwise(k, fmt.Sprintf("computes y = %s(x) for rows of %d.", kind, y.Type.Width()), "y, x view",
		fmt.Sprintf("%s(t.at(y, from), y.ld, t.at(x, from), x.ld, to-from)", k))
	return fmt.Sprintf("t.%s(%s, %s, %s)", k, e.ref(y), e.ref(x), count(y.Type.Rows))
}

func (e *emitter) glu(s plan.Step) (string, error) {
	o := s.Op
	kind, width := o.Attrs.Str("kind"), o.Out[0].Type.Width()
	k := e.kernel(kernel.Kernel{Op: "glu", S: kind, D: []int{width}})
	e.rowwise(k, fmt.Sprintf("computes y = %s(g)·u for rows of %d.", kind, width), "y, g, u view",
		fmt.Sprintf("%s(t.at(y, from), y.ld, t.at(g, from), g.ld, t.at(u, from), u.ld, to-from)", k))
	return fmt.Sprintf("t.%s(%s, %s, %s, %s)", k, e.ref(o.Out[0]), e.ref(o.In[0]), e.ref(o.In[1]), count(o.Out[0].Type.Rows)), nil
}

func (e *emitter) rope(s plan.Step) (string, error) {
	o := s.Op
	heads, dim, rot, style := o.Attrs.Int("heads"), o.Attrs.Int("head_dim"), o.Attrs.Int("rot"), o.Attrs.Str("style")
	if style == "" {
		style = "half"
	}
	k := e.kernel(kernel.Kernel{Op: "rope", S: style, D: []int{dim, rot}})
	e.rowwise(k, fmt.Sprintf("rotates %d of the %d elements of each head, in place: kernel %s.", rot, dim, k), "x, cs view, heads int",
		fmt.Sprintf("%s(t.at(x, from), x.ld, t.at(cs, from), cs.ld, heads, to-from)", k))
	return e.copied(s) + fmt.Sprintf("t.%s(%s, %s, %d, n)", k, e.ref(o.Out[0]), e.ref(o.In[1]), heads), nil
}

func (e *emitter) sinusoid(s plan.Step) (string, error) {
	o := s.Op
	table := e.table("frequencies", fmt.Sprintf("frequencies of %d sinusoids, in radians a position.", o.Attrs.Int("dim")/2), op.Sinusoid(o))
	e.rowwise("sinusoids", "writes the sines, then the cosines of the rows' positions.", "y view, frequencies []float64, offset int",
		"portable.Sinusoids(t.at(y, from), y.ld, t.run.positions[from:to], frequencies, offset)")
	return fmt.Sprintf("t.sinusoids(%s, %s[:], %d, n)", e.ref(o.Out[0]), table, o.Attrs.Int("offset")), nil
}

func (e *emitter) positionScale(s plan.Step) (string, error) {
	o := s.Op
	e.rowwise("positionScale", "writes 1 + beta·ln(1 + ⌊p/period⌋) for the rows' positions p.", "y view, beta, period float64",
		"portable.PositionScale(t.at(y, from), y.ld, t.run.positions[from:to], beta, period)")
	return fmt.Sprintf("t.positionScale(%s, %s, %s, n)", e.ref(o.Out[0]), number(o.Attrs.Float("beta")), number(o.Attrs.Float("period"))), nil
}

// concat emits the copies of two rows to one.
func (e *emitter) concat(s plan.Step) (string, error) {
	o := s.Op
	a, b := o.In[0].Type.Width(), o.In[1].Type.Width()
	name := fmt.Sprintf("concat%dx%d", a, b)
	e.rowwise(name, fmt.Sprintf("puts rows of %d behind rows of %d.", b, a), "y, a, b view",
		fmt.Sprintf("for r := from; r < to; r++ {\nrow := t.at(y, r)[:%d]\ncopy(row[copy(row, t.at(a, r)[:%d]):], t.at(b, r))\n}", a+b, a))
	return fmt.Sprintf("t.%s(%s, %s, %s, %s)", name, e.ref(o.Out[0]), e.ref(o.In[0]), e.ref(o.In[1]), count(o.Out[0].Type.Rows)), nil
}

// scalingText describes how the frequencies are scaled, for readers.
func scalingText(attr any) string {
	m, _ := attr.(map[string]any)
	kind, _ := m["rope_type"].(string)
	if kind == "" || kind == "default" {
		return ""
	}
	var parts []string
	for _, k := range keys(m) {
		if k != "rope_type" {
			parts = append(parts, fmt.Sprintf("%s %v", k, m[k]))
		}
	}
	return fmt.Sprintf(", scaled as %s (%s)", kind, strings.Join(parts, ", "))
}

func (e *emitter) angles(s plan.Step) (string, error) {
	o := s.Op
	r, err := op.NewRope(o.Attrs)
	if err != nil {
		return "", err
	}
	name := e.table("frequencies", fmt.Sprintf("frequencies of rope: %d rotated elements, theta %s%s, in radians a position.",
		o.Attrs.Int("rot"), number(o.Attrs.Float("theta")), scalingText(o.Attrs["scaling"])), r.InvFreq)
	y := e.ref(o.Out[0])
	if r.Original == 0 {
		e.rowwise("ropeAngles", "writes the cosines and sines of the rows' positions.", "y view, inv []float64, factor float64",
			"rope.Angles(t.at(y, from), y.ld, t.run.positions[from:to], inv, factor)")
		return fmt.Sprintf("t.ropeAngles(%s, %s[:], %s, n)", y, name, number(r.Factor)), nil
	}
	longer := fmt.Sprintf("rope.Dynamic(long[:], %s, %s, %d, int(t.run.totals[r]))\ninv = long[:]", number(r.Theta), number(r.Scale), r.Original)
	if r.LongFreq != nil {
		longer = "inv = " + e.table("frequencies", "frequencies for sequences longer than the original context.", r.LongFreq) + "[:]"
	}
	method := "ropeAnglesOf" + title(name)
	e.rowwise(method, fmt.Sprintf("writes the cosines and sines of the rows' positions; a sequence of more than %d tokens has other frequencies.", r.Original), "y view",
		fmt.Sprintf(`for r := from; r < to; r++ {
	inv := %[1]s[:]
	if t.run.totals[r] > %[2]d {
		%[3]s
	}
	rope.Angles(t.at(y, r), y.ld, t.run.positions[r:r+1], inv, %[4]s)
}`, name, r.Original, longer, number(r.Factor)))
	if r.LongFreq == nil {
		e.ops[method] = strings.Replace(e.ops[method], "if from, to", fmt.Sprintf("var long [%d]float64\nif from, to", len(r.InvFreq)), 1)
	}
	return fmt.Sprintf("t.%s(%s, n)", method, y), nil
}

// table records a literal table of float64 and returns its name; equal tables share one.
func (e *emitter) table(kind, doc string, values []float64) string {
	var list strings.Builder
	for i, v := range values {
		if i%6 == 0 {
			list.WriteString("\n")
		}
		list.WriteString(number(v) + ", ")
	}
	body := fmt.Sprintf("= [%d]float64{%s\n}\n", len(values), list.String())
	for name, text := range e.tables {
		if strings.HasSuffix(text, body) {
			return name
		}
	}
	name := fmt.Sprintf("%s%d", kind, len(e.tables))
	e.tables[name] = comment(name+" are the "+doc) + "var " + name + " " + body
	return name
}

func (e *emitter) gather(s plan.Step) (string, error) {
	width := s.Op.In[0].Type.Width()
	name := fmt.Sprintf("gather%d", width)
	e.rowwise(name, fmt.Sprintf("copies the selected rows of %d from x to y.", width), "y, x view",
		fmt.Sprintf("for r := from; r < to; r++ {\ncopy(t.at(y, r)[:%d], t.at(x, int(t.run.selected[r])))\n}", width))
	return fmt.Sprintf("t.%s(%s, %s, m)", name, e.ref(s.Op.Out[0]), e.ref(s.Op.In[0])), nil
}

func (e *emitter) first(s plan.Step) (string, error) {
	width := s.Op.In[0].Type.Width()
	name := fmt.Sprintf("first%d", width)
	e.rowwise(name, fmt.Sprintf("copies the first row of each sequence, %d elements.", width), "y, x view",
		fmt.Sprintf("for r := from; r < to; r++ {\ncopy(t.at(y, r)[:%d], t.at(x, t.run.segments[r].start))\n}", width))
	return fmt.Sprintf("t.%s(%s, %s, s)", name, e.ref(s.Op.Out[0]), e.ref(s.Op.In[0])), nil
}

func (e *emitter) last(s plan.Step) (string, error) {
	o := s.Op
	width := o.In[0].Type.Width()
	name, doc, find, args := fmt.Sprintf("last%d", width), "of each sequence", "", fmt.Sprintf("%s, %s, s", e.ref(o.Out[0]), e.ref(o.In[0]))
	params := "y, x view"
	if len(o.In) > 1 {
		name, doc, params = name+"Of", "of each sequence whose id is the given one, else its last row", params+", ids []int32, id int32"
		find = "for i := row; i >= q.start; i-- {\nif ids[i] == id {\nrow = i\nbreak\n}\n}\n"
		args = fmt.Sprintf("%s, %s, t.run.%s, %d, s", e.ref(o.Out[0]), e.ref(o.In[0]), inputField(o.In[1].Name), o.Attrs.Int("id"))
	}
	e.rowwise(name, fmt.Sprintf("copies the last row %s, %d elements.", doc, width), params,
		fmt.Sprintf("for r := from; r < to; r++ {\nq := &t.run.segments[r]\nrow := q.start + q.rows - 1\n%scopy(t.at(y, r)[:%d], t.at(x, row))\n}", find, width))
	return fmt.Sprintf("t.%s(%s)", name, args), nil
}

func (e *emitter) mean(s plan.Step) (string, error) {
	width := s.Op.In[0].Type.Width()
	name := fmt.Sprintf("mean%d", width)
	e.rowwise(name, fmt.Sprintf("writes the mean of the rows of each sequence, %d elements.", width), "y, x view",
		fmt.Sprintf("for r := from; r < to; r++ {\nq := &t.run.segments[r]\nportable.MeanRows(t.at(y, r), t.at(x, q.start), x.ld, q.rows, %d)\n}", width))
	return fmt.Sprintf("t.%s(%s, %s, s)", name, e.ref(s.Op.Out[0]), e.ref(s.Op.In[0])), nil
}

func (e *emitter) l2norm(s plan.Step) (string, error) {
	v := s.Op.Out[0]
	width := v.Type.Width()
	name := fmt.Sprintf("l2Norm%d", width)
	e.rowwise(name, fmt.Sprintf("divides rows of %d by their Euclidean norm.", width), "y view",
		fmt.Sprintf("portable.L2Normalize(t.at(y, from), y.ld, to-from, %d, 1e-12)", width))
	return e.copied(s) + fmt.Sprintf("t.%s(%s, %s)", name, e.ref(v), count(v.Type.Rows)), nil
}
