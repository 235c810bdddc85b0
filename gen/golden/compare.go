package golden

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/gen/op"
)

// maxGreedy is how many tokens a recorded greedy continuation has at most.
const maxGreedy = 1 << 10

// Matrix is an output: one row a valid token, or one a sequence.
type Matrix struct {
	Rows, Width int
	Data        []float32 // row-major
}

// Row returns row i.
func (m *Matrix) Row(i int) []float32 { return m.Data[i*m.Width : (i+1)*m.Width] }

// Result holds outputs by name: "hidden/0" … "hidden/n", "final", "logits", "pooled", "start_logits", …
type Result map[string]*Matrix

// output returns an output; a model with one tower has those of the decoder without its name. Without the output it is nil.
func (r Result) output(name string) *Matrix {
	if m := r[name]; m != nil {
		return m
	}
	return r[strings.TrimPrefix(name, "decoder/")]
}

// Runner is a backend with one model.
type Runner interface {
	// Full runs whole sequences as one batch and returns every output; rows of tokens follow each other in the order
	// of the segments.
	Full(segments []op.Segment) (Result, error)
	// Decode feeds the first prefill tokens of a segment at once and the others one at a time; it returns the logits of
	// each of the others.
	Decode(segment op.Segment, prefill int) ([][]float32, error)
	// Greedy returns the n tokens that follow if the most likely one is always taken; nothing ends it early.
	Greedy(tokens []int32, n int) ([]int32, error)
}

// Finding is the comparison of one output of one run.
type Finding struct {
	Input     string  `json:"input"`
	Run       string  `json:"run"` // "batch": all rows of the input together; "row 2": one alone; "decode", "greedy"
	Output    string  `json:"output"`
	Worst     float64 `json:"worst"` // largest difference
	Tolerance float64 `json:"tolerance"`
	Where     string  `json:"where,omitempty"` // of the largest difference: row, column, expected, found
	Error     string  `json:"error,omitempty"` // why there is nothing to compare
	OK        bool    `json:"ok"`
}

// Share is the worst difference as a share of the tolerance.
func (f *Finding) Share() float64 {
	if f.Tolerance == 0 {
		return 0
	}
	return f.Worst / f.Tolerance
}

// Compare runs every input of a case and compares every recorded output: all rows as one ragged batch, each row
// alone, decoding and greedy continuation where they are recorded.
func Compare(c *Case, r Runner) []Finding {
	var findings []Finding
	for i := range c.Inputs {
		in := &c.Inputs[i]
		segments := in.Segments()
		findings = append(findings, c.full(in, "batch", segments, 0, r)...)
		if len(segments) > 1 {
			for row := range segments {
				findings = append(findings, c.full(in, fmt.Sprintf("row %d", row), segments[row:row+1], row, r)...)
			}
		}
		findings = append(findings, c.decode(in, r)...)
		if in.Decoder != nil {
			findings = append(findings, c.generated(in, r)...)
		} else {
			findings = append(findings, c.greedy(in, r)...)
		}
	}
	return findings
}

// full compares one run of segments, which are rows first, first+1, … of the input.
func (c *Case) full(in *Input, run string, segments []op.Segment, first int, r Runner) []Finding {
	result, err := r.Full(segments)
	if err != nil {
		return []Finding{{Input: in.Name, Run: run, Error: err.Error()}}
	}
	var findings []Finding
	for _, name := range c.Outputs(in.Name) {
		a, _ := c.Expected(in.Name, name)
		f := Finding{Input: in.Name, Run: run, Output: name, Tolerance: c.Tolerance(name, a)}
		if err := f.compare(a, result.output(name), segments, first); err != nil {
			f.Error = err.Error()
		}
		findings = append(findings, f)
	}
	return findings
}

// compare compares the rows of an output with an expected array.
func (f *Finding) compare(a *Array, m *Matrix, segments []op.Segment, first int) error {
	want, err := a.rows(f.Output, m, segments, first)
	if err != nil {
		return err
	}
	f.rows(m, func(i int) []float32 { return want[i] })
	return nil
}

// rows returns the parts of an array [B, T, …] of tokens or [B, …] of sequences that belong to the rows of a matrix, an output
// for segments first, first+1, … of the input.
func (a *Array) rows(output string, m *Matrix, segments []op.Segment, first int) ([][]float32, error) {
	if m == nil {
		return nil, fmt.Errorf("the model has no output %s", output)
	}
	rows := make([]int, len(segments))
	tokens := 0
	for i, s := range segments {
		rows[i] = len(s.Tokens)
		if strings.HasPrefix(output, "encoder/") && s.Source != nil {
			rows[i] = len(s.Source)
		}
		tokens += rows[i]
	}
	var want [][]float32
	batch, width := a.Shape[0], len(a.Data)/a.Shape[0]
	if m.Rows == len(segments) && m.Width == width && len(a.Shape) == 2 {
		for i := range segments {
			want = append(want, a.Data[(first+i)*width:][:width])
		}
		return want, nil
	}
	perToken := 0
	if len(a.Shape) > 1 {
		perToken = width / a.Shape[1]
	}
	if m.Rows != tokens || m.Width != perToken || first+len(segments) > batch {
		return nil, fmt.Errorf("%s is [%d %d], expected shape %v", output, m.Rows, m.Width, a.Shape)
	}
	for i, n := range rows {
		if n > a.Shape[1] {
			return nil, fmt.Errorf("%s has expected shape %v for %d tokens", output, a.Shape, n)
		}
		for j := range n {
			want = append(want, a.Data[(first+i)*width+j*perToken:][:perToken])
		}
	}
	return want, nil
}

