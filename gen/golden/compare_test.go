package golden

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/op"
)

// toy is a model whose logits are token and position, whose pooled output is the length and whose greedy
// continuation counts on.
type toy struct {
	change func(Result)
	decode float32
	greedy int32
	err    error
}

func (m toy) Full(segments []op.Segment) (Result, error) {
	logits, pooled := &Matrix{Width: 2}, &Matrix{Width: 3}
	for _, s := range segments {
		for i, token := range s.Tokens {
			logits.Rows++
			logits.Data = append(logits.Data, float32(token), float32(i))
		}
		pooled.Rows++
		pooled.Data = append(pooled.Data, float32(len(s.Tokens)), 0, 0)
	}
	r := Result{"hidden/0": logits, "logits": {logits.Rows, 2, append([]float32(nil), logits.Data...)}, "pooled": pooled}
	if m.change != nil {
		m.change(r)
	}
	return r, m.err
}

func (m toy) Decode(segment op.Segment, prefill int) ([][]float32, error) {
	var rows [][]float32
	tokens := segment.Tokens
	for i := prefill; i < len(tokens); i++ {
		rows = append(rows, []float32{float32(tokens[i]) + m.decode, float32(i)})
	}
	return rows, nil
}

func (m toy) Greedy(tokens []int32, n int) ([]int32, error) {
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = tokens[len(tokens)-1] + int32(i) + 1 + m.greedy
	}
	return ids, nil
}

// toyCase expects what toy computes; padded places hold what must be ignored.
func toyCase() *Case {
	return &Case{
		Name: "toy", HiddenCount: 1, Noise: map[string]float64{"logits": 1e-3},
		Inputs: []Input{
			{Name: "one", IDs: [][]int32{{5, 6, 7}}, Prefill: 1},
			{Name: "batch", IDs: [][]int32{{5, 6, 0}, {7, 8, 9}}, Mask: [][]int32{{1, 1, 0}, {1, 1, 1}}},
		},
		expected: map[string]*Array{
			"one/logits":        {Shape: []int{1, 3, 2}, Data: []float32{5, 0, 6, 1, 7, 2}},
			"one/decode/logits": {Shape: []int{1, 2, 2}, Data: []float32{6, 1, 7, 2}},
			"one/greedy":        {Shape: []int{1, 3}, Ints: []int32{8, 9, 10}},
			"one/hidden/0":      {Shape: []int{1, 3, 2}, Data: []float32{5, 0, 6, 1, 7, 2}},
			"batch/logits":      {Shape: []int{2, 3, 2}, Data: []float32{5, 0, 6, 1, -1, -1, 7, 0, 8, 1, 9, 2}},
			"batch/pooled":      {Shape: []int{2, 3}, Data: []float32{2, 0, 0, 3, 0, 0}},
		},
	}
}

func TestCompare(t *testing.T) {
	c := toyCase()
	if err := c.check(); err != nil {
		t.Fatal(err)
	}
	r := Summarise(c, "toy", Compare(c, toy{}))
	if !r.OK || r.Share != 0 {
		t.Errorf("report is %+v", r)
	}
	// one: hidden, logits, decode, greedy; batch: logits and pooled together and of each row.
	if len(r.Findings) != 4+2*3 {
		t.Errorf("%d findings", len(r.Findings))
	}
}

