package golden_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/build"
	"github.com/tfgen/tfgen/gen/checkpoint"
	"github.com/tfgen/tfgen/gen/checkpoint/tensor"
	"github.com/tfgen/tfgen/gen/golden"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/ref"
)

// ggufCase says what llama.cpp's converter makes of a golden case: the metadata, and where each tensor comes from. The
// names are those of gguf-py's tensor map, written by a script, not by hand.
type ggufCase struct {
	Case     string         `json:"case"`
	Metadata map[string]any `json:"metadata"`
	Tensors  map[string]struct {
		Shape     []int     `json:"shape"`
		From      []string  `json:"from"` // tensors of the checkpoint, one below another
		Turn      int       `json:"turn"` // rows of the matrices in from, each of which is transposed first
		Rows      []int     `json:"rows"` // rows taken, in this order; nil: all
		Transpose bool      `json:"transpose"`
		Add       float32   `json:"add"`
		NegExp    bool      `json:"negexp"`
		Data      []float32 `json:"data"` // instead of from
	} `json:"tensors"`
}

// ggufSource is such a file in memory.
type ggufSource struct {
	meta    map[string]any
	tensors map[string]tensor.Tensor
	data    map[string][]float32
}

func (s *ggufSource) Config() map[string]any          { return nil }
func (s *ggufSource) Metadata() map[string]any        { return s.meta }
func (s *ggufSource) ReadFile(string) ([]byte, error) { return nil, fs.ErrNotExist }

func (s *ggufSource) Tensors() []build.Tensor {
	var list []build.Tensor
	for _, t := range s.tensors {
		list = append(list, t)
	}
	return list
}

func (s *ggufSource) Tensor(name string) (tensor.Tensor, bool) {
	t, ok := s.tensors[name]
	return t, ok
}

func (s *ggufSource) ReadF32(name string, first, count int, dst []float32) error {
	_, cols := s.tensors[name].Row()
	if len(dst) != count*cols || (first+count)*cols > len(s.data[name]) {
		return fmt.Errorf("read of %s rows [%d, +%d) into %d", name, first, count, len(dst))
	}
	copy(dst, s.data[name][first*cols:])
	return nil
}

// source converts the checkpoint of the case.
func (g *ggufCase) source(t *testing.T, hf *checkpoint.Checkpoint) *ggufSource {
	t.Helper()
	s := &ggufSource{g.Metadata, map[string]tensor.Tensor{}, map[string][]float32{}}
	s.meta["tokenizer.ggml.tokens"] = make([]any, int(s.meta["tokenizer.ggml.tokens"].(float64)))
	for name, x := range g.Tensors {
		s.tensors[name] = tensor.Tensor{Name: name, Shape: x.Shape}
		data, cols := x.Data, 1
		for _, from := range x.From {
			stored, ok := hf.Tensor(from)
			if !ok {
				t.Fatalf("the checkpoint has no %s", from)
			}
			rows, c := stored.Row()
			part := make([]float32, rows*c)
			if err := hf.ReadF32(from, 0, rows, part); err != nil {
				t.Fatal(err)
			}
			if data, cols = append(data, part...), c; len(stored.Shape) > 2 { // matrices one below another
				cols = stored.Shape[len(stored.Shape)-1]
			}
		}
		if x.Turn > 0 {
			var turned []float32
			for at := 0; at < len(data); at += x.Turn * cols {
				turned = append(turned, transposed(data[at:at+x.Turn*cols], cols)...)
			}
			data, cols = turned, x.Turn
		}
		if n := 1; x.Rows != nil {
			for _, d := range x.Shape {
				n *= d
			}
			if len(x.Rows) == n { // elements rather than rows
				cols = 1
			}
			var taken []float32
			for _, r := range x.Rows {
				taken = append(taken, data[r*cols:(r+1)*cols]...)
			}
			data = taken
		}
		if x.Transpose {
			data = transposed(data, cols)
		}
		for i := range data {
			if data[i] += x.Add; x.NegExp {
				data[i] = float32(-math.Exp(float64(data[i])))
			}
		}
		s.data[name] = data
	}
	return s
}

func transposed(x []float32, cols int) []float32 {
	rows, y := len(x)/cols, make([]float32, len(x))
	for i, v := range x {
		y[i%cols*rows+i/cols] = v
	}
	return y
}

