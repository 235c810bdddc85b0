package capi

import (
	"context"
	"slices"

	"github.com/tfgen/tfgen/runtime/generate"
)

// encode lets the session read the source of an encoder–decoder.
func (s *session) encode(ctx context.Context, source []int32) error {
	if !model.Encodes {
		return unsupported("%s has no encoder: give the tokens to prefill", model.Name)
	}
	if err := s.model.Encode(ctx, s.steps, source); err != nil {
		return err
	}
	s.logits, s.source = nil, slices.Clone(source)
	return nil
}

// guide makes the session of the other side of a guidance; it reads the same source.
func (s *session) guide(ctx context.Context) (Session, error) {
	other, err := s.model.NewSession(s.steps.Context())
	if err == nil && model.Encodes {
		err = s.model.Encode(ctx, other, s.source)
	}
	return other, err
}

// start returns the tokens that a generation gives to the decoder for a prompt: the prompt, or, where the prompt is a source
// that has been read, those that every text begins with.
func (s *session) start(ctx context.Context, prompt []int32) ([]int32, error) {
	if !model.Encodes {
		return prompt, nil
	}
	return model.Start, s.encode(ctx, prompt)
}

// maxSequences bounds what a search can be asked for by mistake.
const maxSequences = 1024

// searches reports whether the options ask for a search, which gives whole sequences.
func searches(o *generate.Options) bool { return o.Beam.Width > 1 || o.Contrastive.Alpha > 0 }

// search continues a prompt with several sequences at once, in sessions of its own.
func (i *Instance) search(ctx context.Context, p prompt, o generate.Options) ([]generate.Sequence, error) {
	if i.Search == nil {
		return nil, unsupported("%s is an encoder: it generates nothing", model.Name)
	}
	if p.ids == nil {
		if i.Tokenizer == nil {
			return nil, noTokenizer()
		}
		p.ids = i.Tokenizer.Encode(p.text, true)
	}
	if len(o.Stop) > 0 {
		return nil, argument("a search has no stop texts")
	}
	n := max(o.Beam.Width, o.BestOf, o.Return, 1)
	if n > maxSequences {
		return nil, argument("%d sequences, expected at most %d", n, maxSequences)
	}
	if err := reserve(model.SessionBytes(model.MaxContext) * int64(n)); err != nil {
		return nil, err
	}
	return i.Search(ctx, p.ids, o)
}

// best is generate for options that ask for a search: the best sequence in one piece.
func (s *session) best(c *call, p prompt, o generate.Options, emit func(piece) bool) error {
	if s.steps.Len() > 0 && !model.Encodes {
		return argument("a search begins with an empty session, this one holds %d tokens: reset it", s.steps.Len())
	}
	found, err := s.model.search(c, p, o)
	if err != nil {
		return err
	}
	s.ids = append(s.ids, found[0].Tokens...)
	text := ""
	if t := s.model.Tokenizer; t != nil {
		text = t.Decode(s.ids, true)
	}
	s.text.WriteString(text)
	if o.Stats != nil {
		o.Stats.Reason, o.Stats.Tokens = found[0].Reason, len(s.ids)
	}
	last := int32(-1)
	if n := len(s.ids); n > 0 {
		last = s.ids[n-1]
	}
	emit(piece{text: text, token: last})
	return nil
}
