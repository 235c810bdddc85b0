package conform

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// record is a line of a family's expectations. What is absent equals what the comments name.
type record struct {
	I       *int      `json:"i"`
	IDs     []int32   `json:"ids"`
	Off     []int     `json:"off"`
	ByteOff []int     `json:"boff"` // off
	Sp      []int32   `json:"sp"`   // ids
	SpOff   []int     `json:"sp_off"`
	Dec     *string   `json:"dec"`      // the text
	DecSkip *string   `json:"dec_skip"` // dec
	DecSp   *string   `json:"dec_sp"`   // dec
	Raw     []int32   `json:"raw"`      // ids
	Stream  []*string `json:"stream"`
	Words   []int32   `json:"words"`
	Types   []int32   `json:"types"` // zeros

	Long string  `json:"long"`
	N    int     `json:"n"`
	SHA  string  `json:"sha256"`
	Head []int32 `json:"head"`
	Tail []int32 `json:"tail"`

	Pair       []int       `json:"pair"`
	Single     *int        `json:"single"`
	Batch      []int       `json:"batch"`
	WordsOf    *int        `json:"words_of"`
	AddSpecial *bool       `json:"add_special_tokens"`
	Truncation *truncation `json:"truncation"`
	Padding    *padding    `json:"padding"`
	Rows       []encoded   `json:"rows"`
	Error      string      `json:"error"`
	Mask       []int32     `json:"mask"`
	Special    []int32     `json:"special"`
	Seq        []int32     `json:"seq"`
	Overflow   []encoded   `json:"overflow"`
}

type truncation struct {
	Max       int    `json:"max_length"`
	Stride    int    `json:"stride"`
	Strategy  string `json:"strategy"`
	Direction string `json:"direction"`
}

type padding struct {
	Direction string `json:"direction"`
	ID        int32  `json:"pad_id"`
	Length    int    `json:"length"`
	Multiple  int    `json:"multiple_of"`
}

// encoded is an encoding with all its lists.
type encoded struct {
	IDs      []int32   `json:"ids"`
	Types    []int32   `json:"types"`
	Mask     []int32   `json:"mask"`
	Special  []int32   `json:"special"`
	Off      []int     `json:"off"`
	Seq      []int32   `json:"seq"`
	Overflow []encoded `json:"overflow,omitempty"`
}

func newEncoded(e *tokenizer.Encoding) encoded {
	out := encoded{IDs: list(e.IDs), Types: list(e.TypeIDs), Mask: list(e.Mask), Special: list(e.Special), Off: flat(e.Offsets), Seq: list(e.Sequences())}
	for _, w := range e.Overflow {
		out.Overflow = append(out.Overflow, newEncoded(w))
	}
	return out
}

// isSpace is white space as Python splits at it.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// list is the list itself, or an empty one for nil.
func list(l []int32) []int32 { return append([]int32{}, l...) }

func flat(off [][2]int) []int {
	out := make([]int, 0, 2*len(off))
	for _, o := range off {
		out = append(out, o[0], o[1])
	}
	return out
}

func (c *checker) line(j *job) {
	r := &record{}
	if j.err = json.Unmarshal(j.raw, r); j.err != nil {
		return
	}
	switch {
	case r.I != nil:
		if text, ok := c.text(j, *r.I); ok {
			c.encoding(j, r, text)
			c.decoding(j, r, text)
		}
	case r.Long != "":
		c.long(j, r)
	case r.Pair != nil, r.Single != nil, r.Batch != nil, r.WordsOf != nil:
		c.inputs(j, r)
	default:
		j.err = fmt.Errorf("a line that is neither a text, a pair, a batch nor words")
	}
}

func (c *checker) text(j *job, i int) (string, bool) {
	text, ok := c.corpus.texts[i]
	if !ok {
		j.err = fmt.Errorf("the corpus has no line %d", i)
	}
	return text, ok
}

// encoding compares ids, offsets, words and types.
func (c *checker) encoding(j *job, r *record, text string) {
	plain, err := c.tok.EncodeInput(tokenizer.Text(text), tokenizer.Options{Runes: true})
	if j.err = err; err != nil {
		return
	}
	j.compare("ids", text, c.tok.Encode(text, false), r.IDs)
	j.compare("ids with offsets", text, plain.IDs, r.IDs)
	j.compare("offsets in characters", text, flat(plain.Offsets), r.Off)
	inBytes := r.ByteOff
	if inBytes == nil {
		inBytes = r.Off
	}
	_, off := c.tok.EncodeOffsets(text, false)
	j.compare("offsets in bytes", text, flat(off), inBytes)
	sp := r.Sp
	if sp == nil {
		sp = r.IDs
	}
	j.compare("ids with special tokens", text, c.tok.Encode(text, true), sp)
	raw := r.Raw
	if raw == nil {
		raw = r.IDs
	}
	j.compare("ids of literal text", text, c.tok.EncodeLiteral(text, false), raw)
	if r.SpOff != nil {
		e, _ := c.tok.EncodeInput(tokenizer.Text(text), tokenizer.Options{Runes: true, Special: true})
		j.compare("offsets with special tokens", text, flat(e.Offsets), r.SpOff)
	}
	if r.Words != nil {
		j.compare("words", text, plain.Words, r.Words)
		types := r.Types
		if types == nil {
			types = make([]int32, len(r.IDs))
		}
		j.compare("types", text, plain.TypeIDs, types)
	}
}

