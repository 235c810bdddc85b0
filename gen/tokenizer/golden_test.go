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
	I    int    `json:"i"`
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
	if equal(got, want) {
		c.pass[what]++
		return
	}
	c.fail[what]++
	if c.shown[what]++; c.shown[what] <= 2 {
		c.t.Errorf("%s %s line %d %.200q\n got %.400s\nwant %.400s", c.name, what, line, text, fmt.Sprint(got), fmt.Sprint(want))
	}
}

// equal compares lists and texts; an empty list is as good as none.
func equal(got, want any) bool {
	switch g := got.(type) {
	case []int32:
		return slices.Equal(g, want.([]int32))
	case []int:
		return slices.Equal(g, want.([]int))
	case []string:
		return slices.Equal(g, want.([]string))
	}
	return got == want
}

var compared = []string{"ids", "sp", "dec", "dec_skip", "dec_sp", "raw", "stream", "offsets", "bytes", "sp_off", "long", "pair", "single"}

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
	c.check("dec", i, text, tok.Decode(g.IDs, false), dec)
	skip := dec
	if g.DecSkip != nil {
		skip = *g.DecSkip
	}
	c.check("dec_skip", i, text, tok.Decode(sp, true), skip)
	if g.DecSp != nil {
		c.check("dec_sp", i, text, tok.Decode(sp, false), *g.DecSp)
	}
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
		out = append(out, s.Next(id))
	}
	return out
}

// want reads a waiting stream as the empty piece.
func want(list []*string) []string {
	out := []string{}
	for _, p := range list {
		if p == nil {
			out = append(out, "")
		} else {
			out = append(out, *p)
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
func run(t *testing.T, name string, packed []byte, expect []golden, corpus map[int]string, long map[string]string) {
	t.Helper()
	tok, err := tokenizer.Load(packed)
	if err != nil {
		t.Fatal(err)
	}
	c := newTally(t, name)
	for i := range expect {
		switch g := &expect[i]; {
		case g.I != nil:
			c.line(tok, corpus[*g.I], g)
		case g.Long != "" && long != nil:
			c.long(tok, long[g.Long], g)
		case g.Pair != nil && g.Cut == nil && g.AddSp == nil:
			ids, types := tok.EncodePair(corpus[g.Pair[0]], corpus[g.Pair[1]])
			c.check("pair", g.Pair[0], "", fmt.Sprint(ids, types), fmt.Sprint(g.IDs, g.Types))
		}
	}
	c.report()
}

// unsupportedFamilies use components that are an error at compile time.
var unsupportedFamilies = []string{"unigram-t5", "unigram-xlmr", "unigram-bytes", "xlmr"}

// texts reads the whole corpus, by line.
func texts(t *testing.T, path string) map[int]string {
	out := map[int]string{}
	for i, l := range lines[corpusLine](t, path) {
		if l.I == 0 {
			l.I = i
		}
		out[l.I] = l.Text
	}
	return out
}

func longTexts(t *testing.T, path string) map[string]string {
	out := map[string]string{}
	for _, l := range lines[corpusLine](t, path) {
		out[l.Cat] = l.Text
	}
	return out
}

// shared returns the folder of the full golden data, or skips.
func shared(t testing.TB) string {
	dir := os.Getenv("TFGEN_SHARED")
	if dir == "" {
		t.Skip("TFGEN_SHARED is not set: the full corpus is not here")
	}
	return filepath.Join(dir, "golden/tokenizers")
}

// TestGoldenSubset runs the expectations that the repository holds.
func TestGoldenSubset(t *testing.T) {
	corpus := texts(t, "testdata/corpus.jsonl.gz")
	files, err := filepath.Glob("testdata/*.expected.jsonl.gz")
	if err != nil || len(files) != 23 {
		t.Fatalf("%d expectations, %v", len(files), err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".expected.jsonl.gz")
		t.Run(name, func(t *testing.T) {
			packed, err := FromJSON(unzip(t, "testdata/"+name+".json.gz"), nil)
			if err != nil {
				t.Fatal(err)
			}
			run(t, name, packed, lines[golden](t, f), corpus, nil)
		})
	}
}

func unzip(t testing.TB, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGoldenFamilies(t *testing.T) {
	dir := shared(t)
	corpus := texts(t, filepath.Join(dir, "corpus.jsonl"))
	long := longTexts(t, filepath.Join(dir, "long.jsonl.gz"))
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
			expect := lines[golden](t, f)
			path := filepath.Join(dir, expect[0].File)
			if !strings.HasPrefix(expect[0].File, "synthetic/") {
				path = filepath.Join(models(t), expect[0].File)
			}
			src, err := os.ReadFile(path)
			if err != nil {
				t.Skip("not fetched: ", err)
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

// TestDemoModel encodes the prompts of the model that ships with the project.
func TestDemoModel(t *testing.T) {
	dir := filepath.Join(filepath.Dir(filepath.Dir(shared(t))), "demo-model")
	packed, err := FromDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.Load(packed)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Prompt string  `json:"prompt"`
		IDs    []int32 `json:"input_ids"`
		Greedy []int32 `json:"greedy"`
		Text   string  `json:"text"`
	}
	if err := json.Unmarshal(b, &cases); err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, c := range cases {
		if got := tok.Encode(c.Prompt, true); !slices.Equal(got, c.IDs) {
			t.Errorf("%q\n got %v\nwant %v", c.Prompt, got, c.IDs)
		}
		if got := tok.Decode(c.Greedy, true); got != c.Text {
			t.Errorf("%v\n got %q\nwant %q", c.Greedy, got, c.Text)
		}
	}
}
