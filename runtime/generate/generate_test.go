package generate

import (
	"context"
	"errors"
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/runtime/sample"
)

// counter is a model whose next token is always the last one plus 1, modulo the
// vocabulary of 256. It records what it was given.
type counter struct {
	given   []int32
	context int
	logits  [256]float32
	fail    error       // of Decode
	decoded func(n int) // called with the number of tokens before each Decode
	steps   int         // Decode calls
}

func (c *counter) Prefill(ctx context.Context, tokens []int32) ([]float32, error) {
	c.given = append(c.given, tokens...)
	return c.next()
}

func (c *counter) Decode(ctx context.Context, token int32) ([]float32, error) {
	c.steps++
	if c.decoded != nil {
		c.decoded(len(c.given))
	}
	if c.fail != nil {
		return nil, c.fail
	}
	c.given = append(c.given, token)
	return c.next()
}

func (c *counter) next() ([]float32, error) {
	clear(c.logits[:])
	c.logits[(c.given[len(c.given)-1]+1)%256] = 5
	return c.logits[:], nil
}

func (c *counter) Len() int     { return len(c.given) }
func (c *counter) Context() int { return c.context }

// collect returns what a sequence yields and its error.
func collect[T any](seq iter.Seq2[T, error]) (all []T, err error) {
	for v, e := range seq {
		if e != nil {
			return all, e
		}
		all = append(all, v)
	}
	return all, nil
}

func TestTokensEnd(t *testing.T) {
	for _, c := range []struct {
		name    string
		context int
		prompt  []int32
		o       Options
		want    []int32
		reason  Reason
		given   int // tokens in the session afterwards
	}{
		{"end of text", 100, []int32{1, 2}, Options{EOS: []int32{90, 6}}, []int32{3, 4, 5}, EndOfText, 5},
		{"end at once", 100, []int32{1, 2}, Options{EOS: []int32{3}}, nil, EndOfText, 2},
		{"max tokens", 100, []int32{1, 2}, Options{MaxTokens: 4}, []int32{3, 4, 5, 6}, MaxTokensReached, 5},
		{"one token", 100, []int32{1, 2}, Options{MaxTokens: 1}, []int32{3}, MaxTokensReached, 2},
		{"context", 5, []int32{1, 2}, Options{}, []int32{3, 4, 5, 6}, ContextFull, 5},
		{"prompt fills context", 2, []int32{1, 2}, Options{}, []int32{3}, ContextFull, 2},
		{"wraps around", 100, []int32{254}, Options{MaxTokens: 3}, []int32{255, 0, 1}, MaxTokensReached, 3},
	} {
		var stats Stats
		c.o.Stats = &stats
		s := &counter{context: c.context}
		got, err := collect(Tokens(context.Background(), s, c.prompt, c.o))
		if err != nil || !slices.Equal(got, c.want) || stats.Reason != c.reason {
			t.Errorf("%s: %v, %v, %v; want %v, %v", c.name, got, err, stats.Reason, c.want, c.reason)
		}
		if stats.Tokens != len(c.want) || stats.PromptTokens != len(c.prompt) || s.Len() != c.given {
			t.Errorf("%s: stats %+v, session of %d tokens; want %d", c.name, stats, s.Len(), c.given)
		}
	}
}

func TestTokensContinueASession(t *testing.T) {
	s := &counter{context: 100}
	first, err := collect(Tokens(context.Background(), s, []int32{10}, Options{MaxTokens: 2}))
	if err != nil {
		t.Fatal(err)
	}
	second, err := collect(Tokens(context.Background(), s, first[len(first)-1:], Options{MaxTokens: 2}))
	if err != nil || !slices.Equal(second, []int32{13, 14}) || !slices.Equal(s.given, []int32{10, 11, 12, 13}) {
		t.Errorf("%v, %v; session %v", second, err, s.given)
	}
}

func TestTokensBreak(t *testing.T) {
	var stats Stats
	s := &counter{context: 100}
	for id := range Tokens(context.Background(), s, []int32{1}, Options{Stats: &stats}) {
		if id == 3 {
			break
		}
	}
	if stats.Reason != Stopped || stats.Tokens != 2 || s.steps != 1 {
		t.Errorf("%+v after %d steps", stats, s.steps)
	}
}

