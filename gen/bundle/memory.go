package bundle

import (
	"github.com/tfgen/tfgen/gen/emit/goemit"
	"github.com/tfgen/tfgen/runtime/arena"
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
	m := Memory{Weights: b.size, Activations: arena.Bytes(b.Plan.Arena), Worker: goemit.WorkerBytes(b.Plan), Context: g.MaxPos,
		Tokenizer: int64(len(b.Tokenizer))}
	if b.tables != nil {
		m.Tokenizer = 0
	}
	m.Activations += goemit.EncoderBytes(b.Plan)
	if b.causal() {
		m.Session = goemit.SessionBytes(b.Plan, g.MaxPos)
	}
	return m
}

// WeightsLayout returns the size of the weights file, the size of its header, and the header's digest once the weights
// have been written.
func (b *Bundle) WeightsLayout() (size, header int64, digest [32]byte) {
	return b.size, b.header, b.digest
}
