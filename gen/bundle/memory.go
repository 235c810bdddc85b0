package bundle

import (
	"fmt"
	"slices"

	"github.com/tfgen/tfgen/gen/emit/goemit"
	"github.com/tfgen/tfgen/gen/op"
)

// Memory is what a model takes, in bytes; all figures are exact and equal the constants of the generated code.
type Memory struct {
	Weights     int64 `json:"weights"`     // the weights file, mapped
	Activations int64 `json:"activations"` // the arena, one a model; an encoder's keys and values included
	Worker      int64 `json:"worker"`      // scratch of each worker
	Session     int64 `json:"session"`     // keys, values and logits of one session with this context; 0 for an encoder
	Tokenizer   int64 `json:"tokenizer"`   // its tables, in the program; 0 if they are in the weights file
	Context     int   `json:"context"`     // tokens
}

// Memory returns the exact memory of the model with its whole context.
func (b *Bundle) Memory() Memory {
	g := b.Plan.Graph
	m := Memory{Weights: b.size, Activations: goemit.ActivationBytes(b.Plan), Worker: goemit.WorkerBytes(b.Plan), Context: g.MaxPos,
		Tokenizer: int64(len(b.Tokenizer))}
	if b.tables != nil {
		m.Tokenizer = 0
	}
	if b.causal() {
		m.Session = goemit.SessionBytes(b.Plan, g.MaxPos)
	}
	return m
}

// State is what a session keeps of some layers from one token to the next.
type State struct {
	Names     []string `json:"names"`     // kv00, tail03, …: what it is, and the layer
	Kind      string   `json:"kind"`      // as operations call it: kv, cross, latent, tail, scan, …
	Holds     string   `json:"holds"`     // what that is
	Positions int      `json:"positions"` // that are kept, in blocks of 64; 0: it does not grow with the sequence
	Bytes     int64    `json:"bytes"`     // of each of them
}

// Label names the states: the first and the last of several.
func (s State) Label() string {
	switch n := len(s.Names); n {
	case 1:
		return s.Names[0]
	case 2:
		return s.Names[0] + ", " + s.Names[1]
	default:
		return fmt.Sprintf("%s … %s (%d)", s.Names[0], s.Names[n-1], n)
	}
}

// States lists the states of a session with the whole context, those of one kind and size together.
func (b *Bundle) States() []State {
	var list []State
	for _, s := range b.Plan.Graph.States {
		positions, bytes := goemit.StateSize(b.Plan, s, b.Plan.Graph.MaxPos)
		at := slices.IndexFunc(list, func(o State) bool { return o.Kind == s.Kind && o.Positions == positions && o.Bytes == bytes })
		if at < 0 {
			at = len(list)
			list = append(list, State{Kind: s.Kind, Holds: op.StateDocs[s.Kind], Positions: positions, Bytes: bytes})
		}
		list[at].Names = append(list[at].Names, s.Name)
	}
	return list
}

// WeightsLayout returns the size of the weights file, the size of its header, and the header's digest once the weights
// have been written.
func (b *Bundle) WeightsLayout() (size, header int64, digest [32]byte) {
	return b.size, b.header, b.digest
}
