package build_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/build"
)

// testCase is a model of the golden suite without its weights: configuration and shapes.
type testCase struct {
	Config      map[string]any   `json:"config"`
	Old         map[string]any   `json:"config.v4"`
	Task        string           `json:"task"`
	HiddenCount int              `json:"hidden_count"`
	Ignored     []string         `json:"ignored_tensors"`
	Shapes      map[string][]int `json:"tensors"`
}

func readCase(t testing.TB, name string) *testCase {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "cases", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	c := &testCase{}
	if err := json.Unmarshal(data, c); err != nil {
		t.Fatal(err)
	}
	return c
}

func caseNames(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "cases", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for i := range files {
		files[i] = strings.TrimSuffix(filepath.Base(files[i]), ".json")
	}
	return files
}

// source is a checkpoint in memory.
type source struct {
	config, meta map[string]any
	tensors      []build.Tensor
	files        map[string]string
}

func (s *source) Config() map[string]any   { return s.config }
func (s *source) Metadata() map[string]any { return s.meta }
func (s *source) Tensors() []build.Tensor  { return s.tensors }
func (s *source) ReadFile(name string) ([]byte, error) {
	if text, ok := s.files[name]; ok {
		return []byte(text), nil
	}
	return nil, fs.ErrNotExist
}

func (c *testCase) source(config map[string]any) *source {
	s := &source{config: config}
	for name, shape := range c.Shapes {
		s.tensors = append(s.tensors, build.Tensor{Name: name, Shape: shape})
	}
	return s
}

func TestGoldenCases(t *testing.T) {
	for _, name := range caseNames(t) {
		t.Run(name, func(t *testing.T) {
			c := readCase(t, name)
			m, err := build.Model(c.source(c.Config))
			if err != nil {
				t.Fatal(err)
			}
			if len(m.Graph.Regions) != c.HiddenCount+1 {
				t.Errorf("%d regions, expected embed, %d layers, head", len(m.Graph.Regions), c.HiddenCount-1)
			}
			if m.Task != c.Task {
				t.Errorf("task %s, expected %s", m.Task, c.Task)
			}
			if c.Old == nil {
				return
			}
			old, err := build.Model(c.source(c.Old))
			if err != nil {
				t.Fatalf("config.v4.json: %v", err)
			}
			if a, b := m.Graph.Dump(), old.Graph.Dump(); a != b {
				t.Errorf("config.v4.json gives another graph:\n%s\nexpected\n%s", b, a)
			}
		})
	}
}
