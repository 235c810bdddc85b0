package goemit

import (
	"fmt"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/tfgen/tfgen/gen/ir"
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

// foldSuffix writes a common last word once and leaves out those that say nothing: q_proj, k_proj, v_proj → qkv_proj;
// gate_proj, up_proj, router → gate, up, router.
func foldSuffix(stems []string) []string {
	if len(stems) < 2 {
		return stems
	}
	heads, suffix := cutSuffix(stems, stems[0][max(0, strings.LastIndex(stems[0], "_")):])
	if suffix == "" {
		for i, s := range heads {
			heads[i] = strings.TrimSuffix(s, "_proj")
		}
	}
	return []string{strings.Join(joinLetters(heads), "_") + suffix}
}

// cutSuffix removes a suffix that begins with "_" from all stems, or from none.
func cutSuffix(stems []string, suffix string) (heads []string, cut string) {
	for _, s := range stems {
		if !strings.HasPrefix(suffix, "_") || !strings.HasSuffix(s, suffix) {
			return slices.Clone(stems), ""
		}
		heads = append(heads, strings.TrimSuffix(s, suffix))
	}
	return heads, suffix
}

// joinLetters makes one word of single letters that follow each other: q, k, v, gate → qkv, gate.
func joinLetters(words []string) []string {
	var out []string
	letters := false
	for _, w := range words {
		if letters && len(w) == 1 {
			out[len(out)-1] += w
			continue
		}
		letters = len(w) == 1
		out = append(out, w)
	}
	return out
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
