package goemit

import (
	"slices"

	"github.com/tfgen/tfgen/gen/plan"
)

// keyInputs are the operations that store rows of some inputs, from … to-1, wait, and then read the others.
var keyInputs = map[string]struct{ from, to int }{"attend": {1, 3}, "attend_latent": {2, 4}, "attend_marked": {2, 4}}

// fence decides where workers must wait.
type fence struct {
	plan *plan.Plan
	plan.Fence
}

// before reports whether workers must wait before an operation, and records what it touches.
func (f *fence) before(s plan.Step, rowwise bool) bool {
	now := f.uses(s, rowwise)
	wait := f.Wait(now)
	if keys, ok := keyInputs[s.Op.Kind]; ok { // waits itself after storing keys and values
		f.Forget()
		in := slices.Concat(s.Op.In[:keys.from], s.Op.In[keys.to:])
		now = append(f.plan.Uses(in, false, false), f.plan.Uses(s.Op.Out, true, false)...)
	}
	f.Add(now...)
	return wait
}

// uses are what an operation touches; of one that waits itself, what it touches before.
func (f *fence) uses(s plan.Step, rowwise bool) []plan.Use {
	o, p := s.Op, f.plan
	if keys, ok := keyInputs[o.Kind]; ok {
		stored := p.Uses(o.In[keys.from:keys.to], false, true)
		if s.Copy != nil || o.Kind == "attend_marked" { // changes its first input in place
			stored = slices.Concat(stored, p.Uses(o.In[:1], false, true), p.Uses(o.Out, true, true))
		}
		return stored
	}
	inputs, outputs := p.Uses(o.In, false, rowwise), p.Uses(o.Out, true, rowwise)
	switch o.Kind {
	case "select", "first", "last", "mean", "unfold": // read any row, write their own
		outputs = p.Uses(o.Out, true, true)
	}
	return append(inputs, outputs...)
}
