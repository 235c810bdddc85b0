package goemit

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/plan"
	"github.com/tfgen/tfgen/runtime/arena"
)

// ringBlocks is the number of blocks that a windowed cache keeps: the window, the tokens of one pass, and a block because
// the window does not begin at one. 0 means that there is no window.
func ringBlocks(window, rows int) int {
	if window == 0 {
		return 0
	}
	return (window-1+rows+63)/64 + 1
}

// SessionBytes is the memory of a session with the given context: tokens, keys, values and results.
func SessionBytes(p *plan.Plan, context int) int64 {
	total := arena.Bytes(p.Graph.Vocab) + 4*int64(context)
	if final := p.Graph.Output("final"); final != nil {
		total += arena.Bytes(final.Type.Width())
	}
	total += int64(len(earlyOutputs(p.Graph))) * arena.Bytes(p.Graph.Vocab)
	for _, s := range p.Graph.States {
		_, bytes := StateSize(p, s, context)
		total += bytes
	}
	return total
}

// StateSize is what a session with the given context keeps of a state: the number of positions, in blocks of 64, or 0
// if it does not grow with them, and the bytes.
func StateSize(p *plan.Plan, s *ir.State, context int) (positions int, bytes int64) {
	k, v, ring := cacheSize(s, p.Limits.Tokens)
	blocks := (context + 63) / 64
	if ring > 0 {
		blocks = min(blocks, ring)
	}
	if fixedState(s) == 0 {
		positions = 64 * blocks
	}
	return positions, arena.Bytes(blocks*k) + arena.Bytes(blocks*v)
}

// cacheSize is the memory of a state: elements of a block of keys and of values, and the number of blocks that are kept
// (0: the whole context). A recurrence has one block without values, the history of a convolution no values; latents
// are keys and values at once, and have their rotated keys in the place of the values.
func cacheSize(s *ir.State, rows int) (keys, values, blocks int) {
	if n := fixedState(s); n > 0 {
		return n, 0, 1
	}
	if width := s.Attrs.Int("width"); width > 0 {
		return width * 64, 0, 0
	}
	if rank := s.Attrs.Int("rank"); rank > 0 {
		return rank * 64, s.Attrs.Int("rope_dim") * 64, 0
	}
	kv, dim := s.Attrs.Int("kv_heads"), s.Attrs.Int("head_dim")
	format := cacheFormatOf(s)
	return kv * format.blockWords(dim), kv * format.blockWords((dim+15)/16*16), ringBlocks(s.Attrs.Int("window"), rows)
}

// kvText emits the allocation of a session's caches and its exact size.
func (e *emitter) kvText() string {
	var size strings.Builder
	for i, s := range e.Plan.Graph.States {
		keys, values, blocks := cacheSize(s, e.Plan.Limits.Tokens)
		fmt.Fprintf(&size, "{%d, %d, %d},", keys, values, blocks)
		if i%4 == 3 {
			size.WriteString("\n")
		}
	}
	return fmt.Sprintf(`// cacheSizes has a row for each state: words of a block of 64 keys and of 64 values, all heads, and the blocks that a
// layer with a window keeps (0: the whole context). A recurrence keeps one block, in the place of the keys.
var cacheSizes = [%d][3]int{
	%s
}

// cacheBlocks is the number of blocks that a layer keeps for a context.
func cacheBlocks(layer, context int) int {
	blocks := (context + 63) / 64
	if ring := cacheSizes[layer][2]; ring > 0 {
		return min(blocks, ring)
	}
	return blocks
}

// SessionBytes is the memory of a session with the given context, in bytes: tokens, keys, values and results.
func SessionBytes(context int) int64 {
	total := arena.Bytes(Vocabulary) + 4*int64(context)%s
	for layer, size := range cacheSizes {
		blocks := cacheBlocks(layer, context)
		total += arena.Bytes(blocks*size[0]) + arena.Bytes(blocks*size[1])
	}
	return total
}
`, len(e.Plan.Graph.States), strings.TrimSpace(size.String()), e.hiddenBytes())
}

