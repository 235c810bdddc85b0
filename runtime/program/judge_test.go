package program

import (
	"context"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/runtime/heads"
)

// judge describes a model that judges texts by their lengths.
func judge() Model {
	m := Model{Name: "judge", Judges: []string{"classify", "rank", "tag", "answer", "fill"}}
	m.Open = func(string, OpenOptions) (*Instance, error) {
		i := &Instance{Close: func() error { return nil }}
		i.Judge = Judge{
			Classify: func(_ context.Context, texts []string) (all [][]heads.Class, err error) {
				for _, t := range texts {
					all = append(all, []heads.Class{{Label: "long", Score: float64(len(t)) / 100}})
				}
				return all, nil
			},
			ClassifyPair: func(_ context.Context, a, b string) ([]heads.Class, error) {
				return []heads.Class{{Label: a + "/" + b, Score: 1}}, nil
			},
			Rank: func(_ context.Context, query string, documents []string) ([]heads.Ranked, error) {
				var logits []float32
				for _, d := range documents {
					logits = append(logits, float32(len(d)-len(query)))
				}
				return heads.Rank(logits, true), nil
			},
			Tag: func(_ context.Context, text string) ([]heads.Tag, error) {
				return []heads.Tag{{Label: "ALL", Score: 1, End: len(text), Text: text}}, nil
			},
			Answer: func(_ context.Context, question, text string, n int) ([]heads.Span, error) {
				return []heads.Span{{Text: text[:1], End: 1, Score: float64(n)}}, nil
			},
			FillMask: func(_ context.Context, _ string, n int) ([][]heads.Fill, error) {
				return [][]heads.Fill{{{ID: 7, Text: "word", Score: float64(n)}}}, nil
			},
		}
		return i, nil
	}
	return m
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		args, in string
		code     int
		want     string // of the output, or of the message of a failure
	}{
		{"classify abc", "", 0, "long 0.0300  abc\n"},
		{"classify", "abc\nlonger\n", 0, "long 0.0300  abc\nlong 0.0600  longer\n"},
		{"classify -pair x abc", "", 0, "x/abc 1.0000  abc\n"},
		{"classify -json abc", "", 0, `{"classes":[{"label":"long","score":0.03}],"text":"abc"}` + "\n"},
		{"rank -query a b ccc dd", "", 0, "  2.0000  ccc\n  1.0000  dd\n  0.0000  b\n"},
		{"rank -query a -n 1 -json b ccc dd", "", 0, `{"index":1,"score":2,"text":"ccc"}` + "\n"},
		{"rank b", "", 2, "--query is missing"},
		{"tag abc", "", 0, "ALL 1.0000 0-3  abc\n"},
		{"tag -json abc", "", 0, `{"tags":[{"label":"ALL","score":1,"start":0,"end":3,"text":"abc"}],"text":"abc"}` + "\n"},
		{"answer -question q -n 2 abc", "", 0, "2.0000 0-1  a\n"},
		{"answer abc", "", 2, "--question is missing"},
		{"fill -n 3 x", "", 0, "\"word\" 3.0000\n"},
		{"fill -json x", "", 0, `{"masks":[[{"id":7,"text":"word","score":5}]],"text":"x"}` + "\n"},
		{"classify", "", 2, "no text given"},
		{"embed x", "", 2, "unknown command"},
	} {
		code, out, errs := run(judge(), c.in, strings.Fields(c.args)...)
		if code != c.code || code == 0 && out != c.want || code != 0 && !strings.Contains(errs, c.want) {
			t.Errorf("%s: exit %d, %q, %q; expected %d, %q", c.args, code, out, errs, c.code, c.want)
		}
	}
}
