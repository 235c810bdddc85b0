// Package golden compares a compiled model with the recorded numbers of a golden case: a directory with config.json,
// golden.json (inputs, noise, the rows that its weights are regenerated from) and golden.safetensors (what must come
// out).
package golden

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tfgen/tfgen/gen/op"
)

// maxHidden is the largest number of hidden states of a case.
const maxHidden = 1 << 12

// Case is one golden case.
type Case struct {
	Dir          string             `json:"-"`
	Name         string             `json:"case"`
	Architecture string             `json:"architecture"` // transformers class
	Task         string             `json:"task"`
	Note         string             `json:"note"`
	Transformers string             `json:"transformers"` // version of the reference; "": another one, as the note says
	HiddenCount  int                `json:"hidden_count"`
	Noise        map[string]float64 `json:"noise"` // largest float32 error of transformers itself, by output
	Ignored      []string           `json:"ignored_tensors"`
	Inputs       []Input            `json:"inputs"`

	EncoderHiddenCount int                        `json:"encoder_hidden_count"`
	Generation         map[string]json.RawMessage `json:"generation"` // encoder–decoders: arguments of generate
	Beams              map[string]json.RawMessage `json:"beam4"`      // further ones of beam search

	expected map[string]*Array // of golden.safetensors, or recorded
	share    float64           // of the largest value that results may be off by
}

// Input is a batch of sequences, padded on the right.
type Input struct {
	Name    string    `json:"name"`
	IDs     [][]int32 `json:"input_ids"`
	Mask    [][]int32 `json:"attention_mask"`        // 1 token, 0 padding; absent: all tokens
	Types   [][]int32 `json:"token_type_ids"`        // absent: zeros
	Global  [][]int32 `json:"global_attention_mask"` // absent: as the class has it
	Decoder [][]int32 `json:"decoder_input_ids"`     // of an encoder–decoder, which reads input_ids with its encoder
	Prefill int       `json:"prefill"`               // tokens fed at once before decoding; 0: no decoding
	Greedy  bool      `json:"greedy"`
}

// Array is a tensor of expected values: numbers, or token ids.
type Array struct {
	Shape []int
	Data  []float32 // nil for integers
	Ints  []int32   // nil for numbers
}