// rows compares a matrix row by row. Anything that is not a finite number is infinitely far off.
func (f *Finding) rows(m *Matrix, want func(row int) []float32) {
	for i := range m.Rows {
		expected := want(i)
		for j, got := range m.Row(i) {
			d := math.Abs(float64(got) - float64(expected[j]))
			if math.IsNaN(d) || math.IsInf(d, 0) {
				f.Error = fmt.Sprintf("row %d column %d is %v, expected %v", i, j, got, expected[j])
				return
			}
			if d > f.Worst {
				f.Worst, f.Where = d, fmt.Sprintf("row %d column %d is %v, expected %v", i, j, got, expected[j])
			}
		}
	}
	f.OK = f.Worst <= f.Tolerance
}

// decode compares step-by-step logits of every row of an input that has them.
func (c *Case) decode(in *Input, r Runner) []Finding {
	a, ok := c.Expected(in.Name, "decode/logits")
	if !ok {
		return nil
	}
	f := Finding{Input: in.Name, Run: "decode", Output: "decode/logits", Tolerance: c.Tolerance("decode/logits", a)}
	tokens := in.IDs
	if in.Decoder != nil {
		tokens = in.Decoder
	}
	if len(a.Shape) != 3 || a.Shape[0] != len(tokens) || a.Shape[1] != len(tokens[0])-in.Prefill {
		f.Error = fmt.Sprintf("decode/logits has shape %v for %d tokens after %d", a.Shape, len(tokens[0]), in.Prefill)
		return []Finding{f}
	}
	steps, vocab := a.Shape[1], a.Shape[2]
	for row := range tokens {
		m, err := in.steps(row, r, steps, vocab)
		if err != nil {
			f.OK, f.Error = false, err.Error()
			return []Finding{f}
		}
		if f.rows(m, func(i int) []float32 { return a.Data[(row*steps+i)*vocab:][:vocab] }); f.Error != "" {
			f.OK = false
			return []Finding{f}
		}
	}
	return []Finding{f}
}

// steps decodes a row of an input token by token behind its first ones.
func (in *Input) steps(row int, r Runner, steps, vocab int) (*Matrix, error) {
	segment := op.Segment{Tokens: in.IDs[row]}
	if in.Decoder != nil {
		segment = op.Segment{Tokens: in.Decoder[row], Source: in.IDs[row][:in.Length(row)]}
	}
	logits, err := r.Decode(segment, in.Prefill)
	if err != nil {
		return nil, err
	}
	return stack(logits, steps, vocab)
}

// stack makes a matrix of rows.
func stack(rows [][]float32, n, width int) (*Matrix, error) {
	m := &Matrix{Rows: n, Width: width}
	for _, row := range rows {
		if len(row) != width {
			return nil, fmt.Errorf("decode/logits has rows of %d, expected %d", len(row), width)
		}
		m.Data = append(m.Data, row...)
	}
	if len(rows) != n {
		return nil, fmt.Errorf("decode/logits has %d rows, expected %d", len(rows), n)
	}
	return m, nil
}

// greedy compares the greedy continuation of every row of an input that has one.
func (c *Case) greedy(in *Input, r Runner) []Finding {
	a, ok := c.Expected(in.Name, "greedy")
	if !ok {
		return nil
	}
	f := Finding{Input: in.Name, Run: "greedy", Output: "greedy", OK: true}
	if len(a.Shape) != 2 || a.Shape[0] != len(in.IDs) || a.Shape[1] > maxGreedy {
		f.OK, f.Error = false, fmt.Sprintf("greedy has shape %v for %d rows", a.Shape, len(in.IDs))
		return []Finding{f}
	}
	n := a.Shape[1]
	for row, ids := range in.IDs {
		got, err := r.Greedy(ids[:in.Length(row)], n)
		if err != nil {
			f.OK, f.Error = false, err.Error()
			return []Finding{f}
		}
		if want := a.Ints[row*n : (row+1)*n]; !slices.Equal(got, want) {
			f.OK, f.Where = false, fmt.Sprintf("row %d is %v, expected %v", row, got, want)
		}
	}
	return []Finding{f}
}
