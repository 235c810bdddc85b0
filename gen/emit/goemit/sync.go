package goemit

import (
	"slices"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/plan"
)

// access is one use of a buffer since the workers last waited for each other.
type access struct {
	buffer  *plan.Buffer
	write   bool
	rowwise bool // each worker touches its own rows only
}

// conflicts reports whether two uses by different workers may touch the same memory, one of them writing.
func (a access) conflicts(b access) bool {
	if !a.write && !b.write {
		return false
	}
	overlap := a.buffer.Offset < b.buffer.Offset+b.buffer.Size && b.buffer.Offset < a.buffer.Offset+a.buffer.Size
	same := a.buffer.Offset == b.buffer.Offset && a.buffer.Stride == b.buffer.Stride && a.buffer.Rows == b.buffer.Rows
	return overlap && !(same && a.rowwise && b.rowwise)
}

// keyInputs are the operations that store rows of some inputs, from … to-1, wait, and then read the others.
var keyInputs = map[string]struct{ from, to int }{"attend": {1, 3}, "attend_latent": {2, 4}, "attend_marked": {2, 4}}

// fence decides where workers must wait.
type fence struct {
	plan    *plan.Plan
	pending []access
}

// before reports whether workers must wait before an operation, and records what it touches.
func (f *fence) before(s plan.Step, rowwise bool) bool {
	now := f.accesses(s, rowwise)
	wait := false
	for _, b := range now {
		for _, a := range f.pending {
			wait = wait || a.conflicts(b)
		}
	}
	if wait {
		f.pending = nil
	}
	if keys, ok := keyInputs[s.Op.Kind]; ok { // waits itself after storing keys and values
		f.pending = nil
		now = slices.Concat(f.uses(s.Op.In[:keys.from], false, false), f.uses(s.Op.In[keys.to:], false, false), f.uses(s.Op.Out, true, false))
	}
	f.pending = append(f.pending, now...)
	return wait
}

func (f *fence) accesses(s plan.Step, rowwise bool) []access {
	o := s.Op
	if keys, ok := keyInputs[o.Kind]; ok {
		stored := f.uses(o.In[keys.from:keys.to], false, true)
		if s.Copy != nil || o.Kind == "attend_marked" { // changes its first input in place
			stored = slices.Concat(stored, f.uses(o.In[:1], false, true), f.uses(o.Out, true, true))
		}
		return stored
	}
	inputs := f.uses(o.In, false, rowwise)
	outputs := f.uses(o.Out, true, rowwise)
	switch o.Kind {
	case "select", "first", "last", "mean", "unfold": // read any row, write their own
		outputs = f.uses(o.Out, true, true)
	}
	return append(inputs, outputs...)
}

func (f *fence) uses(values []*ir.Value, write, rowwise bool) []access {
	var list []access
	for _, v := range values {
		if at, ok := f.plan.At[v]; ok {
			list = append(list, access{at.Buffer, write, rowwise})
		}
	}
	return list
}
