package constrain

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/tfgen/tfgen/runtime/sample"
)

// matches reports whether a text follows a grammar, and whether it may be the
// beginning of one that does.
func matches(g *Grammar, text string) (whole, prefix bool) {
	s := g.Start(nil)
	if _, err := s.Write([]byte(text)); err != nil {
		return false, false
	}
	return s.Complete(), true
}

func must(t testing.TB, g *Grammar, err error) *Grammar {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// of returns a function that fails for an error and returns the grammar.
func of(t testing.TB) func(*Grammar, error) *Grammar {
	return func(g *Grammar, err error) *Grammar { t.Helper(); return must(t, g, err) }
}

func TestRegexpAgreesWithGo(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, pattern := range []string{
		`a*b`, `(a|b)*abb`, `[a-c]{2,4}`, `a?b+c*`, `(?i)aBc`, `ab|cd|`, `^(a(b|c)+)$`, `[^a]b`, `.{3}`, `(ab){1,2}(ba)?`, `\d+|[äöü€😀-😂]+`, `[\x{0}-\x{10ffff}]c`, `a{0}`, `((a*)*)*b`,
	} {
		g, err := Regexp(pattern)
		g = must(t, g, err)
		re := regexp.MustCompile(`^(?:` + pattern + `)$`)
		for range 3000 {
			var b strings.Builder
			for range r.IntN(6) {
				b.WriteString([]string{"a", "b", "c", "B", "d", "1", "ä", "€", "😀", "😂", "\x00"}[r.IntN(11)])
			}
			if got, _ := matches(g, b.String()); got != re.MatchString(b.String()) {
				t.Fatalf("%s: %q matches %v", pattern, b.String(), got)
			}
		}
	}
}

func TestRegexpErrors(t *testing.T) {
	for pattern, says := range map[string]string{
		`a\bb`: "not supported", `a^b`: "not supported", `(`: "missing", `(?=a)`: "invalid", `(a)\1`: "invalid", `[^\x{0}-\x{10ffff}]`: "no text",
		`(a{1000}){1000}`: "", `x{1001}`: "repeat",
	} {
		if _, err := Regexp(pattern); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", pattern, err, says)
		}
	}
}

// TestUTF8Spans checks that byte ranges spell exactly the characters of ranges.
func TestUTF8Spans(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 40 {
		lo := rune(r.IntN(0x10ffff))
		s := set(span{lo, min(lo+rune(r.IntN(0x3000)), 0x10ffff)})
		g := of(t)(compile([]node{choice{s, literal("x")}}, []string{"r"}, 0))
		for range 400 {
			c := rune(r.IntN(0x110000))
			if r.IntN(2) == 0 {
				c = lo - 10 + rune(r.IntN(0x3020))
			}
			if c < 0 || c > 0x10ffff || c >= 0xd800 && c < 0xe000 {
				continue
			}
			want := c == 'x' || len(s.and(chars{{c, c}})) > 0
			if got, _ := matches(g, string(c)); got != want {
				t.Fatalf("%v: %U is %v", s, c, got)
			}
		}
		for _, bad := range []string{"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80"} {
			if _, prefix := matches(of(t)(Regexp(`(?s).`)), bad); prefix {
				t.Fatalf("%q is a character", bad)
			}
		}
	}
}

