package goemit

import "strings"

// testFile emits model_test.go, with which whoever receives the package can prove it on their machine.
func (e *emitter) testFile() ([]File, error) {
	text := encoderTests
	if e.Causal {
		text = decoderTests
	}
	if e.encodes() {
		text = sourceTests(text)
	}
	first := ""
	if !e.Causal {
		first = title(camel(e.Plan.Graph.Outputs[0].Name))
	}
	text = strings.NewReplacer("$first", first, "$seq", "Sequence{Tokens: tokens}").Replace(openTest + text)
	f, err := e.file("model_test.go", "", "", e.fill(text))
	return []File{f}, err
}

// sourceTests changes the tests of decoders for those that read a source: every session begins with one, but the one that is
// restored, which gets the source of the saved one.
func sourceTests(text string) string {
	for _, some := range []string{"min(len(tokens)+1, MaxContext)", "len(tokens)"} { // the context bounds the source, too
		text = strings.ReplaceAll(text, "m.NewSession("+some+")", "m.NewSession(0)")
	}
	text = strings.ReplaceAll(text, "m.NewSession(", "newSession(m, ")
	return strings.ReplaceAll(text, "restored, err := newSession(m, ", "restored, err := m.NewSession(") + sourceTest
}

const sourceTest = `
// newSession returns a session that has read a short source.
func newSession(m *Model, tokens int) (*Session, error) {
	s, err := m.NewSession(tokens)
	if err != nil {
		return nil, err
	}
	return s, s.Encode(context.Background(), sampleIDs(min(2, s.Context())))
}

// TestSearch checks that a search of one sample is what the session generates, and that errors name what is missing.
func TestSearch(t *testing.T) {
	m, ctx := open(t, 0), context.Background()
	s, err := m.NewSession(0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Prefill(ctx, Start); !errors.Is(err, ErrSource) {
		t.Errorf("a session without a source gives %v", err)
	}
	var ids []int32
	for id, err := range s.Translate(ctx, sampleIDs(9), generate.MaxTokens(min(8, MaxContext-2))) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	found, err := m.Search(ctx, sampleIDs(9), generate.MaxTokens(min(8, MaxContext-2)))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(found[0].Tokens, ids) {
		t.Errorf("search finds %v, the session generates %v", found[0].Tokens, ids)
	}
}
`

const openTest = `
// open opens the model with the weights file in this directory, or skips the test.
func open(t testing.TB, threads int) *Model {
	t.Helper()
	if _, err := os.Stat("$package.weights"); err != nil {
		t.Skip("no weights file here: $package.weights")
	}
	m, err := Open("$package.weights", Options{Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// sampleIDs is a sequence of n token ids that jump about in the vocabulary.
func sampleIDs(n int) []int32 {
	ids := make([]int32, min(n, MaxContext))
	for i := range ids {
		ids[i] = int32((i*7919 + 13) % Vocabulary)
	}
	return ids
}

// worst is the largest difference of two results, and the largest value of the second.
func worst(a, b []float32) (delta, size float64) {
	for i := range a {
		delta = max(delta, math.Abs(float64(a[i])-float64(b[i])))
		size = max(size, math.Abs(float64(b[i])))
	}
	return delta, size
}

// agree fails if two results differ by more than rounding explains.
func agree(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if delta, size := worst(got, want); !(delta <= 1e-3*size) {
		t.Errorf("%s: differs by %g from values up to %g", what, delta, size)
	}
}

// same fails if two results are not the same bits.
func same(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: element %d is %v, expected %v to the bit", what, i, got[i], want[i])
		}
	}
}
`

