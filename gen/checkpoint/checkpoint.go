// Package checkpoint reads model checkpoints: a Hugging Face directory with safetensors files, a single safetensors
// file, or a GGUF file. Tensors are read and converted to float32 on demand; a model is never in memory as a whole.
// Files are untrusted: what is wrong with one is an error that names the file, the tensor, what was expected and found.
package checkpoint

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tfgen/tfgen/gen/checkpoint/dtype"
	"github.com/tfgen/tfgen/gen/checkpoint/gguf"
	"github.com/tfgen/tfgen/gen/checkpoint/tensor"
)

// Tensor is a tensor of a checkpoint and where its bytes are.
type Tensor = tensor.Tensor

// DType is the format of a tensor's elements.
type DType = dtype.DType

// Source is where tensors come from. Its methods may be called concurrently.
type Source interface {
	// Tensors returns all tensors, sorted by name.
	Tensors() []Tensor
	// Tensor returns the tensor of this name.
	Tensor(name string) (Tensor, bool)
	// ReadF32 writes count rows of a tensor from row first to dst, which has exactly room for them. A row is all but
	// the first dimension; a scalar and a vector have one value a row.
	ReadF32(name string, first, count int, dst []float32) error
	// ReadElements writes count elements of the flattened tensor from element first to dst, which has room for count.
	ReadElements(name string, first, count int, dst []float32) error
	// Digest returns the SHA-256, in hexadecimal, of what determines the tensors.
	Digest() (string, error)
	// Close releases what the source holds open.
	Close() error
}

// Kinds of checkpoints.
const (
	KindHF          = "hf"          // a Hugging Face directory
	KindSafetensors = "safetensors" // one safetensors file
	KindGGUF        = "gguf"        // one GGUF file
	KindSynth       = "synth"       // generated weights of a golden case
)

// Checkpoint is an open checkpoint: tensors and what describes the model. It is itself a Source.
type Checkpoint struct {
	tensors    Source
	kind, path string
	dir        string
	config     map[string]any
	generation map[string]any
	gguf       *gguf.File
}

// Open opens a Hugging Face directory, a .safetensors file or a .gguf file. It reads headers only.
func Open(path string) (*Checkpoint, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("opening a checkpoint: %w", err)
	}
	open := map[string]func(string) (*Checkpoint, error){".gguf": openGGUF, ".safetensors": openSafetensors}[strings.ToLower(filepath.Ext(path))]
	if info.IsDir() {
		open = openDirectory
	}
	if open == nil {
		return nil, fmt.Errorf("%s: not a checkpoint; supported are a Hugging Face directory, a .safetensors file and a .gguf file", path)
	}
	c, err := open(path)
	if err != nil {
		return nil, err
	}
	c.path = path
	return c, nil
}

// New makes a checkpoint from a source of tensors and a decoded config.json, such as DecodeConfig returns. dir is the
// folder in which a tokenizer is looked for.
func New(tensors Source, config map[string]any, kind, dir string) *Checkpoint {
	return &Checkpoint{tensors: tensors, config: config, kind: kind, path: dir, dir: dir}
}

// Tensors returns all tensors, sorted by name. The caller must not change them.
func (c *Checkpoint) Tensors() []Tensor { return c.tensors.Tensors() }

// Tensor returns the tensor of this name.
func (c *Checkpoint) Tensor(name string) (Tensor, bool) { return c.tensors.Tensor(name) }

// ReadF32 writes count rows of a tensor, from row first, to dst, converted to float32; see Source.
func (c *Checkpoint) ReadF32(name string, first, count int, dst []float32) error {
	return c.tensors.ReadF32(name, first, count, dst)
}

// ReadElements writes count elements of a flattened tensor, from element first, to dst, converted to float32.
func (c *Checkpoint) ReadElements(name string, first, count int, dst []float32) error {
	return c.tensors.ReadElements(name, first, count, dst)
}

// ReadBlocks writes the blocks of elements first … first+count-1 of a flattened tensor to dst as they are stored; both
// numbers are multiples of the values in a block, and dst holds exactly these blocks.
func (c *Checkpoint) ReadBlocks(name string, first, count int, dst []byte) error {
	if b, ok := c.tensors.(interface {
		ReadBlocks(name string, first, count int, dst []byte) error
	}); ok {
		return b.ReadBlocks(name, first, count, dst)
	}
	return fmt.Errorf("tensor %s is not stored in blocks", name)
}

// Close closes the files.
func (c *Checkpoint) Close() error { return c.tensors.Close() }

// Config returns config.json, with numbers as json.Number and {"__float__": "Infinity"} as float64; nil if there is none.
func (c *Checkpoint) Config() map[string]any { return c.config }

// GenerationConfig returns generation_config.json, or nil if there is none.
func (c *Checkpoint) GenerationConfig() map[string]any { return c.generation }

// GGUF returns what a GGUF file says before its tensors, nil for other kinds.
func (c *Checkpoint) GGUF() *gguf.File { return c.gguf }

// Metadata returns the typed metadata of a GGUF file, nil for other kinds.
func (c *Checkpoint) Metadata() map[string]any {
	if c.gguf == nil {
		return nil
	}
	return c.gguf.Metadata
}

// Source returns the kind of the checkpoint and its folder.
func (c *Checkpoint) Source() (kind, dir string) { return c.kind, c.dir }

// Path returns what was given to Open.
func (c *Checkpoint) Path() string { return c.path }

// Flat reads a source by element: the interface of the packer.
type Flat struct{ Source }

// Shape returns the shape of a tensor.
func (f Flat) Shape(name string) ([]int, bool) {
	t, ok := f.Source.Tensor(name)
	return t.Shape, ok
}

// ReadF32 writes count elements of the flattened tensor, from element first, to dst.
func (f Flat) ReadF32(name string, first, count int, dst []float32) error {
	return f.Source.ReadElements(name, first, count, dst)
}
