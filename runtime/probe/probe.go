// Package probe is how `tfgen verify` asks a generated model for its hidden states. Only packages that were generated
// for verification use it.
package probe

import (
	"encoding/gob"
	"fmt"
	"io"
)

// Sequence is one input: token ids, and token types and marks of global attention or nil; the encoder's tokens where there
// is one.
type Sequence struct{ Tokens, Types, Global, Source []int32 }

// Model is a generated model that can be asked.
type Model interface {
	// Full computes all sequences in one ragged batch and returns the rows of hidden/i, final, logits, pooled, … in the
	// order of the sequences.
	Full(sequences []Sequence) (map[string][][]float32, error)
	// Steps feeds prefill tokens at once and the others one at a time, and returns the logits of the latter.
	Steps(sequence Sequence, prefill int) ([][]float32, error)
	// Greedy returns n tokens, each the one with the largest logit.
	Greedy(tokens []int32, n int) ([]int32, error)
	Close() error
}

// Request asks one model for one thing: Prefill > 0 asks for Steps, Greedy > 0 for tokens, else Full is meant.
type Request struct {
	Model     string // package name
	Sequences []Sequence
	Prefill   int
	Greedy    int
}

// Reply answers a request.
type Reply struct {
	Rows   map[string][][]float32
	Tokens []int32
	Error  string
}

// Serve answers the gob-encoded requests in r until its end, with the models that open makes by name.
func Serve(r io.Reader, w io.Writer, open map[string]func() (Model, error)) error {
	dec, enc := gob.NewDecoder(r), gob.NewEncoder(w)
	models := map[string]Model{}
	defer func() {
		for _, m := range models {
			m.Close()
		}
	}()
	for {
		var q Request
		if err := dec.Decode(&q); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		var a Reply
		if err := answer(q, &a, models, open); err != nil {
			a.Error = err.Error()
		}
		if err := enc.Encode(a); err != nil {
			return err
		}
	}
}

func answer(q Request, a *Reply, models map[string]Model, open map[string]func() (Model, error)) (err error) {
	m := models[q.Model]
	if m == nil {
		f, ok := open[q.Model]
		if !ok {
			return fmt.Errorf("no model is called %q", q.Model)
		}
		if m, err = f(); err != nil {
			return err
		}
		models[q.Model] = m
	}
	switch {
	case q.Prefill > 0:
		var rows [][]float32
		rows, err = m.Steps(q.Sequences[0], q.Prefill)
		a.Rows = map[string][][]float32{"decode/logits": rows}
	case q.Greedy > 0:
		a.Tokens, err = m.Greedy(q.Sequences[0].Tokens, q.Greedy)
	default:
		a.Rows, err = m.Full(q.Sequences)
	}
	return err
}
