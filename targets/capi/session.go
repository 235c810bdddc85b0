package capi

import (
	"context"
	"runtime"
	"strings"

	"github.com/tfgen/tfgen/runtime/generate"
)

// instance is an open model.
type instance struct{ *Instance }

// session is an open session with what its last generation made.
type session struct {
	owner
	steps  Session
	model  *Instance
	logits []float32 // behind the last token; nil before the first
	row    []float32 // logits that a generation with guesses has kept; nil before the first
	pinned *float32  // memory of logits that C may hold
	pin    runtime.Pinner
	text   strings.Builder
	ids    []int32
	odds   odds
	source []int32 // that an encoder–decoder has read
}

// newSession wraps the session of a model.
func newSession(steps Session, i *Instance) *session {
	s := &session{steps: steps, model: i}
	s.call = *newCall(0, 0)
	s.done = make(chan struct{})
	return s
}

// keep remembers the logits that a call returned and pins their memory, which C may read.
func (s *session) keep(logits []float32, err error) error {
	if err != nil {
		return err
	}
	s.logits = logits
	if len(logits) > 0 && s.pinned != &logits[0] {
		s.pin.Unpin()
		s.pinned = &logits[0]
		s.pin.Pin(s.pinned)
	}
	return nil
}

// close releases the session unless a call runs.
func (s *session) close() error {
	if _, err := s.begin(0, 0); err != nil {
		return err
	}
	s.state.Store(gone)
	s.pin.Unpin()
	return s.steps.Close()
}

// closeSession closes the session with a handle.
func closeSession(h uintptr) error {
	s, err := find[*session](h)
	if err != nil {
		return err
	}
	if err := s.close(); err != nil {
		return err
	}
	_, err = withdraw[*session](h)
	return err
}

// prompt is the beginning of a generation: text or token ids.
type prompt struct {
	text string
	ids  []int32 // nil: text
}

// odds are the logarithms of the probabilities of the tokens of a generation, and of the most probable ones in their places.
type odds struct {
	tokens    []float32
	topIDs    []int32 // a row for each token
	topValues []float32
}

func (o *odds) clear() { o.tokens, o.topIDs, o.topValues = o.tokens[:0], o.topIDs[:0], o.topValues[:0] }

func (o *odds) add(t generate.Token) {
	o.tokens = append(o.tokens, float32(t.LogProb))
	for _, top := range t.Top {
		o.topIDs, o.topValues = append(o.topIDs, top.ID), append(o.topValues, float32(top.LogProb))
	}
}

// generate continues a prompt, which is a source where the model reads one, and calls emit for every piece of text with the
// token that completed it, -1 if none did. When emit returns false it ends.
func (s *session) generate(c *call, p prompt, o generate.Options, emit func(piece) bool) error {
	s.text.Reset()
	s.odds.clear()
	s.ids = s.ids[:0]
	if searches(&o) {
		return s.best(c, p, o, emit)
	}
	if o.Guide == nil {
		o.Guide = func() (generate.Stepper, error) { return s.guide(c) }
	}
	t := s.model.Tokenizer
	if t == nil {
		if p.ids == nil {
			return noTokenizer()
		}
		return s.generateIDs(c, p, o, emit)
	}
	if err := generate.CheckStop(t, o.Stop); err != nil {
		return err
	}
	if p.ids == nil {
		p.ids = t.Encode(p.text, true)
	}
	begin, err := s.start(c, p.ids)
	if err != nil {
		return err
	}
	for token, err := range generate.Stream(c, stepper{s}, generate.Wrap(t), begin, o) {
		if err != nil {
			return err
		}
		if token.ID >= 0 {
			s.ids = append(s.ids, token.ID)
			if o.LogProbs {
				s.odds.add(token)
			}
		}
		s.text.WriteString(token.Text)
		if !emit(piece{token.Text, token.ID, token.LogProb, token.Top}) {
			break
		}
	}
	return nil
}

// generateIDs is generate for a model without tokenizer: pieces are empty.
func (s *session) generateIDs(c *call, p prompt, o generate.Options, emit func(piece) bool) error {
	if o.LogProbs {
		return unsupported("log probabilities need a tokenizer, %s has none", model.Name)
	}
	begin, err := s.start(c, p.ids)
	if err != nil {
		return err
	}
	for id, err := range generate.Tokens(c, stepper{s}, begin, o) {
		if err != nil {
			return err
		}
		s.ids = append(s.ids, id)
		if !emit(piece{token: id}) {
			break
		}
	}
	return nil
}

// stepper makes a session the Stepper of a generation and keeps its logits.
type stepper struct{ session *session }

// Prefill implements generate.Stepper.
func (s stepper) Prefill(ctx context.Context, tokens []int32) ([]float32, error) {
	err := s.session.keep(s.session.steps.Prefill(ctx, tokens))
	return s.session.logits, err
}

// Decode implements generate.Stepper.
func (s stepper) Decode(ctx context.Context, token int32) ([]float32, error) {
	err := s.session.keep(s.session.steps.Decode(ctx, token))
	return s.session.logits, err
}

// Score lets guesses be tried: of the logits behind each token the session keeps those that were looked at last.
func (s stepper) Score(ctx context.Context, tokens []int32, each func(i int, logits []float32) error) error {
	return s.session.steps.Score(ctx, tokens, func(i int, logits []float32) error {
		if s.session.row == nil {
			s.session.row = make([]float32, len(logits))
		}
		copy(s.session.row, logits)
		if err := s.session.keep(s.session.row, nil); err != nil {
			return err
		}
		return each(i, logits)
	})
}

// Truncate lets guesses be taken back.
func (s stepper) Truncate(n int) error { return s.session.steps.Truncate(n) }

// EarlyLayers are the layers whose states the output layer of the model reads too, for DoLa; nil: none.
func (s stepper) EarlyLayers() []int {
	if l, ok := s.session.steps.(generate.Layered); ok {
		return l.EarlyLayers()
	}
	return nil
}

// Early are the logits of EarlyLayers()[i].
func (s stepper) Early(i int) []float32 { return s.session.steps.(generate.Layered).Early(i) }

// Len implements generate.Stepper.
func (s stepper) Len() int { return s.session.steps.Len() }

// Context implements generate.Stepper.
func (s stepper) Context() int { return s.session.steps.Context() }

func noTokenizer() error {
	return unsupported("%s has no tokenizer: give token ids", model.Name)
}

// decodeBatch appends one token to each of several sessions in one pass.
func decodeBatch(handles []uintptr, tokens []int32) error {
	if len(handles) == 0 || len(handles) > model.MaxBatch {
		return argument("%d sessions, expected 1 to %d", len(handles), model.MaxBatch)
	}
	sessions, states := make([]*session, len(handles)), make([]Session, len(handles))
	for i, h := range handles {
		s, err := find[*session](h)
		if err != nil {
			return err
		}
		if _, err := s.begin(0, 0); err != nil {
			return err
		}
		defer s.end()
		if i > 0 && s.model != sessions[0].model {
			return argument("the sessions belong to different models")
		}
		sessions[i], states[i] = s, s.steps
	}
	logits, err := sessions[0].model.DecodeBatch(&sessions[0].call, states, tokens)
	if err != nil {
		return err
	}
	for i, s := range sessions {
		if err := s.keep(logits[i], nil); err != nil {
			return err
		}
	}
	return nil
}
