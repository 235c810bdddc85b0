package generate

import (
	"context"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tfgen/tfgen/runtime/sample"
)

// Token is a generated token and the text that it makes certain.
type Token struct {
	ID      int32
	Text    string    // may be empty, and may hold text of tokens before
	LogProb float64   // of the token by the model's own logits, if Options.LogProbs is set
	Top     []LogProb // of the most probable tokens, in descending order
}

// LogProb is a token and the natural logarithm of its probability.
type LogProb struct {
	ID      int32
	LogProb float64
}

// Stream yields the tokens that continue prompt with their texts, as Text does
// with texts. Text that was held back comes with a last token whose ID is -1.
func Stream(ctx context.Context, s Stepper, t Tokenizer, prompt []int32, o Options) iter.Seq2[Token, error] {
	return func(yield func(Token, error) bool) {
		l := newLoop(s, o)
		text := stopper{stop: o.Stop}
		stream := pieces(t, &o)
		open, found := true, false
		err := l.run(ctx, prompt, func() bool {
			token := Token{ID: l.chosen, LogProb: l.logprob, Top: slices.Clone(l.top)}
			token.Text, found = text.next(stream.Next(l.chosen))
			open = yield(token, nil)
			return open && !found
		})
		if open && !found {
			found = finish(stream, &text, func(rest string) { open = yield(Token{ID: -1, Text: rest}, nil) })
		}
		switch {
		case found:
			l.stats.Reason = StopText
		case err != nil:
			l.row.fail(ctx)
			if open {
				yield(Token{ID: -1}, err)
			}
		}
	}
}

// finish gives out the text that is held back at the end, and reports whether a
// stop text was found in it.
func finish(stream Pieces, text *stopper, give func(string)) (found bool) {
	rest := ""
	if f, ok := stream.(interface{ Flush() string }); ok {
		rest, found = text.next(f.Flush())
	}
	if !found {
		rest += text.rest()
	}
	if rest != "" {
		give(rest)
	}
	return found
}

// score computes the logarithms of the probabilities of id and of the most
// probable tokens.
func (r *row) score(logits []float32, id int32) {
	if cap(r.scratch) < len(logits) {
		r.scratch = make([]float32, len(logits))
	}
	all := r.scratch[:len(logits)]
	r.top = r.top[:0]
	if sample.LogSoftmax(all, logits) != nil {
		r.logprob = 0
		return
	}
	r.logprob = float64(all[id])
	n := min(r.options.TopLogProbs, len(all))
	for i, v := range all {
		if n == 0 || len(r.top) == n && float64(v) <= r.top[n-1].LogProb {
			continue
		}
		if len(r.top) == n {
			r.top = r.top[:n-1]
		}
		at := len(r.top)
		for at > 0 && r.top[at-1].LogProb < float64(v) {
			at--
		}
		r.top = slices.Insert(r.top, at, LogProb{int32(i), float64(v)})
	}
}

// pieces returns what makes text of tokens: the bytes that a constraint has
// compared with its grammar where it gives them, else the tokenizer's decoder.
func pieces(t Tokenizer, o *Options) Pieces {
	if b, ok := o.Constraint.(interface {
		AppendBytes(dst []byte, id int32) []byte
	}); ok {
		return &bytePieces{bytes: b.AppendBytes}
	}
	return t.NewStream(!o.SpecialText)
}

// bytePieces makes text of the bytes of tokens.
type bytePieces struct {
	bytes func(dst []byte, id int32) []byte
	held  []byte // the beginning of a character
}

// Next returns the characters that are complete.
func (p *bytePieces) Next(id int32) string {
	p.held = p.bytes(p.held, id)
	n := len(p.held)
	for i := n - 1; i >= max(0, n-utf8.UTFMax); i-- {
		if utf8.RuneStart(p.held[i]) {
			if !utf8.FullRune(p.held[i:]) {
				n = i
			}
			break
		}
	}
	text := strings.ToValidUTF8(string(p.held[:n]), "\ufffd")
	p.held = append(p.held[:0], p.held[n:]...)
	return text
}

// Flush returns what is left of a character.
func (p *bytePieces) Flush() string { return strings.ToValidUTF8(string(p.held), "\ufffd") }
