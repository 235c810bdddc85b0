package build

import (
	"errors"
	"slices"
	"sort"
	"strings"

	"github.com/tfgen/tfgen/gen/config"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/spec"
)

// Fit says how far a specification explains a checkpoint that it was not written for.
type Fit struct {
	Spec    *spec.Spec
	For     string   // the class of the checkpoint
	Class   string   // the head that was tried
	Prefix  string   // that tensor names have in the checkpoint
	Found   []Group  // what the specification uses, in its order
	Missing []Group  // what it needs and the checkpoint does not have
	Left    []Group  // what it leaves
	Unread  []Unread // keys of config.json that nothing reads
	Absent  []Absent // values that config.json does not give
	Errors  []error  // why the specification, as it is, does not fit
}

// Group are tensors whose names differ in numbers only.
type Group struct {
	Pattern string // with a "*" for every number
	Count   int
	Shape   []int    // of the first
	Step    string   // that uses them: macros, outermost first, and the operation; "" for those that are left
	Pos     *ir.Pos  // of that step in the architecture's own file; nil for those that are left
	Packing string   // weight-only arithmetic on the stored tensor, "" for none
	Like    []string // of those that are left: specifications that use a tensor of this name, with the step
}

// Score is the share of all groups, those of the checkpoint and those that are missing, that are explained: 0 to 1.
func (f *Fit) Score() float64 {
	all := len(f.Found) + len(f.Missing) + len(f.Left)
	if all == 0 {
		return 0
	}
	return float64(len(f.Found)) / float64(all)
}

// FitAll tries every specification on a Hugging Face directory. The best comes first: the one that explains most tensors;
// among equals the one that reads most keys of the configuration, and then the one with fewer mistakes.
func FitAll(src Source, all []*spec.Spec) ([]*Fit, error) {
	var fits []*Fit
	for _, s := range all {
		f, err := FitTo(s, src)
		if err != nil {
			return nil, err
		}
		fits = append(fits, f)
	}
	sort.SliceStable(fits, func(i, j int) bool {
		a, b := fits[i], fits[j]
		switch {
		case a.Score() != b.Score():
			return a.Score() > b.Score()
		case len(a.Unread) != len(b.Unread):
			return len(a.Unread) < len(b.Unread)
		}
		return len(a.Errors) < len(b.Errors)
	})
	return fits, nil
}

// FitTo tries one specification on a Hugging Face directory.
func FitTo(s *spec.Spec, src Source) (*Fit, error) {
	if src.Metadata() != nil {
		return nil, errors.New("a GGUF file renames tensors; draft from the Hugging Face directory of the model")
	}
	class, _, err := classOf(src)
	if err != nil {
		return nil, err
	}
	var best *Fit
	for _, prefix := range prefixes(s.Tensors.Prefix, src.Tensors()) {
		f, err := fit(s, src, nearestHead(s, class), prefix)
		if err != nil {
			return nil, err
		}
		f.For = class
		if best == nil || f.Score() > best.Score() {
			best = f
		}
	}
	return best, nil
}

// nearestHead is the head of a class, or one of the same kind, such as "…ForCausalLM", or the first.
func nearestHead(s *spec.Spec, class string) *spec.Head {
	if h, err := s.Head(class); err == nil {
		return h
	}
	_, kind, _ := strings.Cut(class, "For")
	for _, h := range s.Heads {
		if kind != "" && strings.HasSuffix(h.Class, "For"+kind) {
			return h
		}
	}
	return s.Heads[0]
}

// prefixes are those of the specification if some tensor has one of them, and otherwise also the first one or two
// components that most names share.
func prefixes(known []string, tensors []Tensor) []string {
	list := slices.Clone(known)
	for _, p := range known {
		for _, t := range tensors {
			if p != "" && strings.HasPrefix(t.Name, p) {
				return list
			}
		}
	}
	counts := map[string]int{}
	for _, t := range tensors {
		at := 0
		for range 2 {
			i := strings.IndexByte(t.Name[at:], '.')
			if i < 0 {
				break
			}
			at += i + 1
			p := t.Name[:at]
			if counts[p]++; 2*counts[p] > len(tensors) && !slices.Contains(list, p) && !strings.ContainsAny(p, "0123456789") {
				list = append(list, p)
			}
		}
	}
	return list
}

