package capi

import (
	"context"

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

// Classify returns the logits of each text, or of each pair of texts; what does not fit is cut as the Go package does.
func Classify(i *Instance, ctx context.Context, texts, pairs []string) ([][]float32, error) {
	batch := make([]Sequence, len(texts))
	for n, text := range texts {
		in := tokenizer.Text(text)
		if pairs != nil {
			in = tokenizer.Pair(text, pairs[n])
		}
		e, err := i.Tokenizer.EncodeInput(in, tokenizer.Options{Special: true, Truncation: &tokenizer.Truncation{Max: model.MaxTokens}})
		if err != nil {
			return nil, err
		}
		batch[n].Tokens = e.IDs
		if model.TokenTypes {
			batch[n].Types = e.TypeIDs
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
