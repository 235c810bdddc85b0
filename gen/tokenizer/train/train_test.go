package train

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tfgen/tfgen/tests/testfile"
)

// corpus writes the short texts of the golden corpus to a file, a line end behind each.
func corpus(t *testing.T) string {
	t.Helper()
	var w strings.Builder
	d := json.NewDecoder(bytes.NewReader(testfile.Bytes(t, "../conform/testdata/corpus.jsonl.gz")))
	for d.More() {
		var l struct{ Text string }
		if err := d.Decode(&l); err != nil {
			t.Fatal(err)
		}
		if utf8.RuneCountInString(l.Text) < 300 {
			w.WriteString(l.Text + "\n")
		}
	}
	path := filepath.Join(t.TempDir(), "corpus.txt")
	if err := os.WriteFile(path, []byte(w.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// trained returns the model of a tokenizer.json that is trained on the corpus, with some number of workers.
func trained(t *testing.T, form string, workers int, change func(*Options)) (model map[string]any, file []byte) {
	t.Helper()
	template, o, err := Form(form)
	if err != nil {
		t.Fatal(err)
	}
	o.Workers = workers
	change(&o)
	split, err := template.Splitter()
	if err != nil {
		t.Fatal(err)
	}
	stages := map[string]bool{}
	o.Progress = func(stage string, done, total int) {
		stages[stage] = true
		if done < 0 || total < 0 {
			t.Errorf("stage %s: %d of %d", stage, done, total)
		}
	}
	words, err := Count(context.Background(), []string{corpus(t)}, split, workers, o.Progress)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Train(context.Background(), words, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(stages) == 0 {
		t.Error("no progress was reported")
	}
	file, err = template.Write(m, o.Special)
	if err != nil {
		t.Fatal(err)
	}
	return modelOf(t, file), file
}

func modelOf(t *testing.T, file []byte) map[string]any {
	t.Helper()
	var f struct{ Model map[string]any }
	if err := json.Unmarshal(file, &f); err != nil {
		t.Fatal(err)
	}
	return f.Model
}

// TestLibrary compares with what the Hugging Face trainers make of the same file.
func TestLibrary(t *testing.T) {
	for _, c := range []struct {
		name, form string
		change     func(*Options)
	}{
		{"bpe", "bytes", func(o *Options) { o.VocabSize, o.Special = 700, []string{"<s>"} }},
		{"bpe-limits", "bytes", func(o *Options) {
			o.VocabSize, o.MinFrequency, o.MaxTokenLength, o.InitialAlphabet = 700, 4, 5, nil
		}},
		{"wordlevel", "words", func(o *Options) { o.VocabSize, o.MinFrequency = 400, 2 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _ := trained(t, c.form, 2, c.change)
			want := modelOf(t, testfile.Bytes(t, "testdata/"+c.name+".json.gz"))
			for _, key := range []string{"vocab", "merges"} {
				if !reflect.DeepEqual(got[key], want[key]) {
					t.Errorf("%s\n got %.300v\nwant %.300v", key, got[key], want[key])
				}
			}
		})
	}
}

// TestUnigramScores compares the pieces that two rounds of expectation and maximisation leave. The scores of characters
// that are dropped and put back depend on the order of a hash table in the library.
func TestUnigramScores(t *testing.T) {
	got, _ := trained(t, "metaspace", 3, func(o *Options) { o.VocabSize = 20000 })
	want := modelOf(t, testfile.Bytes(t, "testdata/unigram.json.gz"))
	scores := func(m map[string]any) map[string]float64 {
		out := map[string]float64{}
		for _, p := range m["vocab"].([]any) {
			out[p.([]any)[0].(string)] = p.([]any)[1].(float64)
		}
		return out
	}
	g, w := scores(got), scores(want)
	if len(g) != len(w) {
		t.Errorf("%d pieces, want %d", len(g), len(w))
	}
	for text, score := range w {
		limit := 1e-9
		if utf8.RuneCountInString(text) == 1 {
			limit = 0.1
		}
		if v, ok := g[text]; !ok || math.Abs(v-score) > limit {
			t.Errorf("piece %q has the score %v, %v; want %v", text, v, ok, score)
		}
	}
}

// TestSameForAllWorkers trains models with one goroutine and with several.
func TestSameForAllWorkers(t *testing.T) {
	for form, size := range map[string]int{"bytes": 400, "bert": 1500, "metaspace": 1500, "words": 300} {
		_, a := trained(t, form, 1, func(o *Options) { o.VocabSize = size })
		_, b := trained(t, form, 7, func(o *Options) { o.VocabSize = size })
		if !bytes.Equal(a, b) {
			t.Errorf("%s: the number of workers changes the result", form)
		}
	}
}

func TestErrors(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for want, f := range map[string]func() error{
		"no model is called": func() error { _, err := Train(context.Background(), Words{"a": 1}, Options{Model: "x"}); return err },
		"cannot hold the 3 characters": func() error {
			_, err := Train(context.Background(), Words{"abc": 1}, Options{Model: Unigram, VocabSize: 2})
			return err
		},
		"context canceled": func() error { _, err := Train(ctx, Words{"abc": 9}, Options{Model: BPE, VocabSize: 9}); return err },
		"allowed are":      func() error { _, err := Train(ctx, Words{}, Options{Model: BPE, VocabSize: -1}); return err },
		"no form":          func() error { _, _, err := Form("x"); return err },
		"is a directory":   func() error { _, err := Count(ctx, []string{t.TempDir()}, nil, 1, nil); return err },
		"make it a special token": func() error {
			tm, _, _ := Form("words")
			_, err := tm.Write(&Model{Kind: WordLevel, Unknown: "u"}, nil)
			return err
		},
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, expected %q", err, want)
		}
	}
}

// TestWordPieceWithoutPrefix compares with what the Hugging Face trainer makes with continuing_subword_prefix="".
func TestWordPieceWithoutPrefix(t *testing.T) {
	words := Words{"low": 3, "lower": 3, "lowest": 3, "newer": 3, "newest": 3, "wider": 3, "widest": 3, "new": 3}
	m, err := Train(context.Background(), words, Options{Model: WordPiece, VocabSize: 24, Unknown: "[UNK]", Special: []string{"[UNK]"}, NoPrefix: true})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, token := range m.Tokens {
		got = append(got, token.Text)
	}
	if want := "[UNK] d e i l n o r s t w we lo ne st de ide wide wer west low lower lowest new"; strings.Join(got, " ") != want {
		t.Errorf("%v, want %s", got, want)
	}
}
