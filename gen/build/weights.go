package build

import (
	"fmt"
	"slices"
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
	claims  map[string]*claim // what is used of each stored tensor
	missing []error
	wrong   *[]error // collects tensors of another shape than expected; nil: the first is an error
}

// claim is what weights use of a stored tensor.
type claim struct {
	ranges   [][2]int // of rows, as the last step that takes some counts them
	rows     int      // that there are where rows are taken
	elements int      // of all parts together
}

func newStore(rules *spec.Tensors, strict bool, tensors []Tensor) (*store, error) {
	s := &store{rules: rules, strict: strict, weights: map[string]*ir.Weight{}, claims: map[string]*claim{}, prefix: rules.Prefix[0]}
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

// rule returns the rule of a weight and what its stars stand for, nil if there is none.
func (s *store) rule(name string) (*spec.Rule, []string) {
	for _, r := range s.rules.Map {
		if stars, ok := spec.Match(r.Pattern, name); ok {
			return r, stars
		}
	}
	return nil, nil
}

// maxParts bounds the number of tensors that one weight is made from.
const maxParts = 1 << 16

// way is one way in which a weight may be stored: parts one below another, each with the names that its tensor may have.
type way struct {
	names [][]string
	steps [][]ir.Step
}

// ways returns how a weight may be stored. Without a rule it is stored under its own name, unless names are strict.
func (s *store) ways(name string) ([]way, error) {
	r, stars := s.rule(name)
	if r == nil {
		if s.strict {
			return nil, nil
		}
		return []way{{[][]string{{s.stored(name)}}, [][]ir.Step{nil}}}, nil
	}
	var all []way
	for _, st := range r.Stored {
		w, err := s.way(st, stars)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

// way computes the names and steps of every part.
func (s *store) way(st *spec.Stored, stars []string) (w way, err error) {
	env, n := spec.Env{}, 1
	if s.env != nil {
		env = *s.env
	}
	if st.Each != nil {
		if n, err = st.Each.Int(&env); err != nil {
			return w, err
		}
		if n < 1 || n > maxParts {
			return w, spec.Errorf(st.Each.Pos, "%d parts, expected 1 to %d", n, maxParts)
		}
		if s.wrong != nil && !s.hasFirst(st, stars) { // a fit tries many ways, and lists what is missing once
			n = 1
		}
	}
	for i := range n {
		if st.Each != nil {
			env.Locals = map[string]any{st.As: i}
		}
		var names []string
		for _, f := range st.From {
			x, err := f.Convert(&env, "name")
			if err != nil {
				return w, err
			}
			name, _ := x.(string)
			names = append(names, s.stored(spec.Fill(name, stars)))
		}
		steps, err := s.irSteps(st.Steps, &env, stars)
		if err != nil {
			return w, err
		}
		w.names, w.steps = append(w.names, names), append(w.steps, steps)
	}
	return w, nil
}

// pick returns the first way whose first part is stored, and whether there is one.
func (s *store) pick(ways []way) (way, bool) {
	for _, w := range ways {
		if _, ok := s.first(w.names[0]); ok {
			return w, true
		}
	}
	return ways[0], s.tensors == nil
}

// first returns the first of several names that is stored.
func (s *store) first(names []string) (Tensor, bool) {
	for _, n := range names {
		if t, ok := s.tensors[n]; ok {
			return t, true
		}
	}
	return Tensor{}, false
}

// has reports whether the checkpoint stores a weight.
func (s *store) has(name string) bool {
	if s.tensors == nil {
		return true
	}
	r, stars := s.rule(name)
	if r == nil {
		_, ok := s.tensors[s.stored(name)]
		return ok && !s.strict
	}
	for _, st := range r.Stored {
		if s.hasFirst(st, stars) {
			return true
		}
	}
	return false
}

// hasFirst reports whether the first part of a way is stored. It asks for no other values than the names need, so that
// a configuration value can depend on what is stored.
func (s *store) hasFirst(st *spec.Stored, stars []string) bool {
	env := spec.Env{}
	if s.env != nil {
		env = *s.env
	}
	if st.Each != nil {
		env.Locals = map[string]any{st.As: 0}
	}
	for _, f := range st.From {
		x, err := f.Convert(&env, "name")
		name, _ := x.(string)
		if _, ok := s.tensors[s.stored(spec.Fill(name, stars))]; err == nil && ok {
			return true
		}
	}
	return false
}

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
	if done, err := s.constant(w, name); done || err != nil {
		return w, err
	}
	ways, err := s.ways(name)
	if err != nil {
		return nil, err
	}
	if len(ways) == 0 {
		return nil, spec.Errorf(pos, "%s has no name in such files; add a pattern to the tensors at %s", name, s.rules.Pos)
	}
	chosen, _ := s.pick(ways)
	complete := true
	for i, names := range chosen.names {
		part := ir.Part{Tensor: names[0], Steps: chosen.steps[i]}
		if t, ok := s.first(names); ok {
			part.Tensor = t.Name
		} else if s.tensors != nil {
			complete = false
			if s.wrong == nil { // a fit lists what is missing itself
				s.missing = append(s.missing, s.missingError(alternatives(ways, i), shape, len(chosen.names), pos))
			}
		}
		w.Parts = append(w.Parts, part)
	}
	if complete && s.tensors != nil {
		err = s.claim(w)
	}
	if err != nil && s.wrong != nil {
		*s.wrong, err = append(*s.wrong, err), nil
	}
	return w, err
}

// alternatives are the names under which part i of a weight may be stored.
func alternatives(ways []way, i int) []string {
	var names []string
	for _, w := range ways {
		if i < len(w.names) {
			names = append(names, w.names[i]...)
		}
	}
	return names
}

// constant makes a weight whose elements all have the value of its rule. It reports whether the rule has one.
func (s *store) constant(w *ir.Weight, name string) (bool, error) {
	r, _ := s.rule(name)
	if r == nil || r.Stored[0].Constant == nil {
		return false, nil
	}
	x, err := r.Stored[0].Constant.Convert(s.env, "float")
	if err != nil || x == nil {
		return false, err
	}
	if len(w.Shape) != 1 {
		return false, spec.Errorf(r.Pos, "%s is a matrix of %s; only a vector can be constant", w.Name, dims(w.Shape))
	}
	w.Parts = []ir.Part{{Zeros: w.Shape[0], Fill: x.(float64)}}
	return true, nil
}

// irSteps computes the arguments of weight-only arithmetic. Stars in names of other tensors stand for the weight's own.
func (s *store) irSteps(steps []spec.TensorStep, env *spec.Env, stars []string) ([]ir.Step, error) {
	var out []ir.Step
	for _, st := range steps {
		args, names, words, err := s.stepArgs(st, env, stars)
		if err != nil {
			return nil, err
		}
		step := ir.Step{Kind: st.Kind}
		if len(names) > 0 && names[0] == "" { // a layer that this model does without
			continue
		}
		switch st.Kind {
		case "linear":
			step.W, step.B = names[0], names[1]
			if t, ok := s.tensors[step.W]; ok && len(t.Shape) == 2 {
				step.N = t.Shape[0]
			}
		case "layernorm", "window":
			step.W, step.B, step.C = names[0], names[1], args[0]
		case "sin":
			step.W = s.firstOf(strings.Fields(names[0]))
		case "state_space":
			step.System = s.system(names, words, args[0])
		case "rows", "reshape":
			step.From, step.To = int(args[0]), int(args[1])
		case "take":
			step.N, step.From, step.To = int(args[0]), int(args[1]), int(args[2])
		case "unpermute":
			step.N = int(args[0])
		case "add", "mul":
			step.C = args[0]
		}
		out = append(out, step)
	}
	return out, nil
}

// storedAll gives the stored names of one name or of several with spaces between them.
func (s *store) storedAll(names string, stars []string) string {
	list := strings.Fields(names)
	for i, n := range list {
		list[i] = s.stored(spec.Fill(n, stars))
	}
	return strings.Join(list, " ")
}

// firstOf is the first of several names that is stored, or else the first: parameters that layers share are stored once.
func (s *store) firstOf(names []string) string {
	if t, ok := s.first(names); ok {
		return t.Name
	}
	return names[0]
}

// system is the system of a step; its sizes are those of the stored tensors.
func (s *store) system(names, words []string, sign float64) *ir.System {
	sys := &ir.System{Step: names[0], Imag: names[1], B: names[2], C: names[3], Low: names[4], Length: names[5],
		Rule: words[0], OfStep: words[1], OfReal: words[2], OfImag: words[3], Sign: sign}
	if t, ok := s.tensors[sys.Step]; ok && len(t.Shape) > 0 {
		sys.Channels = t.Shape[0]
	}
	if t, ok := s.tensors[sys.Imag]; ok && len(t.Shape) == 2 {
		sys.Size = t.Shape[1]
	}
	if t, ok := s.tensors[sys.Low]; ok && len(t.Shape) == 4 {
		sys.Rank = t.Shape[0]
	}
	return sys
}

// stepArgs computes the numbers, the stored names and the words among the arguments of a step; a name that is null is "".
func (s *store) stepArgs(st spec.TensorStep, env *spec.Env, stars []string) (args []float64, names, words []string, err error) {
	for i, a := range st.Args {
		kind := spec.StepArg(st.Kind, i)
		x, err := a.Convert(env, kind)
		if err != nil {
			return nil, nil, nil, err
		}
		switch x := x.(type) {
		case float64:
			args = append(args, x)
		case string:
			if kind == "string" {
				words = append(words, x)
			} else {
				names = append(names, s.storedAll(x, stars))
			}
		default:
			if kind != "name" {
				return nil, nil, nil, spec.Errorf(a.Pos, "%s: %s is null", st.Kind, a.Src)
			}
			names = append(names, "")
		}
	}
	return args, names, words, nil
}

// claim checks the shapes of a weight's stored tensors after their steps and notes which rows are used.
func (s *store) claim(w *ir.Weight) error {
	total := []int{}
	for _, p := range w.Parts {
		t := s.tensors[p.Tensor]
		stack(t.Shape, p.Steps)
		shape, rows, err := shapeAfter(t.Shape, p.Steps)
		if err == nil {
			err = s.claimOthers(p.Steps)
		}
		if err != nil {
			return spec.Errorf(w.Pos, "%s (%s): %v", t.Name, dims(t.Shape), err)
		}
		switch {
		case len(total) == 0:
			total = append(total, shape...)
		case len(shape) == 0 || !slices.Equal(shape[1:], total[1:]):
			return spec.Errorf(w.Pos, "%s is %s after %s, others of the same weight end in %s", t.Name, dims(shape), stepNames(p.Steps), dims(total[1:]))
		default:
			total[0] += shape[0]
		}
		c := s.claims[t.Name]
		if c == nil {
			c = &claim{rows: rowsBefore(t.Shape, p.Steps)}
			s.claims[t.Name] = c
		}
		c.ranges = append(c.ranges, rows...)
		c.elements += elements(shape)
	}
	if slices.Equal(total, w.Shape) {
		return nil
	}
	p := w.Parts[0]
	msg := fmt.Sprintf("expected %s", dims(w.Shape))
	if len(p.Steps) > 0 || len(w.Parts) > 1 {
		msg = fmt.Sprintf("%s after %s, expected %s", dims(total), strings.TrimPrefix(stepNames(p.Steps)+stacked(len(w.Parts)), ", "), dims(w.Shape))
	}
	return spec.Errorf(w.Pos, "the checkpoint stores %s as %s: %s", p.Tensor, dims(s.tensors[p.Tensor].Shape), msg)
}

// claimOthers notes that the tensors which steps multiply with are used as a whole.
func (s *store) claimOthers(steps []ir.Step) error {
	for _, st := range steps {
		others := []string{st.W, st.B}
		if st.System != nil {
			others = st.System.Tensors()
		}
		for _, name := range others {
			t, ok := s.tensors[name]
			if name == "" {
				continue
			}
			if !ok {
				return fmt.Errorf("%s needs the tensor %s, which the checkpoint does not have%s", st.Kind, name, spec.Suggest(name, s.unclaimed()))
			}
			if s.claims[name] == nil {
				s.claims[name] = &claim{rows: rowsBefore(t.Shape, nil)}
			}
			s.claims[name].ranges = append(s.claims[name].ranges, [2]int{0, -1})
			s.claims[name].elements += elements(t.Shape)
		}
	}
	return nil
}

func stacked(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(", stacking %d parts", n)
}

// shapeAfter applies weight-only arithmetic to a shape. It also returns which rows the last step that takes some takes;
// {0, -1} stands for all.
func shapeAfter(shape []int, steps []ir.Step) ([]int, [][2]int, error) {
	shape = append([]int(nil), shape...)
	rows := [][2]int{{0, -1}}
	for _, st := range steps {
		before := shape
		var err error
		if shape, err = stepShape(slices.Clone(shape), st); err != nil {
			return nil, nil, err
		}
		switch st.Kind {
		case "rows":
			rows = [][2]int{{st.From, st.To}}
		case "take":
			rows = nil
			for at := 0; at < before[0]; at += st.N {
				rows = append(rows, [2]int{at + st.From, at + st.To})
			}
		}
	}
	return shape, rows, nil
}

// stack makes a first step that puts the matrices of a tensor one below another a reshape, now that its shape is known.
func stack(shape []int, steps []ir.Step) {
	if last := len(shape) - 1; len(steps) > 0 && steps[0].Kind == "stack" && last > 0 && shape[last] > 0 {
		steps[0] = ir.Step{Kind: "reshape", From: elements(shape) / shape[last], To: shape[last]}
	}
}

// stepShape applies one step of weight-only arithmetic to a shape.
func stepShape(shape []int, st ir.Step) ([]int, error) {
	switch st.Kind {
	case "transpose":
		if len(shape) != 2 {
			return nil, fmt.Errorf("only matrices can be transposed")
		}
		return []int{shape[1], shape[0]}, nil
	case "rows":
		if len(shape) == 0 || st.From < 0 || st.To <= st.From || st.To > shape[0] {
			return nil, fmt.Errorf("rows %d to %d of %s", st.From, st.To, dims(shape))
		}
		return append([]int{st.To - st.From}, shape[1:]...), nil
	case "take":
		if len(shape) == 0 || st.N <= 0 || shape[0]%st.N != 0 || st.From < 0 || st.To <= st.From || st.To > st.N {
			return nil, fmt.Errorf("rows %d to %d of every %d of %s", st.From, st.To, st.N, dims(shape))
		}
		return append([]int{shape[0] / st.N * (st.To - st.From)}, shape[1:]...), nil
	case "unpermute":
		if st.N <= 0 || len(shape) == 0 || shape[0]%(2*st.N) != 0 {
			return nil, fmt.Errorf("%d heads do not divide the rows", st.N)
		}
	case "linear":
		if len(shape) != 2 || st.N <= 0 {
			return nil, fmt.Errorf("%s times %s, which is no matrix", dims(shape), st.W)
		}
		return []int{shape[0], st.N}, nil
	case "sin", "window":
		if len(shape) != 2 {
			return nil, fmt.Errorf("%s is for matrices", st.Kind)
		}
	case "state_space":
		return []int{st.System.Channels * st.System.Rows(), 2 * st.System.Size}, nil
	case "squeeze":
		return slices.DeleteFunc(shape, func(d int) bool { return d == 1 }), nil
	case "stack":
		return nil, fmt.Errorf("stack is for tensors of several matrices, and comes first")
	case "flatten":
		return []int{elements(shape)}, nil
	case "reshape":
		if st.From < 1 || st.To < 1 || elements(shape)/st.From != st.To || elements(shape)%st.From != 0 {
			return nil, fmt.Errorf("%s cannot be %d × %d", dims(shape), st.From, st.To)
		}
		return []int{st.From, st.To}, nil
	}
	return shape, nil
}

func elements(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// stepNames names weight-only arithmetic, for messages.
func stepNames(steps []ir.Step) string {
	var names []string
	for _, st := range steps {
		name := st.Kind
		if name == "add" || name == "mul" {
			name = fmt.Sprintf("%s %g", name, st.C)
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

func dims(shape []int) string { return strings.ReplaceAll(fmt.Sprint(shape), " ", ", ") }

func (s *store) missingError(names []string, shape []int, parts int, pos ir.Pos) error {
	msg := "the checkpoint has no tensor " + strings.Join(names, " or ") + ", which is needed as " + dims(shape)
	if parts > 1 {
		msg = fmt.Sprintf("the checkpoint has no tensor %s, one of %d parts of %s", strings.Join(names, " or "), parts, dims(shape))
	}
	return spec.Errorf(pos, "%s%s", msg, spec.Suggest(names[0], s.unclaimed()))
}

// unclaimed lists the stored tensors that nothing has used so far.
func (s *store) unclaimed() []string {
	var names []string
	for name := range s.tensors {
		if s.claims[name] == nil {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}