// fit expands the specification with the configuration of the checkpoint as far as that goes.
func fit(s *spec.Spec, src Source, head *spec.Head, prefix string) (*Fit, error) {
	rules := s.Tensors
	rules.Prefix = []string{prefix}
	st, err := newStore(&rules, false, src.Tensors())
	if err != nil {
		return nil, err
	}
	f := &Fit{Spec: s, Class: head.Class, Prefix: prefix}
	st.wrong = &f.Errors
	in := config.Input{Name: "config.json", Keys: src.Config(), Has: st.has,
		File: func(name string) (map[string]any, error) { return jsonMap(src, name) }}
	values, errs := config.Draft(s.Config, s.Require, in, s.Tiny)
	f.Errors = append(f.Errors, errs...)
	for _, key := range config.Unused(src.Config(), s.Config, s.Require, s.Library.Keys["harmless"]) {
		if x := src.Config()[key]; x != nil { // null is as good as absent
			f.Unread = append(f.Unread, Unread{Key: key, Value: config.Normal(x)})
		}
	}
	f.Absent = absent(s, values)
	values.Map["task"] = head.Task
	st.env = &spec.Env{Vars: values.Map}
	x := &expander{
		graph: &ir.Graph{Name: s.Arch}, store: st, shared: map[string]*ir.Op{}, renamed: map[string]*ir.Value{},
		seen: map[*ir.Weight]bool{}, users: map[*ir.Weight]string{},
	}
	p := &plan{spec: s, head: head, values: values, store: st}
	if err := x.regions(p); err != nil {
		f.Errors = append(f.Errors, err)
	}
	return f, f.sort(x, append(slices.Clone(s.Tensors.Ignore), head.Ignore...))
}

// sort puts weights and tensors into groups.
func (f *Fit) sort(x *expander, ignores []*spec.Ignore) error {
	found, missing, left := groups{}, groups{}, groups{}
	used := map[string]bool{}
	for _, w := range x.graph.Weights {
		for _, part := range w.Parts {
			t, ok := x.store.tensors[part.Tensor]
			if ok {
				used[t.Name] = true
				found.add(Group{Pattern: t.Name, Shape: t.Shape, Step: x.users[w], Pos: &w.Pos, Packing: stepNames(part.Steps)})
			} else if part.Tensor != "" {
				missing.add(Group{Pattern: part.Tensor, Shape: w.Shape, Step: x.users[w], Pos: &w.Pos})
			}
		}
	}
	patterns, err := x.store.patterns(ignores)
	if err != nil {
		return err
	}
	_, rest := x.store.sort(patterns)
	for _, name := range rest {
		if !used[name] {
			left.add(Group{Pattern: name, Shape: x.store.tensors[name].Shape})
		}
	}
	f.Found = found.list(nil)
	f.Missing = missing.list(found) // a model of fewer layers lacks no kind of tensor
	f.Left = left.list(found)
	return nil
}

// groups are groups by pattern, in the order in which they came.
type groups []*Group

// add adds a tensor, whose name is the pattern.
func (g *groups) add(x Group) {
	x.Pattern, x.Count = numbersOut(x.Pattern), 1
	for _, old := range *g {
		if old.Pattern == x.Pattern {
			old.Count++
			return
		}
	}
	*g = append(*g, &x)
}

// list returns the groups whose patterns others do not have.
func (g groups) list(others groups) []Group {
	out := []Group{}
	for _, x := range g {
		if !slices.ContainsFunc(others, func(o *Group) bool { return o.Pattern == x.Pattern }) {
			out = append(out, *x)
		}
	}
	return out
}

// numbersOut replaces the components of a name that are numbers by "*".
func numbersOut(name string) string {
	parts := strings.Split(name, ".")
	for i, p := range parts {
		if p != "" && strings.Trim(p, "0123456789") == "" {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, ".")
}
