package wasmemit

import (
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/plan"
)

// access says which rows a thread touches when threads share an operation.
type access uint8

const (
	rowwise    access = iota // its own rows of all operands and results
	anywhere                 // any row of all of them
	gathers                  // any row of the operands, its own of the results
	staged                   // attention: reads keys and values in a first stage, the first operand in a second
	stagedPair               // the same with two operands in the second stage
)

// use is one use of a buffer since the threads last waited for each other.
type use struct {
	buffer *plan.Buffer
	write  bool
	own    bool // each thread touches its own rows only
}

// conflicts reports whether two uses by different threads may touch the same memory, one of them writing.
func (a use) conflicts(b use) bool {
	if !a.write && !b.write {
		return false
	}
	overlap := a.buffer.Offset < b.buffer.Offset+b.buffer.Size && b.buffer.Offset < a.buffer.Offset+a.buffer.Size
	same := a.buffer.Offset == b.buffer.Offset && a.buffer.Stride == b.buffer.Stride && a.buffer.Rows == b.buffer.Rows
	return overlap && !(same && a.own && b.own)
}

// fence decides where threads must wait.
type fence struct {
	plan    *plan.Plan
	pending []use
}

// before reports whether threads must wait before an operation, and records what it touches.
func (f *fence) before(s plan.Step, a access) bool {
	o := s.Op
	reads, writes := f.uses(o.In, false, a == rowwise), f.uses(o.Out, true, a == rowwise || a == gathers)
	now := append(reads, writes...)
	queries := map[access]int{staged: 1, stagedPair: 2}[a]
	if queries > 0 {
		now = f.uses(o.In[queries:], false, false)
	}
	wait := false
	for _, b := range now {
		for _, p := range f.pending {
			wait = wait || p.conflicts(b)
		}
	}
	if wait {
		f.pending = nil
	}
	if queries > 0 { // waits itself between its stages
		f.pending = nil
		now = append(f.uses(o.In[:queries], false, false), f.uses(o.Out, true, false)...)
		if a == staged && len(o.In) > 3 { // products with distances and marks
			now = append(now, f.uses(o.In[3:], false, false)...)
		}
	}
	f.pending = append(f.pending, now...)
	return wait
}

func (f *fence) uses(values []*ir.Value, write, own bool) (list []use) {
	for _, v := range values {
		if at, ok := f.plan.At[v]; ok {
			list = append(list, use{at.Buffer, write, own})
		}
	}
	return list
}