func TestGBNF(t *testing.T) {
	for _, c := range []struct {
		grammar string
		yes, no []string
	}{
		{`root ::= "a" | "b" "c"*`, []string{"a", "b", "bccc"}, []string{"", "ab", "c"}},
		{"root ::= expr # a comment\nexpr ::= term (\"+\" term)*\nterm ::= [0-9]+ | \"(\" expr \")\"", []string{"1", "1+23", "((1)+(2+3))"}, []string{"", "1+", "(1", "1)"}},
		{"root ::= (\n  \"a\"\n  | \"b\"\n)+\n", []string{"abba"}, []string{""}},
		{"root ::= \"x\"\n  | \"y\"\nws ::= [ \\t\\n]*", []string{"x", "y"}, []string{"xy"}},
		{`root ::= [^a-c\]\n]{2,3}`, []string{"de", "äß€"}, []string{"d", "ad", "d]", "dddd"}},
		{`root ::= "\x41\u00e9\U0001F600\n"`, []string{"Aé😀\n"}, nil},
		{`root ::= "a"{2} "b"{1,} "c"{0,1}`, []string{"aab", "aabbbc"}, []string{"ab", "aa", "aabcc"}},
		{"s = 'a' s 'b' | '' ;\nt = s;", []string{"", "ab", "aaabbb"}, []string{"aab", "ba"}},
		{"root ::= .", []string{"€"}, []string{"", "ab"}},
		{`root ::= [a-z#x41-#x43-]`, []string{"B", "-", "q"}, []string{"D"}},
		{"root ::= list\nlist ::= item | item \",\" list\nitem ::= \"x\"", []string{"x", "x,x,x,x,x,x,x,x"}, []string{"x,"}},
		{`root ::= ("a" | "a" "b")* "c"`, []string{"c", "aababc"}, []string{"b", "ab"}},
	} {
		g, err := GBNF(c.grammar)
		if err != nil {
			t.Errorf("%s: %v", c.grammar, err)
			continue
		}
		for _, s := range c.yes {
			if whole, _ := matches(g, s); !whole {
				t.Errorf("%s: %q does not match", c.grammar, s)
			}
		}
		for _, s := range c.no {
			if whole, _ := matches(g, s); whole {
				t.Errorf("%s: %q matches", c.grammar, s)
			}
		}
	}
}

func TestGBNFErrors(t *testing.T) {
	for grammar, says := range map[string]string{
		"":                                      "no rules",
		"root ::= x":                            "rule x is not defined",
		"root ::= root \"a\" | \"b\"":           "left-recursive",
		"root ::= a\na ::= \"\" root":           "left-recursive",
		"root ::= \"a":                          "does not end",
		"root ::= [a":                           "does not end",
		"root ::= (\"a\"":                       "expected )",
		"root \"a\"":                            "expected ::=",
		"root ::= \"a\"\nroot ::= \"b\"":        "defined twice",
		"root ::= [z-a]":                        "wrong way",
		"root ::= \"\\q\"":                      "no such escape",
		"root ::= \"a\"{3,2}":                   "{n,m}",
		"root ::= \"a\"{99999}":                 "at most",
		"root ::= \"\\uD8\"":                    "digits",
		"root ::= <think>":                      "not supported",
		"root ::= \"a\" root":                   "no text",
		"\n\nroot ::= \"a\" )":                  "line 3",
		strings.Repeat("(", 5000):               "expected the name",
		"root ::= " + strings.Repeat("(", 5000): "too deeply",
	} {
		if _, err := GBNF(grammar); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.40q: %v, want %q", grammar, err, says)
		}
	}
}

func TestChoices(t *testing.T) {
	g := of(t)(Choices("yes", "yesterday", "no", "naïve"))
	for text, want := range map[string][2]bool{"yes": {true, true}, "yest": {false, true}, "naï": {false, true}, "na\xc3": {false, true}, "na\xc4": {false, false}, "x": {false, false}, "": {false, true}} {
		if whole, prefix := matches(g, text); whole != want[0] || prefix != want[1] {
			t.Errorf("%q: %v, %v", text, whole, prefix)
		}
	}
	if _, err := Choices(); err == nil {
		t.Error("no choices give no error")
	}
}

// toy returns a vocabulary of all bytes and many longer tokens; token 0 ends a text.
func toy(r *rand.Rand, more ...string) *Vocabulary {
	pieces := []string{""}
	for b := range 256 {
		pieces = append(pieces, string([]byte{byte(b)}))
	}
	alphabet := []string{"a", "b", "{", "}", "[", "]", "\"", ":", ",", " ", "\n", "1", "0", "-", ".", "t", "true", "null", "é", "\xe2", "\x82\xac", "\\", "u"}
	for range 1500 {
		var b strings.Builder
		for range 1 + r.IntN(4) {
			b.WriteString(alphabet[r.IntN(len(alphabet))])
		}
		pieces = append(pieces, b.String())
	}
	pieces = append(pieces, more...)
	return NewVocabulary(len(pieces), func(dst []byte, id int32) []byte { return append(dst, pieces[id]...) }, []int32{0})
}

