package wasmemit

import (
	"fmt"
	"path"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/ir"
)

// Description is what a host must know of a module: where to write and to read, and how much state a sequence takes.
type Description struct {
	Memory     *Memory  `json:"memory"`
	Pages      int64    `json:"pages"`          // least size of the memory
	Wide       bool     `json:"wide,omitempty"` // of a variant with 64-bit addresses; hosts set it, the rest is the same for all
	Causal     bool     `json:"causal"`
	Vocabulary int      `json:"vocabulary"`
	Context    int      `json:"context"` // longest sequence
	Limits     Limits   `json:"limits"`
	Types      bool     `json:"types"`             // the model reads token types
	Encodes    bool     `json:"encodes,omitempty"` // an encoder–decoder: a sequence reads a source, whose length stands behind its state table
	States     []State  `json:"states"`
	Outputs    []Output `json:"outputs"`
	Hidden     []Output `json:"hidden,omitempty"` // hidden states of a traced module
}

// Limits are the rows of one pass.
type Limits struct {
	Tokens    int `json:"tokens"`
	Selected  int `json:"selected"`
	Sequences int `json:"sequences"`
	Source    int `json:"source,omitempty"` // of the encoder
}

// State is a row of a sequence's state table: a cache of keys and values in blocks of 64 positions, of keys alone
// where rows are remembered, or, as a single block of keys, a state of fixed size. An encoder has one, for the layer that is being computed, an encoder–decoder too, as its last.
type State struct {
	Key   int `json:"key"`   // bytes of a block of keys
	Value int `json:"value"` // bytes of a block of values
	Ring  int `json:"ring"`  // blocks that are kept; 0: the whole context
}

// Output is a matrix in memory.
type Output struct {
	Name   string `json:"name"`
	Rows   string `json:"rows"` // tokens, selected, sequences, source
	At     int64  `json:"at"`
	Stride int    `json:"stride"` // bytes
	Width  int    `json:"width"`  // elements
}

var rowNames = map[ir.Rows]string{ir.Tokens: "tokens", ir.Selected: "selected", ir.Sequences: "sequences", ir.Source: "source"}

// Describe returns the description of a model's modules; all variants have the same.
func Describe(m *Model, trace bool) (*Description, error) {
	memory, err := layout(m, trace)
	if err != nil {
		return nil, err
	}
	g, l := m.Plan.Graph, m.Plan.Limits
	e := &emitter{Model: m, memory: memory}
	d := &Description{Memory: memory, Pages: (memory.Heap + wasm.Page - 1) / wasm.Page, Causal: len(g.States) > 0, Vocabulary: g.Vocab,
		Context: g.MaxPos, Encodes: encodes(g), Limits: Limits{l.Tokens, l.Selected, l.Sequences, l.Source}, Types: g.Input("token_types") != nil, States: append([]State{}, states(m)...)}
	if !d.Causal {
		d.Context = min(g.MaxPos, l.Tokens)
	}
	for _, o := range g.Outputs {
		at, stride := e.address(o.Value)
		d.Outputs = append(d.Outputs, Output{o.Name, rowNames[o.Value.Type.Rows], int64(at), stride, o.Value.Type.Width()})
	}
	at := memory.Trace
	layers := map[string]int{}
	for _, r := range traced(g) {
		if !trace {
			break
		}
		tower, rows, width := r.Tower, r.Result.Type.Rows, r.Result.Type.Width()
		if tower == "" && g.Towers() {
			tower = "decoder"
		}
		name := path.Join(tower, fmt.Sprintf("hidden/%d", layers[tower]))
		d.Hidden = append(d.Hidden, Output{name, rowNames[rows], at, 4 * width, width})
		layers[tower]++
		at += int64(l.Rows(rows)) * 4 * int64(width)
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
		if s.Kind == "history" { // rows by position
			list = append(list, State{Key: 4 * blockKeys * s.Attrs.Int("width")})
			continue
		}
		kv, dim, window := s.Attrs.Int("kv_heads"), s.Attrs.Int("head_dim"), s.Attrs.Int("window")
		row := State{Key: kv * keyBlock(dim), Value: kv * valueBlock(dim)}
		if window > 0 { // the window, the tokens of one pass, and a block because the window does not begin at one
			row.Ring = (window-1+m.Plan.Limits.Tokens+blockKeys-1)/blockKeys + 1
		}
		list = append(list, row)
	}
	var row State
	for _, o := range g.Ops {
		if (o.Kind == "attend" || o.Kind == "attend_marked") && o.State == nil {
			kv, dim := o.Attrs.Int("kv_heads"), o.Attrs.Int("head_dim")
			row.Key, row.Value = max(row.Key, kv*keyBlock(dim)), max(row.Value, kv*valueBlock(dim))
		}
	}
	if row.Key > 0 {
		list = append(list, row)
	}
	return list
}
