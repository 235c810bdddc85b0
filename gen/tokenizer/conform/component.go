package conform

import (
	"encoding/json"
	"fmt"

	source "github.com/tfgen/tfgen/gen/tokenizer"
	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// componentRecord is a normalizer, pre-tokenizer or decoder and what it makes of the corpus lines or tokens.
type componentRecord struct {
	Normalizer   json.RawMessage   `json:"normalizer"`
	PreTokenizer json.RawMessage   `json:"pre_tokenizer"`
	Decoder      json.RawMessage   `json:"decoder"`
	Tokens       [][]string        `json:"tokens"`
	Expected     []json.RawMessage `json:"expected"`
}

func (c *checker) component(j *job) {
	r := &componentRecord{}
	if j.err = json.Unmarshal(j.raw, r); j.err != nil {
		return
	}
	var err error
	switch {
	case r.Normalizer != nil:
		err = c.normalizer(j, r)
	case r.PreTokenizer != nil:
		err = c.preTokenizer(j, r)
	case r.Decoder != nil:
		err = c.decoder(j, r)
	default:
		err = fmt.Errorf("neither a normalizer, a pre-tokenizer nor a decoder")
	}
	if err != nil {
		j.compare("component", fmt.Sprintf("%s%s%s", r.Normalizer, r.PreTokenizer, r.Decoder), err.Error(), "")
	}
}

// each calls f for the corpus lines with what is expected of them.
func (c *checker) each(r *componentRecord, f func(text string, want json.RawMessage)) error {
	if len(r.Expected) != len(c.lines) {
		return fmt.Errorf("%d results for %d lines", len(r.Expected), len(c.lines))
	}
	for i, n := range c.lines {
		text, ok := c.corpus.texts[n]
		if !ok {
			return fmt.Errorf("the corpus has no line %d", n)
		}
		f(text, r.Expected[i])
	}
	return nil
}

func (c *checker) normalizer(j *job, r *componentRecord) error {
	steps, err := source.Component("normalizer", r.Normalizer)
	if err != nil {
		return err
	}
	normalize, err := tokenizer.Normalizer(steps)
	if err != nil {
		return err
	}
	return c.each(r, func(text string, want json.RawMessage) {
		var s string
		if err := json.Unmarshal(want, &s); err != nil {
			j.err = err
		}
		j.compare("normalizer", string(r.Normalizer)+" "+text, normalize(text), s)
	})
}

func (c *checker) preTokenizer(j *job, r *componentRecord) error {
	steps, err := source.Component("pre_tokenizer", r.PreTokenizer)
	if err != nil {
		return err
	}
	split, err := tokenizer.PreTokenizer(steps)
	if err != nil {
		return err
	}
	return c.each(r, func(text string, want json.RawMessage) {
		at := runeIndex(text)
		got := []any{}
		for _, p := range split(text) {
			if p.Text != text[p.Lo:p.Hi] {
				got = append(got, p.Text)
			}
			got = append(got, at[p.Lo], at[p.Hi])
		}
		var list any
		if err := json.Unmarshal(want, &list); err != nil {
			j.err = err
		}
		j.compare("pre-tokenizer", string(r.PreTokenizer)+" "+text, got, list)
	})
}

// runeIndex returns the number of characters before each byte that begins one, and before the end.
func runeIndex(s string) map[int]int {
	at, n := map[int]int{}, 0
	for i := range s {
		at[i] = n
		n++
	}
	at[len(s)] = n
	return at
}

func (c *checker) decoder(j *job, r *componentRecord) error {
	steps, err := source.Component("decoder", r.Decoder)
	if err != nil {
		return err
	}
	decode, err := tokenizer.Decoder(steps)
	if err != nil {
		return err
	}
	if len(r.Expected) != len(r.Tokens) {
		return fmt.Errorf("%d results for %d lists of tokens", len(r.Expected), len(r.Tokens))
	}
	for i, list := range r.Tokens {
		if string(r.Expected[i]) == "null" {
			continue // the library gave up
		}
		var want string
		if err := json.Unmarshal(r.Expected[i], &want); err != nil {
			return err
		}
		j.compare("decoder", fmt.Sprintf("%s %q", r.Decoder, list), decode(list), want)
	}
	return nil
}
