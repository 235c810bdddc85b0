package constrain

import (
	"bytes"
	"encoding/binary"
	"flag"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var update = flag.Bool("update", false, "write unicode.bin")

// encodeRanges writes the entry of a table in unicode.bin.
func encodeRanges(name string, t *unicode.RangeTable) []byte {
	spans := tableSet(t)
	out := append([]byte{byte(len(name))}, name...)
	out = binary.AppendUvarint(out, uint64(len(spans)))
	at := rune(0)
	for _, s := range spans {
		out = binary.AppendUvarint(out, uint64(s.lo-at))
		out = binary.AppendUvarint(out, uint64(s.hi-s.lo))
		at = s.hi
	}
	return out
}

// tableSet is a table of package unicode as a set.
func tableSet(t *unicode.RangeTable) chars {
	var spans []span
	add := func(lo, hi, stride rune) {
		if stride == 1 {
			spans = append(spans, span{lo, hi})
			return
		}
		for r := lo; r <= hi; r += stride {
			spans = append(spans, span{r, r})
		}
	}
	for _, r := range t.R16 {
		add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	for _, r := range t.R32 {
		add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	return set(spans...)
}

// TestUnicodeData holds unicode.bin, and all names, against package unicode.
func TestUnicodeData(t *testing.T) {
	var want []byte
	for _, name := range slices.Sorted(maps.Keys(unicode.Categories)) {
		if len(name) == 2 && name != "LC" {
			want = append(want, encodeRanges(name, unicode.Categories[name])...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(unicode.Scripts)) {
		want = append(want, encodeRanges(name, unicode.Scripts[name])...)
	}
	if *update {
		if err := os.WriteFile("unicode.bin", want, 0o644); err != nil {
			t.Fatal(err)
		}
		unicodeData = want
	}
	if !bytes.Equal(unicodeData, want) {
		t.Fatal("unicode.bin is not what package unicode has: run go test ./runtime/constrain -run UnicodeData -update")
	}
	for _, tables := range []map[string]*unicode.RangeTable{unicode.Categories, unicode.Scripts} {
		for name, table := range tables {
			if got, ok := unicodeSet(name); !ok || !slices.Equal(got, tableSet(table)) {
				t.Errorf("%s has other characters", name)
			}
		}
	}
	for name, short := range unicode.CategoryAliases {
		if got, ok := unicodeSet(name); !ok || !slices.Equal(got, tableSet(unicode.Categories[short])) {
			t.Errorf("%s has other characters than %s", name, short)
		}
	}
}

// patterns use everything that the syntax has; seeds of the fuzz target too.
var patterns = []string{
	``, `a`, `a|`, `|a`, `()`, `(a)`, `(?:a|b)c`, `(?i)k`, `(?i:k)k`, `(?i-i:k)`, `(?-i)k`, `(?s).`, `.`, `(?U)a+?`, `(?m)^a$`, `^a$`, `\Aa\z`, `(^a$)`, `(?:^a)b`, `^a|b$`,
	`a**`, `a*?`, `a*??`, `a+*`, `*a`, `(*a)`, `|*`, `a{2}`, `a{2,}`, `a{2,3}?`, `a{,2}`, `a{02}`, `a{3,2}`, `a{1001}`, `a{`, `a{1`, `a{x}`, `(a{100}){11}`, `(a{100}){10}`, `(a{0}){1000}`, `((a*){1000}){2}`,
	`[abc]`, `[^abc]`, `[a-c-e]`, `[]a]`, `[^]a]`, `[a-]`, `[-a]`, `[a`, `[]`, `[c-a]`, `[\d\s]`, `[\W]`, `[[:alpha:]_]`, `[[:^digit:]]`, `[[:nope:]]`, `[[:a]`, `[\pL]`, `[^\p{Greek}]`,
	`\d\D\s\S\w\W`, `\pL`, `\p{Lu}`, `\P{Lu}`, `\p{^Lu}`, `\PL`, `\p{Nope}`, `\p{Greek`, `\p`, `\pé`, `(?i)\p{Lu}`, `\p{Letter}`, `\p{Any}`, `\p{ASCII}`, `\p{Assigned}`, `(?i)[k-m]`, `(?i)[^k]`, `(?i)[[:lower:]]`, `(?i)\w`,
	`\x41`, `\x{41}`, `\x{110000}`, `\x{}`, `\x4`, `\x{4g}`, `\101`, `\0`, `\08`, `\1`, `\8`, `\a\f\n\r\t\v`, `\q`, `\_`, `\.`, `\é`, `\Qa.b\Ec`, `\Qa.b`, `\Q\E*`, `\Qab\E*`, `\b`, `\B`, `\C`, `\`,
	`(?P<n>a)`, `(?<n>a)`, `(?P<>a)`, `(?P<n a)`, `(?P<n-x>a)`, `(?P=n)`, `(?=a)`, `(?#a)`, `(?`, `(?i`, `(?i-)`, `(?-)`, `(?z)`, `(a`, `a)`, `(a|b`, `(?i)(?-i)a`, `a(?i)b|c`, `a(?i)*`, `a*(?i)*`, `(?:ab)*c`, `(?:ab){2}`, `x(?:ab)`, `(?:)*`, `^*`, `(?:^)*a`, "\xff", `[[:word:]-z]`, `[a-\d]`, `[\d-a]`,
}

// agrees holds a pattern against package regexp: whether it is one, and which of some texts it matches.
func agrees(t *testing.T, text string, rng *rand.Rand) {
	t.Helper()
	_, err := parsePattern(text)
	_, expected := syntax.Parse(text, syntax.Perl)
	if (err == nil) != (expected == nil) {
		if expected != nil && (strings.Contains(text, `\p`) || strings.Contains(text, `\P`) || strings.Contains(expected.Error(), "too large")) {
			return // names of scripts with underscores, which package regexp does not find; sizes, which compiling bounds
		}
		t.Fatalf("%q: %v, expected %v", text, err, expected)
	}
	if err != nil {
		return
	}
	g, err := Regexp(text)
	if err != nil {
		return // anchors within, or too large
	}
	re, err := regexp.Compile(`^(?:` + text + `)$`)
	if err != nil {
		return
	}
	alphabet := []rune("abckKxyz\u212aſéΩω09_-.^$\n ]{}(")
	for range 25 {
		var b strings.Builder
		for range rng.IntN(6) {
			b.WriteRune(alphabet[rng.IntN(len(alphabet))])
		}
		for _, s := range []string{b.String(), text} {
			if got, _ := matches(g, s); got != re.MatchString(s) {
				t.Fatalf("%q: %q matches %v", text, s, got)
			}
		}
	}
}

// FuzzPattern holds patterns against package regexp.
func FuzzPattern(f *testing.F) {
	for _, text := range patterns {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 60 {
			return
		}
		agrees(t, text, rand.New(rand.NewPCG(4, 4)))
	})
}
