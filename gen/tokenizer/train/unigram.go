package train

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
)

// chunk is how many words are summed up before sums are added, so that they do not depend on the number of workers.
const chunk = 512

// unigram is the state of training a Unigram model.
type unigram struct {
	o      *Options
	list   []counted
	pieces []Token
	model  *vocabulary
}

func trainUnigram(ctx context.Context, words Words, o *Options) (*Model, error) {
	o.ShrinkingFactor = cmp.Or(o.ShrinkingFactor, 0.75)
	o.SubIterations = cmp.Or(o.SubIterations, 2)
	o.MaxPieceLength = cmp.Or(o.MaxPieceLength, 16)
	o.SeedSize = cmp.Or(o.SeedSize, 1_000_000)
	if o.ShrinkingFactor <= 0 || o.ShrinkingFactor >= 1 || o.SubIterations < 1 || o.MaxPieceLength < 1 || o.MaxPieceLength > 1024 {
		return nil, fmt.Errorf("a shrinking factor of %v, %d sub-iterations and pieces of %d characters are not possible", o.ShrinkingFactor, o.SubIterations, o.MaxPieceLength)
	}
	t := &unigram{o: o, list: words.sorted()}
	required := t.required()
	if len(required) > o.VocabSize {
		return nil, fmt.Errorf("a vocabulary of %d tokens cannot hold the %d characters of the text", o.VocabSize, len(required))
	}
	o.progress("Suffix array seeds", 0, len(t.list))
	t.pieces = append([]Token{{"<UNK>", math.NaN()}}, t.seeds()...)
	o.progress("Suffix array seeds", len(t.list), len(t.list))
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	return t.finish(required)
}

// required lists the characters that the vocabulary has to hold, in order.
func (t *unigram) required() []rune {
	seen := map[rune]bool{}
	for _, w := range t.list {
		for _, r := range w.text {
			seen[r] = true
		}
	}
	for _, r := range t.o.InitialAlphabet {
		seen[r] = true
	}
	var out []rune
	for r := range seen {
		out = append(out, r)
	}
	slices.Sort(out)
	return out
}

// seeds are the characters, and the substrings that cover most text, with log probabilities.
func (t *unigram) seeds() []Token {
	counts := map[rune]int{}
	for _, w := range t.list {
		for _, r := range w.text {
			if r != 0 {
				counts[r] += w.n
			}
		}
	}
	var chars []rune
	for r := range counts {
		chars = append(chars, r)
	}
	slices.SortFunc(chars, func(a, b rune) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(b, a)) })
	var out []Token
	for _, r := range chars {
		out = append(out, Token{string(r), float64(counts[r])})
	}
	list := substrings(t.list, t.o.MaxPieceLength)
	slices.SortFunc(list, func(a, b substring) int {
		return cmp.Or(cmp.Compare(b.count*len(b.text), a.count*len(a.text)), slices.Compare(b.text, a.text))
	})
	for _, s := range list {
		out = append(out, Token{string(s.text), float64(s.count * len(s.text))})
		if len(out) >= t.o.SeedSize {
			break
		}
	}
	sum := 0.0
	for _, p := range out {
		sum += p.Score
	}
	for i := range out {
		out[i].Score = math.Log(out[i].Score) - math.Log(sum)
	}
	return out
}

// run alternates expectation, maximisation and pruning until the vocabulary is small enough.
func (t *unigram) run(ctx context.Context) error {
	const patience = 32 // rounds of expectation that may leave as many pieces as there were
	desired, idle := t.o.VocabSize*11/10, 0
	t.model = newVocabulary(t.pieces)
	for round := 1; ; round++ {
		before := len(t.pieces)
		for range t.o.SubIterations {
			if err := ctx.Err(); err != nil {
				return err
			}
			t.maximise(t.expect())
			t.o.progress("EM training", round, round+max(0, int(math.Ceil(math.Log(float64(desired)/float64(len(t.pieces)))/math.Log(t.o.ShrinkingFactor)))))
		}
		if len(t.pieces) <= desired {
			return nil
		}
		t.prune(desired)
		if idle++; len(t.pieces) < before {
			idle = 0
		}
		if idle == patience {
			return fmt.Errorf("the vocabulary cannot be made smaller than %d pieces", before)
		}
		t.model = newVocabulary(t.pieces)
	}
}

