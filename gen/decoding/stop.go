package decoding

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/tfgen/tfgen/gen/tokenizer"
	"github.com/tfgen/tfgen/runtime/generate"
	runtime "github.com/tfgen/tfgen/runtime/tokenizer"
)

// stops checks after which token a stop text is complete.
type stops struct {
	dir  string
	open map[string]*runtime.Tokenizer
}

func newStops(dir string) *stops { return &stops{dir, map[string]*runtime.Tokenizer{}} }

// tokenizer returns a tokenizer by its name, a path relative to the folder of tokenizers beside that of the file.
func (s *stops) tokenizer(name string) (*runtime.Tokenizer, error) {
	if t := s.open[name]; t != nil {
		return t, nil
	}
	packed, err := pack(filepath.Join(s.dir, "..", "tokenizers", filepath.FromSlash(name)+".json"))
	if err != nil {
		return nil, err
	}
	t, err := runtime.Load(packed)
	if err == nil {
		s.open[name] = t
	}
	return t, err
}

// check checks one record.
func (s *stops) check(line []byte) (kind string, err error) {
	var r struct {
		Tokenizer string   `json:"tokenizer"`
		Stop      []string `json:"stop"`
		IDs       []int32  `json:"ids"`
		Done      []bool   `json:"done"`
		Error     string   `json:"expected_error"`
	}
	kind = "stop"
	if err := json.Unmarshal(line, &r); err != nil {
		return kind, err
	}
	t, err := s.tokenizer(r.Tokenizer)
	if err != nil {
		return kind, err
	}
	err = generate.CheckStop(t, r.Stop)
	if r.Error != "" {
		if err == nil {
			return kind, fmt.Errorf("stop texts %q are accepted, expected an error: %s", r.Stop, r.Error)
		}
		return kind, nil
	}
	if err != nil {
		return kind, err
	}
	want := len(r.IDs)
	if at := slices.Index(r.Done, true); at >= 0 {
		want = at + 1
	}
	got, err := stopsAfter(t, r.IDs, r.Stop)
	if err == nil && got != want {
		err = fmt.Errorf("%s, stop texts %q: ends after %d tokens, expected %d of %d", r.Tokenizer, r.Stop, got, want, len(r.IDs))
	}
	return kind, err
}

// script is a session whose most probable tokens are given.
type script struct {
	ids    []int32
	logits []float32
	next   int
}

// Prefill implements generate.Stepper.
func (s *script) Prefill(context.Context, []int32) ([]float32, error) {
	clear(s.logits)
	s.logits[s.ids[s.next]] = 1
	s.next++
	return s.logits, nil
}

// Decode implements generate.Stepper.
func (s *script) Decode(ctx context.Context, _ int32) ([]float32, error) { return s.Prefill(ctx, nil) }

// Len implements generate.Stepper.
func (s *script) Len() int { return s.next }

// Context implements generate.Stepper.
func (s *script) Context() int { return len(s.ids) + 1 }

// stopsAfter returns after how many of ids a generation that chooses them ends.
func stopsAfter(t *runtime.Tokenizer, ids []int32, stop []string) (int, error) {
	var stats generate.Stats
	s := &script{ids: ids, logits: make([]float32, t.VocabSize())}
	o := generate.Options{MaxTokens: len(ids), Stop: stop, Stats: &stats}
	for _, err := range generate.Stream(context.Background(), s, generate.Wrap[*runtime.Stream](t), []int32{0}, o) {
		if err != nil {
			return 0, err
		}
	}
	return stats.Tokens, nil
}

// pack packs a tokenizer.json.
func pack(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return tokenizer.FromJSON(text, nil)
}
