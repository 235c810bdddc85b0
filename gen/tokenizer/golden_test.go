package tokenizer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/runtime/tokenizer"
)

// golden is a line of an expectation file.
type golden struct {
	Family string `json:"family"`
	File   string `json:"file"`
	Vocab  int    `json:"vocab_size"`

	I       *int      `json:"i"`
	IDs     []int32   `json:"ids"`
	Off     []int     `json:"off"`
	ByteOff []int     `json:"boff"`
	Sp      []int32   `json:"sp"`
	SpOff   []int     `json:"sp_off"`
	Dec     *string   `json:"dec"`
	DecSkip *string   `json:"dec_skip"`
	DecSp   *string   `json:"dec_sp"`
	Raw     []int32   `json:"raw"`
	Stream  []*string `json:"stream"`

	Long   string  `json:"long"`
	N      int     `json:"n"`
	SHA    string  `json:"sha256"`
	Head   []int32 `json:"head"`
	Pair   []int   `json:"pair"`
	Types  []int32 `json:"types"`
	Cut    any     `json:"truncation"`
	AddSp  *bool   `json:"add_special_tokens"`
	Single *int    `json:"single"`
}

type corpusLine struct {
	Cat  string `json:"cat"`
	Text string `json:"text"`
}

// lines decodes a file of JSON lines, packed by gzip or not.
func lines[T any](t testing.TB, path string) []T {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var r io.Reader = bytes.NewReader(b)
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(r); err != nil {
			t.Fatal(err)
		}
	}
	var out []T
	d := json.NewDecoder(bufio.NewReader(r))
	for d.More() {
		var v T
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// tally counts the comparisons of a family by what was compared.
type tally struct {
	name       string
	pass, fail map[string]int
	shown      map[string]int
	t          *testing.T
}

func newTally(t *testing.T, name string) *tally {
	return &tally{name, map[string]int{}, map[string]int{}, map[string]int{}, t}
}

func (c *tally) check(what string, line int, text string, got, want any) {
	if fmt.Sprint(got) == fmt.Sprint(want) {
		c.pass[what]++
		return
	}
	c.fail[what]++
	if c.shown[what]++; c.shown[what] <= 2 {
		c.t.Errorf("%s %s line %d %.200q\n got %.400s\nwant %.400s", c.name, what, line, text, fmt.Sprint(got), fmt.Sprint(want))
	}
}

var compared = []string{"ids", "sp", "dec", "dec_skip", "raw", "stream", "offsets", "bytes", "sp_off", "long", "pair", "single"}

func (c *tally) report() {
	var s []string
	for _, what := range compared {
		if n := c.pass[what] + c.fail[what]; n > 0 {
			s = append(s, fmt.Sprintf("%s %d/%d", what, c.pass[what], n))
		}
	}
	c.t.Logf("%s: %s", c.name, strings.Join(s, ", "))
}

func (c *tally) line(tok *tokenizer.Tokenizer, text string, g *golden) {
	i := *g.I
	ids := tok.Encode(text, false)
	c.check("ids", i, text, ids, g.IDs)
	sp := g.Sp
	if sp == nil {
		sp = g.IDs
	}
	c.check("sp", i, text, tok.Encode(text, true), sp)
	raw := g.Raw
	if raw == nil {
		raw = g.IDs
	}
	c.check("raw", i, text, tok.EncodeLiteral(text, false), raw)
	dec := text
	if g.Dec != nil {
		dec = *g.Dec
	}
	c.check("dec", i, text, quote(tok.Decode(g.IDs, false)), quote(dec))
	skip := dec
	if g.DecSkip != nil {
		skip = *g.DecSkip
	}
	c.check("dec_skip", i, text, quote(tok.Decode(sp, true)), quote(skip))
	offIDs, off := tok.EncodeOffsets(text, false)
	c.check("ids", i, text, offIDs, g.IDs)
	bytes := g.ByteOff
	if bytes == nil {
		bytes = g.Off
	}
	c.check("bytes", i, text, flat(off), bytes)
	c.check("offsets", i, text, runes(text, off), g.Off)
	if g.SpOff != nil {
		_, off := tok.EncodeOffsets(text, true)
		c.check("sp_off", i, text, runes(text, off), g.SpOff)
	}
	if g.Stream != nil {
		c.check("stream", i, text, pieces(tok, g.IDs), want(g.Stream))
	}
}

func quote(s string) string { return fmt.Sprintf("%q", s) }

func flat(off [][2]int) []int {
	out := []int{}
	for _, o := range off {
		out = append(out, o[0], o[1])
	}
	return out
}

// runes turns byte offsets into code points.
func runes(text string, off [][2]int) []int {
	out := flat(off)
	at := make([]int, len(text)+1)
	n := 0
	for i := range text {
		at[i] = n
		n++
	}
	at[len(text)] = n
	for i, v := range out {
		out[i] = at[v]
	}
	return out
}

func pieces(tok *tokenizer.Tokenizer, ids []int32) []string {
	s := tok.NewStream(false)
	out := []string{}
	for _, id := range ids {
		out = append(out, quote(s.Next(id)))
	}
	return out
}

// want reads a waiting stream as the empty piece.
func want(list []*string) []string {
	out := []string{}
	for _, p := range list {
		if p == nil {
			out = append(out, quote(""))
		} else {
			out = append(out, quote(*p))
		}
	}
	return out
}

func (c *tally) long(tok *tokenizer.Tokenizer, text string, g *golden) {
	ids := tok.Encode(text, false)
	h := sha256.New()
	for _, id := range ids {
		h.Write(binary.LittleEndian.AppendUint32(nil, uint32(id)))
	}
	got := fmt.Sprint(len(ids), hex.EncodeToString(h.Sum(nil)))
	c.check("long", 0, g.Long, got, fmt.Sprint(g.N, g.SHA))
}

// run compares a family's expectations with what the packed tokenizer does.
func run(t *testing.T, name string, packed []byte, expect []golden, corpus []corpusLine, long []corpusLine) {
	tok, err := tokenizer.Load(packed)
	if err != nil {
		t.Fatal(err)
	}
	c := newTally(t, name)
	for i := range expect {
		switch g := &expect[i]; {
		case g.I != nil:
			c.line(tok, corpus[*g.I].Text, g)
		case g.Long != "" && long != nil:
			k := slices.IndexFunc(long, func(l corpusLine) bool { return l.Cat == g.Long })
			c.long(tok, long[k].Text, g)
		case g.Pair != nil && g.Cut == nil && g.AddSp == nil:
			ids, types := tok.EncodePair(corpus[g.Pair[0]].Text, corpus[g.Pair[1]].Text)
			c.check("pair", g.Pair[0], "", fmt.Sprint(ids, types), fmt.Sprint(g.IDs, g.Types))
		}
	}
	c.report()
}

// families that this engine supports; the others of the golden data give an error at compile time.
var unsupportedFamilies = []string{"unigram-t5", "unigram-xlmr", "unigram-bytes", "xlmr"}

func TestGoldenFamilies(t *testing.T) {
	shared := os.Getenv("TFGEN_SHARED")
	if shared == "" {
		t.Skip("TFGEN_SHARED is not set: the full corpus is not here")
	}
	dir := filepath.Join(shared, "golden/tokenizers")
	corpus := lines[corpusLine](t, filepath.Join(dir, "corpus.jsonl"))
	long := lines[corpusLine](t, filepath.Join(dir, "long.jsonl.gz"))
	files, err := filepath.Glob(filepath.Join(dir, "expected/*.jsonl.gz"))
	if err != nil || len(files) == 0 {
		t.Fatal("no expectations", err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".jsonl.gz")
		if name == "components" || strings.HasPrefix(name, "gguf-") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expect := lines[golden](t, f)
			path := filepath.Join(dir, expect[0].File)
			if !strings.HasPrefix(expect[0].File, "synthetic/") {
				if os.Getenv("TFGEN_MODELS") == "" {
					t.Skip("TFGEN_MODELS is not set: the published tokenizer is not here")
				}
				path = filepath.Join(os.Getenv("TFGEN_MODELS"), expect[0].File)
			}
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			packed, err := FromJSON(src, nil)
			if slices.Contains(unsupportedFamilies, name) {
				if err == nil || !strings.Contains(err.Error(), "supported are") {
					t.Fatalf("error %v, expected one that names what is supported", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			run(t, name, packed, expect, corpus, long)
		})
	}
}
