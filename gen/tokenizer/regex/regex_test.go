package regex

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestMatches compares with what Oniguruma matches.
func TestMatches(t *testing.T) {
	for _, c := range []struct{ expr, text, want string }{
		{`a+`, "baab a", "[[1 3] [5 6]]"},
		{`a*`, "baa", "[[0 0] [1 3]]"},
		{`(?i)ss`, "ß sS ſs", "[[0 2] [3 5] [6 9]]"},
		{`(?i)ß`, "SSß", "[[0 2] [2 4]]"},
		{`(?i)k`, "kK\u212a", "[[0 1] [1 2] [2 5]]"},
		{`(?<=a)b|(?<!a)c`, "abcac", "[[1 2] [2 3]]"},
		{`(?=b)`, "abb", "[[1 1] [2 2]]"},
		{`a(?!b)`, "abaac", "[[2 3] [3 4]]"},
		{`(?>a+)ab|a`, "aab", "[[0 1] [1 2]]"},
		{`a*+a`, "aaa", "[]"},
		{`a{2,3}`, "aaaaaa", "[[0 3] [3 6]]"},
		{`a{,2}b`, "aaab", "[[1 4]]"},
		{`a{2}?b`, "aab b", "[[0 3] [4 5]]"},
		{`a+?b`, "aab", "[[0 3]]"},
		{`a{x`, "a{x", "[[0 3]]"},
		{`^b$`, "a\nb\nc", "[[2 3]]"},
		{`\Ab|\z`, "bab", "[[0 1] [3 3]]"},
		{`.`, "a\nb", "[[0 1] [2 3]]"},
		{`(?m:.)`, "a\n", "[[0 1] [1 2]]"},
		{`[a-c&&[^b]]+`, "abcb", "[[0 1] [2 3]]"},
		{`[^a[:digit:]]`, "a1b", "[[2 3]]"},
		{`[]a]+`, "a]", "[[0 2]]"},
		{`[a\-z]+`, "a-z", "[[0 3]]"},
		{`[\w&&[^_]]+`, "a_b", "[[0 1] [2 3]]"},
		{`\h+\R`, "0fG\r\nab\r\n", "[[5 9]]"},
		{`\p{Han}\P{L}|\p{^L}`, "漢1 x", "[[0 4] [4 5]]"},
		{`(?x) a b # c`, "ab", "[[0 2]]"},
		{`a(?i)b|c`, "aBaCc", "[[0 2] [2 4]]"},
		{`(?<name>a)(?:b)`, "ab", "[[0 2]]"},
		{`\x{6f22}|\u0041|\x42`, "漢AB", "[[0 3] [3 4] [4 5]]"},
		{`(?:a|ab)(?:c|bcd)`, "abcd", "[[0 4]]"},
		{`(?:|a)*b`, "aab", "[[0 3]]"},
		{`\b\d+\B`, "12a 3", "[[0 2]]"},
		{`\w+`, "a¼²_", "[[0 6]]"},
		{`[\w]+|\p{^Word}`, "a¼b-", "[[0 1] [3 4] [4 5]]"},
		{`\p{Word}|\W`, "¹§", "[[0 2] [2 4]]"},
		{`¼\b`, "¼a ¼", "[[4 6]]"},
		{`\X`, "শ্ব", "[[0 6] [6 9]]"},
		{`\X`, "👩\u200d\U0001f0d7", "[[0 11]]"},
		{`\X`, "e\u0301\r\nx", "[[0 3] [3 5] [5 6]]"},
	} {
		p, err := Compile(c.expr)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := fmt.Sprint(p.Matches(c.text)); got != c.want {
			t.Errorf("%s on %q matches %s, want %s", c.expr, c.text, got, c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	for expr, want := range map[string]string{
		`(`: "closing bracket", `)`: "without an opening", `*`: "nothing to repeat", `[a`: "too early", `\p{Nope}`: "is not known", `(a)\1`: "back-reference",
		`(?<=a+)b`: "look-behind", `[b-a]`: "is empty", `a{3,2}`: "at least 3", `\x{110000}`: "not a character", `(?~a)`: "not supported", `\K`: "not supported",
		`((a{1000}){1000}){1000}`: "instructions", `a{1001}`: "more than 1000", "\xff": "UTF-8", strings.Repeat("(", 100): "inside each other", `(?:(?:(?:(?:a*)*)*)*)*`: "inside each other",
	} {
		if _, err := Compile(expr); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s gives %v, expected %q", expr, err, want)
		}
	}
}

// TestLinear matches expressions that make a naive matcher take exponential or quadratic time.
func TestLinear(t *testing.T) {
	text := strings.Repeat("a", 4_000)
	for _, expr := range []string{`(a+)+b`, `(a*)*b`, `(a|a)*b`, `(a|aa)+$b`, `x*?y|a*b`, `(?>a+)b`, `(?=a*b)a`, `a*a*a*a*b`, `(?:a?){30}b`} {
		p, err := Compile(expr)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if got := p.Matches(text); len(got) != 0 {
			t.Errorf("%s matches %v", expr, got)
		}
		if d := time.Since(begin); d > 20*time.Second {
			t.Errorf("%s takes %v on %d bytes", expr, d, len(text))
		}
	}
}

// FuzzCompile compiles any expression, and matches with those that compile.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{`(?i)a|[^b-d]+?`, `(?<=x)\p{L}{2,}+`, `[[:alpha:]&&\w]*(?!\d)`, `\X(?>a|b)*$`, `(a*)*`} {
		f.Add(s, "xab 1ß\nAB")
	}
	f.Fuzz(func(t *testing.T, expr, text string) {
		if len(text) > 1<<10 || !utf8.ValidString(text) {
			return
		}
		p, err := Compile(expr)
		if err != nil {
			return
		}
		last := 0
		for _, m := range p.Matches(text) {
			if m[0] < last || m[1] < m[0] || m[1] > len(text) {
				t.Fatalf("%q on %q: %v", expr, text, m)
			}
			last = m[1]
		}
		if !slices.Equal(p.Matches(text), p.Matches(text)) {
			t.Fatal("two runs differ")
		}
	})
}