// TestMasks compares masks with trying every token, along random texts.
func TestMasks(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	v := toy(r)
	for name, g := range grammars(t) {
		for range 3 {
			s := g.Start(v)
			for range 14 {
				if s.Done() {
					break
				}
				id := checkMask(t, name, s, r)
				if id <= 0 {
					break
				}
				if err := s.Accept(id); err != nil {
					t.Fatalf("%s: an allowed token is rejected: %v", name, err)
				}
			}
		}
	}
}

// checkMask compares the mask of a state with trying every token and returns a
// random allowed one, -1 for none.
func checkMask(t *testing.T, name string, s *State, r *rand.Rand) int32 {
	t.Helper()
	var allowed []int32
	for id := range int32(s.vocab.Size()) {
		c := s.Clone()
		want := c.Accept(id) == nil
		if id == 0 {
			want = s.Complete()
		}
		if got := s.Allows(id); got != want {
			t.Fatalf("%s: token %d %q is allowed: %v, should be %v", name, id, s.vocab.text(id), got, want)
		}
		if want {
			allowed = append(allowed, id)
		}
	}
	if len(allowed) != s.Count() {
		t.Fatalf("%s: %d allowed, count %d", name, len(allowed), s.Count())
	}
	if len(allowed) == 0 {
		t.Fatalf("%s: nothing is allowed", name)
	}
	return allowed[r.IntN(len(allowed))]
}

// grammars are grammars of every kind.
func grammars(t testing.TB) map[string]*Grammar {
	list := map[string]*Grammar{"json": JSON()}
	add := func(name string, g *Grammar, err error) {
		t.Helper()
		list[name] = must(t, g, err)
	}
	g, err := Regexp(`(a|b|é|€){3,}c?`)
	add("regexp", g, err)
	g, err = Choices("ab", "a{b", "true", "tru€", "")
	add("choices", g, err)
	g, err = GBNF("root ::= \"[\" (root (\",\" root)*)? \"]\" | [a-z€]+ | \"{\" root \"}\"")
	add("nested", g, err)
	g, err = JSONSchema([]byte(`{"type":"object","properties":{"a":{"type":"string","maxLength":3},"b":{"type":["integer","null"]},"a0":{"$ref":"#"}},"required":["b"],"additionalProperties":{"type":"boolean"}}`))
	add("schema", g, err)
	return list
}

// TestGeneratedTextsAreValid generates texts by random tokens and validates them.
func TestGeneratedTextsAreValid(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	v := toy(r, `"name"`, `"kind"`, `: `, `", "`, `true`, `false`)
	for _, schema := range []string{
		`{"type":"object","properties":{"name":{"type":"string","minLength":1,"maxLength":6},"age":{"type":"integer","minimum":0,"maximum":150},"tags":{"type":"array","items":{"enum":["x","y",3,null,{"k":[1]}]},"minItems":1,"maxItems":3}},"required":["name","tags"],"additionalProperties":false}`,
		`{"type":"array","prefixItems":[{"type":"boolean"},{"const":"a\"b"}],"items":{"type":"number"},"minItems":1,"maxItems":5}`,
		`{"anyOf":[{"type":"null"},{"type":"string","pattern":"^[ab\"\\\\]{2,4}$"},{"type":"string","pattern":"^[ab]{0,4}b1"}]}`,
		`{"$defs":{"node":{"type":"object","properties":{"v":{"type":"integer"},"next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}},"required":["v","next"]}},"$ref":"#/$defs/node"}`,
		`{"oneOf":[{"type":"object","properties":{"kind":{"const":"a"},"x":{"type":"number","minimum":-1.5,"exclusiveMaximum":2.25}},"required":["kind","x"]},{"type":"object","properties":{"kind":{"const":"b"}},"required":["kind"]}]}`,
		`{"allOf":[{"type":"object","properties":{"a":{"type":"integer","minimum":3}}},{"properties":{"a":{"maximum":12},"b":{"type":"boolean"}},"required":["a"]}]}`,
		`{"type":"object","additionalProperties":{"type":"integer"},"properties":{"aa":{"type":"boolean"},"ab":{"type":"null"}}}`,
		`{"type":"string","minLength":2,"maxLength":4}`,
		`{"type":"object"}`, `true`, `{"type":"integer","exclusiveMinimum":-20,"maximum":-7}`, `{"type":"number","minimum":0.5,"maximum":0.75}`, `{"type":"number","exclusiveMinimum":1,"maximum":1.125}`, `{"type":"number","minimum":2}`,
	} {
		g := of(t)(JSONSchema([]byte(schema)))
		c := jsonschema.NewCompiler()
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(schema))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource("s.json", doc); err != nil {
			t.Fatal(err)
		}
		valid := c.MustCompile("s.json")
		seen := map[string]bool{}
		for range 60 {
			text := generate(t, g, v, r)
			seen[text] = true
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
			if err == nil {
				err = valid.Validate(value)
			}
			if err != nil {
				t.Fatalf("%s: %q: %v", schema, text, err)
			}
		}
		if len(seen) < 4 {
			t.Errorf("%s: only %d different texts", schema, len(seen))
		}
	}
}

