package train

import (
	"cmp"
	"container/heap"
	"context"
	"math"
	"slices"
	"strings"
)

// pair is two tokens side by side.
type pair struct{ left, right int32 }

// symbol is a token in a word, with the characters it stands for.
type symbol struct{ id, chars int32 }

// candidate is a pair that may be merged: how often it occurs as far as is known, and in which words.
type candidate struct {
	pair
	count int
	words []int32
}

// queue is a heap of candidates, the most frequent first and among those the pair of least ids.
type queue []*candidate

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, k int) { q[i], q[k] = q[k], q[i] }
func (q queue) Less(i, k int) bool {
	a, b := q[i], q[k]
	if a.count != b.count {
		return a.count > b.count
	}
	return cmp.Or(cmp.Compare(a.left, b.left), cmp.Compare(a.right, b.right)) < 0
}
func (q *queue) Push(x any) { *q = append(*q, x.(*candidate)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// bpe is the state of training merges.
type bpe struct {
	o      *Options
	ids    map[string]int32
	tokens []string
	words  [][]symbol
	counts []int
	pairs  map[pair]int
	where  map[pair][]int32 // words that a pair came to since it was last queued
	queue  queue
	merges []pair
}

func trainBPE(ctx context.Context, words Words, o *Options) (*Model, error) {
	t := &bpe{o: o, ids: map[string]int32{}, pairs: map[pair]int{}, where: map[pair][]int32{}}
	for _, s := range o.Special {
		t.token(s)
	}
	list := words.sorted()
	t.alphabet(list)
	t.spell(list)
	t.countPairs()
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	m := &Model{Kind: o.Model, Unknown: o.Unknown, UnknownID: -1, Prefix: o.Prefix, Suffix: o.Suffix, ByteFallback: o.ByteFallback}
	for _, s := range t.tokens {
		m.Tokens = append(m.Tokens, Token{Text: s})
	}
	if o.Model == BPE {
		m.Merges = t.mergeTexts()
	}
	return m, nil
}

// token returns the id of a token, which gets the next one if it is new.
func (t *bpe) token(s string) int32 {
	id, ok := t.ids[s]
	if !ok {
		id = int32(len(t.tokens))
		t.ids[s] = id
		t.tokens = append(t.tokens, s)
	}
	return id
}

// alphabet adds the characters of the words, the most frequent of them if there is a limit.
func (t *bpe) alphabet(list []counted) {
	counts := map[rune]int{}
	for _, w := range list {
		for _, r := range w.text {
			counts[r] += w.n
		}
	}
	for _, r := range t.o.InitialAlphabet {
		counts[r] = math.MaxInt
	}
	var chars []rune
	for r := range counts {
		chars = append(chars, r)
	}
	slices.Sort(chars)
	if n := t.o.LimitAlphabet; n > 0 && len(chars) > n {
		slices.SortStableFunc(chars, func(a, b rune) int { return cmp.Compare(counts[a], counts[b]) })
		chars = chars[len(chars)-n:]
		slices.Sort(chars)
	}
	for _, r := range chars {
		t.token(string(r))
	}
}

// spell writes the words in characters. Those outside the alphabet are left out.
func (t *bpe) spell(list []counted) {
	for i, w := range list {
		var word []symbol
		last := len([]rune(w.text)) - 1
		k := 0
		for _, r := range w.text {
			s := string(r)
			if _, ok := t.ids[s]; ok {
				if k > 0 {
					s = t.o.Prefix + s
				}
				if k == last {
					s += t.o.Suffix
				}
				word = append(word, symbol{t.token(s), 1})
			}
			k++
		}
		t.words = append(t.words, word)
		t.counts = append(t.counts, w.n)
		t.o.progress("Tokenize words", i+1, len(list))
	}
}

func (t *bpe) countPairs() {
	for i, word := range t.words {
		for k := 0; k+1 < len(word); k++ {
			p := pair{word[k].id, word[k+1].id}
			t.pairs[p] += t.counts[i]
			t.note(p, int32(i))
		}
		t.o.progress("Count pairs", i+1, len(t.words))
	}
	t.enqueue()
}

// note notes that a pair is in a word.
func (t *bpe) note(p pair, word int32) {
	if list := t.where[p]; len(list) == 0 || list[len(list)-1] != word {
		t.where[p] = append(list, word)
	}
}

// enqueue queues the pairs that were noted.
func (t *bpe) enqueue() {
	for p, words := range t.where {
		if n := t.pairs[p]; n > 0 {
			heap.Push(&t.queue, &candidate{p, n, words})
		}
	}
	clear(t.where)
}

// run merges the most frequent pair until the vocabulary is large enough or no pair is frequent enough.
func (t *bpe) run(ctx context.Context) error {
	for len(t.tokens) < t.o.VocabSize && len(t.queue) > 0 {
		top := heap.Pop(&t.queue).(*candidate)
		if n := t.pairs[top.pair]; n != top.count {
			top.count = n
			heap.Push(&t.queue, top)
			continue
		}
		if top.count < 1 || top.count < t.o.MinFrequency {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		id := t.token(t.tokens[top.left] + strings.TrimPrefix(t.tokens[top.right], t.o.Prefix))
		t.merges = append(t.merges, top.pair)
		for _, w := range top.words {
			t.merge(w, top.pair, id)
		}
		t.enqueue()
		t.o.progress("Compute merges", len(t.tokens), t.o.VocabSize)
	}
	return nil
}

// merge merges a pair wherever it stands in a word, and counts what changes beside it.
func (t *bpe) merge(w int32, p pair, id int32) {
	word, n := t.words[w], t.counts[w]
	most := int32(math.MaxInt32)
	if t.o.MaxTokenLength > 0 {
		most = int32(t.o.MaxTokenLength)
	}
	change := func(a, b symbol, by int) {
		q := pair{a.id, b.id}
		t.pairs[q] += by * n
		if by > 0 {
			t.note(q, w)
		}
	}
	out := word[:0]
	for i := 0; i < len(word); i++ {
		if word[i].id != p.left || i+1 == len(word) || word[i+1].id != p.right {
			out = append(out, word[i])
			continue
		}
		first, second := word[i], word[i+1]
		joined := symbol{id, first.chars + second.chars}
		if k := len(out); k > 0 {
			change(out[k-1], first, -1)
			if out[k-1].chars+joined.chars < most {
				change(out[k-1], joined, 1)
			}
		}
		if i+2 < len(word) {
			change(second, word[i+2], -1)
			if word[i+2].chars+joined.chars < most {
				change(joined, word[i+2], 1)
			}
		}
		out = append(out, joined)
		i++
	}
	t.words[w] = out
}

// mergeTexts lists the merges. A pair that was merged twice has its last rank.
func (t *bpe) mergeTexts() [][2]string {
	last := map[pair]int{}
	for i, p := range t.merges {
		last[p] = i
	}
	var out [][2]string
	for i, p := range t.merges {
		if last[p] == i {
			out = append(out, [2]string{t.tokens[p.left], t.tokens[p.right]})
		}
	}
	return out
}
