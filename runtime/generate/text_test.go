package generate

import (
	"context"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// ascii is a tokenizer whose tokens are bytes; token 1 begins a text. Its stream
// is a concrete type, as that of runtime/tokenizer.
type ascii struct{}

type asciiStream struct{ held []byte }

func (ascii) AppendEncode(dst []int32, text string, special bool) []int32 {
	if special {
		dst = append(dst, 1)
	}
	for _, b := range []byte(text) {
		dst = append(dst, int32(b))
	}
	return dst
}

func (ascii) NewStream(skipSpecial bool) *asciiStream { return new(asciiStream) }

func (s *asciiStream) Next(id int32) string {
	s.held = append(s.held, byte(id))
	if !utf8.Valid(s.held) {
		return ""
	}
	text := string(s.held)
	s.held = s.held[:0]
	return text
}

func (s *asciiStream) Flush() string { return strings.ToValidUTF8(string(s.held), "\ufffd") }

func TestText(t *testing.T) {
	s := &counter{context: 100}
	got, err := collect(Text(context.Background(), s, Wrap(ascii{}), "ab", Options{MaxTokens: 4}))
	if err != nil || !slices.Equal(got, []string{"c", "d", "e", "f"}) {
		t.Errorf("%q, %v", got, err)
	}
	if !slices.Equal(s.given[:3], []int32{1, 'a', 'b'}) {
		t.Errorf("the model was given %v", s.given)
	}
}

func TestTextStops(t *testing.T) {
	for _, c := range []struct {
		stop   []string
		want   string
		reason Reason
	}{
		{[]string{"e"}, "cd", StopText},
		{[]string{"ef"}, "cd", StopText},
		{[]string{"defg"}, "c", StopText},
		{[]string{"c"}, "", StopText},
		{[]string{"xyz", "fgh", "fg"}, "cde", StopText},
		{[]string{"efx"}, "cdefghij", MaxTokensReached},
		{[]string{"ijk"}, "cdefghij", MaxTokensReached},
		{[]string{"", "hi"}, "cdefg", StopText},
		{[]string{"ghijkl", "j"}, "cdefghi", StopText},
		{[]string{"ab"}, "cdefghij", MaxTokensReached},
	} {
		var stats Stats
		s := &counter{context: 100}
		o := Options{MaxTokens: 8, Stop: c.stop, Stats: &stats}
		got, err := collect(Text(context.Background(), s, Wrap(ascii{}), "ab", o))
		if text := strings.Join(got, ""); err != nil || text != c.want || stats.Reason != c.reason {
			t.Errorf("stop %q: %q, %v, %v; want %q, %v", c.stop, text, err, stats.Reason, c.want, c.reason)
		}
	}
}

func TestTextHoldsBackOnlyWhatMayStop(t *testing.T) {
	got, err := collect(Text(context.Background(), &counter{context: 100}, Wrap(ascii{}), "ab", Options{MaxTokens: 5, Stop: []string{"dex"}}))
	if err != nil || !slices.Equal(got, []string{"c", "def", "g"}) {
		t.Errorf("%q, %v", got, err)
	}
}

// TestTextEndsInsideACharacter generates 0xc2 and then ends.
func TestTextEndsInsideACharacter(t *testing.T) {
	got, err := collect(Text(context.Background(), &counter{context: 100}, Wrap(ascii{}), "\xc1", Options{MaxTokens: 1}))
	if err != nil || !slices.Equal(got, []string{"\ufffd"}) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestTextBreak(t *testing.T) {
	s := &counter{context: 100}
	for piece := range Text(context.Background(), s, Wrap(ascii{}), "ab", Options{}) {
		if piece == "d" {
			break
		}
	}
	if s.steps != 1 {
		t.Errorf("%d steps", s.steps)
	}
}

// TestTextError expects the text so far, the part held back included, and then
// the error.
func TestTextError(t *testing.T) {
	s := &counter{context: 100}
	s.decoded = func(n int) {
		if n == 5 {
			s.fail = context.DeadlineExceeded
		}
	}
	got, err := collect(Text(context.Background(), s, Wrap(ascii{}), "ab", Options{Stop: []string{"ex"}}))
	if err != context.DeadlineExceeded || strings.Join(got, "") != "cde" {
		t.Errorf("%q, %v", got, err)
	}
}
