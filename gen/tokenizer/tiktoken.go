package tokenizer

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// encoding is what a tiktoken file does not say itself: the split pattern and the special tokens.
type encoding struct {
	pattern  string
	specials []special
}

// special is a special token, or numbered ones: text then has a %d.
type special struct {
	text     string
	id       int32
	from, to int // numbers, if to > from
}

// tiktokens are the encodings by the names of their files.
var tiktokens = func() map[string]encoding {
	end := func(id int32) special { return special{text: "<|endoftext|>", id: id} }
	fim := func(id int32) []special {
		return []special{{text: "<|fim_prefix|>", id: id}, {text: "<|fim_middle|>", id: id + 1}, {text: "<|fim_suffix|>", id: id + 2}}
	}
	gpt2 := encoding{tokenizer.PatternGPT2, []special{end(50256)}}
	harmony := []special{
		{text: "<|startoftext|>", id: 199998}, end(199999), {text: "<|reserved_%d|>", id: 200000, from: 200000, to: 200002}, {text: "<|return|>", id: 200002},
		{text: "<|constrain|>", id: 200003}, {text: "<|reserved_%d|>", id: 200004, from: 200004, to: 200005}, {text: "<|channel|>", id: 200005}, {text: "<|start|>", id: 200006},
		{text: "<|end|>", id: 200007}, {text: "<|message|>", id: 200008}, {text: "<|reserved_%d|>", id: 200009, from: 200009, to: 200012}, {text: "<|call|>", id: 200012},
		{text: "<|reserved_%d|>", id: 200013, from: 200013, to: 200018}, {text: "<|endofprompt|>", id: 200018}, {text: "<|reserved_%d|>", id: 200019, from: 200019, to: 201088},
	}
	llama3 := []special{
		{text: "<|begin_of_text|>", id: 128000}, {text: "<|end_of_text|>", id: 128001}, {text: "<|reserved_special_token_%d|>", id: 128002, from: 0, to: 4},
		{text: "<|start_header_id|>", id: 128006}, {text: "<|end_header_id|>", id: 128007}, {text: "<|reserved_special_token_%d|>", id: 128008, from: 4, to: 5},
		{text: "<|eot_id|>", id: 128009}, {text: "<|reserved_special_token_%d|>", id: 128010, from: 5, to: 251},
	}
	qwen := []special{end(151643), {text: "<|im_start|>", id: 151644}, {text: "<|im_end|>", id: 151645}, {text: "<|extra_%d|>", id: 151646, from: 0, to: 205}}
	return map[string]encoding{
		"gpt2": gpt2, "r50k_base": gpt2, "p50k_base": gpt2,
		"p50k_edit":     {tokenizer.PatternGPT2, append([]special{end(50256)}, fim(50281)...)},
		"cl100k_base":   {tokenizer.PatternLlama3, append(append([]special{end(100257)}, fim(100258)...), special{text: "<|endofprompt|>", id: 100276})},
		"o200k_base":    {tokenizer.PatternO200k, []special{end(199999), {text: "<|endofprompt|>", id: 200018}}},
		"o200k_harmony": {tokenizer.PatternO200k, harmony},
		"tokenizer":     {tokenizer.PatternLlama3, llama3}, // Llama 3's tokenizer.model
		"qwen":          {tokenizer.PatternQwen2, qwen},
	}
}()

// isTiktoken reports whether a file begins as tiktoken's do: base64, a space and 0.
func isTiktoken(src []byte) bool {
	line, _, _ := bytes.Cut(src, []byte("\n"))
	text, rank, ok := bytes.Cut(bytes.TrimRight(line, "\r"), []byte(" "))
	_, err := base64.StdEncoding.DecodeString(string(text))
	return ok && err == nil && string(rank) == "0"
}

// FromTiktoken packs a file of tiktoken: a token in base64 and its rank a line. Its split pattern and special tokens
// follow from its name, or from config, a tokenizer_config.json with added_tokens_decoder, where that is there.
func FromTiktoken(src []byte, name string, config []byte) ([]byte, error) {
	base := strings.TrimSuffix(strings.TrimSuffix(name, ".tiktoken"), ".model")
	enc, ok := tiktokens[base]
	if !ok {
		return nil, fmt.Errorf("tiktoken: the split pattern of %q is not known; known are %s", base, strings.Join(slices.Sorted(maps.Keys(tiktokens)), ", "))
	}
	b := &builder{}
	if err := b.ranks(src); err != nil {
		return nil, fmt.Errorf("tiktoken: %w", err)
	}
	joins := func(text string) (int32, bool) { id, ok := b.ids[text]; return id, ok }
	b.scoreMerges(joins, func(id int32) float64 { return -float64(id) })
	b.step(tokenizer.PrePattern, []int32{tokenizer.Isolated, 0}, enc.pattern)
	b.step(tokenizer.PreByteLevel, []int32{0, 0})
	b.bpeStep(tokenizer.BPEIgnoreMerges|tokenizer.BPEByResult, -1, "", "")
	b.step(tokenizer.DecodeByteLevel, nil)
	list, err := enc.added(config)
	if err != nil {
		return nil, err
	}
	return b.pack(list)
}

// ranks reads the tokens, written as byte-level BPE does.
func (b *builder) ranks(src []byte) error {
	ids := map[string]int32{}
	n := 0
	for line := range bytes.Lines(src) {
		n++
		text, rank, ok := strings.Cut(strings.TrimRight(string(line), "\r\n"), " ")
		if !ok && text == "" {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(text)
		id, errRank := strconv.ParseInt(rank, 10, 32)
		if !ok || err != nil || errRank != nil || len(raw) == 0 {
			return fmt.Errorf("line %d is no token in base64 and its rank", n)
		}
		spelled := tokenizer.SpellBytes(raw)
		if _, twice := ids[spelled]; twice {
			return fmt.Errorf("line %d: the token %q for the second time", n, raw)
		}
		ids[spelled] = int32(id)
	}
	return b.setVocab(ids)
}

// added lists the special tokens.
func (e *encoding) added(config []byte) ([]added, error) {
	var c struct {
		Tokens map[string]struct {
			Content string `json:"content"`
			Special bool   `json:"special"`
			LStrip  bool   `json:"lstrip"`
			RStrip  bool   `json:"rstrip"`
		} `json:"added_tokens_decoder"`
	}
	if config != nil {
		if err := json.Unmarshal(config, &c); err != nil {
			return nil, fmt.Errorf("tokenizer_config.json: %w", err)
		}
	}
	var list []added
	for id, t := range c.Tokens {
		n, err := strconv.ParseInt(id, 10, 32)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("tokenizer_config.json: the added token %q has the id %q", t.Content, id)
		}
		list = append(list, added{text: t.Content, special: t.Special, lstrip: t.LStrip, rstrip: t.RStrip, id: int32(n), fixed: true})
	}
	if list != nil {
		slices.SortFunc(list, func(a, b added) int { return int(a.id - b.id) })
		return list, nil
	}
	for _, s := range e.specials {
		if s.to == 0 {
			list = append(list, added{text: s.text, special: true, id: s.id, fixed: true})
		}
		for i := s.from; i < s.to; i++ {
			list = append(list, added{text: fmt.Sprintf(s.text, i), special: true, id: s.id + int32(i-s.from), fixed: true})
		}
	}
	return list, nil
}
