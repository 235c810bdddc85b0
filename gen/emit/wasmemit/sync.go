package wasmemit

import "github.com/tfgen/tfgen/gen/plan"

// access says which rows a thread touches when threads share an operation.
type access uint8

const (
	rowwise    access = iota // its own rows of all operands and results
	anywhere                 // any row of all of them
	gathers                  // any row of the operands, its own of the results
	staged                   // attention: reads keys and values in a first stage, the first operand in a second
	stagedPair               // the same with two operands in the second stage
)

// fence decides where threads must wait.
type fence struct {
	plan *plan.Plan
	plan.Fence
}

// before reports whether threads must wait before an operation, and records what it touches.
func (f *fence) before(s plan.Step, a access) bool {
	o, p := s.Op, f.plan
	queries := map[access]int{staged: 1, stagedPair: 2}[a]
	if queries == 0 {
		now := append(p.Uses(o.In, false, a == rowwise), p.Uses(o.Out, true, a == rowwise || a == gathers)...)
		wait := f.Wait(now)
		f.Add(now...)
		return wait
	}
	wait := f.Wait(p.Uses(o.In[queries:], false, false))
	f.Forget() // it waits itself between its stages
	f.Add(p.Uses(o.In[:queries], false, false)...)
	f.Add(p.Uses(o.Out, true, false)...)
	if a == staged && len(o.In) > 3 { // products with distances and marks
		f.Add(p.Uses(o.In[3:], false, false)...)
	}
	return wait
}
