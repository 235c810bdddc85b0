package build

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/gen/config"
	"github.com/tfgen/tfgen/gen/spec"
)

// findGGUF picks the specification for general.architecture. Of several that share the name, the one counts whose
// requirements the metadata meet, and most of them.
func findGGUF(all []*spec.Spec, meta map[string]any) (*spec.Spec, error) {
	kind, _ := meta["general.architecture"].(string)
	var known []string
	var best *spec.Spec
	most := -2
	for _, s := range all {
		if s.GGUF == nil {
			continue
		}
		if met := config.Met(s.GGUF.Require, meta); slices.Contains(s.GGUF.Architectures, kind) && met > most {
			best, most = s, met
		}
		known = append(known, s.GGUF.Architectures...)
	}
	if best != nil {
		return best, nil
	}
	return nil, fmt.Errorf("no specification is for GGUF files with general.architecture %q; known ones are %s%s", kind, strings.Join(known, ", "), spec.Suggest(kind, known))
}

// fromGGUF builds the model of a GGUF file.
func fromGGUF(s *spec.Spec, src Source) (*Result, error) {
	g := s.GGUF
	if g == nil {
		return nil, fmt.Errorf("%s does not say how a GGUF file stores the architecture", s.File)
	}
	for _, t := range src.Tensors() {
		for _, r := range g.Refuse {
			if _, ok := spec.Match(r.Pattern, t.Name); ok {
				return nil, spec.Errorf(r.Pos, "the file stores %s: %s", t.Name, r.Because)
			}
		}
	}
	st, err := newStore(&g.Tensors, true, src.Tensors())
	if err != nil {
		return nil, err
	}
	in := config.Input{Name: "the GGUF metadata", Keys: src.Metadata(), Has: st.has, Small: st.small(src)}
	values, err := config.Resolve(g.Config, g.Require, in)
	if err != nil {
		return nil, err
	}
	head, err := ggufHead(s, src.Metadata(), values, st)
	if err != nil {
		return nil, err
	}
	p := &plan{spec: s, head: head, values: values, store: st}
	p.ignores = append(p.ignores, g.Tensors.Ignore...)
	return p.model()
}

// ggufHead is the head that a file has.
func ggufHead(s *spec.Spec, meta map[string]any, values *config.Values, st *store) (*spec.Head, error) {
	vars := maps.Clone(values.Map)
	vars["architecture"] = meta["general.architecture"]
	x, err := s.GGUF.Class.Convert(&spec.Env{Vars: vars, Has: st.has}, "string")
	if err != nil {
		return nil, err
	}
	class, _ := x.(string)
	return s.Head(class)
}

// maxSmall bounds the tensors that are read as numbers of the configuration, such as rotary factors.
const maxSmall = 4096

// small reads a small tensor as numbers of the configuration, and counts it as used.
func (s *store) small(src Source) func(string) ([]float64, error) {
	reader, ok := src.(interface {
		ReadF32(name string, first, count int, dst []float32) error
	})
	return func(name string) ([]float64, error) {
		t, stored := s.tensors[name]
		if !stored {
			return nil, nil
		}
		n := elements(t.Shape)
		if !ok || len(t.Shape) != 1 || n < 1 || n > maxSmall {
			return nil, fmt.Errorf("the tensor %s (%s) cannot be read as a short list of numbers", name, dims(t.Shape))
		}
		f32, out := make([]float32, n), make([]float64, n)
		if err := reader.ReadF32(name, 0, n, f32); err != nil {
			return nil, err
		}
		for i, v := range f32 {
			out[i] = float64(v)
		}
		s.claims[name] = &claim{[][2]int{{0, -1}}, n, n}
		return out, nil
	}
}