func TestCompareFindsErrors(t *testing.T) {
	add := func(output string, at int, d float32) func(Result) {
		return func(r Result) {
			if m := r[output]; m.Rows > 2 || output == "pooled" && m.Rows == 2 {
				m.Data[at] += d
			}
		}
	}
	for _, c := range []struct {
		name    string
		runner  toy
		first   string
		because string
	}{
		// 10 × 1e-3 + 1e-5 × 7 is allowed.
		{"within", toy{change: add("logits", 3, 0.01)}, "", ""},
		{"logits", toy{change: add("logits", 3, 0.0102)}, "one logits", "row 1 column 1 is 1.0102, expected 1"},
		{"hidden first", toy{change: func(r Result) { add("logits", 3, 1)(r); add("hidden/0", 0, 1)(r) }}, "one hidden/0", "row 0 column 0 is 6, expected 5"},
		{"nan", toy{change: add("logits", 2, float32(math.NaN()))}, "one logits", "row 1 column 0 is NaN, expected 6"},
		{"infinite", toy{change: add("logits", 2, float32(math.Inf(1)))}, "one logits", "row 1 column 0 is +Inf, expected 6"},
		{"pooled", toy{change: add("pooled", 3, 1)}, "batch pooled", "row 1 column 0 is 4, expected 3"},
		{"missing", toy{change: func(r Result) { delete(r, "pooled") }}, "batch pooled", "the model has no output pooled"},
		{"shape", toy{change: func(r Result) { r["logits"].Rows, r["logits"].Width = 2, 3 }}, "one logits", "logits is [2 3], expected shape [1 3 2]"},
		{"decode", toy{decode: 0.1}, "one decode/logits", "row 0 column 0 is 6.1, expected 6"},
		{"greedy", toy{greedy: 1}, "one greedy", "row 0 is [9 10 11], expected [8 9 10]"},
		{"error", toy{err: errors.New("no memory")}, "one batch", "no memory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Summarise(toyCase(), "toy", Compare(toyCase(), c.runner))
			if r.OK != (c.first == "") || r.FirstOff != c.first || r.Error != c.because {
				t.Errorf("ok %v, first %q: %q; expected %q: %q", r.OK, r.FirstOff, r.Error, c.first, c.because)
			}
			if _, err := json.Marshal(r); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTolerance(t *testing.T) {
	c := &Case{Noise: map[string]float64{"final": 2, "logits": 3}}
	a := &Array{Data: []float32{1, -100000, 5}}
	for output, want := range map[string]float64{"hidden/2": 21, "final": 21, "logits": 31, "decode/logits": 31, "pooled": 21} {
		if got := c.Tolerance(output, a); got != want {
			t.Errorf("tolerance of %s is %v, expected %v", output, got, want)
		}
	}
	c.Noise["hidden"] = 4
	if got := c.Tolerance("hidden/0", a); got != 41 {
		t.Errorf("tolerance of hidden/0 is %v, expected 41", got)
	}
}

func TestPrint(t *testing.T) {
	c := toyCase()
	var b bytes.Buffer
	ok, err := Print(&b, []Report{Summarise(c, "toy", Compare(c, toy{})), Failed("other", "toy", errors.New("no spec"))})
	if err != nil || ok {
		t.Fatalf("ok %v, error %v", ok, err)
	}
	want := "" +
		"case   backend  worst  of            bits  first off  result\n" +
		"toy    toy      0      one hidden/0  -     -          ok\n" +
		"other  toy      0                    -     -          FAIL: no spec\n"
	if b.String() != want {
		t.Errorf("table is\n%s\nexpected\n%s", b.String(), want)
	}
	if r := Summarise(c, "toy", nil); r.OK {
		t.Error("no findings are ok")
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		change func(*Case)
		want   string
	}{
		{func(c *Case) { c.Inputs[0].IDs = nil }, "input one: no input_ids"},
		{func(c *Case) { c.Inputs[1].Mask = c.Inputs[1].Mask[:1] }, "input batch: 1 rows, expected 2"},
		{func(c *Case) { c.Inputs[1].Mask[0] = []int32{1} }, "input batch: a row of 1 tokens, expected 3"},
		{func(c *Case) { c.Inputs[1].Mask[0][0] = 0 }, "input batch: row 0 has no tokens"},
		{func(c *Case) { c.Inputs[0].Prefill = 3 }, "input one: prefill is 3 of 3 tokens"},
		{func(c *Case) { c.expected["one/logits"].Shape[0] = 2 }, "one/logits: shape [2 3 2] with 6 elements"},
		{func(c *Case) { c.expected["one/greedy"] = c.expected["one/logits"] }, "one/greedy: greedy continuations are integers"},
		{func(c *Case) { c.Name = "" }, "no case name"},
		{func(c *Case) { c.HiddenCount = 1 << 30 }, "hidden_count is 1073741824"},
	} {
		k := toyCase()
		c.change(k)
		if err := k.check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, expected %q", err, c.want)
		}
	}
}

// FuzzCase reads golden.json from bytes: whatever check accepts can be run.
func FuzzCase(f *testing.F) {
	for _, name := range []string{"llama", "bert-masked-lm"} {
		text, err := os.ReadFile(filepath.Join("testdata", name, "golden.json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c := &Case{}
		if json.Unmarshal(text, c) != nil || c.check() != nil {
			return
		}
		for i := range c.Inputs {
			for row, s := range c.Inputs[i].Segments() {
				if len(s.Tokens) != c.Inputs[i].Length(row) || s.Types != nil && len(s.Types) != len(s.Tokens) {
					t.Errorf("segment %+v of row %d", s, row)
				}
			}
			c.Outputs(c.Inputs[i].Name)
		}
		Compare(c, toy{})
	})
}
