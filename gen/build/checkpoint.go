package build

import (
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/tfgen/tfgen/gen/checkpoint"
)

// Checkpoint is an open checkpoint as a Source.
type Checkpoint struct{ *checkpoint.Checkpoint }

// ReadFile returns a small file of a Hugging Face directory. Names cannot lead out of it.
func (c Checkpoint) ReadFile(name string) ([]byte, error) {
	kind, dir := c.Source()
	if kind == checkpoint.KindGGUF || dir == "" {
		return nil, fs.ErrNotExist
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", name)
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxJSON+1))
}