// Open reads a golden case.
func Open(dir string) (*Case, error) {
	path := filepath.Join(dir, "golden.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("golden case: %w", err)
	}
	c := &Case{Dir: dir}
	if err := json.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if c.expected, err = readArrays(filepath.Join(dir, "golden.safetensors")); err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func (c *Case) check() error {
	if c.Name == "" || len(c.Inputs) == 0 {
		return fmt.Errorf("no case name or no inputs")
	}
	if c.HiddenCount < 0 || c.HiddenCount > maxHidden {
		return fmt.Errorf("hidden_count is %d, expected 0 to %d", c.HiddenCount, maxHidden)
	}
	for i := range c.Inputs {
		if err := c.Inputs[i].check(); err != nil {
			return fmt.Errorf("input %s: %w", c.Inputs[i].Name, err)
		}
	}
	for name, a := range c.expected {
		n := 1
		for _, d := range a.Shape {
			n *= d
		}
		if len(a.Shape) == 0 || n == 0 || len(a.Data)+len(a.Ints) != n {
			return fmt.Errorf("%s: shape %v with %d elements", name, a.Shape, len(a.Data)+len(a.Ints))
		}
		if (strings.HasSuffix(name, "/greedy") || strings.HasSuffix(name, "/beam4")) != (a.Ints != nil) {
			return fmt.Errorf("%s: greedy continuations are integers, outputs are numbers", name)
		}
	}
	return nil
}

func (in *Input) check() error {
	if len(in.IDs) == 0 || len(in.IDs[0]) == 0 {
		return fmt.Errorf("no input_ids")
	}
	n := len(in.IDs[0])
	for _, matrix := range [][][]int32{in.IDs, in.Mask, in.Types, in.Global} {
		if matrix != nil && len(matrix) != len(in.IDs) {
			return fmt.Errorf("%d rows, expected %d", len(matrix), len(in.IDs))
		}
		for _, row := range matrix {
			if len(row) != n {
				return fmt.Errorf("a row of %d tokens, expected %d", len(row), n)
			}
		}
	}
	for i := range in.IDs {
		if in.Length(i) == 0 {
			return fmt.Errorf("row %d has no tokens", i)
		}
	}
	if in.Decoder != nil && (len(in.Decoder) != len(in.IDs) || len(in.Decoder[0]) == 0) {
		return fmt.Errorf("%d rows of decoder_input_ids, expected %d", len(in.Decoder), len(in.IDs))
	}
	for _, row := range in.Decoder {
		if n = len(in.Decoder[0]); len(row) != n {
			return fmt.Errorf("a row of %d decoder_input_ids, expected %d", len(row), n)
		}
	}
	if in.Prefill < 0 || in.Prefill >= n {
		return fmt.Errorf("prefill is %d of %d tokens", in.Prefill, n)
	}
	return nil
}

// Length is the number of tokens of row i: padding is on the right.
func (in *Input) Length(i int) int {
	if in.Mask == nil {
		return len(in.IDs[i])
	}
	n := 0
	for n < len(in.Mask[i]) && in.Mask[i][n] != 0 {
		n++
	}
	return n
}

// Segments returns the rows without their padding.
func (in *Input) Segments() []op.Segment {
	segments := make([]op.Segment, len(in.IDs))
	for i := range segments {
		n := in.Length(i)
		segments[i] = op.Segment{Tokens: in.IDs[i][:n], Total: n}
		if in.Types != nil {
			segments[i].Types = in.Types[i][:n]
		}
		if in.Global != nil {
			segments[i].Global = in.Global[i][:n]
		}
		if in.Decoder != nil {
			segments[i].Source, segments[i].Tokens = segments[i].Tokens, in.Decoder[i]
			segments[i].Total = len(in.Decoder[i])
		}
	}
	return segments
}

// Expected returns the recorded output of an input, for example "hidden/0" or "logits".
func (c *Case) Expected(input, output string) (*Array, bool) {
	a, ok := c.expected[input+"/"+output]
	return a, ok
}

// Outputs returns the names of what Full must compute for an input, in the order of the model: hidden/0, hidden/1, …,
// final, then the heads by name.
func (c *Case) Outputs(input string) []string {
	var list []string
	for i := range c.EncoderHiddenCount {
		list = append(list, fmt.Sprintf("encoder/hidden/%d", i))
	}
	list = append(list, "encoder/final")
	for _, tower := range []string{"", "decoder/"} {
		for i := range c.HiddenCount {
			list = append(list, fmt.Sprintf("%shidden/%d", tower, i))
		}
		list = append(list, tower+"final")
	}
	list = append(list, "pooled", "logits", "start_logits", "end_logits")
	var have []string
	for _, name := range list {
		if _, ok := c.Expected(input, name); ok {
			have = append(have, name)
		}
	}
	return have
}

// Tolerance is the largest difference allowed for an output: ten times the noise of its kind and 1e-5 of the largest
// expected value, or the share of it that Record was told. Where a case has no noise for a kind, that of the final state or
// else of the logits counts.
func (c *Case) Tolerance(output string, a *Array) float64 {
	kind := strings.TrimPrefix(output, "decode/")
	if i := strings.Index(kind, "hidden/"); i >= 0 {
		kind = kind[:i] + "hidden"
	}
	noise := 0.0
	for _, key := range []string{kind, "final", "decoder/final", "logits"} {
		if v, ok := c.Noise[key]; ok {
			noise = v
			break
		}
	}
	return max(10*noise+1e-5*a.max(), c.share*a.max())
}

// max is the largest magnitude.
func (a *Array) max() float64 {
	top := 0.0
	for _, v := range a.Data {
		top = max(top, float64(v), -float64(v))
	}
	return top
}
