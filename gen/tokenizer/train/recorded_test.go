package train

import (
	"context"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tfgen/tfgen/tests/testfile"
)

// recording is what make_trained.py writes: a text, and the models that the library trains on it.
type recording struct {
	Text  string
	Cases []struct {
		Options struct {
			Options
			InitialAlphabet string
		}
		Vocab  json.RawMessage
		Merges [][2]string
	}
}

// TestRecorded trains with every option and compares with what the library made of the same text.
func TestRecorded(t *testing.T) {
	var r recording
	if err := json.Unmarshal(testfile.Bytes(t, "testdata/trained.json.gz"), &r); err != nil {
		t.Fatal(err)
	}
	words := Words{}
	form, _, err := Form("words")
	if err != nil {
		t.Fatal(err)
	}
	split, err := form.Splitter()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(r.Text) {
		for _, w := range split(line) {
			words[w]++
		}
	}
	for _, c := range r.Cases {
		o := c.Options.Options
		o.InitialAlphabet = []rune(c.Options.InitialAlphabet)
		m, err := Train(context.Background(), words, o)
		if err != nil {
			t.Fatalf("%s %d: %v", o.Model, o.VocabSize, err)
		}
		if o.Model == Unigram {
			sameScores(t, o, m, c.Vocab)
			continue
		}
		ids, want := map[string]int{}, map[string]int{}
		for i, tok := range m.Tokens {
			ids[tok.Text] = i
		}
		if err := json.Unmarshal(c.Vocab, &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(ids, want) {
			t.Errorf("%s %d: vocabulary of %d tokens\n got %.300v\nwant %.300v", o.Model, o.VocabSize, len(want), ids, want)
		}
		if len(m.Merges) != len(c.Merges) || len(c.Merges) > 0 && !reflect.DeepEqual(m.Merges, c.Merges) {
			t.Errorf("%s %d: merges\n got %.300v\nwant %.300v", o.Model, o.VocabSize, m.Merges, c.Merges)
		}
	}
}

// sameScores compares a Unigram model with recorded pieces. The scores of characters that are dropped and put back depend
// on the order of a hash table in the library.
func sameScores(t *testing.T, o Options, m *Model, vocab json.RawMessage) {
	t.Helper()
	var list [][2]any
	if err := json.Unmarshal(vocab, &list); err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, tok := range m.Tokens {
		got[tok.Text] = tok.Score
	}
	if len(m.Tokens) != len(list) {
		t.Errorf("%s %d: %d pieces, want %d", o.Model, o.VocabSize, len(m.Tokens), len(list))
	}
	for _, p := range list {
		text, score := p[0].(string), p[1].(float64)
		limit := 1e-8
		if utf8.RuneCountInString(text) == 1 {
			limit = 0.03
		}
		if v, ok := got[text]; !ok || math.Abs(v-score) > limit {
			t.Errorf("%s %d: piece %q has the score %v, %v; want %v", o.Model, o.VocabSize, text, v, ok, score)
		}
	}
}

// TestUnknownInText trains on a text that has the name of the unknown piece.
func TestUnknownInText(t *testing.T) {
	m, err := Train(context.Background(), Words{"<UNK>": 5, "UN": 3, "K>": 2}, Options{Model: Unigram, VocabSize: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, tok := range m.Tokens {
		if math.IsNaN(tok.Score) || tok.Text == "" {
			t.Errorf("%q has the score %v", tok.Text, tok.Score)
		}
	}
}
