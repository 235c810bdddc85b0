package tokenizer

import (
	"encoding/json"
	"fmt"

	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// What stands in a template for the texts.
const first, second = -1, -2

func (b *builder) postProcessor(c component) error {
	switch c.Type {
	case "ByteLevel":
		b.step(tokenizer.PostTrim, []int32{bit(or(c.TrimOffsets, true)), bit(or(c.PrefixSpace, true))})
	case "TemplateProcessing":
		single, err := c.template(c.Single)
		if err != nil {
			return err
		}
		pair, err := c.template(c.Pair)
		if err != nil {
			return err
		}
		b.templates(single, pair)
	case "BertProcessing":
		cls, sep, err := c.ends()
		if err != nil {
			return err
		}
		b.step(tokenizer.PostBert, []int32{cls, sep})
	case "RobertaProcessing":
		cls, sep, err := c.ends()
		if err != nil {
			return err
		}
		b.step(tokenizer.PostRoberta, []int32{cls, sep, bit(or(c.TrimOffsets, true)), bit(or(c.PrefixSpace, true))})
	default:
		return unsupported("ByteLevel", "TemplateProcessing", "BertProcessing", "RobertaProcessing", "Sequence")
	}
	return nil
}

func (b *builder) templates(single, pair []int32) {
	b.step(tokenizer.PostTemplate, single)
	b.step(tokenizer.PostPair, pair)
}

// template returns the pairs of (what, type id) of a template.
func (c component) template(pieces []templatePiece) ([]int32, error) {
	out := []int32{}
	for _, p := range pieces {
		switch {
		case p.Sequence != nil && (p.Sequence.ID == "A" || p.Sequence.ID == "B"):
			what := int32(first)
			if p.Sequence.ID == "B" {
				what = second
			}
			out = append(out, what, p.Sequence.TypeID)
		case p.SpecialToken != nil:
			tok, ok := c.Specials[p.SpecialToken.ID]
			if !ok {
				return nil, fmt.Errorf("the template uses %q, which is not among its special tokens", p.SpecialToken.ID)
			}
			for _, id := range tok.IDs {
				out = append(out, id, p.SpecialToken.TypeID)
			}
		default:
			return nil, fmt.Errorf("a template element is neither Sequence A or B nor SpecialToken")
		}
	}
	return out, nil
}

// ends returns the ids of cls and sep, each given as [text, id].
func (c component) ends() (cls, sep int32, err error) {
	for _, e := range []struct {
		raw json.RawMessage
		id  *int32
	}{{c.Cls, &cls}, {c.Sep, &sep}} {
		var text string
		pair := [2]any{&text, e.id}
		if err := json.Unmarshal(e.raw, &pair); err != nil {
			return 0, 0, err
		}
	}
	return cls, sep, nil
}
