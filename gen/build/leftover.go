package build

import (
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/spec"
)

// maxListed bounds the number of tensors that one error lists.
const maxListed = 10

// finish reports missing weights and stored tensors that are neither used nor ignored by a rule. It returns the
// names of those that a rule ignores.
func (s *store) finish(ignores []*spec.Ignore) ([]string, error) {
	patterns, err := s.patterns(ignores)
	if err != nil {
		return nil, err
	}
	ignored, left := s.sort(patterns)
	errs := s.missing
	for _, name := range left {
		errs = append(errs, spec.Errorf(s.rules.Pos, "the model does not use the tensor %s (%s) of the checkpoint, and no rule ignores it%s",
			name, dims(s.tensors[name].Shape), spec.Suggest(name, s.wanted())))
	}
	for _, name := range s.partly(patterns) {
		errs = append(errs, spec.Errorf(s.rules.Pos, "the model uses only some rows of the tensor %s (%s)", name, dims(s.tensors[name].Shape)))
	}
	if len(errs) > maxListed {
		errs = append(errs[:maxListed:maxListed], fmt.Errorf("and %d more", len(errs)-maxListed))
	}
	return ignored, errors.Join(errs...)
}

// patterns are those of the rules that hold, as the checkpoint names tensors.
func (s *store) patterns(ignores []*spec.Ignore) (patterns []string, err error) {
	for _, ig := range ignores {
		if ig.When != nil {
			on, err := ig.When.Bool(s.env)
			if err != nil {
				return nil, err
			}
			if !on {
				continue
			}
		}
		patterns = append(patterns, s.stored(ig.Pattern))
	}
	return patterns, nil
}

// sort splits the unused tensors into those that a rule ignores and those that are left.
func (s *store) sort(patterns []string) (ignored, left []string) {
	for _, name := range s.unclaimed() {
		if matchesAny(patterns, name) {
			ignored = append(ignored, name)
		} else {
			left = append(left, name)
		}
	}
	return ignored, left
}

func matchesAny(patterns []string, name string) bool {
	for _, p := range patterns {
		if _, ok := spec.Match(p, name); ok {
			return true
		}
	}
	return false
}

// wanted lists the stored names of weights that were not found.
func (s *store) wanted() []string {
	var names []string
	for _, w := range s.weights {
		for _, p := range w.Parts {
			if s.claims[p.Tensor] == nil {
				names = append(names, p.Tensor)
			}
		}
	}
	sort.Strings(names)
	return names
}

// partly lists the tensors of which some rows are not used, unless a rule ignores them.
func (s *store) partly(ignored []string) []string {
	var names []string
	for name, c := range s.claims {
		if matchesAny(ignored, name) {
			continue
		}
		if !covers(c.ranges, c.rows) || c.elements < elements(s.tensors[name].Shape) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// rowsBefore is the number of rows before the last step that takes some.
func rowsBefore(shape []int, steps []ir.Step) int {
	if len(shape) == 0 {
		return 1
	}
	n := shape[0]
	shape = slices.Clone(shape)
	for _, st := range steps {
		if (st.Kind == "rows" || st.Kind == "take") && len(shape) > 0 {
			n = shape[0]
		}
		var err error
		if shape, err = stepShape(shape, st); err != nil {
			return n
		}
	}
	return n
}

// covers reports whether ranges of rows together are all n rows; {0, -1} stands for all.
func covers(ranges [][2]int, n int) bool {
	sort.Slice(ranges, func(i, j int) bool { return ranges[i][0] < ranges[j][0] })
	at := 0
	for _, r := range ranges {
		if r[1] < 0 {
			return true
		}
		if r[0] > at {
			return false
		}
		at = max(at, r[1])
	}
	return at >= n
}
