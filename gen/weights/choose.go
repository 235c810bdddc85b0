package weights

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/gen/checkpoint/dtype"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/op"
	"github.com/tfgen/tfgen/gen/quant"
	kernels "github.com/tfgen/tfgen/runtime/quant"
)

// Keep is the format that keeps what the checkpoint has.
const Keep = "source"

// plainFormats are the formats without scales, the widest first.
var plainFormats = []string{"f32", "f16", "bf16"}

// Formats returns the names of the weight formats that can be asked for: source, plain floats, and the quantised ones
// that weights can be made in.
func Formats() []string { return slices.Concat([]string{Keep}, plainFormats, quant.Made()) }

// narrower is the format that stands in for one whose super-blocks do not divide the columns, as in llama.cpp.
var narrower = map[string]string{"q4k": "q5", "q5k": "q5m", "q6k": "q8"}

// A Policy says in which formats the matrices of a model are stored.
type Policy struct {
	format string
	rules  []rule
}

// A rule gives weights whose name matches another format.
type rule struct{ pattern, format string }

// ParsePolicy reads a list of formats: the first is for all matrices, then name=format for those whose name has this
// part between dots, or matches it when it contains a *. "" is f32.
func ParsePolicy(text string) (Policy, error) {
	p := Policy{format: "f32"}
	for i, item := range strings.Split(text, ",") {
		pattern, format, named := strings.Cut(item, "=")
		if !named {
			format = pattern
		}
		if i == 0 && text == "" {
			break
		}
		if !slices.Contains(Formats(), format) {
			return p, fmt.Errorf("weight format %q is not supported; supported are %s", format, strings.Join(Formats(), ", "))
		}
		switch {
		case named && pattern == "":
			return p, fmt.Errorf("weight format %q: a name is missing before the =", item)
		case named:
			if _, err := path.Match(pattern, ""); err != nil {
				return p, fmt.Errorf("weight format %q: %w", item, err)
			}
			p.rules = append(p.rules, rule{pattern, format})
		case i > 0:
			return p, fmt.Errorf("weight format %q: only the first may stand without name=", item)
		default:
			p.format = format
		}
	}
	return p, nil
}

// of returns the format that the policy asks for a weight, and whether a rule names it; the last rule that matches counts.
func (p Policy) of(name string) (format string, named bool) {
	format = p.format
	for _, r := range p.rules {
		if r.matches(name) {
			format, named = r.format, true
		}
	}
	return format, named
}

func (r rule) matches(name string) bool {
	if strings.Contains(r.pattern, "*") {
		ok, _ := path.Match(r.pattern, name)
		return ok
	}
	return strings.Contains("."+name+".", "."+r.pattern+".")
}

// Choose sets the format of every matrix of a graph. It runs before the passes, which join only weights of one format.
// A rule that matches no weight is an error.
func Choose(g *ir.Graph, src Source, p Policy) error {
	matched := map[string]bool{}
	exact, plain := exactWeights(g), plainProducts(g)
	for w, u := range usesOf(g) {
		if u.use == op.Parameter {
			continue
		}
		for _, r := range p.rules {
			matched[r.pattern] = matched[r.pattern] || r.matches(w.Name)
		}
		format, named := p.of(w.Name)
		_, cols := Dims(w)
		switch {
		case format == Keep:
			w.Format = kept(src, w)
		case quantised(format) && exact[w] && !named:
			w.Format = "f32"
		default:
			w.Format = fitting(format, cols, plain[w])
		}
	}
	for _, r := range p.rules {
		if !matched[r.pattern] {
			return fmt.Errorf("no matrix of the model has a name that matches %q; there are %s", r.pattern, someNames(g))
		}
	}
	return nil
}

func quantised(format string) bool { return kernels.Known(format) }

// fitting returns the format itself, or what stands in for it in rows of so many columns, or in a weight that other
// operations than plain products read too: experts, heads, rows that are looked up.
func fitting(format string, cols int, plain bool) string {
	f, err := kernels.Lookup(format)
	switch {
	case err != nil:
		return format
	case cols < kernels.Block:
		return "f32"
	case f.Whole && !plain:
		return "q8"
	case f.Super > 0 && cols%f.Super != 0:
		return narrower[format]
	}
	return format
}

// plainProducts are the matrices that linear operations alone read.
func plainProducts(g *ir.Graph) map[*ir.Weight]bool {
	plain, other := map[*ir.Weight]bool{}, map[*ir.Weight]bool{}
	for _, o := range g.Ops {
		for _, w := range o.Weights {
			plain[w] = true
			other[w] = other[w] || o.Kind != "linear"
		}
	}
	maps.DeleteFunc(plain, func(w *ir.Weight, _ bool) bool { return other[w] })
	return plain
}

// exactWeights are the matrices whose products decide something by comparison, such as which experts are computed: they
// are quantised only when a rule names them.
func exactWeights(g *ir.Graph) map[*ir.Weight]bool {
	exact := map[*ir.Weight]bool{}
	for _, o := range g.Ops {
		if row, _ := op.Lookup(o.Kind); row == nil || !row.Decides {
			continue
		}
		if from := o.In[0].Def; from != nil && len(from.Weights) > 0 && from.Weights[0] != nil {
			exact[from.Weights[0]] = true
		}
	}
	return exact
}

// kept is the format that holds the values of a weight as the checkpoint stores them.
func kept(src Source, w *ir.Weight) string {
	format := ""
	for _, part := range w.Parts {
		f := keptPart(src, part)
		if format != "" && f != format {
			return "f32"
		}
		format = f
	}
	if format == "" {
		return "f32"
	}
	return format
}

// keptPart is kept for one tensor. Types without a kernel format are quantised again, to 8 bits.
func keptPart(src Source, part ir.Part) string {
	t, ok := src.Tensor(part.Tensor)
	if !ok {
		return "f32"
	}
	exact := !slices.ContainsFunc(part.Steps, func(s ir.Step) bool { return steps[s.Kind].changes })
	if typ, ok := quant.Of(t.DType); ok && movesRows(part) {
		return typ.Format.Name
	}
	switch {
	case t.DType == dtype.BF16 && exact:
		return "bf16"
	case t.DType == dtype.F16 && exact:
		return "f16"
	case t.DType.Quantised():
		return fitting("q8", rowLength(t.Shape), true)
	}
	return "f32"
}

func rowLength(shape []int) int {
	if len(shape) == 0 {
		return 0
	}
	return shape[len(shape)-1]
}

// Expanded reports whether the values of a checkpoint type are quantised again when they are packed into a layout: there
// is no kernel format with its values.
func Expanded(d dtype.DType, layout string) bool {
	f := Quantised(layout)
	typ, ok := quant.Of(d)
	return f != nil && d.Quantised() && !(ok && typ.Format == f)
}

// someNames lists names of matrices for a message.
func someNames(g *ir.Graph) string {
	var names []string
	for w, u := range usesOf(g) {
		if u.use != op.Parameter {
			names = append(names, w.Name)
		}
	}
	slices.Sort(names)
	if len(names) > 12 {
		names = append(names[:12], "…")
	}
	return strings.Join(names, ", ")
}
