package tokenizer

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

var normalForms = []struct {
	name            string
	want            norm.Form
	compose, compat bool
}{{"NFC", norm.NFC, true, false}, {"NFD", norm.NFD, false, false}, {"NFKC", norm.NFKC, true, true}, {"NFKD", norm.NFKD, false, true}}

func applyForm(t *formTables, s string, compose, compat bool) string {
	b := []byte(s)
	e := editor{in: text{b: b, al: identity(b)}, track: true}
	e.normalForm(t, compose, compat)
	if len(e.out.al) != len(e.out.b) || e.pos != len(s) {
		panic("alignment lost")
	}
	return string(e.out.b)
}

func TestFormsVersion(t *testing.T) {
	if norm.Version != formsVersion {
		t.Fatalf("tables of Unicode %s, golang.org/x/text has %s: go generate", formsVersion, norm.Version)
	}
}

func TestFormsOfAllCharacters(t *testing.T) {
	tables := newForms(nil)
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if r >= 0xd800 && r < 0xe000 {
			continue
		}
		list := []string{string(r)}
		if *tables.of(r) != (form{}) || r < 0x250 || r >= hangulS && r < hangulS+countS && r%7 == 0 {
			list = append(list, "a"+string(r)+"\u0301\u0323", "ᄀ"+string(r), string(r)+"\u0338", "\u0345"+string(r))
		}
		for _, s := range list {
			for _, f := range normalForms {
				if got, want := applyForm(tables, s, f.compose, f.compat), f.want.String(s); got != want {
					t.Fatalf("%s of %+q is %+q, want %+q", f.name, s, got, want)
				}
			}
		}
	}
}

func TestFormsOfRandomTexts(t *testing.T) {
	tables := newForms(nil)
	var pool []rune // characters that do something, and some that do not
	for r := rune(0); r < 0x30000; r++ {
		if f := tables.of(r); *f != (form{}) || r < 0x80 || r%997 == 0 && (r < 0xd800 || r >= 0xe000) {
			pool = append(pool, r)
		}
	}
	for _, r := range []rune{0xac00, 0xac01, 0xd7a3, 0x1100, 0x1161, 0x11a8, 0x11a7, 0x10ffff} {
		pool = append(pool, r, r, r)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		var b strings.Builder
		for range 1 + rnd.IntN(20) { // x/text breaks runs of more than 30 marks
			b.WriteRune(pool[rnd.IntN(len(pool))])
		}
		s := b.String()
		for _, f := range normalForms {
			if got, want := applyForm(tables, s, f.compose, f.compat), f.want.String(s); got != want {
				t.Fatalf("%s of %+q is %+q, want %+q", f.name, s, got, want)
			}
		}
	}
}

// TestFormsUnknown checks that characters newer than the reference's edition stay as they are.
func TestFormsUnknown(t *testing.T) {
	for i := 0; i < len(formsUnknown); i += 2 {
		for r := formsUnknown[i]; r <= formsUnknown[i+1]; r++ {
			if *forms().of(r) != (form{}) {
				t.Errorf("%U has an entry", r)
			}
		}
	}
	if forms().of('é').canonical == "" || forms().of(0x301).ccc != 230 {
		t.Error("the tables are empty")
	}
}

// TestManyMarks has a run of marks that has to be sorted, which must not take quadratic time.
func TestManyMarks(t *testing.T) {
	s := "a" + strings.Repeat("\u0301\u0323", 100_000)
	want := "ạ" + strings.Repeat("\u0323", 99_999) + strings.Repeat("\u0301", 100_000)
	if got := applyForm(forms(), s, true, false); got != want {
		t.Errorf("%d bytes %+.40q…, want %d bytes %+.40q…", len(got), got, len(want), want)
	}
}
