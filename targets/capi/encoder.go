package capi

import (
	"context"
	"slices"

	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// Embed returns the embedding of each text.
func Embed(i *Instance, ctx context.Context, texts []string) ([][]float32, error) {
	batch := make([]Sequence, len(texts))
	for n, text := range texts {
		batch[n].Tokens = shorten(i.Tokenizer.Encode(text, true))
	}
	return i.Run(ctx, batch, "embedding")
}

// Classify returns the scores of each text, or of each pair of texts.
func Classify(i *Instance, ctx context.Context, texts, pairs []string) ([][]float32, error) {
	batch := make([]Sequence, len(texts))
	for n, text := range texts {
		if pairs == nil {
			batch[n].Tokens = shorten(i.Tokenizer.Encode(text, true))
		} else {
			batch[n].Tokens, batch[n].Types = encodePair(i.Tokenizer, text, pairs[n], model.MaxTokens)
		}
	}
	return i.Run(ctx, batch, "logits")
}

// shorten cuts a sequence to the tokens that the model uses; its last token, a separator, stays the last.
func shorten(ids []int32) []int32 {
	if most := model.MaxTokens; len(ids) > most {
		ids[most-1] = ids[len(ids)-1]
		ids = ids[:most]
	}
	return ids
}

// encodePair returns the ids and types of two texts, at most most: the longer text is cut first, as Hugging Face's
// truncation longest_first does (tokenizers/src/utils/truncation.rs).
func encodePair(t *tokenizer.Tokenizer, a, b string, most int) (ids, types []int32) {
	ids, types = t.EncodePair(a, b)
	if len(ids) <= most {
		return ids, types
	}
	first, second := t.Encode(a, false), t.Encode(b, false)
	room := most - (len(ids) - len(first) - len(second))
	keepA, keepB := longestFirst(len(first), len(second), max(room, 0))
	endA := indexOf(ids, first, 0) + len(first)
	endB := indexOf(ids, second, endA) + len(second)
	cutA, cutB := len(first)-keepA, len(second)-keepB
	ids = slices.Delete(slices.Delete(ids, endB-cutB, endB), endA-cutA, endA)
	return ids, slices.Delete(slices.Delete(types, endB-cutB, endB), endA-cutA, endA)
}

// longestFirst tells how many of a and b tokens to keep for at most room together.
func longestFirst(a, b, room int) (keepA, keepB int) {
	short := min(a, b)
	long := max(short, room-short)
	if short+long > room {
		short = room / 2
		long = short + room%2
	}
	if a > b {
		return min(long, a), min(short, b)
	}
	return min(short, a), min(long, b)
}

// indexOf is where part begins in ids, at or after from; from if it is not there.
func indexOf(ids, part []int32, from int) int {
	for i := from; i+len(part) <= len(ids); i++ {
		if slices.Equal(ids[i:i+len(part)], part) {
			return i
		}
	}
	return from
}
