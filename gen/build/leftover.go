package build

import (
	"errors"
	"fmt"
	"sort"

	"github.com/tfgen/tfgen/gen/spec"
)

// maxListed bounds the number of tensors that one error lists.
const maxListed = 10

// finish reports missing weights and stored tensors that are neither used nor ignored by a rule. It returns the
// names of those that a rule ignores.
func (s *store) finish(ignores []*spec.Ignore) ([]string, error) {
	ignored, left, err := s.sort(ignores)
	if err != nil {
		return nil, err
	}
	errs := s.missing
	for _, name := range left {
		errs = append(errs, spec.Errorf(s.rules.Pos, "the model does not use the tensor %s (%s) of the checkpoint, and no rule ignores it%s",
			name, dims(s.tensors[name].Shape), spec.Suggest(name, s.wanted())))
	}
	for _, name := range s.partly() {
		errs = append(errs, spec.Errorf(s.rules.Pos, "the model uses only some rows of the tensor %s (%s)", name, dims(s.tensors[name].Shape)))
	}
	if len(errs) > maxListed {
		errs = append(errs[:maxListed:maxListed], fmt.Errorf("and %d more", len(errs)-maxListed))
	}
	return ignored, errors.Join(errs...)
}

// sort splits the unused tensors into those that a rule ignores and those that are left.
func (s *store) sort(ignores []*spec.Ignore) (ignored, left []string, err error) {
	var patterns []string
	for _, ig := range ignores {
		if ig.When != nil {
			on, err := ig.When.Bool(s.env)
			if err != nil {
				return nil, nil, err
			}
			if !on {
				continue
			}
		}
		patterns = append(patterns, s.stored(ig.Pattern))
	}
	for _, name := range s.unclaimed() {
		if matchesAny(patterns, name) {
			ignored = append(ignored, name)
		} else {
			left = append(left, name)
		}
	}
	return ignored, left, nil
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
		if len(w.Parts) > 0 && len(s.claims[w.Parts[0].Tensor]) == 0 {
			names = append(names, w.Parts[0].Tensor)
		}
	}
	sort.Strings(names)
	return names
}

// partly lists the tensors of which some rows are not used.
func (s *store) partly() []string {
	var names []string
	for name, ranges := range s.claims {
		if !covers(ranges, s.rowCount(name)) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// rowCount is the number of rows that slices of a tensor count in: the larger one of a matrix that is transposed first.
func (s *store) rowCount(name string) int {
	for _, w := range s.weights {
		for _, p := range w.Parts {
			if p.Tensor == name {
				n := s.tensors[name].Shape[0]
				for _, st := range p.Steps {
					if st.Kind == "transpose" {
						n = s.tensors[name].Shape[1]
					}
				}
				return n
			}
		}
	}
	return 0
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
