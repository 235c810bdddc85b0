package generate

import "github.com/tfgen/tfgen/runtime/sample"

// Constraint decides which tokens may follow; a constrain.State is one.
type Constraint interface {
	// Allow drops the candidates that may not follow.
	Allow(c *sample.Candidates)
	// Accept takes note of a chosen token that does not end the text.
	Accept(id int32) error
	// Done reports whether the text is complete and nothing can follow.
	Done() bool
}

// constrained is the processor of a constraint.
type constrained struct{ c Constraint }

// Process drops what the constraint does not allow.
func (c constrained) Process(list *sample.Candidates) { c.c.Allow(list) }
