package build

import (
	"fmt"
	"sort"
	"strings"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/spec"
)

// store finds weights among the tensors of a checkpoint and remembers which were used.
type store struct {
	rules   *spec.Tensors
	strict  bool // a weight without a rule is not stored (GGUF has names of its own)
	prefix  string
	tensors map[string]Tensor // nil: no checkpoint, every weight is found
	env     *spec.Env
	weights map[string]*ir.Weight
	claims  map[string][][2]int // ranges of rows by stored tensor
	missing []error
}

func newStore(rules *spec.Tensors, strict bool, tensors []Tensor) (*store, error) {
	s := &store{rules: rules, strict: strict, weights: map[string]*ir.Weight{}, claims: map[string][][2]int{}, prefix: rules.Prefix[0]}
	if tensors == nil {
		return s, nil
	}
	s.tensors = make(map[string]Tensor, len(tensors))
	for _, t := range tensors {
		if _, twice := s.tensors[t.Name]; twice {
			return nil, fmt.Errorf("the checkpoint stores %s twice", t.Name)
		}
		s.tensors[t.Name] = t
	}
	s.prefix = choosePrefix(rules.Prefix, tensors)
	return s, nil
}

// choosePrefix returns the first prefix that some stored tensor has.
func choosePrefix(prefixes []string, tensors []Tensor) string {
	for _, p := range prefixes {
		for _, t := range tensors {
			if strings.HasPrefix(t.Name, p) {
				return p
			}
		}
	}
	return prefixes[0]
}

// stored gives the name in the checkpoint: behind the prefix, or as it is behind a "/".
func (s *store) stored(name string) string {
	if rest, ok := strings.CutPrefix(name, "/"); ok {
		return rest
	}
	return s.prefix + name
}

// canonical gives the name that the model uses, which does not depend on the prefix of this checkpoint.
func (s *store) canonical(name string) string {
	if rest, ok := strings.CutPrefix(name, "/"); ok {
		return rest
	}
	return s.rules.Prefix[0] + name
}

// candidates returns the stored names that a weight may have, and the steps of its rule.
func (s *store) candidates(name string) ([]string, []spec.TensorStep) {
	for _, r := range s.rules.Map {
		stars, ok := spec.Match(r.Pattern, name)
		if !ok {
			continue
		}
		var names []string
		for _, f := range r.From {
			names = append(names, s.stored(spec.Fill(f, stars)))
		}
		return names, r.Steps
	}
	if s.strict {
		return nil, nil
	}
	return []string{s.stored(name)}, nil
}

// find returns the stored tensor of a weight.
func (s *store) find(name string) (Tensor, bool) {
	names, _ := s.candidates(name)
	for _, n := range names {
		if t, ok := s.tensors[n]; ok {
			return t, true
		}
	}
	return Tensor{}, s.tensors == nil
}

// has reports whether the checkpoint stores a weight.
func (s *store) has(name string) bool { _, ok := s.find(name); return ok }

// weight returns the weight of a name. Weights that are not stored are collected in missing.
func (s *store) weight(name string, shape []int, pos ir.Pos) (*ir.Weight, error) {
	key := s.canonical(name)
	if w, ok := s.weights[key]; ok {
		if fmt.Sprint(w.Shape) != fmt.Sprint(shape) {
			return nil, spec.Errorf(pos, "%s is used as %v here and as %v at %s", key, shape, w.Shape, w.Pos)
		}
		return w, nil
	}
	w := &ir.Weight{Name: key, Shape: shape, Pos: pos}
	s.weights[key] = w
	names, steps := s.candidates(name)
	if len(names) == 0 {
		return nil, spec.Errorf(pos, "%s has no name in such files; add a pattern to the tensors at %s", name, s.rules.Pos)
	}
	part := ir.Part{Tensor: names[0]}
	t, ok := s.find(name)
	if ok && s.tensors != nil {
		part.Tensor = t.Name
	}
	var err error
	if part.Steps, err = s.steps(steps); err != nil {
		return nil, err
	}
	w.Parts = []ir.Part{part}
	if !ok {
		s.missing = append(s.missing, s.missingError(names, shape, pos))
		return w, nil
	}
	if s.tensors != nil {
		err = s.claim(w, t)
	}
	return w, err
}

