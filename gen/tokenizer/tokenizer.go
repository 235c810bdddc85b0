// Package tokenizer reads tokenizers in the forms they are published in and packs them for runtime/tokenizer:
// tokenizer.json of Hugging Face, the vocabulary inside a GGUF file, BERT's vocab.txt, and GPT-2's vocab.json
// with merges.txt. What the engine does not support is an error that names the component.
package tokenizer

//go:generate go run ./normtables ../../runtime/tokenizer/formtables.go

import (
	"fmt"

	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// maxTokens bounds the ids of a tokenizer.
const maxTokens = 1 << 24

// builder collects a tokenizer while its source is read.
type builder struct {
	tokenizer.Source
	ids  map[string]int32 // the model's vocabulary
	size int32            // how many tokens it has

}

// setVocab makes the tokens table from the model's vocabulary. Ids may leave gaps, within reason.
func (b *builder) setVocab(ids map[string]int32) error {
	if len(ids) == 0 {
		return fmt.Errorf("tokenizer: the vocabulary is empty")
	}
	b.ids, b.size = ids, int32(len(ids))
	for text, id := range ids {
		if err := b.grow(id, len(ids)); err != nil {
			return fmt.Errorf("tokenizer: token %q: %w", text, err)
		}
		e := &b.Tokens[id]
		if e.Model {
			return fmt.Errorf("tokenizer: tokens %q and %q have the same id %d", min(e.Text, text), max(e.Text, text), id)
		}
		e.Text, e.Model = text, true
	}
	return nil
}

// setScored makes the tokens table of a Unigram model.
func (b *builder) setScored(list []scoredToken) {
	b.ids = make(map[string]int32, len(list))
	for i, t := range list {
		b.ids[t.text] = int32(i)
		b.Tokens = append(b.Tokens, tokenizer.Entry{Text: t.text, Model: true, Score: t.score})
	}
	b.size = int32(len(list))
}

// grow makes room for an id. tokens is how many the source has.
func (b *builder) grow(id int32, tokens int) error {
	if id < 0 || id >= maxTokens || int(id) > 4*tokens+1<<16 {
		return fmt.Errorf("id %d is out of range for %d tokens", id, tokens)
	}
	if n := int(id) + 1 - len(b.Tokens); n > 0 {
		b.Tokens = append(b.Tokens, make([]tokenizer.Entry, n)...)
	}
	return nil
}

func (b *builder) step(k tokenizer.Kind, ints []int32, strs ...string) {
	b.Steps = append(b.Steps, tokenizer.Step{Kind: k, Ints: ints, Strs: strs})
}

// merge appends a merge of two tokens of the vocabulary. prefix is what continuing tokens begin with.
func (b *builder) merge(left, right, prefix string) error {
	l, okL := b.ids[left]
	r, okR := b.ids[right]
	if !okL || !okR {
		return fmt.Errorf("tokenizer: merge %d joins %q and %q, which are not both in the vocabulary", len(b.Merges), left, right)
	}
	if len(right) < len(prefix) {
		return fmt.Errorf("tokenizer: merge %d: %q is shorter than the prefix %q", len(b.Merges), right, prefix)
	}
	joined, ok := b.ids[left+right[len(prefix):]]
	if !ok {
		return fmt.Errorf("tokenizer: merge %d makes %q, which is not in the vocabulary", len(b.Merges), left+right[len(prefix):])
	}
	b.Merges = append(b.Merges, tokenizer.Merge{Left: l, Right: r, Result: joined})
	return nil
}

// uniqueMerges keeps the last merge of each pair, which is the one that counts.
func (b *builder) uniqueMerges() {
	last := make(map[[2]int32]int, len(b.Merges))
	for i, m := range b.Merges {
		last[[2]int32{m.Left, m.Right}] = i
	}
	if len(last) == len(b.Merges) {
		return
	}
	kept := b.Merges[:0]
	for i, m := range b.Merges {
		if last[[2]int32{m.Left, m.Right}] == i {
			kept = append(kept, m)
		}
	}
	b.Merges = kept
}

// added is an added token as its source gives it.
type added struct {
	text                             string
	singleWord, lstrip, rstrip, norm bool
	special                          bool
	id                               int32
	fixed                            bool // id is its id; else it gets the next free one
}

// pack adds the added tokens and packs, and checks that the result loads.
func (b *builder) pack(list []added) ([]byte, error) {
	b.uniqueMerges()
	if err := b.addTokens(list); err != nil {
		return nil, err
	}
	packed, err := tokenizer.Pack(&b.Source)
	if err != nil {
		return nil, err
	}
	if _, err := tokenizer.Load(packed); err != nil {
		return nil, err
	}
	return packed, nil
}

// addTokens gives the added tokens their ids: that of the model's vocabulary if it has the text, else the
// next free one in order, whatever the file says. This is what the reference does.
func (b *builder) addTokens(list []added) error {
	if len(list) == 0 {
		return nil
	}
	normalize, err := tokenizer.Normalizer(b.Steps)
	if err != nil {
		return err
	}
	next := b.size
	index := map[string]int32{}
	specials := map[string]bool{}
	last := map[int32]added{}
	var order []int32
	for _, a := range list {
		if a.text == "" {
			continue
		}
		id, ok := index[a.text]
		if !ok {
			id, ok = b.ids[a.text]
		}
		if !ok && a.fixed {
			id = a.id
		} else if !ok {
			id = next
			next++
		}
		if err := b.grow(id, len(b.ids)+len(list)); err != nil {
			return fmt.Errorf("tokenizer: added token %q: %w", a.text, err)
		}
		index[a.text] = id
		specials[a.text] = specials[a.text] || a.special
		if _, seen := last[id]; !seen {
			order = append(order, id)
		}
		last[id] = a
	}
	patterns := map[string]string{}
	for _, id := range order {
		a := last[id]
		e := &b.Tokens[id]
		if e.Model && e.Text != a.text {
			return fmt.Errorf("tokenizer: added token %q gets id %d, which the vocabulary gives to %q", a.text, id, e.Text)
		}
		e.Text, e.Added = a.text, true
		pattern := a.text
		if a.norm {
			pattern = normalize(a.text)
			e.Form = pattern
		}
		e.Special = specials[pattern]
		if other, dup := patterns[fmt.Sprint(a.norm, pattern)]; dup || pattern == "" {
			return fmt.Errorf("tokenizer: added tokens %q and %q are both looked for as %q", other, a.text, pattern)
		}
		patterns[fmt.Sprint(a.norm, pattern)] = a.text
		b.Added = append(b.Added, tokenizer.AddedToken{ID: id, Flags: a.flags(), Pattern: pattern})
	}
	return nil
}

func (a added) flags() (f int32) {
	for i, on := range [...]bool{a.singleWord, a.lstrip, a.rstrip, a.norm, a.special} {
		if on {
			f |= 1 << i
		}
	}
	return f
}

func bit(b bool) int32 {
	if b {
		return 1
	}
	return 0
}
