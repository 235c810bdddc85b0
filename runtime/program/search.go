package program

import (
	"errors"
	"fmt"

	"github.com/tfgen/tfgen/runtime/generate"
)

// tokenReport is a token of generate --json --logprobs.
type tokenReport struct {
	piece
	LogProb float64        `json:"logprob"`
	Top     []tokenLogProb `json:"top,omitempty"`
}

// tokenLogProb is a token that could have been chosen.
type tokenLogProb struct {
	piece
	LogProb float64 `json:"logprob"`
}

// newTokenReport returns the report of a token.
func newTokenReport(m *Instance, t generate.Token) tokenReport {
	r := tokenReport{piece: m.piece(t.ID), LogProb: t.LogProb}
	for _, p := range t.Top {
		r.Top = append(r.Top, tokenLogProb{m.piece(p.ID), p.LogProb})
	}
	return r
}

// piece returns a token and its text.
func (m *Instance) piece(id int32) piece {
	if id < 0 {
		return piece{ID: id}
	}
	return piece{id, m.Tokenizer.NewStream(false).Next(id)}
}

// sequenceReport is a result of generate --json --beams.
type sequenceReport struct {
	Text    string  `json:"text"`
	Tokens  []int32 `json:"tokens"`
	Score   float64 `json:"score"`
	LogProb float64 `json:"logprob"`
	Reason  string  `json:"reason"`
}

// search prints the best texts of a beam search.
func (e *env) search(g *generation, m *Instance) error {
	if m.Search == nil {
		return errors.New("the model has no beam search")
	}
	found, err := m.Search(e.ctx, m.Tokenizer.AppendEncode(nil, g.prompt, true), generate.Replace(g.options))
	if err != nil {
		return err
	}
	var reports []sequenceReport
	for _, s := range found {
		r := sequenceReport{Tokens: s.Tokens, Score: s.Score, LogProb: s.LogProb, Reason: s.Reason.String()}
		stream := m.Tokenizer.NewStream(true)
		for _, id := range s.Tokens {
			r.Text += stream.Next(id)
		}
		reports = append(reports, r)
	}
	if len(reports) == 0 {
		return errors.New("the search found no text")
	}
	if g.json {
		stats := generate.Stats{Tokens: len(found[0].Tokens), Reason: found[0].Reason}
		r := newReport(e.model, g, &stats, reports[0].Text)
		r.Sequences = reports
		return e.printJSON(r)
	}
	for _, r := range reports {
		if _, err := fmt.Fprintln(e.out, r.Text); err != nil {
			return err
		}
		fmt.Fprintf(e.log, "score %.4f, %d tokens, %s\n", r.Score, len(r.Tokens), r.Reason)
	}
	return nil
}
