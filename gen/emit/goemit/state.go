package goemit

import (
	"fmt"
	"strings"
)

// hidden is the view of the final hidden states, which the logits are computed from, or nil.
func (e *emitter) hidden() *view {
	if !e.Causal {
		return nil
	}
	return e.outputView("final")
}

func (e *emitter) hiddenWidth() int {
	if v := e.Plan.Graph.Output("final"); v != nil {
		return v.Type.Width()
	}
	return 0
}

// hiddenBytes is what the final hidden state adds to the size of a session.
func (e *emitter) hiddenBytes() string {
	return pick(e.hidden() != nil, fmt.Sprintf(" + arena.Bytes(%d)", e.hiddenWidth()), "") + e.earlyBytes()
}

// copyHidden emits the copy of row i of the final hidden states to its session.
func (e *emitter) copyHidden(i string) string {
	if e.hidden() == nil {
		return e.copyEarly(i)
	}
	return fmt.Sprintf("copy(s.hidden, r.row(%s, %s, %d))\n", e.hidden().name, i, e.hiddenWidth()) + e.copyEarly(i)
}

// stateText emits what sessions do with their state as a whole.
func (e *emitter) stateText() string {
	var rows strings.Builder
	for i, s := range e.Plan.Graph.States {
		fixed := fixedState(s) > 0
		fmt.Fprintf(&rows, "{Heads: %d, Window: %d, Halves: %v, Codes: %v, Fixed: %v, Source: %v},", max(1, s.Attrs.Int("kv_heads")), s.Attrs.Int("window"),
			cacheFormatOf(s).perWord == 2, cacheFormatOf(s).scales, fixed, s.Kind == "cross")
		if i%3 == 2 {
			rows.WriteString("\n")
		}
	}
	text := fmt.Sprintf(`// cacheKinds has a row for each state: heads, and the positions that attention looks back on (0: all).
var cacheKinds = [%d]snapshot.Cache{
	%s
}
`, len(e.Plan.Graph.States), tidyKinds.Replace(strings.TrimSpace(rows.String()))) + e.fill(stateText)
	text += e.fill(saveText) + pick(e.encodes(), e.fill(sourceText), "")
	if e.hidden() != nil {
		text += e.fill(hiddenText)
	}
	return text + e.earlyText()
}

// tidyKinds leaves out what is zero.
var tidyKinds = strings.NewReplacer(", Window: 0", "", ", Halves: false", "", ", Codes: false", "", ", Fixed: false", "", ", Source: false", "", "Heads: 1, Fixed", "Heads: 1, Fixed")

const stateText = `
// state is the whole state of the session.
func (s *Session) state() snapshot.State {
	caches := make([]snapshot.Cache, len(s.caches))
	for i, c := range s.caches {
		caches[i] = cacheKinds[i]
		caches[i].K, caches[i].V, caches[i].Keys = c.k, c.v, c.keys
	}
	return snapshot.State{Model: layout.Header, Tokens: &s.tokens, High: &s.high, Rows: [][]float32{s.logits$hiddenrow}, Caches: caches, Limit: s.context$sourcestate}
}

// Tokens returns the tokens of the session, in order; the slice is valid until its next call.
func (s *Session) Tokens() []int32 { return s.tokens }

// Truncate shortens the session to its first n tokens, as if the others had never been given. Layers that do not keep
// all tokens cannot always go back: the error is then snapshot.ErrForgotten, and nothing has changed.
func (s *Session) Truncate(n int) error {
	err := snapshot.Truncate(s.state(), n)
	s.length = len(s.tokens)
	return err
}

// CopyFrom makes the session equal to another one of this model. The first n tokens, which both have in common, are not
// copied again.
func (s *Session) CopyFrom(other *Session, n int) error {
	if s.model != other.model {
		return errors.New("$package: a session belongs to another model")
	}
	$copysourceerr := snapshot.Copy(s.state(), other.state(), n)
	s.length = len(s.tokens)
	return err
}

// Fork returns a new session equal to this one.
func (s *Session) Fork() (*Session, error) {
	f, err := s.model.NewSession(s.context)
	if err != nil {
		return nil, err
	}
	return f, f.CopyFrom(s, 0)
}
`

const saveText = `
// Save writes the session, in as many bytes as its tokens need; Restore reads it back, also in another process.
func (s *Session) Save(w io.Writer) error { return snapshot.Save(w, s.state()) }

// Restore replaces the session by one that Save has written. What does not belong to these weights or does not fit is
// an error, after which the session is empty.
func (s *Session) Restore(r io.Reader) error {
	err := snapshot.Restore(r, s.state(), Vocabulary)
	s.length = len(s.tokens)
	$sourcereadreturn err
}
`

const sourceText = `
// readSource takes over what the encoder has made of another session's source.
func (s *Session) readSource(other *Session) error {
	if s.encoded == other.encoded {
		return nil
	}
	ours, theirs := s.state(), other.state()
	for i, c := range theirs.Caches {
		if c.Source {
			if err := snapshot.CopySource(ours.Caches[i], c, other.source); err != nil {
				return err
			}
		}
	}
	s.source, s.encoded = other.source, other.encoded
	return nil
}
`

const hiddenText = `
// Hidden is the final hidden state, $hiddenwidth values, behind the token whose logits were returned or given out last. The slice
// is valid until the session's next call.
func (s *Session) Hidden() []float32 { return s.hidden }
`
