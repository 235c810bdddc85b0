package generate

import "errors"

// Rewinder is a Stepper that knows its tokens and can go back.
type Rewinder interface {
	Stepper
	Tokens() []int32
	Truncate(n int) error
	Reset()
}

// Rewind makes a session hold as many of the first tokens of text as it can
// without evaluating any, and returns the others, at least one.
func Rewind(s Rewinder, text []int32) (rest []int32, err error) {
	if len(text) == 0 {
		return nil, ErrNoPrompt
	}
	held, n := s.Tokens(), 0
	for n < min(len(held), len(text)-1) && held[n] == text[n] {
		n++
	}
	if n < len(held) && s.Truncate(n) != nil {
		s.Reset()
		n = 0
	}
	if s.Len() != n {
		return nil, errors.New("the session does not hold the tokens that it says")
	}
	return text[n:], nil
}

// Before sets the tokens that the session holds already, which belong to the
// prompt as far as penalties and limits go.
func Before(tokens []int32) Option { return func(o *Options) { o.Before = tokens } }