// generate returns a random text that follows a grammar. It tends to its end.
func generate(t *testing.T, g *Grammar, v *Vocabulary, r *rand.Rand) string {
	t.Helper()
	s := g.Start(v)
	var text []byte
	for n := 0; !s.Done(); n++ {
		if s.Complete() && (n > 30 || r.IntN(4) == 0) {
			break
		}
		m := s.mask()
		var allowed []int32
		for i, word := range m.bits {
			for b := range 64 {
				if word>>b&1 != 0 && i*64+b != 0 {
					allowed = append(allowed, int32(i*64+b))
				}
			}
		}
		for _, c := range `"}]` { // inside a string, the quote ends it
			if id := 1 + c; n > 20 && s.Allows(id) {
				allowed = []int32{id}
				break
			}
		}
		if n > 3000 || len(allowed) == 0 {
			t.Fatalf("no end: %q", text)
		}
		id := allowed[r.IntN(len(allowed))]
		text = v.AppendBytes(text, id)
		if err := s.Accept(id); err != nil {
			t.Fatal(err)
		}
	}
	return string(text)
}

func TestSchemaMatches(t *testing.T) {
	for _, c := range []struct {
		schema  string
		yes, no []string
	}{
		{`{"type":"integer","minimum":-12,"maximum":205}`, []string{"-12", "0", "7", "99", "100", "205", "-1"}, []string{"-13", "206", "1.0", "01", "-0", "1000"}},
		{`{"type":"number","minimum":0.25,"exclusiveMaximum":10}`, []string{"0.25", "0.3", "1", "9.999", "0.250"}, []string{"0.2", "0.2499", "10", "10.0", "-1", "0"}},
		{`{"type":"number","exclusiveMinimum":-1,"maximum":1.5}`, []string{"-0.5", "0", "1.5", "1.49", "1.50"}, []string{"-1", "-1.0", "1.51", "2"}},
		{`{"type":"string","format":"date"}`, []string{`"2024-02-28"`}, []string{`"2024-02-30"`, `"2024-13-01"`, `"x"`}},
		{`{"type":"string","format":"uuid"}`, []string{`"123e4567-e89b-12d3-a456-426614174000"`}, []string{`"123e4567"`}},
		{`{"const":{"a":[1,"x"]}}`, []string{`{"a":[1,"x"]}`}, []string{`{"a":[1]}`}},
		{`{"enum":["a",1],"type":"string"}`, []string{`"a"`}, []string{"1"}},
		{`{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"},"c":{"type":"integer"}},"required":["b"]}`,
			[]string{`{"b":1}`, `{ "a": 1, "b": 2 }`, `{"a":1,"b":2,"c":3}`, `{"b":2,"c":3}`}, []string{`{}`, `{"a":1}`, `{"b":1,"a":1}`, `{"b":1,}`, `{"b":1,"d":1}`}},
		{`{"type":"array","maxItems":0}`, []string{"[]", "[ ]"}, []string{"[1]"}},
		{`{"type":"array","items":false}`, []string{"[]"}, []string{"[1]"}},
		{`{"items":[{"type":"null"}],"additionalItems":{"type":"boolean"},"type":"array"}`, []string{"[]", "[null]", "[null,true,false]"}, []string{"[true]"}},
		{`{"type":"string"}`, []string{`"a\u00e9\n\ud83d\ude00"`, `"€"`}, []string{`"\ud83d"`, "\"\n\"", `"\x"`}},
		{`{"type":"string","pattern":"^\\u0041+$"}`, []string{`"AA"`}, []string{`"B"`}},
		{`{"type":"object","additionalProperties":{"type":"null"},"properties":{"ab":{"type":"boolean"}}}`, []string{`{}`, `{"a":null}`, `{"ab":true,"abc":null,"b":null}`}, []string{`{"ab":null}`, `{"a":true}`}},
		{`{"$ref":"#/definitions/a","definitions":{"a":{"type":"array","items":{"$ref":"#/definitions/a"}}}}`, []string{"[[],[[]]]"}, []string{"[1]"}},
	} {
		g, err := JSONSchema([]byte(c.schema))
		if err != nil {
			t.Errorf("%s: %v", c.schema, err)
			continue
		}
		for _, s := range c.yes {
			if whole, _ := matches(g, s); !whole {
				t.Errorf("%s: %s does not match", c.schema, s)
			}
		}
		for _, s := range c.no {
			if whole, _ := matches(g, s); whole {
				t.Errorf("%s: %s matches", c.schema, s)
			}
		}
	}
}

