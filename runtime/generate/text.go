package generate

import (
	"context"
	"fmt"
	"iter"
	"strings"
)

// Tokenizer turns text into tokens and back. Wrap makes one of a tokenizer whose
// streams are a concrete type.
type Tokenizer interface {
	// AppendEncode appends the tokens of text to dst. With special it adds
	// the tokens that the model expects around a text.
	AppendEncode(dst []int32, text string, special bool) []int32
	// NewStream returns a decoder of a sequence of tokens.
	NewStream(skipSpecial bool) Pieces
}

// Pieces decodes a sequence of tokens. One that keeps bytes back until a
// character is complete may also have a method Flush() string, which is called
// at the end.
type Pieces interface {
	// Next returns the text that the token adds; it may be empty.
	Next(id int32) string
}

// Wrap makes a Tokenizer of t, whose NewStream returns any type of Pieces.
func Wrap[S Pieces](t interface {
	AppendEncode(dst []int32, text string, special bool) []int32
	NewStream(skipSpecial bool) S
}) Tokenizer {
	return wrapped[S]{t}
}

// wrapped is the Tokenizer of Wrap.
type wrapped[S Pieces] struct {
	t interface {
		AppendEncode(dst []int32, text string, special bool) []int32
		NewStream(skipSpecial bool) S
	}
}

func (w wrapped[S]) AppendEncode(dst []int32, text string, special bool) []int32 {
	return w.t.AppendEncode(dst, text, special)
}

func (w wrapped[S]) NewStream(skipSpecial bool) Pieces { return w.t.NewStream(skipSpecial) }

// Text yields the text that continues prompt, piece by piece, as Tokens does
// with tokens. It ends before the first text of o.Stop; text that may be the
// beginning of one is held back until that is decided. Special tokens yield no
// text.
func Text(ctx context.Context, s Stepper, t Tokenizer, prompt string, o Options) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for token, err := range Stream(ctx, s, t, t.AppendEncode(nil, prompt, true), o) {
			if (token.Text != "" || err != nil) && !yield(token.Text, err) {
				return
			}
		}
	}
}

// stopper looks for stop texts in text that comes in pieces.
type stopper struct {
	stop []string
	held string // the beginning of a stop text, perhaps
}

// next takes the next piece and returns what may be shown, and whether a stop
// text has been found behind it.
func (s *stopper) next(piece string) (show string, found bool) {
	if len(s.stop) == 0 || piece == "" {
		return piece, false
	}
	text := s.held + piece
	if at := s.find(text); at >= 0 {
		s.held = ""
		return text[:at], true
	}
	keep := s.open(text)
	s.held = text[len(text)-keep:]
	return text[:len(text)-keep], false
}

// find returns where the first stop text begins, -1 if there is none.
func (s *stopper) find(text string) int {
	first := -1
	for _, stop := range s.stop {
		if at := strings.Index(text, stop); stop != "" && at >= 0 && (first < 0 || at < first) {
			first = at
		}
	}
	return first
}

// open returns the length of the longest end of text that begins a stop text.
func (s *stopper) open(text string) int {
	longest := 0
	for _, stop := range s.stop {
		for n := min(len(stop)-1, len(text)); n > longest; n-- {
			if strings.HasSuffix(text, stop[:n]) {
				longest = n
			}
		}
	}
	return longest
}

// rest returns the text that is still held back.
func (s *stopper) rest() string {
	rest := s.held
	s.held = ""
	return rest
}

// Vocabulary gives the bytes of tokens.
type Vocabulary interface {
	VocabSize() int
	// AppendBytes appends the bytes of a token in the middle of a text to dst,
	// nothing for special tokens.
	AppendBytes(dst []byte, id int32) []byte
}

// CheckStop returns an error if no sequence of tokens can spell any of the stop
// texts, so that the text would never end.
func CheckStop(v Vocabulary, stop []string) error {
	if len(stop) == 0 {
		return nil
	}
	var piece []byte
	for id := range v.VocabSize() {
		piece = v.AppendBytes(piece[:0], int32(id))
		for _, s := range stop {
			if s == "" || len(piece) > 0 && overlaps(piece, s) {
				return nil
			}
		}
	}
	return fmt.Errorf("stop texts %q: no sequence of tokens ends with any of them", stop)
}

// overlaps reports whether a token can be the one with which s is complete.
func overlaps(piece []byte, s string) bool {
	for n := min(len(piece), len(s)); n > 0; n-- {
		if strings.Contains(string(piece), s) || strings.HasPrefix(string(piece), s[len(s)-n:]) {
			return true
		}
	}
	return false
}