func TestTokensErrors(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name   string
		s      *counter
		prompt []int32
		o      Options
		want   error
		says   string
	}{
		{"prompt too long", &counter{context: 3, given: []int32{9}}, []int32{1, 2, 3}, Options{}, ErrContextFull, "the prompt has 3 tokens, the session holds 1 of 3"},
		{"empty prompt", &counter{context: 3}, nil, Options{}, ErrNoPrompt, ""},
		{"model", &counter{context: 9, fail: broken}, []int32{1}, Options{}, broken, ""},
		{"options", &counter{context: 9}, []int32{1}, Options{Options: sample.Options{TopP: 2}}, nil, "top-p 2"},
		{"max tokens", &counter{context: 9}, []int32{1}, Options{MaxTokens: -1}, nil, "max tokens -1"},
	} {
		var stats Stats
		c.o.Stats = &stats
		_, err := collect(Tokens(context.Background(), c.s, c.prompt, c.o))
		if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || stats.Reason != Failed {
			t.Errorf("%s: %v (%v), want %v with %q", c.name, err, stats.Reason, c.want, c.says)
		}
	}
}

func TestTokensCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	var stats Stats
	s := &counter{context: 100, decoded: func(n int) {
		if n == 4 {
			cancel()
		}
	}}
	got, err := collect(Tokens(ctx, s, []int32{1}, Options{Stats: &stats}))
	if err != context.Canceled || stats.Reason != Cancelled || !slices.Equal(got, []int32{2, 3, 4, 5, 6}) {
		t.Errorf("%v, %v, %+v", got, err, stats)
	}
}

// constant is a model whose logits are always the same: smaller ids are better.
type constant struct{ counter }

func (c *constant) Prefill(ctx context.Context, tokens []int32) ([]float32, error) {
	for i := range c.logits {
		c.logits[i] = 10 - float32(i)/100
	}
	c.given = append(c.given, tokens...)
	return c.logits[:], nil
}

func (c *constant) Decode(ctx context.Context, token int32) ([]float32, error) {
	return c.Prefill(ctx, []int32{token})
}

// TestHistory checks that the repetition penalty sees prompt and generated tokens.
func TestHistory(t *testing.T) {
	s := &constant{counter{context: 600}}
	o := Options{MaxTokens: 5}.With(RepetitionPenalty(10))
	got, err := collect(Tokens(context.Background(), s, []int32{1, 4}, o))
	if want := []int32{0, 2, 3, 5, 6}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}

func TestTokensAllocateNothing(t *testing.T) {
	s := &counter{given: make([]int32, 0, 4096), context: 4000}
	o := Options{MaxTokens: 2}.With(Temperature(0.7), TopK(20), TopP(0.9), RepetitionPenalty(1.1))
	few := testing.AllocsPerRun(5, func() {
		s.given = s.given[:0]
		collectNone(Tokens(context.Background(), s, []int32{1}, o))
	})
	o.MaxTokens = 1000
	many := testing.AllocsPerRun(5, func() {
		s.given = s.given[:0]
		collectNone(Tokens(context.Background(), s, []int32{1}, o))
	})
	if many > few {
		t.Errorf("%v allocations for 1000 tokens, %v for 2", many, few)
	}
}

func collectNone(seq iter.Seq2[int32, error]) {
	for range seq {
	}
}

func TestWith(t *testing.T) {
	base := Options{EOS: []int32{2}}
	var s Stats
	o := base.With(MaxTokens(5), Temperature(0.5), TopP(0.9), TopK(7), MinP(0.1), RepetitionPenalty(1.5), Seed(9), StopAt("a", "b"), EndAt(3, 4), Report(&s))
	want := sample.Options{Temperature: 0.5, TopP: 0.9, TopK: 7, MinP: 0.1, RepetitionPenalty: 1.5, Seed: 9}
	if !reflect.DeepEqual(o.Options, want) || o.MaxTokens != 5 || !slices.Equal(o.Stop, []string{"a", "b"}) || !slices.Equal(o.EOS, []int32{3, 4}) || o.Stats != &s {
		t.Errorf("%+v", o)
	}
	if base.MaxTokens != 0 || len(base.EOS) != 1 {
		t.Errorf("With changed its receiver: %+v", base)
	}
}

func TestReasonString(t *testing.T) {
	if s := StopText.String(); s != "stop text" {
		t.Error(s)
	}
	if s := Reason(99).String(); s != "Reason(99)" {
		t.Error(s)
	}
}