func TestSchemaErrors(t *testing.T) {
	for schema, says := range map[string]string{
		`{"type":"string","not":{}}`:                                  "the keyword not is not supported",
		`{"type":"array","uniqueItems":true}`:                         "uniqueItems",
		`{"type":"integer","multipleOf":3}`:                           "multipleOf",
		`{"type":"thing"}`:                                            "no such type",
		`{"$ref":"#"}`:                                                "left-recursive",
		`{"$ref":"#/nowhere"}`:                                        "names nothing",
		`{"$ref":"http://example.com/x"}`:                             "within the document",
		`{"oneOf":[{"type":"integer"},{"type":"number"}]}`:            "may both hold",
		`{"type":"string","format":"color"}`:                          "format color",
		`{"type":"string","pattern":"(?=a)"}`:                         "regular expression",
		`{"type":"string","pattern":"a","maxLength":3}`:               "write them in the pattern",
		`{"type":"integer","minimum":5,"maximum":4}`:                  "no integer",
		`{"enum":[]}`:                                                 "no text",
		`false`:                                                       "no text",
		`{"type":"object","properties":{"a":false},"required":["a"]}`: "no text",
		`{"a":`:                            "found the end",
		`{} {}`:                            "nothing more",
		`3`:                                "a schema is an object",
		`{"type":"object","type":"array"}`: "stands twice",
		`{"type":"object","anyOf":[{"$ref":"#"},{"$ref":"#"}]}`:              "too",
		`{"allOf":[{"$ref":"#"}]}`:                                           "circle",
		strings.Repeat("[", 1000):                                            "too deeply",
		`{"type":"object","properties":{"n":{"$ref":"#"}},"required":["n"]}`: "no text",
	} {
		begin := time.Now()
		if _, err := JSONSchema([]byte(schema)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.60s: %v, want %q", schema, err, says)
		}
		if d := time.Since(begin); d > 2*time.Second {
			t.Errorf("%.60s: took %v", schema, d)
		}
	}
}