// chunks calls f for parts of the words side by side, and then add for their results in order.
func chunks[T any](t *unigram, f func(list []counted, first int) T, add func(T)) {
	workers := t.o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	n := (len(t.list) + chunk - 1) / chunk
	for group := 0; group < n; group += workers {
		results := make([]T, min(workers, n-group))
		var wg sync.WaitGroup
		for k := range results {
			wg.Go(func() {
				lo := (group + k) * chunk
				results[k] = f(t.list[lo:min(lo+chunk, len(t.list))], lo)
			})
		}
		wg.Wait()
		for _, r := range results {
			add(r)
		}
	}
}

// expect returns how often each piece occurs in expectation.
func (t *unigram) expect() []float64 {
	expected := make([]float64, len(t.pieces))
	chunks(t, func(list []counted, _ int) []float64 {
		part := make([]float64, len(t.pieces))
		l := &lattice{}
		for _, w := range list {
			l.reset(t.model, w.text)
			l.marginal(float64(w.n), part)
		}
		return part
	}, func(part []float64) {
		for i, v := range part {
			expected[i] += v
		}
	})
	return expected
}

// maximise drops pieces that are hardly expected, and gives the others their probabilities under a sparse prior.
func (t *unigram) maximise(expected []float64) {
	const threshold = 0.5
	var kept []Token
	sum := 0.0
	for i, freq := range expected {
		if i == 0 {
			kept = append(kept, Token{t.pieces[0].Text, math.NaN()})
		} else if freq >= threshold {
			kept = append(kept, Token{t.pieces[i].Text, freq})
			sum += freq
		}
	}
	logSum := digamma(sum)
	for i := range kept {
		kept[i].Score = digamma(kept[i].Score) - logSum
	}
	t.pieces = kept
	t.model = newVocabulary(kept)
}

// digamma approximates the derivative of the logarithm of the gamma function.
func digamma(x float64) float64 {
	result := 0.0
	for ; x < 7; x++ {
		result -= 1 / x
	}
	x -= 1.0 / 2
	xx := 1 / x
	xx2 := xx * xx
	xx4 := xx2 * xx2
	return result + math.Log(x) + 1.0/24*xx2 - 7.0/960*xx4 + 31.0/8064*xx4*xx2 - 127.0/30720*xx4*xx4
}

// usage is how the best cuts of all words use the pieces.
type usage struct {
	freq []float64
	in   [][]int32 // words, once for each time
	sum  float64   // of all words' counts
}

// use cuts all words in the best way.
func (t *unigram) use() usage {
	u := usage{make([]float64, len(t.pieces)), make([][]int32, len(t.pieces)), 0}
	type hit struct{ piece, word int32 }
	chunks(t, func(list []counted, first int) []hit {
		var hits []hit
		l := &lattice{}
		for i, w := range list {
			l.reset(t.model, w.text)
			for _, id := range l.viterbi() {
				hits = append(hits, hit{l.edges[id].piece, int32(first + i)})
			}
		}
		return hits
	}, func(hits []hit) {
		for _, h := range hits {
			u.freq[h.piece] += float64(t.list[h.word].n)
			u.in[h.piece] = append(u.in[h.piece], h.word)
		}
	})
	for _, w := range t.list {
		u.sum += float64(w.n)
	}
	return u
}