const sessionText = `
// EOS are the tokens that end generation.
var EOS = []int32{$eos}

// Session is the state of one sequence: keys and values of its tokens. It belongs to one caller.
type Session struct {
	model   *Model
	caches  []cache
	logits  []float32
	$hiddenfieldtokens  []int32
	length  int
	high    int // positions that the caches have been written up to since they were empty
	context int
	$sourcefield}

// NewSession returns an empty session for sequences of up to context tokens; 0 is MaxContext. Its memory is
// SessionBytes(context).
func (m *Model) NewSession(context int) (*Session, error) {
	if context == 0 {
		context = MaxContext
	}
	if context < 0 || context > MaxContext {
		return nil, fmt.Errorf("$package: a context of %d tokens, the model has at most %d", context, MaxContext)
	}
	s := &Session{model: m, context: context, logits: arena.New(Vocabulary), tokens: make([]int32, 0, context), caches: make([]cache, len(cacheSizes))}
	$newhidden	for layer, size := range cacheSizes {
		blocks := cacheBlocks(layer, context)
		s.caches[layer] = cache{arena.New(blocks * size[0]), arena.New(blocks * size[1]), blocks * 64}
	}
	return s, nil
}

// Len is the number of tokens in the session.
func (s *Session) Len() int { return s.length }

// Context is the largest number of tokens that the session holds.
func (s *Session) Context() int { return s.context }

// Reset empties the session.
func (s *Session) Reset() { s.tokens, s.length, s.high = s.tokens[:0], 0, 0 }

// took notes tokens that the caches hold now.
func (s *Session) took(tokens ...int32) {
	s.tokens = append(s.tokens, tokens...)
	s.length = len(s.tokens)
	s.high = max(s.high, s.length)
}

// Close lets go of the session's memory.
func (s *Session) Close() error {
	*s = Session{model: s.model}
	return nil
}

// check reports tokens that do not exist or do not fit.
func (s *Session) check(tokens []int32) error {
	if len(tokens) == 0 {
		return errors.New("$package: no tokens")
	}
	$sourcecheckif len(tokens) > s.context-s.length {
		return fmt.Errorf("%w: %d tokens more do not fit, the session holds %d of %d", ErrContext, len(tokens), s.length, s.context)
	}
	return checkTokens(tokens)
}
`

