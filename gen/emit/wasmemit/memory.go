package wasmemit

import (
	"fmt"
	"math"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/ir"
)

// Addresses of the control block, in bytes. Words that threads wait for have cache lines of their own.
const (
	addrBarrier    = 64  // threads that have come to the barrier
	addrGeneration = 128 // barriers passed
	addrJob        = 192 // jobs begun
	addrWork       = 256 // of the job: a row of the table of jobs
	addrCounts     = 320 // rows of the pass: tokens, selected, sequences, source
	addrInputs     = 512
)

// What models may take of 32-bit and of 64-bit memories, so that there is room for states.
const (
	narrowLimit = wasm.MaxPages*wasm.Page - 64<<20
	wideLimit   = wasm.MaxWidePages*wasm.Page - 64<<20
)

// tableBytes is the room for literal tables.
const tableBytes = 32 << 10

// Segment is the size of a segment in the input area: four words that say which rows of a pass belong to one sequence
// (first row, number of rows), the position of the first, and the address of the sequence's state table.
const Segment = 16

// Memory says where everything lies in the linear memory, in bytes. Behind Heap the host puts the scratch memory of
// threads and the states of sequences.
type Memory struct {
	Counts    int64 `json:"counts"`
	Tokens    int64 `json:"tokens"`
	Types     int64 `json:"types"`
	Positions int64 `json:"positions"`
	Totals    int64 `json:"totals"`
	Selected  int64 `json:"selected"`
	Segments  int64 `json:"segments"`
	Shifted   int64 `json:"shifted,omitempty"`
	Global    int64 `json:"global,omitempty"` // 1: the token attends to all, 0: it does not, −1: as the model has it
	Arena     int64 `json:"arena"`
	Trace     int64 `json:"trace,omitempty"`
	Weights   int64 `json:"weights"`
	Heap      int64 `json:"heap"`
	Scratch   int64 `json:"scratch"` // bytes of each thread
	tables    int64
	tickets   int64
}

// layout places the parts of the memory one behind another.
func layout(m *Model, trace bool) (*Memory, error) {
	l, g := m.Plan.Limits, m.Plan.Graph
	at := int64(addrInputs)
	take := func(bytes int64) int64 {
		from := (at + 63) &^ 63
		at = from + bytes
		return from
	}
	rows := int64(max(l.Tokens, l.Source)) * 4
	memory := &Memory{Counts: addrCounts, Scratch: scratchBytes(g, l.Tokens)}
	for _, p := range []*int64{&memory.Tokens, &memory.Types, &memory.Positions, &memory.Totals} {
		*p = take(rows)
	}
	memory.Selected = take(int64(l.Selected) * 4)
	memory.Segments = take(int64(max(l.Sequences, 1)) * Segment)
	if g.Input("shifted_tokens") != nil {
		memory.Shifted = take(rows)
	}
	if g.Input("global_attention") != nil {
		memory.Global = take(rows)
	}
	memory.tables = take(tableBytes)
	memory.tickets = take(int64(tickets(g)) * ticketBytes)
	memory.Arena = take(int64(m.Plan.Arena) * 4)
	if trace {
		memory.Trace = take(traceBytes(m))
	}
	at += m.Gap
	memory.Weights = take(m.FileSize)
	memory.Heap = take(0)
	if memory.Heap > wideLimit {
		return nil, fmt.Errorf("the model needs %d B of memory without any state, a WebAssembly memory has at most %d: choose a smaller weight format",
			memory.Heap, int64(wasm.MaxWidePages)*wasm.Page)
	}
	return memory, nil
}

// traceBytes is the size of the copies of hidden states that a traced module keeps.
func traceBytes(m *Model) (n int64) {
	for _, r := range traced(m.Plan.Graph) {
		n += int64(m.Plan.Limits.Rows(r.Result.Type.Rows)) * int64(r.Result.Type.Width()) * 4
	}
	return n
}

// countedRows are the kinds of rows in the order of their counts.
var countedRows = []ir.Rows{ir.Tokens, ir.Selected, ir.Sequences, ir.Source}

// traced are the regions whose results are hidden states, in order.
func traced(g *ir.Graph) (list []*ir.Region) {
	for _, r := range g.Regions {
		if r.Result != nil && r.Kind != ir.Head && r.Kind != ir.Bridge {
			list = append(list, r)
		}
	}
	return list
}

// table puts literal numbers into the module and returns their address. Equal tables share one place.
func (e *emitter) table(values []float64) int {
	var b []byte
	for _, v := range values {
		b = appendUint64(b, math.Float64bits(v))
	}
	if at, ok := e.tables[string(b)]; ok {
		return at
	}
	at := int(e.memory.tables)
	for have := range e.tables {
		at += (len(have) + 63) &^ 63
	}
	e.tables[string(b)] = at
	e.module.Data(at, b)
	return at
}

// fits reports literal tables that are larger than the room for them.
func (m *Memory) fits(tables map[string]int) error {
	n := 0
	for have := range tables {
		n += (len(have) + 63) &^ 63
	}
	if n > tableBytes {
		return fmt.Errorf("the WebAssembly backend has room for %d B of literal tables, the model has %d", tableBytes, n)
	}
	return nil
}

func appendUint64(b []byte, v uint64) []byte {
	for i := range 8 {
		b = append(b, byte(v>>(8*i)))
	}
	return b
}

// address is where a value begins in memory, and the stride of its rows in bytes.
func (e *emitter) address(v *ir.Value) (at, stride int) {
	p := e.Plan.At[v]
	return int(e.memory.Arena) + 4*(p.Buffer.Offset+p.Col), 4 * p.Buffer.Stride
}

// weight is the address of a packed weight.
func (e *emitter) weight(w *ir.Weight) int { return int(e.memory.Weights + e.Place[w].Offset) }