// decoding compares texts, and what the stream hands out for each token.
func (c *checker) decoding(j *job, r *record, text string) {
	dec := text
	if r.Dec != nil {
		dec = *r.Dec
	}
	sp := r.Sp
	if sp == nil {
		sp = r.IDs
	}
	j.compare("decoded text", text, c.tok.Decode(r.IDs, false), dec)
	skip := dec
	if r.DecSkip != nil {
		skip = *r.DecSkip
	}
	j.compare("decoded text without special tokens", text, c.tok.Decode(sp, true), skip)
	if r.DecSp != nil {
		j.compare("decoded text with special tokens", text, c.tok.Decode(sp, false), *r.DecSp)
	}
	if r.Stream == nil {
		return
	}
	s := c.tok.NewStream(false)
	var got, want []string
	for i, id := range r.IDs {
		got = append(got, s.Next(id))
		if i < len(r.Stream) && r.Stream[i] != nil {
			want = append(want, *r.Stream[i])
		} else {
			want = append(want, "")
		}
	}
	j.compare("stream", text, got, want)
}

func (c *checker) long(j *job, r *record) {
	text, ok := c.corpus.long[r.Long]
	if !ok {
		j.err = fmt.Errorf("there is no long text %q", r.Long)
		return
	}
	ids := c.tok.Encode(text, false)
	h := sha256.New()
	for _, id := range ids {
		h.Write(binary.LittleEndian.AppendUint32(nil, uint32(id)))
	}
	if n := len(ids); n == r.N && hex.EncodeToString(h.Sum(nil)) == r.SHA {
		j.compare("long text", r.Long, 0, 0)
		return
	}
	j.compare("long text", r.Long, []any{len(ids), ids[:min(len(ids), 16)], ids[max(len(ids)-16, 0):]}, []any{r.N, r.Head, r.Tail})
}

// inputs compares pairs, truncation, padding and words.
func (c *checker) inputs(j *job, r *record) {
	o := tokenizer.Options{Special: r.AddSpecial == nil || *r.AddSpecial, Runes: true}
	what := "pair"
	if t := r.Truncation; t != nil {
		strategies := map[string]tokenizer.Strategy{"longest_first": tokenizer.LongestFirst, "only_first": tokenizer.OnlyFirst, "only_second": tokenizer.OnlySecond}
		o.Truncation = &tokenizer.Truncation{Max: t.Max, Stride: t.Stride, Strategy: strategies[t.Strategy], Left: t.Direction == "left"}
		what = "truncation"
	}
	if p := r.Padding; p != nil {
		o.Padding = &tokenizer.Padding{Length: p.Length, Multiple: p.Multiple, ID: p.ID, Left: p.Direction == "left"}
	}
	if r.Batch != nil {
		c.batch(j, r, o)
		return
	}
	in, text := c.input(j, r)
	if j.err != nil {
		return
	}
	got, err := c.tok.EncodeInput(in, o)
	if r.Error != "" || err != nil {
		j.compare(what+" refused", text, err != nil, r.Error != "")
		return
	}
	want := encoded{r.IDs, r.Types, r.Mask, r.Special, r.Off, r.Seq, r.Overflow}
	j.compare(what, text, newEncoded(got), want)
	if r.WordsOf != nil {
		j.compare("words of words", text, got.Words, r.Words)
	}
}

func (c *checker) input(j *job, r *record) (in tokenizer.Input, text string) {
	switch {
	case r.Single != nil:
		text, _ = c.text(j, *r.Single)
		return tokenizer.Text(text), text
	case r.WordsOf != nil:
		text, _ = c.text(j, *r.WordsOf)
		return tokenizer.Words(strings.FieldsFunc(text, isSpace)), text
	case len(r.Pair) != 2:
		j.err = fmt.Errorf("a pair of %d texts", len(r.Pair))
		return in, ""
	}
	a, _ := c.text(j, r.Pair[0])
	b, _ := c.text(j, r.Pair[1])
	return tokenizer.Pair(a, b), a + " + " + b
}

func (c *checker) batch(j *job, r *record, o tokenizer.Options) {
	var in []tokenizer.Input
	for _, i := range r.Batch {
		text, _ := c.text(j, i)
		in = append(in, tokenizer.Text(text))
	}
	list, err := c.tok.EncodeBatch(in, o)
	if j.err == nil {
		j.err = err
	}
	if j.err != nil {
		return
	}
	var got []encoded
	for _, e := range list {
		got = append(got, newEncoded(e))
	}
	j.compare("batch", fmt.Sprint(r.Batch), got, r.Rows)
}
