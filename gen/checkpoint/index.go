package checkpoint

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/gen/checkpoint/safetensors"
	"github.com/tfgen/tfgen/gen/checkpoint/strictjson"
	"github.com/tfgen/tfgen/gen/checkpoint/tensor"
)

// maxShards is how many files a checkpoint may consist of; all are open at once.
const maxShards = 512

// index is a model.safetensors.index.json.
type index struct {
	path   string
	text   string
	shards []string // base names, sorted
}

// readIndex reads the index of a folder and collects its shards, which must lie in the same folder.
func readIndex(dir string) (*index, error) {
	x := &index{path: filepath.Join(dir, indexName)}
	var err error
	if x.text, err = readText(x.path, safetensors.MaxHeader); err != nil {
		return nil, err
	}
	err = x.each(func(name, shard string) error {
		at, found := slices.BinarySearch(x.shards, shard)
		if found {
			return nil
		}
		if !filepath.IsLocal(shard) || strings.ContainsAny(shard, `/\:`) || !strings.HasSuffix(shard, ".safetensors") {
			return fmt.Errorf("tensor %.200q: shard %.200q is not the name of a .safetensors file in the same folder", name, shard)
		}
		if len(x.shards) == maxShards {
			return fmt.Errorf("there are more than %d shards", maxShards)
		}
		x.shards = slices.Insert(x.shards, at, shard)
		return nil
	})
	if err == nil && len(x.shards) == 0 {
		err = errors.New("weight_map lists no tensors")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", x.path, err)
	}
	return x, nil
}

// each calls f with every tensor and the shard that has it.
func (x *index) each(f func(name, shard string) error) error {
	s := strictjson.New(x.text, maxConfigValues)
	maps := 0
	err := s.Object(func(key string) error {
		if key != "weight_map" {
			_, err := s.Value()
			return err
		}
		if maps++; maps > 1 {
			return s.Errorf("weight_map appears twice")
		}
		return s.Object(func(name string) error {
			shard, err := s.String()
			if err != nil {
				return fmt.Errorf("tensor %.200q: %w", name, err)
			}
			return f(name, shard)
		})
	})
	if err == nil && maps == 0 {
		err = errors.New("there is no weight_map")
	}
	if err != nil {
		return err
	}
	return s.End()
}

// check compares the index with the tensors of the shards: each listed once, each where the index says. Tensors that
// only the shards have are allowed.
func (x *index) check(tensors []Tensor) error {
	seen := make(map[string]bool, min(len(tensors), strings.Count(x.text, ":")))
	err := x.each(func(name, shard string) error {
		t, ok := tensor.Find(tensors, name)
		switch {
		case !ok:
			return fmt.Errorf("tensor %.200q: it is not in %s, nor in any other shard", name, shard)
		case t.File != shard:
			return fmt.Errorf("tensor %.200q: it is not in %s but in %s", name, shard, t.File)
		case seen[name]:
			return fmt.Errorf("tensor %.200q is listed twice", name)
		}
		seen[name] = true
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", x.path, err)
	}
	return nil
}