const stepText = `
// Prefill appends tokens and returns the logits behind the last one: Vocabulary values, valid until the session's next
// call. When ctx ends, the tokens of the passes that were done stay; Len tells how many.
func (s *Session) Prefill(ctx context.Context, tokens []int32) ([]float32, error) {
	if err := s.check(tokens); err != nil {
		return nil, err
	}
	return s.logits, s.feed(ctx, tokens, nil)
}

// Decode appends one token and returns the logits behind it, valid until the session's next call. It allocates nothing.
func (s *Session) Decode(ctx context.Context, token int32) ([]float32, error) {
	$sourcecheck2if s.length >= s.context {
		return nil, fmt.Errorf("%w: the session holds %d of %d tokens", ErrContext, s.length, s.context)
	}
	if token < 0 || token >= Vocabulary {
		return nil, fmt.Errorf("%w: id %d, the vocabulary has %d", ErrToken, token, Vocabulary)
	}
	if err := s.model.acquire(ctx); err != nil {
		return nil, err
	}
	defer s.model.release()
	r := s.model.run
	one := [1]int32{token}
	r.begin()
	r.add(one[:], s.length, s.length+1, s.caches$sourcearg)
	r.selected = append(r.selected, 0)
	if err := r.execute(true); err != nil {
		return nil, err
	}
	s.took(token)
	copy(s.logits, r.row($logits, 0, Vocabulary))
	$copyhidden0return s.logits, nil
}

// Score appends tokens and calls each with the logits behind every one of them, in order; the slice is valid during
// the call. An error of each ends the pass and is returned.
func (s *Session) Score(ctx context.Context, tokens []int32, each func(i int, logits []float32) error) error {
	if err := s.check(tokens); err != nil {
		return err
	}
	return s.feed(ctx, tokens, each)
}

// feed runs tokens through the layers in chunks of maxRows; the head runs for the last token, or for all in parts of
// maxSelected if each wants them.
func (s *Session) feed(ctx context.Context, tokens []int32, each func(int, []float32) error) error {
	if err := s.model.acquire(ctx); err != nil {
		return err
	}
	defer s.model.release()
	r, total := s.model.run, s.length+len(tokens)
	for at := 0; at < len(tokens); at += maxRows {
		if err := ctx.Err(); err != nil {
			return err
		}
		chunk := tokens[at:min(at+maxRows, len(tokens))]
		r.begin()
		r.add(chunk, s.length, total, s.caches$sourcearg)
		atEnd := at+len(chunk) == len(tokens)
		if atEnd && each == nil {
			r.selected = append(r.selected, int32(len(chunk)-1))
		}
		if err := r.execute(true); err != nil {
			return err
		}
		s.took(chunk...)
		if atEnd && each == nil {
			copy(s.logits, r.row($logits, 0, Vocabulary))
			$copyhidden0}
		if err := s.score(at, len(chunk), each); err != nil {
			return err
		}
	}
	return nil
}

// score runs the head for rows of the last pass, a few at a time.
func (s *Session) score(first, rows int, each func(int, []float32) error) error {
	r := s.model.run
	for at := 0; each != nil && at < rows; at += maxSelected {
		r.selected = r.selected[:0]
		for i := at; i < min(at+maxSelected, rows); i++ {
			r.selected = append(r.selected, int32(i))
		}
		if err := r.execute(false); err != nil {
			return err
		}
		for i := range r.selected {
			$copyhiddeniif err := each(first+at+i, r.row($logits, i, Vocabulary)); err != nil {
				return err
			}
		}
	}
	return nil
}

// row is row i of a matrix of the last pass.
func (r *run) row(v view, i, width int) []float32 { return r.arena[v.at+i*v.ld:][:width] }
`

const batchText = `
// MaxBatch is the number of sessions that DecodeBatch takes in a pass.
const MaxBatch = maxSelected

// DecodeBatch appends one token to each of several sessions of this model, up to MaxBatch in a pass, which reads the
// weights once. Each session's logits are the same bits as those of its own Decode. They are valid until its next call.
func (m *Model) DecodeBatch(ctx context.Context, sessions []*Session, tokens []int32) ([][]float32, error) {
	if len(sessions) == 0 || len(sessions) != len(tokens) {
		return nil, fmt.Errorf("$package: %d sessions and %d tokens, expected as many of each", len(sessions), len(tokens))
	}
	seen := make(map[*Session]bool, len(sessions))
	for i, s := range sessions {
		if s.model != m {
			return nil, errors.New("$package: a session belongs to another model")
		}
		if seen[s] {
			return nil, errors.New("$package: a session stands twice in the batch")
		}
		seen[s] = true
		if err := s.check(tokens[i : i+1]); err != nil {
			return nil, err
		}
	}
	if err := m.acquire(ctx); err != nil {
		return nil, err
	}
	defer m.release()
	logits := make([][]float32, len(sessions))
	for at := 0; at < len(sessions); at += MaxBatch {
		n := min(at+MaxBatch, len(sessions))
		if err := m.run.decode(sessions[at:n], tokens[at:n]); err != nil {
			return nil, err
		}
	}
	for i, s := range sessions {
		logits[i] = s.logits
	}
	return logits, nil
}

// decode appends one token to each of up to MaxBatch sessions.
func (r *run) decode(sessions []*Session, tokens []int32) error {
	r.begin()
	for i, s := range sessions {
		r.add(tokens[i:i+1], s.length, s.length+1, s.caches$sourcearg)
		r.selected = append(r.selected, int32(i))
	}
	if err := r.execute(true); err != nil {
		return err
	}
	for i, s := range sessions {
		s.took(tokens[i])
		copy(s.logits, r.row($logits, i, Vocabulary))
		$copyhiddeni}
	return nil
}
`
