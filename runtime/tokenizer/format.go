package tokenizer

import (
	"encoding/binary"
	"fmt"
)

// Kind names what a Step does. The numbers are part of the packed form and never change.
type Kind uint32

// Kinds of steps. Arguments stand behind each: i for integers, s for strings, in order.
const (
	NormNFC           Kind = 1
	NormNFD           Kind = 2
	NormNFKC          Kind = 3
	NormNFKD          Kind = 4
	NormLowercase     Kind = 5
	NormStrip         Kind = 6  // i left, right
	NormAccents       Kind = 7  // combining marks go away
	NormReplace       Kind = 8  // s text, replacement
	NormPattern       Kind = 9  // s pattern, replacement
	NormPrepend       Kind = 10 // s text
	NormBertClean     Kind = 11 // control characters go away, white space becomes a space
	NormBertHan       Kind = 12 // spaces around ideographs
	NormBertAccents   Kind = 13 // nonspacing marks go away
	NormNmt           Kind = 14
	NormByteLevel     Kind = 15
	NormCharsMap      Kind = 16 // s SentencePiece's precompiled characters map
	NormSentencePiece Kind = 18 // i space before a text, squeeze spaces, escape them; s characters map or "", user-defined pieces
	NormProgram       Kind = 17 // s program, regular expression it comes from, replacement

	PreByteLevel   Kind = 32 // i prefix space, split by GPT-2's pattern
	PrePattern     Kind = 33 // i behaviour, invert; s pattern
	PreText        Kind = 34 // i behaviour, invert; s text
	PreWhitespace  Kind = 35 // words, and runs of what is neither word nor space
	PreSpaceSplit  Kind = 36
	PreBert        Kind = 37
	PrePunctuation Kind = 38 // i behaviour
	PreDigits      Kind = 39 // i each alone
	PreMetaspace   Kind = 40 // i scheme, split; s replacement
	PreProgram     Kind = 41 // i behaviour, invert; s program, regular expression it comes from
	PreScripts     Kind = 42 // where the script changes
	PreLength      Kind = 43 // i characters of each piece

	ModelBPE       Kind = 64 // i flags, unknown id; s continuing prefix, end suffix
	ModelWordPiece Kind = 65 // i unknown id, longest word in characters; s continuing prefix
	ModelWordLevel Kind = 66 // i unknown id
	ModelUnigram   Kind = 67 // i unknown id, flags

	PostTemplate Kind = 96  // i pairs of (what, type id): what ≥ 0 is a token, −1 the first text, −2 the second
	PostPair     Kind = 97  // the same for two texts
	PostTrim     Kind = 98  // i whether offsets leave out the white space of tokens, prefix space
	PostBert     Kind = 99  // i tokens before a text and behind it
	PostRoberta  Kind = 100 // the same, then as PostTrim

	DecodeByteLevel    Kind = 128
	DecodeWordPiece    Kind = 129 // i clean up; s prefix
	DecodeMetaspace    Kind = 130 // i scheme; s replacement
	DecodeByteFallback Kind = 131
	DecodeFuse         Kind = 132
	DecodeStrip        Kind = 133 // i from the start, from the end; s character
	DecodeBPE          Kind = 134 // s suffix
	DecodeReplace      Kind = 135 // s text, replacement
	DecodeCTC          Kind = 136 // i clean up; s padding token, word delimiter
	DecodeProgram      Kind = 137 // s program, regular expression it comes from, replacement
)

// Kinds that are defaults of options.
const (
	DefaultTruncation Kind = 160 // i tokens, stride, strategy, from the left
	DefaultPadding    Kind = 161 // i length, multiple, id, type id, on the left
)

// Split behaviours: what becomes of the text between pieces.
const (
	Removed = iota
	Isolated
	MergedWithPrevious
	MergedWithNext
	Contiguous
)

// Metaspace's schemes: when the replacement is put before a text.
const (
	PrependFirst = iota
	PrependNever
	PrependAlways
)

// Flags of ModelBPE.
const (
	BPEFuseUnknown = 1 << iota
	BPEByteFallback
	BPEIgnoreMerges
	BPEByResult // the pair whose result has the least id is merged first, not the one that comes first
)

// Flags of ModelUnigram.
const (
	UnigramByteFallback = 1 << iota
	UnigramSingle       // sums have single precision, as in SentencePiece
)

// Flags of an added token.
const (
	AddedSingleWord = 1 << iota
	AddedLeftStrip
	AddedRightStrip
	AddedNormalized
	AddedSpecial
)

// Step is one element of a stage.
type Step struct {
	Kind Kind
	Ints []int32
	Strs []string
}