func TestStateErrors(t *testing.T) {
	v := toy(rand.New(rand.NewPCG(5, 5)))
	s := JSON().Start(v)
	if err := s.Accept(0); !errors.Is(err, ErrRejected) {
		t.Error("a special token:", err)
	}
	if err := s.Accept(int32(1 + 'x')); !errors.Is(err, ErrRejected) {
		t.Error("x:", err)
	}
	if err := s.Accept(int32(1 + '[')); err != nil {
		t.Error("the state is not as before an error:", err)
	}
	if _, err := s.Write([]byte("1]")); err != nil || !s.Done() {
		t.Error(err, s.Done())
	}
	if s.Reset(); s.Done() || s.Complete() {
		t.Error("Reset")
	}
}

// TestDeepNesting checks that texts may nest deeply and that masks stay quick.
func TestDeepNesting(t *testing.T) {
	s := JSON().Start(toy(rand.New(rand.NewPCG(6, 6))))
	begin := time.Now()
	for range 600 {
		if err := s.Accept(int32(1 + '[')); err != nil {
			t.Fatal(err)
		}
	}
	for range 600 {
		if !s.Allows(int32(1 + ']')) {
			t.Fatal("a bracket cannot be closed")
		}
		if err := s.Accept(int32(1 + ']')); err != nil {
			t.Fatal(err)
		}
	}
	if !s.Done() {
		t.Error("not done")
	}
	if d := time.Since(begin); d > 20*time.Second {
		t.Error(d)
	}
}

// TestOnly checks what Allow does to candidates.
func TestOnly(t *testing.T) {
	v := toy(rand.New(rand.NewPCG(7, 7)))
	logits := make([]float32, v.Size()+5)
	for i := range logits {
		logits[i] = float32(i)
	}
	for name, g := range grammars(t) {
		s := g.Start(v)
		p, err := sample.New(sample.Options{}, processor{s})
		if err != nil {
			t.Fatal(err)
		}
		id, err := p.Next(logits, nil, 0)
		best := int32(-1)
		for i := range int32(v.Size()) {
			if s.Allows(i) {
				best = i
			}
		}
		if err != nil || id != best {
			t.Errorf("%s: %d, want %d, %v", name, id, best, err)
		}
	}
}

type processor struct{ s *State }

func (p processor) Process(c *sample.Candidates) { p.s.Allow(c) }

// large returns a vocabulary of the size and kind of large models'.
func large(n int) *Vocabulary {
	r := rand.New(rand.NewPCG(8, 8))
	pieces := make([]string, 0, n)
	pieces = append(pieces, "")
	for b := range 256 {
		pieces = append(pieces, string([]byte{byte(b)}))
	}
	punctuation := []string{`"`, `",`, `":`, `"}`, `{"`, `": "`, `, "`, "\n", "  ", "[", "]", "}", "},", "1", "23", ".5", "-", "true", "null"}
	pieces = append(pieces, punctuation...)
	seen := map[string]bool{}
	for len(pieces) < n {
		var b strings.Builder
		if r.IntN(2) == 0 {
			b.WriteByte(' ')
		}
		for range 2 + r.IntN(8) {
			b.WriteByte("etaoinshrdlcumwfgypbvk"[min(r.IntN(22), r.IntN(22))])
		}
		if r.IntN(25) == 0 {
			b.WriteString(punctuation[r.IntN(len(punctuation))])
		}
		if !seen[b.String()] {
			seen[b.String()] = true
			pieces = append(pieces, b.String())
		}
	}
	return NewVocabulary(n, func(dst []byte, id int32) []byte { return append(dst, pieces[id]...) }, []int32{0})
}

// sampleText is a text as a model would generate it, in tokens of v.
func sampleText(v *Vocabulary, text string) (ids []int32) {
	for len(text) > 0 {
		best, n := int32(-1), 0
		for id := range int32(v.Size()) {
			if p := v.text(id); len(p) > n && strings.HasPrefix(text, string(p)) {
				best, n = id, len(p)
			}
		}
		ids, text = append(ids, best), text[n:]
	}
	return ids
}