// alternatives returns for each piece the pieces that would replace it, and whether it has to stay without any.
func (t *unigram) alternatives() (alt [][]int32, keep []bool) {
	alt, keep = make([][]int32, len(t.pieces)), make([]bool, len(t.pieces))
	l := &lattice{}
	for i, p := range t.pieces {
		if i == 0 {
			continue
		}
		l.reset(t.model, p.Text)
		best := l.nbest(2)
		switch {
		case len(best) == 1:
			keep[i] = true
		case len(best) > 1 && len(best[0]) == 1:
			keep[i] = true
			for _, id := range best[1] {
				alt[i] = append(alt[i], l.edges[id].piece)
			}
		}
	}
	return alt, keep
}

// prune drops the pieces without which the words lose least likelihood.
func (t *unigram) prune(desired int) {
	alt, keep := t.alternatives()
	u := t.use()
	sum := 0.0
	for _, f := range u.freq {
		sum += f
	}
	kept := []Token{t.pieces[0]}
	type loss struct {
		piece int
		value float64
	}
	var losses []loss
	for i := 1; i < len(t.pieces); i++ {
		switch {
		case u.freq[i] == 0 && !keep[i]:
		case len(alt[i]) == 0:
			kept = append(kept, t.pieces[i])
		default:
			if v, ok := t.loss(i, alt[i], &u, sum); ok {
				losses = append(losses, loss{i, v})
			}
		}
	}
	size := max(desired, int(float64(len(t.pieces))*t.o.ShrinkingFactor))
	slices.SortStableFunc(losses, func(a, b loss) int { return cmp.Compare(b.value, a.value) })
	for _, l := range losses {
		if len(kept) == size {
			break
		}
		kept = append(kept, t.pieces[l.piece])
	}
	t.pieces = kept
}

// loss estimates the likelihood that is lost if a piece is replaced by others wherever it is used.
func (t *unigram) loss(i int, alt []int32, u *usage, sum float64) (float64, bool) {
	f := 0.0
	for _, w := range u.in[i] {
		f += float64(t.list[w].n)
	}
	if f == 0 {
		return 0, false
	}
	f /= u.sum
	logSum := math.Log(sum)
	// The library counts all pieces here, where SentencePiece counts the alternatives of this one.
	logAlt := math.Log(sum + u.freq[i]*float64(len(t.pieces)-1))
	with := math.Log(u.freq[i]) - logSum
	without := 0.0
	for _, k := range alt {
		without += math.Log(u.freq[k]+u.freq[i]) - logAlt
	}
	return f * (with - without), true
}

// finish makes the model: special tokens, then the required characters and the other pieces by their probability.
func (t *unigram) finish(required []rune) (*Model, error) {
	const delta = 0.0001
	o := t.o
	m := &Model{Kind: Unigram, UnknownID: -1, ByteFallback: o.ByteFallback}
	special := slices.Clone(o.Special)
	if o.Unknown != "" {
		if m.UnknownID = slices.Index(special, o.Unknown); m.UnknownID < 0 {
			special, m.UnknownID = append([]string{o.Unknown}, special...), 0
		}
	}
	room := o.VocabSize - len(special)
	if room < 1 {
		return nil, fmt.Errorf("a vocabulary of %d tokens is too small for %d special ones", o.VocabSize, len(special))
	}
	scores := map[string]float64{}
	for _, p := range t.pieces {
		scores[p.Text] = p.Score
	}
	inserted := map[string]bool{"<UNK>": true}
	var pieces []Token
	penalty := 0.0
	for _, r := range required {
		score, ok := scores[string(r)]
		if !ok {
			score = t.model.least + penalty
			penalty += delta
		}
		inserted[string(r)] = true
		pieces = append(pieces, Token{string(r), score})
	}
	for _, p := range t.pieces {
		if inserted[p.Text] {
			continue
		}
		inserted[p.Text] = true
		if pieces = append(pieces, p); len(pieces) == room {
			break
		}
	}
	slices.SortStableFunc(pieces, func(a, b Token) int { return cmp.Compare(b.Score, a.Score) })
	for _, s := range special {
		m.Tokens = append(m.Tokens, Token{Text: s})
	}
	m.Tokens = append(m.Tokens, pieces...)
	return m, nil
}
