package synth

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tfgen/tfgen/gen/checkpoint"
)

// Open opens a golden case, a folder with config.json and golden.json, as a checkpoint with generated weights.
func Open(dir string) (*checkpoint.Checkpoint, error) {
	config, err := checkpoint.ReadConfig(dir, "config.json", false)
	if err != nil {
		return nil, err
	}
	s, err := Load(dir)
	if err != nil {
		return nil, err
	}
	return checkpoint.New(s, config, checkpoint.KindSynth, dir), nil
}

// Load reads the weights of the golden.json in a folder.
func Load(dir string) (*Source, error) {
	path := filepath.Join(dir, "golden.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var golden struct {
		Weights json.RawMessage `json:"weights"`
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s, err := Parse(golden.Weights)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}