// BenchmarkToken measures a constraint's cost per token at 131,072 tokens:
// mask, its application to candidates, and the step.
func BenchmarkToken(b *testing.B) {
	v := large(1 << 17)
	text := `{"name": "a rather long string that goes on", "age": 23, "tags": ["one", "two", "three"], "next": {"name": "x", "age": 1, "tags": []}}`
	ids := sampleText(v, text)
	schema := `{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"},"tags":{"type":"array","items":{"type":"string"}},"next":{"$ref":"#"}},"required":["name","age"]}`
	for name, g := range map[string]*Grammar{"json": JSON(), "schema": of(b)(JSONSchema([]byte(schema)))} {
		b.Run(name, func(b *testing.B) {
			logits := make([]float32, v.Size())
			p := new(timed)
			n := 0
			for b.Loop() {
				p.s = g.Start(v)
				chain, _ := sample.New(sample.Options{}, p)
				for _, id := range ids {
					if _, err := chain.Process(logits, nil, 0); err != nil {
						b.Fatal(err)
					}
					begin := time.Now()
					if err := p.s.Accept(id); err != nil {
						b.Fatal(err)
					}
					p.total += time.Since(begin)
					n++
				}
			}
			b.ReportMetric(float64(p.total.Microseconds())/float64(n), "µs/token")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// timed is the processor of a state that measures its time.
type timed struct {
	s     *State
	total time.Duration
}

func (p *timed) Process(c *sample.Candidates) {
	begin := time.Now()
	p.s.Allow(c)
	p.total += time.Since(begin)
}

// BenchmarkMask measures the first and later masks of a state.
func BenchmarkMask(b *testing.B) {
	v := large(1 << 17)
	for name, at := range map[string]string{"string": `{"a": "b`, "value": `{"a": `, "key": `{`} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				g := JSON()
				s := g.Start(v)
				if _, err := s.Write([]byte(at)); err != nil {
					b.Fatal(err)
				}
				s.Count()
			}
		})
	}
}

func FuzzSchema(f *testing.F) {
	for _, s := range []string{`true`, `{"type":"object","properties":{"a":{"type":"string","pattern":"^a+$"}}}`, `{"anyOf":[{"const":1},{"$ref":"#/anyOf/0"}]}`,
		`{"type":"array","items":{"type":"number","minimum":1.5},"minItems":2,"maxItems":4}`, `{"allOf":[{"minLength":2},{"maxLength":3,"type":"string"}]}`} {
		f.Add(s)
	}
	v := toy(rand.New(rand.NewPCG(9, 9)))
	f.Fuzz(func(t *testing.T, schema string) {
		g, err := JSONSchema([]byte(schema))
		if err != nil {
			return
		}
		exercise(t, g, v, func(text []byte) error {
			if !json.Valid(text) {
				return fmt.Errorf("no JSON")
			}
			return nil
		})
	})
}

func FuzzGBNF(f *testing.F) {
	for _, s := range []string{`root ::= "a" | "b" root "c"`, "root ::= x{2,3}\nx ::= [^a-z]* | .?", `s = 'a' s 'b' | '' ;`} {
		f.Add(s)
	}
	v := toy(rand.New(rand.NewPCG(9, 9)))
	f.Fuzz(func(t *testing.T, grammar string) {
		if g, err := GBNF(grammar); err == nil {
			exercise(t, g, v, func([]byte) error { return nil })
		}
	})
}

// exercise generates a text and checks it.
func exercise(t *testing.T, g *Grammar, v *Vocabulary, check func([]byte) error) {
	r := rand.New(rand.NewPCG(1, 1))
	s := g.Start(v)
	var text []byte
	for range 60 {
		if s.Complete() {
			if err := check(text); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
		}
		var allowed []int32
		for id := range int32(v.Size()) {
			if id > 0 && s.Allows(id) {
				allowed = append(allowed, id)
			}
		}
		if len(allowed) == 0 {
			if !s.Complete() && !s.machine.failed {
				t.Fatalf("%q: nothing may follow, and it is not complete", text)
			}
			return
		}
		id := allowed[r.IntN(len(allowed))]
		if err := s.Accept(id); err != nil {
			if !slices.Contains([]bool{errors.Is(err, ErrRejected)}, false) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		text = v.AppendBytes(text, id)
	}
}
