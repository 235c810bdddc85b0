package bundle

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tfgen/tfgen/gen/checkpoint"
	"github.com/tfgen/tfgen/gen/tokenizer"
)

// maxSideFile bounds the JSON files beside the weights: the largest tokenizers have some 40 MB.
const maxSideFile = 256 << 20

// Checkpoint is a Source over an open checkpoint.
type Checkpoint struct{ *checkpoint.Checkpoint }

// FromCheckpoint makes a Source of a checkpoint.
func FromCheckpoint(c *checkpoint.Checkpoint) *Checkpoint {
	return &Checkpoint{c}
}

// ReadFile reads a file beside config.json.
func (c *Checkpoint) ReadFile(name string) ([]byte, error) {
	kind, dir := c.Checkpoint.Source()
	if kind == checkpoint.KindGGUF || dir == "" || !filepath.IsLocal(name) {
		return nil, fs.ErrNotExist
	}
	info, err := os.Stat(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	if info.Size() > maxSideFile {
		return nil, errors.New(name + " is larger than 256 MiB")
	}
	return os.ReadFile(filepath.Join(dir, name))
}

// Tokenizer returns the packed tokenizer of the checkpoint, nil if it has none.
func (c *Checkpoint) Tokenizer() ([]byte, error) {
	if meta := c.Metadata(); meta != nil {
		if _, ok := meta["tokenizer.ggml.model"]; !ok {
			return nil, nil
		}
		return tokenizer.FromGGUF(meta)
	}
	_, dir := c.Checkpoint.Source()
	data, err := tokenizer.FromDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}
