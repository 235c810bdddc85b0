package golden

import (
	"os"
	"path/filepath"

	"github.com/tfgen/tfgen/gen/checkpoint"
	"github.com/tfgen/tfgen/gen/checkpoint/synth"
)

// Configs returns the names of the case's configuration files: config.json, and config.v4.json where the case has the
// same configuration in the keys published before transformers 5.
func (c *Case) Configs() []string {
	names := []string{"config.json"}
	if _, err := os.Stat(filepath.Join(c.Dir, "config.v4.json")); err == nil {
		names = append(names, "config.v4.json")
	}
	return names
}

// Checkpoint returns the case's model with one of its configuration files and regenerated weights.
func (c *Case) Checkpoint(config string) (*checkpoint.Checkpoint, error) {
	tensors, err := synth.Load(c.Dir)
	if err != nil {
		return nil, err
	}
	values, err := checkpoint.ReadConfig(c.Dir, config, false)
	if err != nil {
		return nil, err
	}
	return checkpoint.New(tensors, values, checkpoint.KindSynth, c.Dir), nil
}