const decoderTests = `
// prefill returns a copy of the logits behind tokens.
func prefill(t *testing.T, m *Model, tokens []int32) []float32 {
	t.Helper()
	s, err := m.NewSession(min(len(tokens)+1, MaxContext))
	if err != nil {
		t.Fatal(err)
	}
	logits, err := s.Prefill(context.Background(), tokens)
	if err != nil {
		t.Fatal(err)
	}
	return append([]float32(nil), logits...)
}

// TestLevels compares the kernels of every instruction set of this machine with the portable ones.
func TestLevels(t *testing.T) {
	m, used := open(t, 0), level
	defer func() { level = used }()
	level = cpu.Portable
	want := prefill(t, m, sampleIDs(20))
	for _, level = range cpu.Available() {
		agree(t, level.String(), prefill(t, m, sampleIDs(20)), want)
	}
}

// TestDecodeEqualsPrefill checks that tokens one at a time give the same bits as tokens at once.
func TestDecodeEqualsPrefill(t *testing.T) {
	m := open(t, 0)
	tokens := sampleIDs(70)
	s, err := m.NewSession(len(tokens))
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range tokens {
		logits, err := s.Decode(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 || i == len(tokens)-1 {
			same(t, fmt.Sprintf("token %d", i), logits, prefill(t, m, tokens[:i+1]))
		}
	}
}

// TestThreads checks that the number of workers never shows.
func TestThreads(t *testing.T) {
	want := prefill(t, open(t, 1), sampleIDs(33))
	for threads := 2; threads <= 3; threads++ {
		same(t, fmt.Sprintf("%d threads", threads), prefill(t, open(t, threads), sampleIDs(33)), want)
	}
}

// TestBatch checks that a session's result does not depend on its neighbours.
func TestBatch(t *testing.T) {
	m, ctx := open(t, 0), context.Background()
	var sessions []*Session
	var next []int32
	for i := range min(3, MaxBatch) {
		s, err := m.NewSession(0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Prefill(ctx, sampleIDs(min(5+3*i, MaxContext-1))); err != nil {
			t.Fatal(err)
		}
		sessions, next = append(sessions, s), append(next, int32(i+1)%Vocabulary)
	}
	logits, err := m.DecodeBatch(ctx, sessions, next)
	if err != nil {
		t.Fatal(err)
	}
	for i := range sessions {
		same(t, fmt.Sprintf("row %d", i), logits[i], prefill(t, m, append(sampleIDs(min(5+3*i, MaxContext-1)), next[i])))
	}
}

// TestTruncate goes back and on, and compares with a session that never went back.
func TestTruncate(t *testing.T) {
	m, ctx := open(t, 0), context.Background()
	tokens := sampleIDs(100)
	s, err := m.NewSession(0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Prefill(ctx, tokens); err != nil {
		t.Fatal(err)
	}
	for _, back := range []int{0, 1, 40, 70} {
		if err := s.Truncate(max(0, len(tokens)-1-back)); errors.Is(err, snapshot.ErrForgotten) {
			s.Reset()
		} else if err != nil {
			t.Fatal(err)
		}
		logits, err := s.Prefill(ctx, tokens[s.Len():])
		if err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprintf("%d back", back), logits, prefill(t, m, tokens))
	}
}

// TestCopies checks that forks and restored sessions go on like the session that they come from.
func TestCopies(t *testing.T) {
	m, ctx := open(t, 0), context.Background()
	tokens := sampleIDs(80)
	s, err := m.NewSession(0)
	if err != nil {
		t.Fatal(err)
	}
	last := len(tokens) - 1
	if _, err := s.Prefill(ctx, tokens[:last]); err != nil {
		t.Fatal(err)
	}
	fork, err := s.Fork()
	if err != nil {
		t.Fatal(err)
	}
	var saved bytes.Buffer
	if err := s.Save(&saved); err != nil {
		t.Fatal(err)
	}
	restored, err := m.NewSession(0)
	if err != nil {
		t.Fatal(err)
	}
	if err := restored.Restore(&saved); err != nil {
		t.Fatal(err)
	}
	want := prefill(t, m, tokens)
	for name, c := range map[string]*Session{"fork": fork, "restored": restored, "original": s} {
		logits, err := c.Decode(ctx, tokens[last])
		if err != nil {
			t.Fatal(err)
		}
		same(t, name, logits, want)
	}
}

// TestGuesses checks that guessing tokens does not change what is generated.
func TestGuesses(t *testing.T) {
	m, ctx := open(t, 0), context.Background()
	prompt := append(sampleIDs(12), sampleIDs(9)...)
	prompt = prompt[:min(len(prompt), (MaxContext+1)/2)]
	n := min(24, MaxContext-len(prompt))
	for _, o := range []generate.Options{{MaxTokens: n}, generate.Options{MaxTokens: n}.With(generate.Temperature(0.8), generate.Seed(3))} {
		var texts [][]int32
		for lookup := range 2 {
			s, err := m.NewSession(0)
			if err != nil {
				t.Fatal(err)
			}
			var ids []int32
			for id, err := range generate.Tokens(ctx, s, prompt, o.With(generate.PromptLookup(6*lookup))) {
				if errors.Is(err, snapshot.ErrForgotten) {
					t.Skip("the model cannot go back:", err)
				}
				if err != nil {
					t.Fatal(err)
				}
				ids = append(ids, id)
			}
			texts = append(texts, ids)
		}
		if !slices.Equal(texts[0], texts[1]) {
			t.Errorf("with guesses %v, expected %v", texts[1], texts[0])
		}
	}
}

// TestDecodeAllocatesNothing holds the promise of Decode.
func TestDecodeAllocatesNothing(t *testing.T) {
	m, ctx := open(t, 0), context.Background()
	s, err := m.NewSession(0)
	if err != nil {
		t.Fatal(err)
	}
	step := func() {
		if s.Len() == s.Context() {
			s.Reset()
		}
		if _, err := s.Decode(ctx, 1); err != nil {
			t.Fatal(err)
		}
	}
	step()
	if n := testing.AllocsPerRun(20, step); n != 0 {
		t.Errorf("a decode step allocates %v times", n)
	}
}

// TestErrors checks what callers are told.
func TestErrors(t *testing.T) {
	m, ctx := open(t, 0), context.Background()
	s, err := m.NewSession(2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Decode(ctx, Vocabulary); !errors.Is(err, ErrToken) {
		t.Errorf("a token outside the vocabulary gives %v", err)
	}
	if _, err := s.Prefill(ctx, make([]int32, 3)); !errors.Is(err, ErrContext) {
		t.Errorf("three tokens in a context of two give %v", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.Decode(cancelled, 0); !errors.Is(err, context.Canceled) || s.Len() != 0 {
		t.Errorf("a cancelled step gives %v and leaves %d tokens", err, s.Len())
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Decode(ctx, 0); !errors.Is(err, ErrClosed) {
		t.Errorf("a step on a closed model gives %v", err)
	}
}
`

