package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tfgen/tfgen/gen/checkpoint/gguf"
	"github.com/tfgen/tfgen/gen/checkpoint/safetensors"
	"github.com/tfgen/tfgen/gen/checkpoint/tensor"
)

// Names of the files of a Hugging Face directory.
const (
	configName     = "config.json"
	generationName = "generation_config.json"
	weightsName    = "model.safetensors"
	indexName      = "model.safetensors.index.json"
)

// openGGUF opens one GGUF file.
func openGGUF(path string) (*Checkpoint, error) {
	source := &files{}
	file, size, err := source.add(path)
	if err != nil {
		return nil, err
	}
	g, err := gguf.Read(file, size, filepath.Base(path), tensor.Limit(size))
	if err == nil {
		err = whole(g)
	}
	if err != nil {
		source.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	source.tensors = g.Tensors
	source.digest = func() (string, error) { return hashFile(path) }
	return &Checkpoint{tensors: source, kind: KindGGUF, dir: filepath.Dir(path), gguf: g}, nil
}

// whole refuses one file of a model that was split.
func whole(g *gguf.File) error {
	if n, ok := g.Metadata["split.count"].(uint16); ok && n > 1 {
		return fmt.Errorf("it is one of %d files of a split model, which is not supported; merge them with llama-gguf-split --merge", n)
	}
	return nil
}

// openSafetensors opens one safetensors file without a configuration.
func openSafetensors(path string) (*Checkpoint, error) {
	source := &files{}
	if err := source.shards(filepath.Dir(path), []string{filepath.Base(path)}); err != nil {
		source.Close()
		return nil, err
	}
	source.digest = func() (string, error) { return hashFile(path) }
	return &Checkpoint{tensors: source, kind: KindSafetensors, dir: filepath.Dir(path)}, nil
}

// openDirectory opens a Hugging Face directory: model.safetensors, else the shards that its index lists.
func openDirectory(dir string) (*Checkpoint, error) {
	config, err := ReadConfig(dir, configName, false)
	if err != nil {
		return nil, err
	}
	generation, err := ReadConfig(dir, generationName, true)
	if err != nil {
		return nil, err
	}
	source := &files{}
	if err := source.directory(dir); err != nil {
		source.Close()
		return nil, err
	}
	source.digest = func() (string, error) { return hashDirectory(dir, source.names()) }
	tensors, config, err := unscale(source, config)
	if err != nil {
		source.Close()
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return &Checkpoint{tensors: tensors, kind: KindHF, dir: dir, config: config, generation: generation}, nil
}

func (f *files) directory(dir string) error {
	_, err := os.Stat(filepath.Join(dir, weightsName))
	if err == nil {
		return f.shards(dir, []string{weightsName})
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	index, err := readIndex(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return missing(dir)
	}
	if err != nil {
		return err
	}
	if err := f.shards(dir, index.shards); err != nil {
		return err
	}
	return index.check(f.tensors)
}

// missing says what a directory without safetensors has instead.
func missing(dir string) error {
	for _, pattern := range []string{"*.bin", "*.pt", "*.pth", "*.ckpt", "*.h5", "*.msgpack"} {
		if found, _ := filepath.Glob(filepath.Join(dir, pattern)); len(found) > 0 {
			return fmt.Errorf("%s: there is %s but neither %s nor %s; only safetensors is supported (pickles are never executed)", dir, filepath.Base(found[0]), weightsName, indexName)
		}
	}
	return fmt.Errorf("%s: there is neither %s nor %s", dir, weightsName, indexName)
}

// shards opens safetensors files of one folder and joins their tensors.
func (f *files) shards(dir string, names []string) error {
	var total int64
	sizes := make([]int64, len(names))
	for i, name := range names {
		_, size, err := f.add(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		sizes[i], total = size, total+size
	}
	lists := make([][]Tensor, len(names))
	count := 0
	for i, name := range names {
		h, err := safetensors.Read(f.open[name], sizes[i], name, tensor.Limit(total)-count)
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
		}
		lists[i], count = h.Tensors, count+len(h.Tensors)
	}
	if f.tensors = lists[0]; len(lists) == 1 {
		return nil
	}
	f.tensors = make([]Tensor, 0, count)
	for _, list := range lists {
		f.tensors = append(f.tensors, list...)
	}
	if err := tensor.Sort(f.tensors); err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	return nil
}