func (s *store) steps(steps []spec.TensorStep) ([]ir.Step, error) {
	var out []ir.Step
	for _, st := range steps {
		step := ir.Step{Kind: st.Kind}
		var args []float64
		for _, a := range st.Args {
			x, err := a.Convert(s.env, "float")
			if err != nil {
				return nil, err
			}
			f, ok := x.(float64)
			if !ok {
				return nil, spec.Errorf(a.Pos, "%s: %s is null", st.Kind, a.Src)
			}
			args = append(args, f)
		}
		switch st.Kind {
		case "rows":
			step.From, step.To = int(args[0]), int(args[1])
		case "unpermute":
			step.N = int(args[0])
		case "add", "mul":
			step.C = args[0]
		}
		out = append(out, step)
	}
	return out, nil
}

// claim checks the shape of a stored tensor after its steps and notes which rows are used.
func (s *store) claim(w *ir.Weight, t Tensor) error {
	shape, rows, err := shapeAfter(t.Shape, w.Parts[0].Steps)
	if err != nil {
		return spec.Errorf(w.Pos, "%s (%s): %v", t.Name, dims(t.Shape), err)
	}
	if fmt.Sprint(shape) != fmt.Sprint(w.Shape) {
		msg := fmt.Sprintf("expected %s", dims(w.Shape))
		if len(w.Parts[0].Steps) > 0 {
			msg = fmt.Sprintf("%s after %s, expected %s", dims(shape), stepNames(w.Parts[0].Steps), dims(w.Shape))
		}
		return spec.Errorf(w.Pos, "the checkpoint stores %s as %s: %s", t.Name, dims(t.Shape), msg)
	}
	s.claims[t.Name] = append(s.claims[t.Name], rows)
	return nil
}

// shapeAfter applies weight-only arithmetic to a shape. It also returns which rows are taken; {0, -1} stands for all.
func shapeAfter(shape []int, steps []ir.Step) ([]int, [2]int, error) {
	shape = append([]int(nil), shape...)
	rows := [2]int{0, -1}
	for _, st := range steps {
		switch st.Kind {
		case "transpose":
			if len(shape) != 2 {
				return nil, rows, fmt.Errorf("only matrices can be transposed")
			}
			shape[0], shape[1] = shape[1], shape[0]
		case "rows":
			if len(shape) == 0 || st.From < 0 || st.To <= st.From || st.To > shape[0] {
				return nil, rows, fmt.Errorf("rows %d to %d of %s", st.From, st.To, dims(shape))
			}
			rows = [2]int{st.From, st.To}
			if st.From == 0 && st.To == shape[0] {
				rows[1] = -1
			}
			shape[0] = st.To - st.From
		case "unpermute":
			if st.N <= 0 || len(shape) == 0 || shape[0]%(2*st.N) != 0 {
				return nil, rows, fmt.Errorf("%d heads do not divide the rows", st.N)
			}
		}
	}
	return shape, rows, nil
}

func stepNames(steps []ir.Step) string {
	var names []string
	for _, st := range steps {
		names = append(names, st.Kind)
	}
	return strings.Join(names, ", ")
}

func dims(shape []int) string { return strings.ReplaceAll(fmt.Sprint(shape), " ", ", ") }

func (s *store) missingError(names []string, shape []int, pos ir.Pos) error {
	msg := "the checkpoint has no tensor " + strings.Join(names, " or ") + ", which is needed as " + dims(shape)
	return spec.Errorf(pos, "%s%s", msg, spec.Suggest(names[0], s.unclaimed()))
}

// unclaimed lists the stored tensors that nothing has used so far.
func (s *store) unclaimed() []string {
	var names []string
	for name := range s.tensors {
		if len(s.claims[name]) == 0 {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}