// AddedToken is a text that becomes one token wherever it stands.
type AddedToken struct {
	ID      int32
	Flags   int32
	Pattern string // what is looked for: the normalised text if AddedNormalized
}

// Pipeline is everything of a tokenizer but its vocabulary and merges.
type Pipeline struct {
	Steps []Step // in order within a stage
	Added []AddedToken
}

const (
	magic      = "tfgtok\x00\x02"
	headerSize = 16 // magic, CRC-32C of the rest, number of sections
)

// Sections of the packed form. All numbers are little endian.
const (
	secPipeline  = iota + 1
	secOffsets   // uint32 × (ids + 1): where each token's text begins
	secTexts     // the tokens' texts
	secFlags     // byte × ids
	secHash      // uint32 × 2ᵏ: id + 1 of a token, open addressing
	secMerges    // uint32 × 3 × merges: left, right, result; in order of rank
	secMergeHash // uint32 × 2ᵏ: rank + 1
	secForms     // decoded form of added tokens that differs from their text: uvarint id, text
	secScores    // float64 × ids: log probabilities of a Unigram model
	secTrie      // uint32 × 2 × nodes: the model's vocabulary as a double array, see trie
	sections     = secTrie
)

// Flags of a vocabulary entry.
const (
	flagModel   = 1 << iota // in the model's vocabulary
	flagAdded               // an added token
	flagSpecial             // left out by Decode's skipSpecial
	flagForm                // decodes by another text, see secForms
	flagByte                // stands for a byte, but is not in the model's vocabulary
)

const (
	maxSteps     = 1 << 12
	maxAddedLen  = 1 << 10 // bytes of an added token
	maxStringLen = 1 << 20
)

func (p *Pipeline) encode() []byte {
	var b []byte
	num := func(v int64) { b = binary.AppendVarint(b, v) }
	str := func(s string) { num(int64(len(s))); b = append(b, s...) }
	num(int64(len(p.Steps)))
	for _, s := range p.Steps {
		num(int64(s.Kind))
		num(int64(len(s.Ints)))
		for _, v := range s.Ints {
			num(int64(v))
		}
		num(int64(len(s.Strs)))
		for _, v := range s.Strs {
			str(v)
		}
	}
	num(int64(len(p.Added)))
	for _, a := range p.Added {
		num(int64(a.ID))
		num(int64(a.Flags))
		str(a.Pattern)
	}
	return b
}

// cursor reads the pipeline section. The first failure sticks.
type cursor struct {
	b   []byte
	err error
}

func (c *cursor) num(lo, hi int64) int64 {
	v, n := binary.Varint(c.b)
	if n <= 0 || v < lo || v > hi {
		if c.err == nil {
			c.err = fmt.Errorf("tokenizer: number missing or outside %d…%d in the pipeline", lo, hi)
		}
		c.b = nil
		return lo
	}
	c.b = c.b[n:]
	return v
}

func (c *cursor) str() string {
	n := c.num(0, maxStringLen)
	if int64(len(c.b)) < n {
		if c.err == nil {
			c.err = fmt.Errorf("tokenizer: text of %d bytes cut off in the pipeline", n)
		}
		c.b = nil
		return ""
	}
	s := string(c.b[:n])
	c.b = c.b[n:]
	return s
}

// list reads a length that the remaining bytes can hold, and calls f as often.
func (c *cursor) list(f func()) {
	n := c.num(0, int64(len(c.b)))
	for ; n > 0 && c.err == nil; n-- {
		f()
	}
}

func decodePipeline(b []byte) (*Pipeline, error) {
	const minInt, maxInt = -1 << 31, 1<<31 - 1
	c := &cursor{b: b}
	p := &Pipeline{}
	c.list(func() {
		s := Step{Kind: Kind(c.num(0, maxInt))}
		c.list(func() { s.Ints = append(s.Ints, int32(c.num(minInt, maxInt))) })
		c.list(func() { s.Strs = append(s.Strs, c.str()) })
		p.Steps = append(p.Steps, s)
	})
	c.list(func() {
		a := AddedToken{ID: int32(c.num(0, maxInt)), Flags: int32(c.num(0, maxInt)), Pattern: c.str()}
		p.Added = append(p.Added, a)
	})
	if c.err == nil && len(c.b) != 0 {
		c.err = fmt.Errorf("tokenizer: %d bytes behind the pipeline", len(c.b))
	}
	if c.err == nil && len(p.Steps) > maxSteps {
		c.err = fmt.Errorf("tokenizer: %d steps, at most %d are allowed", len(p.Steps), maxSteps)
	}
	return p, c.err
}
