package generate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// forced is a beam search that has to say certain words: transformers 4's ConstrainedBeamSearchScorer with the
// constraints of force_words_ids (Post and Vilar, Fast Lexically Constrained Decoding with Dynamic Beam Allocation,
// 2018). Beside the best continuations it tries, for every beam, those that lead towards a word, and shares the beams
// between banks: sequences that are equally far.
type forced struct {
	words []word
	most  int // tokens of the longest phrase
}

// word is one of Beam.Words: phrases of which one has to occur.
type word struct {
	first   *node
	longest int // tokens of its longest phrase
}

// node is a place in the tree of a word's phrases; a leaf is the end of a phrase.
type node struct {
	tokens []int32 // in the order of the phrases
	next   []*node
}

// child returns the node behind a token, nil if no phrase goes on so.
func (n *node) child(id int32) *node {
	if i := slices.Index(n.tokens, id); i >= 0 {
		return n.next[i]
	}
	return nil
}

// newForced makes the trees, nil for no words.
func newForced(words [][][]int32) (*forced, error) {
	if len(words) == 0 {
		return nil, nil
	}
	f := &forced{}
	for _, phrases := range words {
		w, err := newWord(phrases)
		if err != nil {
			return nil, fmt.Errorf("forced words: %v: %w", phrases, err)
		}
		f.words = append(f.words, w)
		f.most = max(f.most, w.longest)
	}
	return f, nil
}

// newWord makes the tree of a word's phrases.
func newWord(phrases [][]int32) (w word, err error) {
	w.first = &node{}
	for _, p := range phrases {
		at := w.first
		for _, id := range p {
			if id < 0 {
				return w, fmt.Errorf("%d is no token", id)
			}
			next := at.child(id)
			if next == nil {
				next = &node{}
				at.tokens, at.next = append(at.tokens, id), append(at.next, next)
			}
			at = next
		}
		w.longest = max(w.longest, len(p))
	}
	if w.longest == 0 || w.first.leaves() != len(phrases) {
		return w, errors.New("there is no phrase, or one is empty or is the beginning of another")
	}
	return w, nil
}

// leaves counts the ends of phrases.
func (n *node) leaves() int {
	if len(n.next) == 0 {
		return 1
	}
	sum := 0
	for _, c := range n.next {
		sum += c.leaves()
	}
	return sum
}

// progress says how far a sequence is: which words it still has to say, and where it is within one.
type progress struct {
	done    int
	pending []int // words, in the order in which they are looked for
	word    int   // within which the sequence is, if at is not nil
	at      *node
	depth   int // tokens said of the word
}

// start is the progress of an empty sequence.
func (f *forced) start() (p progress) {
	for i := range f.words {
		p.pending = append(p.pending, i)
	}
	return p
}

// after is the progress of a sequence, prompt included.
func (f *forced) after(tokens []int32) progress {
	p := f.start()
	for _, id := range tokens {
		if p.complete() {
			break
		}
		f.add(&p, id)
	}
	return p
}

// complete reports whether all words have been said.
func (p *progress) complete() bool { return len(p.pending) == 0 && p.at == nil }

// add takes note of a token. One that breaks a word off begins no other one.
func (f *forced) add(p *progress, id int32) {
	if p.at != nil {
		next := p.at.child(id)
		if next == nil {
			p.pending = append(slices.Clip(p.pending), p.word)
		}
		p.to(next)
		return
	}
	for i, w := range p.pending {
		if next := f.words[w].first.child(id); next != nil {
			p.pending = slices.Delete(slices.Clone(p.pending), i, i+1)
			p.word = w
			p.to(next)
			return
		}
	}
}

// to moves to a node of the present word, out of the word if it ends there.
func (p *progress) to(n *node) {
	p.at = n
	p.depth++
	if n == nil || len(n.tokens) == 0 {
		p.at, p.depth = nil, 0
	}
	if n != nil && p.at == nil {
		p.done++
	}
}

// bank numbers how far a sequence is.
func (f *forced) bank(p progress) int {
	n := p.done * f.most
	if p.at != nil {
		n += f.most - f.words[p.word].longest + p.depth
	}
	return n
}

// ahead returns the tokens that lead on, and the progress that each makes. Within a word transformers shares the place
// between the copies that it tries, so that each token counts from where the one before it has led; so does this.
func (f *forced) ahead(p progress) (tokens []int32, then []progress) {
	if p.at == nil {
		for _, w := range p.pending {
			tokens = append(tokens, f.words[w].first.tokens...)
		}
		for _, id := range tokens {
			q := p
			f.add(&q, id)
			then = append(then, q)
		}
		return tokens, then
	}
	shared := p
	for _, id := range p.at.tokens {
		q := shared
		f.add(&q, id)
		if next := shared.at.child(id); next != nil {
			shared.at = next
			shared.depth++
		}
		then = append(then, q)
	}
	return p.at.tokens, then
}

// choose puts the continuations that lead towards words beside the best ones and returns as many as there are of
// these: the best of each bank, then the second of each, and so on. All beams have scores for all tokens.
func (f *forced) choose(running, best []hypothesis, scores [][]float32) ([]hypothesis, error) {
	all := slices.Clone(best)
	banks := make([]int, 0, 2*len(best))
	for _, h := range best {
		banks = append(banks, f.bank(f.after(h.tokens)))
	}
	for i, h := range running {
		p := f.after(h.tokens)
		if p.complete() {
			continue
		}
		tokens, then := f.ahead(p)
		for j, id := range tokens {
			if int(id) >= len(scores[i]) {
				return nil, fmt.Errorf("forced words: the model has no token %d", id)
			}
			n := h.extend(id, i, float64(scores[i][id]+float32(h.score)))
			if slices.ContainsFunc(all, func(o hypothesis) bool { return slices.Equal(o.tokens, n.tokens) }) {
				continue
			}
			all, banks = append(all, n), append(banks, f.bank(then[j]))
		}
	}
	if len(all) == len(best) {
		return best, nil
	}
	return share(all, banks)[:len(best)], nil
}

// share orders hypotheses: by their rank within their bank, and then by bank.
func share(all []hypothesis, banks []int) []hypothesis {
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	weight := func(i int) float64 { return float64(float32(banks[i]*100) + float32(all[i].score)) }
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(weight(j), weight(i)) })
	rank := make([]int, len(all))
	for k := 1; k < len(order); k++ {
		if banks[order[k]] == banks[order[k-1]] {
			rank[order[k]] = rank[order[k-1]] + 1
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return rank[i] - rank[j] })
	sorted := make([]hypothesis, len(all))
	for k, i := range order {
		sorted[k] = all[i]
	}
	return sorted
}

// errForced is what a search with forced words does not go with.
func (o *Options) errForced() error {
	switch {
	case len(o.Beam.Words) == 0:
		return nil
	case o.Beam.Width <= 1 || o.Beam.Groups > 1:
		return errors.New("forced words need beams (Beam.Width of 2 or more) in one group")
	case o.Temperature != 0:
		return errors.New("forced words: the search is greedy, the temperature must be 0")
	}
	_, err := newForced(o.Beam.Words)
	return err
}
