package goemit

import (
	"fmt"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/plan"
	"github.com/tfgen/tfgen/gen/weights"
)

// field is a weight's place in the generated struct: the region's struct and the field in it.
type field struct {
	region *ir.Region
	name   string
}

// nameWeights gives every packed tensor a field: the fewest last components of its checkpoint name that tell it from
// the other weights of its region, in camel case; "q_proj|k_proj|v_proj" becomes qkvProj.
func (e *emitter) nameWeights() error {
	e.fields = map[*weights.Packed]field{}
	regions := map[*ir.Region][]*weights.Packed{}
	for _, o := range e.Plan.Graph.Ops {
		for _, w := range o.Weights {
			p := e.Place[w]
			if w == nil {
				continue
			}
			if p == nil {
				return fmt.Errorf("%s: weight %s has no place", o.Pos, w.Name)
			}
			if _, ok := e.fields[p]; !ok {
				e.fields[p] = field{region: o.Region}
				regions[o.Region] = append(regions[o.Region], p)
			}
		}
	}
	for region, list := range regions {
		for p, name := range distinctNames(list) {
			e.fields[p] = field{region, name}
		}
	}
	return nil
}

// distinctNames picks, for the weights of one region, names that differ.
func distinctNames(list []*weights.Packed) map[*weights.Packed]string {
	depth := map[*weights.Packed]int{}
	names := map[*weights.Packed]string{}
	for range 8 {
		seen := map[string][]*weights.Packed{}
		for _, p := range list {
			names[p] = fieldName(p.Name, depth[p]+1)
			seen[names[p]] = append(seen[names[p]], p)
		}
		again := false
		for _, same := range seen {
			for _, p := range same {
				if len(same) > 1 {
					depth[p]++
					again = true
				}
			}
		}
		if !again {
			break
		}
	}
	used := map[string]int{}
	for _, p := range list {
		if used[names[p]]++; used[names[p]] > 1 {
			names[p] += strconv.Itoa(used[names[p]])
		}
	}
	return names
}

// fieldName joins the last n components of each stacked name.
func fieldName(name string, n int) string {
	var stems []string
	bias := false
	for _, part := range strings.Split(name, "|") {
		components := strings.Split(part, ".")
		last := components[len(components)-1]
		bias = bias || last == "bias"
		if last == "weight" || last == "bias" {
			components = components[:len(components)-1]
		}
		for i := len(components) - 1; i >= 0; i-- {
			if _, err := strconv.Atoi(components[i]); err == nil {
				components = components[i+1:]
				break
			}
		}
		stem := strings.Join(components[max(0, len(components)-n):], "_")
		if !slices.Contains(stems, stem) {
			stems = append(stems, stem)
		}
	}
	out := camel(strings.Join(foldSuffix(stems), "_"))
	if bias {
		out += "Bias"
	}
	return out
}

// foldSuffix writes a common last word once: q_proj, k_proj, v_proj → qkv_proj; single letters are joined.
func foldSuffix(stems []string) []string {
	if len(stems) < 2 {
		return stems
	}
	i := strings.LastIndex(stems[0], "_")
	if i < 0 {
		return stems
	}
	suffix, heads := stems[0][i:], []string{}
	for _, s := range stems {
		if !strings.HasSuffix(s, suffix) {
			return stems
		}
		heads = append(heads, strings.TrimSuffix(s, suffix))
	}
	sep := "_"
	if !slices.ContainsFunc(heads, func(h string) bool { return len(h) > 1 }) {
		sep = ""
	}
	return []string{strings.Join(heads, sep) + suffix}
}

// camel turns snake_case (and other separators) into camelCase that is a Go identifier.
func camel(s string) string {
	var b strings.Builder
	upper := false
	for _, r := range s {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			upper = b.Len() > 0
		case upper:
			b.WriteRune(unicode.ToUpper(r))
			upper = false
		case b.Len() == 0:
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteRune(r)
		}
	}
	name := b.String()
	if name == "" || unicode.IsDigit(rune(name[0])) || token.IsKeyword(name) {
		name = "w" + name
	}
	return name
}

// view is a named place in the arena, shared by all values that have it.
type view struct {
	name  string
	at    plan.Place
	width int
	rows  ir.Rows
}

// reserved are identifiers of the generated package that a view may not take.
var reserved = []string{"n", "m", "s", "t", "w", "level", "table", "zeros", "view", "run", "thread", "segment", "weights", "len", "min", "max", "cap", "copy", "clear", "new", "make", "init", "embed", "head"}

// nameViews names the places of all values in the order in which they are first written.
func (e *emitter) nameViews() {
	used := map[string]bool{}
	for _, r := range reserved {
		used[r] = true
	}
	for _, s := range e.Plan.Steps {
		for _, v := range s.Op.Out {
			at := e.Plan.At[v]
			if e.findView(v) != nil {
				continue
			}
			base := camel(e.viewName(v, s.Op))
			name := base
			for i := 2; used[name]; i++ {
				name = fmt.Sprintf("%s%d", base, i)
			}
			used[name] = true
			e.views = append(e.views, &view{name, at, v.Type.Width(), v.Type.Rows})
		}
	}
}

// viewName is the name of a value's place: that of the output it is, its own, or one made from its operation.
func (e *emitter) viewName(v *ir.Value, o *ir.Op) string {
	for _, out := range e.Plan.Graph.Outputs {
		if out.Value == v {
			return out.Name + "_out"
		}
	}
	switch {
	case o.Region.Result == v && o.Region.Kind != ir.Head, o.Kind == "embed":
		return "x" // the residual stream
	case o.Kind == "rmsnorm" || o.Kind == "layernorm":
		return "h"
	case o.Kind == "attend":
		return "attended"
	case o.Kind == "select":
		return "last" // the rows whose logits are wanted
	case strings.Count(v.Name, "|") > 0 && !strings.ContainsFunc(strings.ReplaceAll(v.Name, "|", ""), func(r rune) bool { return r != 'q' && r != 'k' && r != 'v' }):
		return strings.ReplaceAll(v.Name, "|", "")
	case v.Name != "":
		return v.Name
	}
	return o.Kind
}

func (e *emitter) findView(v *ir.Value) *view {
	at := e.Plan.At[v]
	for _, w := range e.views {
		if w.at.Buffer.Offset == at.Buffer.Offset && w.at.Buffer.Stride == at.Buffer.Stride && w.at.Col == at.Col &&
			w.width == v.Type.Width() && w.rows == v.Type.Rows {
			return w
		}
	}
	return nil
}

// ref is the name of a value's place in generated code.
func (e *emitter) ref(v *ir.Value) string { return e.findView(v).name }

// weightRef is the expression for a weight in a region's function.
func (e *emitter) weightRef(w *ir.Weight, region *ir.Region) string {
	f := e.fields[e.Place[w]]
	if f.region == region {
		return "w." + f.name
	}
	return "t.run.model.weights." + f.region.Name + "." + f.name
}

// OutputField is the name of the field that an encoder's Output has for an output of the model.
func OutputField(name string) string { return title(camel(name)) }
