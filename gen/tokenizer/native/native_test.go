package native

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	source "github.com/tfgen/tfgen/gen/tokenizer"
	"github.com/tfgen/tfgen/runtime/generate"
	"github.com/tfgen/tfgen/runtime/tokenizer"
	"github.com/tfgen/tfgen/tests/testfile"
)

// A tokenizer of the library can take the place of the package's own.
var _ = generate.Wrap[*Stream]((*Tokenizer)(nil))

// TestAbsent checks that a program without the library says how to get it.
func TestAbsent(t *testing.T) {
	n, err := Open([]byte("{}"), false)
	if err == nil {
		t.Fatalf("an empty configuration opens: %v", n)
	}
	if errors.Is(err, ErrAbsent) && !strings.Contains(err.Error(), "make native-tokenizers") {
		t.Error(err)
	}
}

// both opens a tokenizer.json with the library and with tfgen; it skips where the library is absent.
func both(t *testing.T, config []byte, literal bool) (*Tokenizer, *tokenizer.Tokenizer) {
	t.Helper()
	n, err := Open(config, literal)
	if errors.Is(err, ErrAbsent) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	packed, err := source.FromJSON(config, nil)
	if err != nil {
		t.Fatal(err)
	}
	own, err := tokenizer.Load(packed)
	if err != nil {
		t.Fatal(err)
	}
	if n.VocabSize() > own.VocabSize() {
		t.Errorf("%d tokens, the library has %d", own.VocabSize(), n.VocabSize())
	}
	return n, own
}

// plain drops the truncation and padding that a configuration asks for, which runtime/tokenizer leaves to its caller.
func plain(t *testing.T, config []byte) []byte {
	t.Helper()
	var all map[string]json.RawMessage
	if err := json.Unmarshal(config, &all); err != nil {
		t.Fatal(err)
	}
	delete(all, "truncation")
	delete(all, "padding")
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// texts returns the corpus of gen/tokenizer/conform, which has characters of all kinds, and mixtures of it.
func texts(t *testing.T) (list []string) {
	t.Helper()
	for line := range strings.Lines(string(testfile.Bytes(t, "../conform/testdata/corpus.jsonl.gz"))) {
		var item struct{ Text string }
		if err := json.Unmarshal([]byte(line), &item); err != nil {
			t.Fatal(err)
		}
		list = append(list, item.Text)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 2 * len(list) {
		a, b := list[r.IntN(len(list))], list[r.IntN(len(list))]
		list = append(list, a[:r.IntN(len(a)+1)]+b[r.IntN(len(b)+1):])
	}
	return slices.DeleteFunc(list, func(s string) bool { return strings.Contains(s, "\x00") || strings.ToValidUTF8(s, "") != s })
}

// TestDifferential compares ids, offsets, types, masks, decoded texts and streamed pieces of all test tokenizers with
// those of the library.
func TestDifferential(t *testing.T) {
	files, err := filepath.Glob("../testdata/*.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("../conform/testdata/unigram*.json.gz")
	if err != nil || len(files)+len(more) < 20 {
		t.Fatal(len(files), len(more), err)
	}
	for _, path := range append(files, more...) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json.gz"), func(t *testing.T) {
			config := plain(t, testfile.Bytes(t, path))
			for _, literal := range []bool{false, true} {
				n, own := both(t, config, literal)
				for _, text := range texts(t) {
					if !same(t, n, own, text, literal) {
						return
					}
				}
			}
		})
	}
}

// same compares what the two make of a text.
func same(t *testing.T, n *Tokenizer, own *tokenizer.Tokenizer, text string, literal bool) bool {
	t.Helper()
	for _, special := range []bool{false, true} {
		want, err := n.Encode(text, special)
		if err != nil {
			t.Fatal(err)
		}
		got, err := own.EncodeInput(tokenizer.Text(text), tokenizer.Options{Special: special, Literal: literal})
		if err != nil {
			t.Errorf("%q: %v", text, err)
			return false
		}
		if !slices.Equal(got.IDs, want.IDs) || !sameOffsets(text, got.Offsets, want.Offsets) || !slices.Equal(got.TypeIDs, want.TypeIDs) ||
			!slices.Equal(got.Mask, want.Mask) || !slices.Equal(got.Special, want.Special) {
			t.Errorf("%q, special %v, literal %v:\n got %v %v\nwant %v %v", text, special, literal, got.IDs, got.Offsets, want.IDs, want.Offsets)
			return false
		}
		for _, skip := range []bool{false, true} {
			if g, w := own.Decode(want.IDs, skip), n.Decode(want.IDs, skip); g != w {
				t.Errorf("%v, skip %v: %q, want %q", want.IDs, skip, g, w)
				return false
			}
		}
		if !sameStream(t, n, own, want.IDs) {
			return false
		}
	}
	return true
}

// sameOffsets compares ranges in bytes. Where a post-processor takes white space out, the library takes bytes from an end
// that may be that of a longer character, and lands within it.
func sameOffsets(text string, got, want [][2]int) bool {
	return slices.EqualFunc(got, want, func(g, w [2]int) bool {
		inside := func(at int) bool { return at < len(text) && !utf8.RuneStart(text[at]) }
		return g == w || inside(w[0]) || inside(w[1])
	})
}

func sameStream(t *testing.T, n *Tokenizer, own *tokenizer.Tokenizer, ids []int32) bool {
	t.Helper()
	ours, theirs := own.NewStream(false), n.NewStream(false)
	for i, id := range ids {
		if g, w := ours.Next(id), theirs.Next(id); g != w {
			t.Errorf("%v, piece %d: %q, want %q", ids, i, g, w)
			return false
		}
	}
	return true
}

// TestErrors checks the library's refusals.
func TestErrors(t *testing.T) {
	n, _ := both(t, plain(t, testfile.Bytes(t, "../testdata/byte.json.gz")), false)
	if _, err := n.Encode("a\x00b", false); err == nil {
		t.Error("a NUL is accepted")
	}
	if _, err := Open([]byte(`{"model": 1}`), false); err == nil || errors.Is(err, ErrAbsent) {
		t.Error(err)
	}
}
