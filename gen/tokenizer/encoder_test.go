package tokenizer

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/tests/testfile"
)

// longText is made of the corpus' lines with words between, in an order of chance.
func longText(t testing.TB, size int) string {
	r := rand.New(rand.NewPCG(3, 4))
	list := testfile.Lines[corpusLine](t, "conform/testdata/corpus.jsonl.gz")
	words := strings.Fields("the don't x1 <s> I'LL été 2024 [MASK] a, b. </s> Straße word ▁ THE")
	var b strings.Builder
	for b.Len() < size {
		b.WriteString(list[r.IntN(len(list))].Text)
		for range 1 + r.IntN(60) {
			b.WriteString(" " + words[r.IntN(len(words))])
		}
	}
	return b.String()
}

// TestEncoder writes a text in parts that also cut characters, and expects what Encode gives for the whole of it.
func TestEncoder(t *testing.T) {
	text := longText(t, 300<<10)
	streams := 0
	small, _ := filepath.Glob("testdata/*.json.gz")
	more, _ := filepath.Glob("conform/testdata/*.json.gz")
	for i, f := range append(small, more...) {
		tok := loaded(t, testfile.Bytes(t, f))
		if !tok.Streams() && i%4 != 0 {
			continue
		}
		r := rand.New(rand.NewPCG(1, uint64(i)))
		var ids []int32
		calls, largest := 0, 0
		e := tok.NewEncoder(true, func(next []int32) error {
			ids = append(ids, next...)
			calls, largest = calls+1, max(largest, len(next))
			return nil
		})
		for rest := text; rest != ""; {
			n := min(1+r.IntN(9000), len(rest))
			if k, err := e.Write([]byte(rest[:n])); k != n || err != nil {
				t.Fatal(k, err)
			}
			rest = rest[n:]
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		if want := tok.Encode(text, true); !slices.Equal(ids, want) {
			t.Errorf("%s: %d ids in parts, %d at once", f, len(ids), len(want))
		}
		if tok.Streams() {
			streams++
			if calls < 2 || largest > 160<<10 {
				t.Errorf("%s: %d parts, the largest of %d ids", f, calls, largest)
			}
		}
	}
	if streams < 12 {
		t.Errorf("only %d tokenizers stream", streams)
	}
}

func TestEncoderShort(t *testing.T) {
	tok := loaded(t, testfile.Bytes(t, "testdata/bpe-roberta.json.gz"))
	for _, text := range []string{"", "a", "a b\xff"} {
		var ids []int32
		e := tok.NewEncoder(true, func(next []int32) error { ids = append(ids, next...); return nil })
		if _, err := e.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := e.Close(); err != nil || !slices.Equal(ids, tok.Encode(text, true)) {
			t.Errorf("%q: %v %v", text, ids, err)
		}
	}
}

// TestEncoderFails: an error of the receiver's ends the encoding, and is told from then on.
func TestEncoderFails(t *testing.T) {
	tok := loaded(t, testfile.Bytes(t, "testdata/bpe-gpt2.json.gz"))
	full := errors.New("full")
	e := tok.NewEncoder(false, func([]int32) error { return full })
	_, err := e.Write([]byte(strings.Repeat("word ", 40_000)))
	if !errors.Is(err, full) {
		t.Errorf("Write gives %v", err)
	}
	if _, err := e.Write([]byte("x")); !errors.Is(err, full) {
		t.Errorf("the next Write gives %v", err)
	}
	if err := e.Close(); !errors.Is(err, full) {
		t.Errorf("Close gives %v", err)
	}
}
