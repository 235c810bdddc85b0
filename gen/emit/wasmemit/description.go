package wasmemit

import (
	"fmt"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/ir"
)

// Description is what a host must know of a module: where to write and to read, and how much state a sequence takes.
type Description struct {
	Memory     *Memory  `json:"memory"`
	Pages      int64    `json:"pages"` // least size of the memory
	Causal     bool     `json:"causal"`
	Vocabulary int      `json:"vocabulary"`
	Context    int      `json:"context"` // longest sequence
	Limits     Limits   `json:"limits"`
	Types      bool     `json:"types"` // the model reads token types
	States     []State  `json:"states"`
	Outputs    []Output `json:"outputs"`
	Hidden     []Output `json:"hidden,omitempty"` // hidden states of a traced module
}

// Limits are the rows of one pass.
type Limits struct {
	Tokens    int `json:"tokens"`
	Selected  int `json:"selected"`
	Sequences int `json:"sequences"`
}

// State is a row of a sequence's state table: a cache of keys and values in blocks of 64 positions, or, as a single block of
// keys, a state of fixed size. An encoder has one, for the layer that is being computed.
type State struct {
	Key   int `json:"key"`   // bytes of a block of keys
	Value int `json:"value"` // bytes of a block of values
	Ring  int `json:"ring"`  // blocks that are kept; 0: the whole context
}

// Output is a matrix in memory.
type Output struct {
	Name   string `json:"name"`
	Rows   string `json:"rows"` // tokens, selected, sequences
	At     int64  `json:"at"`
	Stride int    `json:"stride"` // bytes
	Width  int    `json:"width"`  // elements
}

var rowNames = map[ir.Rows]string{ir.Tokens: "tokens", ir.Selected: "selected", ir.Sequences: "sequences"}

// Describe returns the description of a model's modules; all variants have the same.
func Describe(m *Model, trace bool) (*Description, error) {
	memory, err := layout(m, trace)
	if err != nil {
		return nil, err
	}
	g, l := m.Plan.Graph, m.Plan.Limits
	e := &emitter{Model: m, memory: memory}
	d := &Description{Memory: memory, Pages: (memory.Heap + wasm.Page - 1) / wasm.Page, Causal: len(g.States) > 0, Vocabulary: g.Vocab,
		Context: g.MaxPos, Limits: Limits{l.Tokens, l.Selected, l.Sequences}, Types: g.Input("token_types") != nil, States: states(m)}
	if !d.Causal {
		d.Context = min(g.MaxPos, l.Tokens)
	}
	for _, o := range g.Outputs {
		at, stride := e.address(o.Value)
		d.Outputs = append(d.Outputs, Output{o.Name, rowNames[o.Value.Type.Rows], int64(at), stride, o.Value.Type.Width()})
	}
	at := memory.Trace
	for i, r := range traced(g) {
		if !trace {
			break
		}
		width := r.Result.Type.Width()
		d.Hidden = append(d.Hidden, Output{fmt.Sprintf("hidden/%d", i), "tokens", at, 4 * width, width})
		at += int64(l.Tokens) * 4 * int64(width)
	}
	return d, nil
}

// states are the rows of a state table.
func states(m *Model) (list []State) {
	g := m.Plan.Graph
	for _, s := range g.States {
		if size := s.Attrs.Int("size"); size > 0 { // of fixed size: one block, however long the context
			list = append(list, State{Key: 4 * size, Ring: 1})
			continue
		}
		if s.Kind == "latent" { // latents and rotated keys
			list = append(list, State{Key: keyBlock(s.Attrs.Int("rank")), Value: keyBlock(s.Attrs.Int("rope_dim"))})
			continue
		}
		kv, dim, window := s.Attrs.Int("kv_heads"), s.Attrs.Int("head_dim"), s.Attrs.Int("window")
		row := State{Key: kv * keyBlock(dim), Value: kv * valueBlock(dim)}
		if window > 0 { // the window, the tokens of one pass, and a block because the window does not begin at one
			row.Ring = (window-1+m.Plan.Limits.Tokens+blockKeys-1)/blockKeys + 1
		}
		list = append(list, row)
	}
	if len(list) > 0 {
		return list
	}
	var row State
	for _, o := range g.Ops {
		if o.Kind == "attend" {
			kv, dim := o.Attrs.Int("kv_heads"), o.Attrs.Int("head_dim")
			row.Key, row.Value = max(row.Key, kv*keyBlock(dim)), max(row.Value, kv*valueBlock(dim))
		}
	}
	if row.Key > 0 {
		list = append(list, row)
	}
	return list
}
