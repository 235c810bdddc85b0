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

// queries are the operations that store rows, wait, and then read their first inputs: so many are queries.
var queries = map[string]int{"attend": 1, "attend_latent": 2}

// afterKeys are further inputs that are read after the wait: products with distances of attend.
func afterKeys(o *ir.Op) []*ir.Value {
	if o.Kind == "attend" {
		return o.In[3:]
	}
	return nil
}

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
	if q := queries[s.Op.Kind]; q > 0 { // waits itself after storing keys and values
		f.pending = nil
		now = slices.Concat(f.uses(s.Op.In[:q], false, false), f.uses(afterKeys(s.Op), false, false), f.uses(s.Op.Out, true, false))
	}
	f.pending = append(f.pending, now...)
	return wait
}

func (f *fence) accesses(s plan.Step, rowwise bool) []access {
	o := s.Op
	if q := queries[o.Kind]; q > 0 {
		return f.uses(o.In[q:len(o.In)-len(afterKeys(o))], false, true)
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