const encoderTests = `
// compute returns the first output of each of several sequences.
func compute(t *testing.T, m *Model, lengths ...int) [][]float32 {
	t.Helper()
	var batch []Sequence
	for _, n := range lengths {
		tokens := sampleIDs(n)
		batch = append(batch, $seq)
	}
	outputs, err := m.Run(context.Background(), batch)
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]float32
	for _, o := range outputs {
		rows = append(rows, o.$first)
	}
	return rows
}

// TestLevels compares the kernels of every instruction set of this machine with the portable ones.
func TestLevels(t *testing.T) {
	m, used := open(t, 0), level
	defer func() { level = used }()
	level = cpu.Portable
	want := compute(t, m, 20)[0]
	for _, level = range cpu.Available() {
		agree(t, level.String(), compute(t, m, 20)[0], want)
	}
}

// TestBatch checks that a sequence's result does not depend on its neighbours.
func TestBatch(t *testing.T) {
	m := open(t, 0)
	together := compute(t, m, 5, 33, 1, 17)
	for i, n := range []int{5, 33, 1, 17} {
		same(t, fmt.Sprintf("sequence %d", i), together[i], compute(t, m, n)[0])
	}
}

// TestThreads checks that the number of workers never shows.
func TestThreads(t *testing.T) {
	want := compute(t, open(t, 1), 33)[0]
	for threads := 2; threads <= 3; threads++ {
		same(t, fmt.Sprintf("%d threads", threads), compute(t, open(t, threads), 33)[0], want)
	}
}

// TestErrors checks what callers are told.
func TestErrors(t *testing.T) {
	m, ctx := open(t, 0), context.Background()
	tokens := []int32{Vocabulary}
	if _, err := m.Run(ctx, []Sequence{$seq}); !errors.Is(err, ErrToken) {
		t.Errorf("a token outside the vocabulary gives %v", err)
	}
	tokens = make([]int32, MaxContext+1)
	if _, err := m.Run(ctx, []Sequence{$seq}); !errors.Is(err, ErrContext) {
		t.Errorf("a sequence that is too long gives %v", err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Run(ctx, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed model gives %v", err)
	}
}
`
