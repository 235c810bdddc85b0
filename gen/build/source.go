// Package build makes the typed graph of a model: it picks the specification for a checkpoint, resolves its
// configuration, expands macros and repeats, and finds every weight among the stored tensors.
package build

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/tfgen/tfgen/gen/checkpoint/tensor"
)

// Tensor is a tensor that a checkpoint stores. Of its fields only the name and the shape matter here.
type Tensor = tensor.Tensor

// Source is a checkpoint: a Hugging Face directory or a GGUF file.
type Source interface {
	// Config is config.json as decoded by encoding/json; nil for GGUF.
	Config() map[string]any
	// Metadata are the key-value pairs of a GGUF file; nil for a directory.
	Metadata() map[string]any
	// Tensors lists what is stored.
	Tensors() []Tensor
	// ReadFile returns another file of the checkpoint, such as "modules.json", or an error that is fs.ErrNotExist.
	ReadFile(name string) ([]byte, error)
}

// maxJSON bounds the small JSON files that are read beside config.json.
const maxJSON = 1 << 20

// readJSON decodes a JSON file of the source into v. It reports whether there is such a file.
func readJSON(src Source, name string, v any) (bool, error) {
	data, err := src.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if len(data) > maxJSON {
		return false, fmt.Errorf("%s has %d bytes, more than %d", name, len(data), maxJSON)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	return true, nil
}

// jsonMap reads a JSON object of the source, nil if there is no such file.
func jsonMap(src Source, name string) (map[string]any, error) {
	var m map[string]any
	_, err := readJSON(src, name, &m)
	return m, err
}
