package program

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"strings"

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

// text returns the text of tokens, without special ones.
func (m *Instance) text(tokens []int32) string {
	var text strings.Builder
	stream := m.Tokenizer.NewStream(true)
	for _, id := range tokens {
		text.WriteString(stream.Next(id))
	}
	if f, ok := stream.(interface{ Flush() string }); ok {
		text.WriteString(f.Flush())
	}
	return text.String()
}

// sequenceReport is a result of generate --json of a search.
type sequenceReport struct {
	Text    string  `json:"text"`
	Tokens  []int32 `json:"tokens"`
	Score   float64 `json:"score"`
	LogProb float64 `json:"logprob"`
	Reason  string  `json:"reason"`
}

// searchFlags adds the flags of searches.
func (g *generation) searchFlags(f *flag.FlagSet) {
	b := &g.options.Beam
	f.IntVar(&b.Width, "beams", b.Width, "search with so many `beams` and print the best text; 0 is off")
	f.Float64Var(&b.LengthPenalty, "length-penalty", cmp.Or(b.LengthPenalty, 1), "of beams: scores are divided by the length to this `power`")
	f.IntVar(&b.Groups, "beam-groups", b.Groups, "split the beams into so many `groups` that differ from each other")
	f.Float64Var(&b.Diversity, "diversity", b.Diversity, "of groups: `number` taken from a logit for each group before that chose the token")
	f.IntVar(&g.options.Return, "return", g.options.Return, "print so many `texts` of a search")
	f.IntVar(&g.options.BestOf, "best-of", g.options.BestOf, "sample so many `texts` and print the most probable")
	f.Float64Var(&g.options.Contrastive.Alpha, "penalty-alpha", g.options.Contrastive.Alpha, "contrastive search: `weight` of the penalty against repetition, from 0 (off) to 1; --top-k tokens are tried")
	f.Func("force", "`text` that the result of a beam search has to contain; repeated for each; a|b means one of the two", func(s string) error {
		g.force = append(g.force, s)
		return nil
	})
}

// searches reports whether the flags ask for a search.
func (g *generation) searches() bool {
	o := &g.options
	return o.Beam.Width > 1 || o.Contrastive.Alpha > 0 || o.BestOf > 1 || o.Return > 1
}

// words turns the texts that a search has to say into tokens.
func (g *generation) words(t generate.Tokenizer) {
	for _, text := range g.force {
		var phrases [][]int32
		for _, phrase := range strings.Split(text, "|") {
			phrases = append(phrases, t.AppendEncode(nil, phrase, false))
		}
		g.options.Beam.Words = append(g.options.Beam.Words, phrases)
	}
}

// search prints the best texts of a search.
func (e *env) search(g *generation, m *Instance) error {
	if m.Search == nil {
		return errors.New("the model has no searches")
	}
	if g.words(m.Tokenizer); g.options.Contrastive.Alpha > 0 && g.options.Beam.Width <= 1 {
		g.options.Contrastive.K, g.options.Temperature = cmp.Or(g.options.TopK, 4), 0
	}
	found, err := m.Search(e.ctx, m.Tokenizer.AppendEncode(nil, g.prompt, true), generate.Replace(g.options))
	if err != nil {
		return err
	}
	var reports []sequenceReport
	for _, s := range found {
		reports = append(reports, sequenceReport{Text: m.text(s.Tokens), Tokens: s.Tokens, Score: s.Score, LogProb: s.LogProb, Reason: s.Reason.String()})
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
