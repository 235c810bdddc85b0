package build

import (
	"github.com/tfgen/tfgen/gen/config"
	"github.com/tfgen/tfgen/gen/spec"
)

// Tiny builds the graph of one class at the sizes at which the specification is tested, without a checkpoint: every
// weight is there. Values without a size are the defaults of the configuration.
func Tiny(s *spec.Spec, class string) (*Result, error) {
	head, err := s.Head(class)
	if err != nil {
		return nil, err
	}
	st, err := newStore(&s.Tensors, false, nil)
	if err != nil {
		return nil, err
	}
	in := config.Input{Name: "tiny", Keys: map[string]any{}, Given: map[string]any{}}
	for name, v := range s.Tiny {
		if in.Given[name], err = v.Eval(&spec.Env{}); err != nil {
			return nil, err
		}
	}
	values, err := config.Resolve(s.Config, nil, in)
	if err != nil {
		return nil, err
	}
	p := &plan{spec: s, head: head, values: values, store: st}
	return p.model()
}
