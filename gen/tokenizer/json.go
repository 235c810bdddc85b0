package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tfgen/tfgen/gen/tokenizer/regex"
	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// file is tokenizer.json.
type file struct {
	Version     string `json:"version"`
	AddedTokens []struct {
		ID         int64  `json:"id"`
		Content    string `json:"content"`
		SingleWord bool   `json:"single_word"`
		LStrip     bool   `json:"lstrip"`
		RStrip     bool   `json:"rstrip"`
		Normalized *bool  `json:"normalized"`
		Special    bool   `json:"special"`
	} `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Decoder       json.RawMessage `json:"decoder"`
	Model         *modelFile      `json:"model"`
	Truncation    json.RawMessage `json:"truncation"`
	Padding       json.RawMessage `json:"padding"`
}

// component is a normalizer, pre-tokenizer, post-processor or decoder. The fields of all of them are here.
type component struct {
	Type          string            `json:"type"`
	Normalizers   []json.RawMessage `json:"normalizers"`
	PreTokenizers []json.RawMessage `json:"pretokenizers"`
	Processors    []json.RawMessage `json:"processors"`
	Decoders      []json.RawMessage `json:"decoders"`

	Left         bool            `json:"strip_left"`
	Right        bool            `json:"strip_right"`
	Pattern      pattern         `json:"pattern"`
	Content      string          `json:"content"`
	Prepend      string          `json:"prepend"`
	CleanText    *bool           `json:"clean_text"`
	HandleHan    *bool           `json:"handle_chinese_chars"`
	StripAccents *bool           `json:"strip_accents"`
	Lowercase    *bool           `json:"lowercase"`
	Behavior     string          `json:"behavior"`
	Invert       bool            `json:"invert"`
	PrefixSpace  *bool           `json:"add_prefix_space"`
	TrimOffsets  *bool           `json:"trim_offsets"`
	UseRegex     *bool           `json:"use_regex"`
	Individual   bool            `json:"individual_digits"`
	Replacement  string          `json:"replacement"`
	Scheme       string          `json:"prepend_scheme"`
	Split        *bool           `json:"split"`
	Sep          json.RawMessage `json:"sep"`
	Cls          json.RawMessage `json:"cls"`
	Single       []templatePiece `json:"single"`
	Pair         []templatePiece `json:"pair"`
	Specials     map[string]struct {
		IDs []int32 `json:"ids"`
	} `json:"special_tokens"`
	Prefix    string `json:"prefix"`
	Suffix    string `json:"suffix"`
	Cleanup   bool   `json:"cleanup"`
	Start     int32  `json:"start"`
	Stop      int32  `json:"stop"`
	PadToken  string `json:"pad_token"`
	Delimiter string `json:"word_delimiter_token"`
	CharsMap  []byte `json:"precompiled_charsmap"`
	Char      string `json:"delimiter"`
	Length    *int64 `json:"length"`
}

// pattern is a text or a regular expression.
type pattern struct {
	String *string
	Regex  *string
}

type templatePiece struct {
	SpecialToken *templateRef
	Sequence     *templateRef
}

type templateRef struct {
	ID     string `json:"id"`
	TypeID int32  `json:"type_id"`
}

// FromJSON packs a tokenizer.json. configJSON is tokenizer_config.json or nil; nothing in it changes how
// tokenizer.json encodes or decodes.
func FromJSON(tokenizerJSON, configJSON []byte) ([]byte, error) {
	if configJSON != nil && !json.Valid(configJSON) {
		return nil, fmt.Errorf("tokenizer_config.json: not JSON")
	}
	b := &builder{}
	list, err := b.json(tokenizerJSON)
	if err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	return b.pack(list)
}

// stages read the components of a tokenizer.json.
var stages = map[string]func(*builder, component) error{
	"normalizer": (*builder).normalizer, "pre_tokenizer": (*builder).preTokenizer, "post_processor": (*builder).postProcessor, "decoder": (*builder).decoder,
}

// json reads a tokenizer.json and returns its added tokens.
func (b *builder) json(src []byte) ([]added, error) {
	var f file
	if err := json.Unmarshal(src, &f); err != nil {
		return nil, err
	}
	if f.Version != "1.0" && f.Version != "" {
		return nil, fmt.Errorf("version %q, supported is 1.0", f.Version)
	}
	for _, s := range []struct {
		name string
		raw  json.RawMessage
	}{
		{"normalizer", f.Normalizer}, {"pre_tokenizer", f.PreTokenizer}, {"post_processor", f.PostProcessor}, {"decoder", f.Decoder},
	} {
		before := len(b.Steps)
		if err := b.each(s.raw, 0, stages[s.name]); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		if len(b.Steps) == before && len(s.raw) > 0 && !bytes.Equal(s.raw, []byte("null")) {
			b.empty(s.name)
		}
	}
	if err := b.model(f.Model); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if err := b.limits(f.Truncation, f.Padding); err != nil {
		return nil, err
	}
	var list []added
	for _, a := range f.AddedTokens {
		list = append(list, added{
			text: a.Content, singleWord: a.SingleWord, lstrip: a.LStrip, rstrip: a.RStrip, norm: or(a.Normalized, !a.Special), special: a.Special,
		})
	}
	return list, nil
}

// empty stands for a Sequence of nothing: a post-processor still numbers texts, a decoder joins tokens without spaces.
func (b *builder) empty(stage string) {
	switch stage {
	case "post_processor":
		b.step(tokenizer.PostTrim, []int32{0, 0})
	case "decoder":
		b.step(tokenizer.DecodeFuse, nil)
	}
}

// each calls read for a component, or for those of a Sequence in order.
func (b *builder) each(raw json.RawMessage, depth int, read func(*builder, component) error) error {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil
	}
	var c component
	if err := json.Unmarshal(raw, &c); err != nil {
		return err
	}
	if c.Type != "Sequence" {
		if err := read(b, c); err != nil {
			return fmt.Errorf("%s: %w", c.Type, err)
		}
		return nil
	}
	if depth > 16 {
		return fmt.Errorf("a Sequence inside 16 others")
	}
	for _, list := range [][]json.RawMessage{c.Normalizers, c.PreTokenizers, c.Processors, c.Decoders} {
		for _, raw := range list {
			if err := b.each(raw, depth+1, read); err != nil {
				return err
			}
		}
	}
	return nil
}

// or returns the value of an option that may be absent.
func or(v *bool, absent bool) bool {
	if v == nil {
		return absent
	}
	return *v
}

func unsupported(supported ...string) error {
	return fmt.Errorf("not supported; supported are %s", strings.Join(supported, ", "))
}

func (b *builder) normalizer(c component) error {
	simple := map[string]tokenizer.Kind{
		"NFC": tokenizer.NormNFC, "NFD": tokenizer.NormNFD, "NFKC": tokenizer.NormNFKC, "NFKD": tokenizer.NormNFKD,
		"Lowercase": tokenizer.NormLowercase, "StripAccents": tokenizer.NormAccents, "Nmt": tokenizer.NormNmt, "ByteLevel": tokenizer.NormByteLevel,
	}
	switch c.Type {
	case "Strip":
		b.step(tokenizer.NormStrip, []int32{bit(c.Left), bit(c.Right)})
	case "Replace":
		return b.replace(c, tokenizer.NormReplace, tokenizer.NormProgram)
	case "Precompiled":
		return b.charsMap(c.CharsMap)
	case "Prepend":
		b.step(tokenizer.NormPrepend, nil, c.Prepend)
	case "BertNormalizer":
		lower := or(c.Lowercase, true)
		for _, s := range []struct {
			on   bool
			kind tokenizer.Kind
		}{
			{or(c.CleanText, true), tokenizer.NormBertClean}, {or(c.HandleHan, true), tokenizer.NormBertHan},
			{or(c.StripAccents, lower), tokenizer.NormNFD}, {or(c.StripAccents, lower), tokenizer.NormBertAccents}, {lower, tokenizer.NormLowercase},
		} {
			if s.on {
				b.step(s.kind, nil)
			}
		}
	default:
		kind, ok := simple[c.Type]
		if !ok {
			return unsupported(append(slices.Sorted(maps.Keys(simple)), "Strip", "Replace", "Prepend", "Precompiled", "BertNormalizer", "Sequence")...)
		}
		b.step(kind, nil)
	}
	return nil
}

// replace makes a step of a Replace. An empty text to look for matches nothing.
func (b *builder) replace(c component, text, regex tokenizer.Kind) error {
	c.Pattern.empty()
	switch {
	case c.Pattern.String != nil:
		b.step(text, nil, *c.Pattern.String, c.Content)
	case c.Pattern.Regex != nil && known(*c.Pattern.Regex) && text == tokenizer.NormReplace:
		b.step(tokenizer.NormPattern, nil, *c.Pattern.Regex, c.Content)
	case c.Pattern.Regex != nil:
		program, err := b.compile(*c.Pattern.Regex)
		if err != nil {
			return err
		}
		b.step(regex, nil, program, *c.Pattern.Regex, c.Content)
	default:
		return fmt.Errorf("no pattern")
	}
	return nil
}

// empty makes an empty text the empty regular expression, which matches between all characters.
func (p *pattern) empty() {
	if p.String != nil && *p.String == "" {
		p.Regex, p.String = p.String, nil
	}
}

// charsMap checks a precompiled map by packing nothing of it: the step itself reads it.
func (b *builder) charsMap(m []byte) error {
	if len(m) > maxCharsMap {
		return fmt.Errorf("a characters map of %d bytes, at most %d are supported", len(m), maxCharsMap)
	}
	b.step(tokenizer.NormCharsMap, nil, string(m))
	_, err := tokenizer.Normalizer(b.Steps[len(b.Steps)-1:])
	return err
}

const maxCharsMap = 1 << 20

// known reports whether the engine has a scanner for a regular expression.
func known(expr string) bool { return slices.Contains(tokenizer.Patterns(), expr) }

// compile compiles a regular expression that the engine has no scanner for.
func (b *builder) compile(expr string) (string, error) {
	p, err := regex.Compile(expr)
	if err != nil {
		return "", err
	}
	return p.Encode(), nil
}

var behaviors = map[string]int32{
	"Removed": tokenizer.Removed, "Isolated": tokenizer.Isolated, "MergedWithPrevious": tokenizer.MergedWithPrevious,
	"MergedWithNext": tokenizer.MergedWithNext, "Contiguous": tokenizer.Contiguous,
}

func behavior(name string) (int32, error) {
	v, ok := behaviors[name]
	if !ok {
		return 0, fmt.Errorf("behavior %q; known are %s", name, strings.Join(slices.Sorted(maps.Keys(behaviors)), ", "))
	}
	return v, nil
}

func (b *builder) preTokenizer(c component) error {
	switch c.Type {
	case "ByteLevel":
		b.step(tokenizer.PreByteLevel, []int32{bit(or(c.PrefixSpace, true)), bit(or(c.UseRegex, true))})
	case "Split":
		return b.split(c)
	case "Whitespace":
		b.step(tokenizer.PreWhitespace, nil)
	case "WhitespaceSplit":
		b.step(tokenizer.PreSpaceSplit, nil)
	case "BertPreTokenizer":
		b.step(tokenizer.PreBert, nil)
	case "Punctuation":
		if c.Behavior == "" {
			c.Behavior = "Isolated"
		}
		how, err := behavior(c.Behavior)
		if err != nil {
			return err
		}
		b.step(tokenizer.PrePunctuation, []int32{how})
	case "UnicodeScripts":
		b.step(tokenizer.PreScripts, nil)
	case "CharDelimiterSplit", "Delimiter":
		if utf8.RuneCountInString(c.Char) != 1 {
			return fmt.Errorf("the delimiter %q is not one character", c.Char)
		}
		b.step(tokenizer.PreText, []int32{tokenizer.Removed, 0}, c.Char)
	case "FixedLength":
		length := int64(5)
		if c.Length != nil {
			length = *c.Length
		}
		if length < 1 || length > math.MaxInt32 {
			return fmt.Errorf("length is %d", length)
		}
		b.step(tokenizer.PreLength, []int32{int32(length)})
	case "Digits":
		b.step(tokenizer.PreDigits, []int32{bit(c.Individual)})
	case "Metaspace":
		scheme, err := scheme(c)
		if err != nil {
			return err
		}
		b.step(tokenizer.PreMetaspace, []int32{scheme, bit(or(c.Split, true))}, c.Replacement)
	default:
		return unsupported("ByteLevel", "Split", "Whitespace", "WhitespaceSplit", "BertPreTokenizer", "Punctuation", "Digits", "Metaspace", "UnicodeScripts", "CharDelimiterSplit", "FixedLength", "Sequence")
	}
	return nil
}

func (b *builder) split(c component) error {
	how, err := behavior(c.Behavior)
	if err != nil {
		return err
	}
	args := []int32{how, bit(c.Invert)}
	c.Pattern.empty()
	switch {
	case c.Pattern.String != nil:
		b.step(tokenizer.PreText, args, *c.Pattern.String)
	case c.Pattern.Regex != nil:
		if known(*c.Pattern.Regex) {
			b.step(tokenizer.PrePattern, args, *c.Pattern.Regex)
			break
		}
		program, err := b.compile(*c.Pattern.Regex)
		if err != nil {
			return err
		}
		b.step(tokenizer.PreProgram, args, program, *c.Pattern.Regex)
	default:
		return fmt.Errorf("no pattern")
	}
	return nil
}

// scheme returns a Metaspace's prepend scheme, which older files give as add_prefix_space.
func scheme(c component) (int32, error) {
	name := c.Scheme
	if name == "" {
		name = "always"
	}
	if !or(c.PrefixSpace, true) {
		if c.Scheme != "" && c.Scheme != "never" {
			return 0, fmt.Errorf("add_prefix_space does not match prepend_scheme %q", c.Scheme)
		}
		name = "never"
	}
	schemes := map[string]int32{"first": tokenizer.PrependFirst, "never": tokenizer.PrependNever, "always": tokenizer.PrependAlways}
	v, ok := schemes[name]
	if !ok {
		return 0, fmt.Errorf("prepend_scheme %q; known are always, first, never", name)
	}
	return v, nil
}

func (b *builder) decoder(c component) error {
	switch c.Type {
	case "ByteLevel":
		b.step(tokenizer.DecodeByteLevel, nil)
	case "WordPiece":
		b.step(tokenizer.DecodeWordPiece, []int32{bit(c.Cleanup)}, c.Prefix)
	case "Metaspace":
		scheme, err := scheme(c)
		if err != nil {
			return err
		}
		b.step(tokenizer.DecodeMetaspace, []int32{scheme}, c.Replacement)
	case "ByteFallback":
		b.step(tokenizer.DecodeByteFallback, nil)
	case "Fuse":
		b.step(tokenizer.DecodeFuse, nil)
	case "Strip":
		b.step(tokenizer.DecodeStrip, []int32{c.Start, c.Stop}, c.Content)
	case "BPEDecoder":
		b.step(tokenizer.DecodeBPE, nil, c.Suffix)
	case "Replace":
		return b.replace(c, tokenizer.DecodeReplace, tokenizer.DecodeProgram)
	case "CTC":
		b.step(tokenizer.DecodeCTC, []int32{bit(c.Cleanup)}, c.PadToken, c.Delimiter)
	default:
		return unsupported("ByteLevel", "WordPiece", "Metaspace", "ByteFallback", "Fuse", "Strip", "BPEDecoder", "Replace", "CTC", "Sequence")
	}
	return nil
}
