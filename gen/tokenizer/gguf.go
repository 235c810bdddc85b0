package tokenizer

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// Types of tokens in tokenizer.ggml.token_type.
const (
	ggufNormal      = 1
	ggufUnknown     = 2
	ggufControl     = 3
	ggufUserDefined = 4
)

// preTokenizers are the names of tokenizer.ggml.pre, with what the tokenizer.json of such models does.
var preTokenizers = func() map[string]preset {
	gpt2 := tokenizer.Step{Kind: tokenizer.PreByteLevel, Ints: []int32{0, 1}}
	toBytes := tokenizer.Step{Kind: tokenizer.PreByteLevel, Ints: []int32{0, 0}}
	digits := func(each int32) tokenizer.Step { return tokenizer.Step{Kind: tokenizer.PreDigits, Ints: []int32{each}} }
	split := func(regexes ...string) []tokenizer.Step {
		var out []tokenizer.Step
		for _, r := range regexes {
			out = append(out, tokenizer.Step{Kind: tokenizer.PrePattern, Ints: []int32{tokenizer.Isolated, 0}, Strs: []string{r}})
		}
		return append(out, toBytes)
	}
	mpt := preset{nfc: true, steps: []tokenizer.Step{gpt2}}
	single := []tokenizer.Step{digits(1), gpt2}
	llama3 := preset{steps: split(tokenizer.PatternLlama3), ignoreMerges: true, bos: true}
	qwen2 := preset{nfc: true, steps: split(tokenizer.PatternQwen2)}
	o200k := preset{steps: split(tokenizer.PatternO200k)}
	return map[string]preset{
		"gpt-2": {steps: []tokenizer.Step{gpt2}}, "phi-2": {steps: []tokenizer.Step{gpt2}},
		"mpt": mpt, "default": mpt, "olmo": mpt,
		"llama-bpe": llama3, "llama3": llama3, "llama-v3": llama3,
		"qwen2":     qwen2,
		"gpt-4o":    o200k,
		"tekken":    {steps: split(tokenizer.PatternTekken), ignoreMerges: true, bos: true},
		"starcoder": {steps: single}, "refact": {steps: single}, "smollm": {steps: single},
		"command-r":   {nfc: true, steps: single},
		"deepseek-v3": {steps: split(tokenizer.PatternNumbers, tokenizer.PatternHan, tokenizer.PatternDeepSeek)},
	}
}()

// preset is how a byte-level model prepares its text.
type preset struct {
	nfc          bool
	steps        []tokenizer.Step
	ignoreMerges bool
	bos          bool // whether a text begins with the begin-of-text token if the file does not say
}

// ggufVocab is the part of a GGUF file's metadata under tokenizer.ggml.
type ggufVocab struct {
	*builder
	meta    map[string]any
	tokens  []string
	types   []int64
	unknown int32
	escaped bool // the model reads "▁" for a space, and user-defined tokens are written with spaces
}

// FromGGUF packs the vocabulary inside a GGUF file. meta holds its metadata as Go values.
func FromGGUF(meta map[string]any) ([]byte, error) {
	v := &ggufVocab{builder: &builder{}, meta: meta}
	if err := v.read(); err != nil {
		return nil, err
	}
	model, err := v.text("model", "")
	if err != nil {
		return nil, err
	}
	models := map[string]func() error{"gpt2": v.byteLevel, "llama": v.sentencePiece, "bert": v.bert}
	f, ok := models[model]
	if !ok {
		return nil, fmt.Errorf("gguf: tokenizer.ggml.model is %q; supported are %s", model, strings.Join(slices.Sorted(maps.Keys(models)), ", "))
	}
	if err := f(); err != nil {
		return nil, fmt.Errorf("gguf: %w", err)
	}
	var list []added
	for i, t := range v.types {
		switch t {
		case ggufControl:
			list = append(list, added{text: v.tokens[i], special: true})
		case ggufUserDefined:
			list = append(list, added{text: v.tokens[i], norm: v.escaped && strings.Contains(v.tokens[i], " ")})
		}
	}
	v.literalSpaces()
	return v.pack(list)
}

// literalSpaces lets the user-defined runs of spaces stand for runs of "▁" in the text as well, as
// tokenizer.json writes them.
func (v *ggufVocab) literalSpaces() {
	for i, t := range v.types {
		s := strings.ReplaceAll(v.tokens[i], " ", "▁")
		if _, taken := v.ids[s]; v.escaped && t == ggufUserDefined && !taken {
			v.Added = append(v.Added, tokenizer.AddedToken{ID: v.ids[v.tokens[i]], Pattern: s})
		}
	}
}

func (v *ggufVocab) read() (err error) {
	if v.tokens, err = listOf(v.meta, "tokens", func(x any) (string, bool) { s, ok := x.(string); return s, ok }); err != nil {
		return err
	}
	if len(v.tokens) == 0 {
		return fmt.Errorf("gguf: tokenizer.ggml.tokens is missing or empty")
	}
	if v.types, err = listOf(v.meta, "token_type", integer); err != nil {
		return err
	}
	if v.types == nil {
		v.types = slices.Repeat([]int64{ggufNormal}, len(v.tokens))
	}
	if len(v.types) != len(v.tokens) {
		return fmt.Errorf("gguf: %d token types for %d tokens", len(v.types), len(v.tokens))
	}
	v.unknown, err = v.id("unknown_token_id")
	return err
}

// vocabulary makes the tokens table. Tokens of one text keep their ids; the last is the one that is found.
func (v *ggufVocab) vocabulary() {
	v.ids = make(map[string]int32, len(v.tokens))
	v.size = int32(len(v.tokens))
	for i, t := range v.tokens {
		v.ids[t] = int32(i)
		v.Tokens = append(v.Tokens, tokenizer.Entry{Text: t, Model: true})
	}
}

