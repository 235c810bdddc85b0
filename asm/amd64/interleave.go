package amd64

import (
	"slices"

	"github.com/mmcloughlin/avo/ir"
)

// interleave writes bodies of straight-line code one instruction of each in
// turn: the processor finds work in one while it waits for another. The bodies
// must not depend on each other, except that a later one may come after the
// instruction at the same place of an earlier one.
func (f *function) interleave(bodies ...func()) {
	file, _ := f.Result() // errors are reported when the function is complete
	fn := file.Functions()[0]
	start := len(fn.Nodes)
	parts := make([][]ir.Node, len(bodies))
	longest := 0
	for i, body := range bodies {
		from := len(fn.Nodes)
		body()
		parts[i] = slices.Clone(fn.Nodes[from:])
		longest = max(longest, len(parts[i]))
	}
	fn.Nodes = fn.Nodes[:start]
	for n := range longest {
		for _, part := range parts {
			if n < len(part) {
				fn.Nodes = append(fn.Nodes, part[n])
			}
		}
	}
}
