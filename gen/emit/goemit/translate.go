package goemit

// The parts of the API of an encoder–decoder that a decoder alone does not have.

const sourceField = `source  int  // tokens that the encoder has read
	encoded *int // tells one reading from another
`

const sourceCheck = `if s.source == 0 {
	return ErrSource
}
`

const encodeText = `
// ErrSource is returned by sessions that have not read a source.
var ErrSource = errors.New("$package: the session has no source: Encode comes first")

// Start are the tokens that every text of the decoder begins with.
var Start = []int32{$start}

// Encode reads a source of up to Context tokens and empties the session: what it is given and generates from now on
// follows from this source.
func (s *Session) Encode(ctx context.Context, source []int32) error {
	if len(source) == 0 || len(source) > s.context {
		return fmt.Errorf("%w: a source of %d tokens, expected 1 to %d", ErrContext, len(source), s.context)
	}
	if err := checkTokens(source); err != nil {
		return err
	}
	if err := s.model.acquire(ctx); err != nil {
		return err
	}
	defer s.model.release()
	s.Reset()
	s.source, s.encoded = 0, nil
	r := s.model.run
	r.begin()
	r.add(source, 0, len(source), s.caches, len(source))
	if err := r.encode(); err != nil {
		return err
	}
	s.source, s.encoded = len(source), new(int)
	return nil
}

// Source is the number of tokens of the source.
func (s *Session) Source() int { return s.source }
`

const readerText = `
// Defaults are the options that Generate begins with: those of the model's generation_config.json.
func Defaults() generate.Options {
	return $defaults
}

// reader makes sessions that have read the source of another.
type reader struct {
	*Model
	of *Session
}

// NewSession returns a session that has read the source.
func (r reader) NewSession(context int) (*Session, error) {
	if context > 0 {
		context = max(context, r.of.source)
	}
	s, err := r.Model.NewSession(min(context, MaxContext))
	if err != nil {
		return nil, err
	}
	return s, s.readSource(r.of)
}

// Search returns sequences that the decoder makes of a source, the best first: of beam search, diverse beam search,
// contrastive search, or the best of several samples, as the options say. Start is not part of them.
func (m *Model) Search(ctx context.Context, source []int32, options ...generate.Option) ([]generate.Sequence, error) {
	s, err := m.NewSession(min(len(source), MaxContext))
	if err != nil {
		return nil, err
	}
	if err := s.Encode(ctx, source); err != nil {
		return nil, err
	}
	return generate.Search[*Session](ctx, reader{m, s}, 0, Start, Defaults().With(options...))
}

// Translate reads a source and yields what the decoder makes of it, token by token.
func (s *Session) Translate(ctx context.Context, source []int32, options ...generate.Option) iter.Seq2[int32, error] {
	return func(yield func(int32, error) bool) {
		if err := s.Encode(ctx, source); err != nil {
			yield(-1, err)
			return
		}
		generate.Tokens(ctx, s, Start, Defaults().With(options...))(yield)
	}
}
`

const translateText = `
// Generate reads a text and yields what the decoder makes of it, a translation or a summary, piece by piece. It ends at an
// end-of-text token, after generate.MaxTokens, at a stop text, when the context is full or when ctx ends.
func (s *Session) Generate(ctx context.Context, text string, options ...generate.Option) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for token, err := range s.Stream(ctx, s.model.tokens.Encode(text, true), options...) {
			if (token.Text != "" || err != nil) && !yield(token.Text, err) {
				return
			}
		}
	}
}

// Stream is Generate for a source of tokens; it yields each token with its text and, with generate.LogProbs, the
// logarithms of probabilities.
func (s *Session) Stream(ctx context.Context, source []int32, options ...generate.Option) iter.Seq2[generate.Token, error] {
	return func(yield func(generate.Token, error) bool) {
		if err := s.Encode(ctx, source); err != nil {
			yield(generate.Token{ID: -1}, err)
			return
		}
		generate.Stream(ctx, s, generate.Wrap[*tokenizer.Stream](s.model.tokens), Start, Defaults().With(options...))(yield)
	}
}
`
