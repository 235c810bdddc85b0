package sample

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/tfgen/tfgen/tests/testfile"
)

// logits are float32 values of which null is -Inf.
type logits []*float32

func (l logits) values() []float32 {
	v := make([]float32, len(l))
	for i, p := range l {
		v[i] = float32(math.Inf(-1))
		if p != nil {
			v[i] = *p
		}
	}
	return v
}

// decode decodes a line of JSON.
func decode[T any](t *testing.T, line json.RawMessage) (v T) {
	t.Helper()
	if err := json.Unmarshal(line, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// dense returns the logits of all tokens, -Inf for those dropped.
func (c *Candidates) dense(n int) []float32 {
	v := slices.Repeat([]float32{float32(math.Inf(-1))}, n)
	for i, id := range c.IDs {
		v[id] = c.Logits[i]
	}
	return v
}

// same reports whether a and b agree, up to the given relative difference.
func same(a, b []float32, tolerance float64) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool {
		return x == y || math.Abs(float64(x)-float64(y)) <= tolerance*math.Abs(float64(y))
	})
}

// goldenProcessors makes the processor of a class from its arguments.
var goldenProcessors = map[string]func(map[string]float64) Processor{
	"TemperatureLogitsWarper": func(a map[string]float64) Processor { return Temperature(a["temperature"]) },
	"TopKLogitsWarper":        func(a map[string]float64) Processor { return TopK(a["top_k"]) },
	"TopPLogitsWarper":        func(a map[string]float64) Processor { return TopP(a["top_p"]) },
	"MinPLogitsWarper":        func(a map[string]float64) Processor { return MinP(a["min_p"]) },
	"RepetitionPenaltyLogitsProcessor": func(a map[string]float64) Processor {
		return &RepetitionPenalty{Penalty: float32(a["penalty"])}
	},
}

func TestProcessorsAgreeWithTransformers(t *testing.T) {
	lines := testfile.Lines[json.RawMessage](t, "testdata/processors.jsonl.gz")
	head := decode[struct {
		Vectors map[string][]logits
	}](t, lines[0])
	for _, line := range lines[1:] {
		r := decode[struct {
			Processor string
			Args      map[string]float64
			Vector    string
			IDs       [][]int32
			Expected  []logits
		}](t, line)
		for row, expected := range r.Expected {
			in := head.Vectors[r.Vector][row].values()
			var c Candidates
			var history []int32
			if r.IDs != nil {
				history = r.IDs[row]
			}
			c.load(in, history, 0)
			goldenProcessors[r.Processor](r.Args).Process(&c)
			if got, want := c.dense(len(in)), expected.values(); !same(got, want, 0) {
				t.Errorf("%s %v, vector %s row %d:\ngot  %v\nwant %v", r.Processor, r.Args, r.Vector, row, got, want)
			}
		}
	}
	if len(lines) < 200 {
		t.Errorf("only %d records", len(lines)-1)
	}
}

func TestChainsAgreeWithTransformers(t *testing.T) {
	lines := testfile.Lines[json.RawMessage](t, "testdata/chains.jsonl.gz")
	head := decode[struct {
		Vector []logits
		IDs    [][]int32
	}](t, lines[0])
	for _, line := range lines[1:] {
		r := decode[struct {
			Config struct {
				Temperature       *float64
				TopK              int     `json:"top_k"`
				TopP              float64 `json:"top_p"`
				MinP              float64 `json:"min_p"`
				RepetitionPenalty float64 `json:"repetition_penalty"`
			}
			Scores []logits
			Probs  [][]float64
		}](t, line)
		o := Options{Temperature: 1, TopK: r.Config.TopK, TopP: r.Config.TopP, MinP: r.Config.MinP, RepetitionPenalty: r.Config.RepetitionPenalty}
		if r.Config.Temperature != nil {
			o.Temperature = *r.Config.Temperature
		}
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		for row, in := range head.Vector {
			if _, err := s.Next(in.values(), head.IDs[row], 6); err != nil {
				t.Fatal(err)
			}
			c := &s.candidates
			if want := r.Scores[row].values(); !same(c.dense(len(in)), want, 2e-7) {
				t.Errorf("%+v row %d: scores differ:\ngot  %v\nwant %v", o, row, c.dense(len(in)), want)
			}
			total, _ := c.weigh()
			for i, id := range c.IDs {
				if got, want := c.weights[i]/total, r.Probs[row][id]; math.Abs(got-want) > 1e-6*want {
					t.Errorf("%+v row %d: probability of %d is %v, want %v", o, row, id, got, want)
				}
			}
		}
	}
	if len(lines) < 6 {
		t.Errorf("only %d records", len(lines)-1)
	}
}