func (v *ggufVocab) byteLevel() error {
	name, err := v.text("pre", "default")
	if err != nil {
		return err
	}
	p, ok := preTokenizers[name]
	if !ok {
		return fmt.Errorf("tokenizer.ggml.pre is %q; supported are %s", name, strings.Join(slices.Sorted(maps.Keys(preTokenizers)), ", "))
	}
	v.vocabulary()
	if p.nfc {
		v.step(tokenizer.NormNFC, nil)
	}
	v.Steps = append(v.Steps, p.steps...)
	lines, err := listOf(v.meta, "merges", func(x any) (string, bool) { s, ok := x.(string); return s, ok })
	if err != nil {
		return err
	}
	merges, err := splitMerges(lines)
	if err != nil {
		return err
	}
	for _, m := range merges {
		if err := v.merge(m[0], m[1], ""); err != nil {
			return err
		}
	}
	v.bpeStep(false, false, p.ignoreMerges, -1, "", "")
	v.step(tokenizer.DecodeByteLevel, nil)
	return v.ends(p.bos, false)
}

func (v *ggufVocab) sentencePiece() error {
	scores, err := listOf(v.meta, "scores", float)
	if err != nil {
		return err
	}
	if len(scores) != len(v.tokens) {
		return fmt.Errorf("%d scores for %d tokens", len(scores), len(v.tokens))
	}
	space, err := v.flag("add_space_prefix", true)
	if err != nil {
		return err
	}
	// SentencePiece looks for user-defined tokens in the normalised text. Behind a prefix that would not be the
	// token's text alone.
	v.escaped = !space
	v.vocabulary()
	v.scoreMerges(scores)
	if space {
		v.step(tokenizer.NormPrepend, nil, "▁")
	}
	v.step(tokenizer.NormReplace, nil, " ", "▁")
	v.bpeStep(true, true, false, v.unknown, "", "")
	v.step(tokenizer.DecodeReplace, nil, "▁", " ")
	v.step(tokenizer.DecodeByteFallback, nil)
	v.step(tokenizer.DecodeFuse, nil)
	if space {
		v.step(tokenizer.DecodeStrip, []int32{1, 0}, " ")
	}
	return v.ends(true, false)
}

// scored is a merge with what orders it.
type scored struct {
	tokenizer.Merge
	score float64
	left  int // characters
}

// scoreMerges makes the merges that SentencePiece's scores stand for: every pair of tokens that joins to a
// token, those with the highest score first, and of one token's pairs those with the longest left part.
func (v *ggufVocab) scoreMerges(scores []float64) {
	joins := func(text string) (int32, bool) {
		id, ok := v.ids[text]
		return id, ok && (v.types[id] == ggufNormal || v.types[id] == ggufUserDefined)
	}
	var list []scored
	for text, id := range v.ids {
		if _, ok := joins(text); !ok {
			continue
		}
		n := 0
		for i := range text {
			if i > 0 {
				l, okL := joins(text[:i])
				r, okR := joins(text[i:])
				if okL && okR {
					list = append(list, scored{tokenizer.Merge{Left: l, Right: r, Result: id}, scores[id], n})
				}
			}
			n++
		}
	}
	slices.SortFunc(list, func(a, b scored) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		case a.left != b.left:
			return b.left - a.left
		case a.Result != b.Result:
			return int(a.Result - b.Result)
		}
		return int(a.Left - b.Left)
	})
	for _, s := range list {
		v.Merges = append(v.Merges, s.Merge)
	}
}

// bert undoes the form that GGUF gives a WordPiece vocabulary: the start of a word has "▁" before it, and
// what continues one has nothing.
func (v *ggufVocab) bert() error {
	for i, t := range v.tokens {
		rest, start := strings.CutPrefix(t, "▁")
		switch {
		case v.types[i] != ggufNormal || strings.HasPrefix(t, "[") && strings.HasSuffix(t, "]") && utf8.RuneCountInString(t) > 2:
		case start:
			v.tokens[i] = rest
		default:
			v.tokens[i] = "##" + t
		}
	}
	v.vocabulary()
	cls, err := v.id("cls_token_id")
	if err != nil {
		return err
	}
	sep, err := v.id("seperator_token_id") // as the format spells it
	if err != nil {
		return err
	}
	return v.bertSteps(v.unknown, cls, sep, true)
}

// ends sets the template from the begin- and end-of-text tokens.
func (v *ggufVocab) ends(bosDefault, eosDefault bool) error {
	single, pair := []int32{}, []int32{}
	addBOS, err := v.flag("add_bos_token", bosDefault)
	if err != nil {
		return err
	}
	addEOS, err := v.flag("add_eos_token", eosDefault)
	if err != nil {
		return err
	}
	bos, err := v.id("bos_token_id")
	if err != nil {
		return err
	}
	eos, err := v.id("eos_token_id")
	if err != nil {
		return err
	}
	if addBOS && bos < 0 || addEOS && eos < 0 {
		return fmt.Errorf("the token that begins or ends a text is not named")
	}
	if !addBOS && !addEOS {
		return nil
	}
	for n := range int32(2) {
		var part []int32
		if addBOS {
			part = append(part, bos, n)
		}
		part = append(part, first-n, n)
		if addEOS {
			part = append(part, eos, n)
		}
		if n == 0 {
			single = part
		}
		pair = append(pair, part...)
	}
	v.templates(single, pair)
	return nil
}