// TestGGUF holds models read from GGUF files, as llama.cpp's converter writes them, to the values of the same models.
func TestGGUF(t *testing.T) {
	files, err := filepath.Glob("../verify/testdata/gguf/*.json")
	if err != nil || len(files) < 20 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			g := &ggufCase{}
			if err := json.Unmarshal(text, g); err != nil {
				t.Fatal(err)
			}
			c := open(t, caseDir(t, g.Case))
			hf, err := c.Checkpoint("config.json")
			if err != nil {
				t.Fatal(err)
			}
			src := g.source(t, hf)
			m, err := build.Model(src)
			if err != nil {
				t.Fatal(err)
			}
			verify(t, c, "gguf", ref.New(m.Graph, src))
		})
	}
}

// TestGGUFEncoders holds the embeddings of encoders read from GGUF files to the states that are recorded for the same
// models: the mean of a text's rows, the first, or the last, as the file says.
func TestGGUFEncoders(t *testing.T) {
	files, err := filepath.Glob("../verify/testdata/gguf/encoders/*.json")
	if err != nil || len(files) < 5 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			g := &ggufCase{}
			if err := json.Unmarshal(text, g); err != nil {
				t.Fatal(err)
			}
			c := open(t, caseDir(t, g.Case))
			hf, err := c.Checkpoint("config.json")
			if err != nil {
				t.Fatal(err)
			}
			src := g.source(t, hf)
			m, err := build.Model(src)
			if err != nil {
				t.Fatal(err)
			}
			pooling := int(g.Metadata[g.Metadata["general.architecture"].(string)+".pooling_type"].(float64))
			for i := range c.Inputs {
				embeddings(t, c, &c.Inputs[i], ref.New(m.Graph, src), m.Graph.Output("embedding"), pooling)
			}
		})
	}
}

// embeddings compares those of one input with what its recorded states give.
func embeddings(t *testing.T, c *golden.Case, in *golden.Input, m *ref.Model, out *ir.Value, pooling int) {
	t.Helper()
	segments := in.Segments()
	states, ok := c.Expected(in.Name, "final")
	if !ok {
		t.Fatalf("%s has no final states", in.Name)
	}
	x, err := m.Run(segments, nil)
	if err != nil {
		t.Fatal(err)
	}
	width, longest := out.Type.Width(), states.Shape[1]
	for i, s := range segments {
		for j := range width {
			at := func(r int) float64 { return float64(states.Data[(i*longest+r)*width+j]) }
			want := map[int]float64{2: at(0), 3: at(len(s.Tokens) - 1)}[pooling]
			for r := range s.Tokens {
				if pooling == 1 {
					want += at(r) / float64(len(s.Tokens))
				}
			}
			if got := x.Values[out].Row(i)[j]; math.Abs(got-want) > 1e-4*max(1, math.Abs(want)) {
				t.Fatalf("%s: element %d of embedding %d is %v, expected %v", in.Name, j, i, got, want)
			}
		}
	}
}

// caseDir finds a golden case in the project or in the suite that TFGEN_SHARED names.
func caseDir(t *testing.T, name string) string {
	t.Helper()
	dirs := []string{"../verify/testdata/decoders/" + name, "testdata/" + name}
	if shared := os.Getenv("TFGEN_SHARED"); shared != "" {
		dirs = append(dirs, filepath.Join(shared, "golden", "hf", name))
	}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "golden.json")); err == nil {
			return dir
		}
	}
	t.Skip("TFGEN_SHARED is not set: the full golden suite is not here")
	return ""
}

// TestConvertedGGUF holds the files that llama.cpp's own converter made of golden cases (tests/peers/convert_gguf.py) to the
// values of these cases.
func TestConvertedGGUF(t *testing.T) {
	dir := os.Getenv("TFGEN_GGUF")
	if dir == "" {
		t.Skip("TFGEN_GGUF is not set to a directory with CASE.gguf for golden cases")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.gguf"))
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".gguf")
		t.Run(name, func(t *testing.T) {
			c := open(t, caseDir(t, name))
			src, err := checkpoint.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			m, err := build.Model(build.Checkpoint{Checkpoint: src})
			if err != nil {
				t.Fatal(err)
			}
			verify(t, c, "gguf", ref.New(m.Graph, src))
		})
	}
}
