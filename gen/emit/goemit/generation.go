package goemit

// searchText is the part of the API that makes tokens.
const searchText = `
// Defaults are the options that Generate begins with: those of the model's generation_config.json.
func Defaults() generate.Options {
	return $defaults
}

// options are the defaults changed by the given options.
func (m *Model) options(context int, options []generate.Option) generate.Options {
	o := Defaults().With(options...)
	if o.Guide == nil {
		o.Guide = func() (generate.Stepper, error) { return m.NewSession(context) }
	}
	return o
}

// Search returns sequences that continue prompt, the best first: of beam search, diverse beam search, contrastive search,
// or the best of several samples, as the options say.
func (m *Model) Search(ctx context.Context, prompt []int32, options ...generate.Option) ([]generate.Sequence, error) {
	return generate.Search[*Session](ctx, m, 0, prompt, m.options(0, options))
}

// Batch continues several prompts at once, each with options of its own, and yields tokens as they come. Each row gives
// the same tokens as alone.
func (m *Model) Batch(ctx context.Context, requests []generate.Request) iter.Seq2[generate.Row, error] {
	return generate.Batch[*Session](ctx, m, 0, requests)
}
`

// generateText is the part of the API that makes text.
const generateText = `
// Generate continues prompt and yields the text piece by piece. It ends at an end-of-text token, after
// generate.MaxTokens, at a stop text, when the context is full or when ctx ends.
func (s *Session) Generate(ctx context.Context, prompt string, options ...generate.Option) iter.Seq2[string, error] {
	return generate.Text(ctx, s, generate.Wrap[*tokenizer.Stream](s.model.tokens), prompt, s.model.options(s.context, options))
}

// Stream is Generate for a prompt of tokens; it yields each token with its text and, with generate.LogProbs, the
// logarithms of probabilities.
func (s *Session) Stream(ctx context.Context, prompt []int32, options ...generate.Option) iter.Seq2[generate.Token, error] {
	return generate.Stream(ctx, s, generate.Wrap[*tokenizer.Stream](s.model.tokens), prompt, s.model.options(s.context, options))
}

// Continue is Stream for a text that begins with what the session holds, or with a part of it: only the rest is
// evaluated. Where the two part, the session goes back; if a layer cannot, it begins anew.
func (s *Session) Continue(ctx context.Context, text []int32, options ...generate.Option) iter.Seq2[generate.Token, error] {
	rest, err := generate.Rewind(s, text)
	if err != nil {
		return func(yield func(generate.Token, error) bool) { yield(generate.Token{ID: -1}, err) }
	}
	return s.Stream(ctx, rest, append(options[:len(options):len(options)], generate.Before(text[:len(text)-len(rest)]))...)
}

// Chat answers a conversation, whose last message is the user's or a tool's, in the way of the model's chat template.
// Only what the session does not hold already is evaluated, so that a conversation goes on where it was.
func (s *Session) Chat(ctx context.Context, messages []chat.Message, o chat.Options, options ...generate.Option) iter.Seq2[generate.Token, error] {
	tokens, err := s.model.ChatTokens(messages, o)
	if err != nil {
		return func(yield func(generate.Token, error) bool) { yield(generate.Token{ID: -1}, err) }
	}
	return s.Continue(ctx, tokens, append(options[:len(options):len(options)], generate.AlsoEndAt(s.model.answerEnds()...))...)
}

// answerEnds is the token with which the chat template ends an answer, if it is a special one.
func (m *Model) answerEnds() []int32 {
	ids := m.tokens.Encode(ChatTemplate().TurnEnd(), false)
	if len(ids) > 0 && m.tokens.IsSpecial(ids[0]) {
		return ids[:1]
	}
	return nil
}
`

// followText constrains texts of models that make them.
const followText = `
// Follow makes the generated text follow a grammar of package constrain: a JSON Schema, a GBNF grammar, a regular
// expression or a list of choices. The option is for one text.
func (m *Model) Follow(g *constrain.Grammar) generate.Option {
	m.vocabularyOnce.Do(func() {
		m.vocabulary = constrain.NewVocabulary(m.tokens.VocabSize(), m.tokens.NewPieces().Append, EOS)
	})
	return generate.Constrain(g.Start(m.vocabulary))
}
`
