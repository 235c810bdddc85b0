// Package synth regenerates the weights of golden cases, which store one row for each tensor instead of its values:
// [shape, mean, std], [shape, "bool"] of ones, [shape, "int64"] of 0, 1, 2, …, or the name of another tensor, of which
// it is a copy. The generator is that of the golden fixtures' synth.py: splitmix64 seeded with the name.
package synth

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math"

	"github.com/tfgen/tfgen/gen/checkpoint"
	"github.com/tfgen/tfgen/gen/checkpoint/dtype"
	"github.com/tfgen/tfgen/gen/checkpoint/tensor"
)

// Source generates tensors on demand. It is a checkpoint.Source.
type Source struct {
	tensors []checkpoint.Tensor // by name
	rows    map[string]row
	digest  string
}

// row is how the values of a tensor are made: fill writes the elements from first on.
type row struct {
	key       uint64 // seed and name, hashed
	mean, std float64
	fill      func(r row, first int, dst []float32)
}

// Parse reads the weights object of a golden.json: {"seed": n, "tensors": {name: row}}.
func Parse(weights []byte) (*Source, error) {
	var w struct {
		Seed    json.Number                `json:"seed"`
		Tensors map[string]json.RawMessage `json:"tensors"`
	}
	if err := json.Unmarshal(weights, &w); err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	if w.Seed == "" || len(w.Tensors) == 0 {
		return nil, errors.New("weights: seed and tensors are expected")
	}
	sum := sha256.Sum256(weights)
	s := &Source{rows: make(map[string]row, len(w.Tensors)), digest: hex.EncodeToString(sum[:])}
	for name := range w.Tensors {
		original, err := resolve(w.Tensors, name)
		if err == nil {
			err = s.add(w.Seed.String(), name, original, w.Tensors[original])
		}
		if err != nil {
			return nil, fmt.Errorf("weights: tensor %q: %w", name, err)
		}
	}
	return s, tensor.Sort(s.tensors)
}

// resolve follows copies to the tensor that has a row of its own.
func resolve(rows map[string]json.RawMessage, name string) (string, error) {
	for range len(rows) + 1 { // a chain of copies ends at the latest after all rows
		text, ok := rows[name]
		if !ok {
			return "", fmt.Errorf("it is a copy of %q, which does not exist", name)
		}
		var other string
		if json.Unmarshal(text, &other) != nil {
			return name, nil
		}
		name = other
	}
	return "", errors.New("it is a copy of itself")
}

// kinds are the rows that name a format instead of a distribution.
var kinds = map[string]struct {
	dtype dtype.DType
	fill  func(r row, first int, dst []float32)
}{
	"bool":  {dtype.Bool, ones},
	"int64": {dtype.I64, counting},
}

// add enters a tensor whose values are those of the tensor original.
func (s *Source) add(seed, name, original string, text json.RawMessage) error {
	var parts []json.RawMessage
	t := checkpoint.Tensor{Name: name, DType: dtype.F32}
	h := fnv.New64a()
	h.Write([]byte(seed + "/" + original))
	r := row{key: h.Sum64(), fill: uniform}
	if err := json.Unmarshal(text, &parts); err != nil {
		return err
	}
	if len(parts) != 2 && len(parts) != 3 {
		return fmt.Errorf("a row has 2 or 3 parts, found %d", len(parts))
	}
	if err := json.Unmarshal(parts[0], &t.Shape); err != nil {
		return fmt.Errorf("shape: %w", err)
	}
	if len(parts) == 2 {
		var kind string
		err := json.Unmarshal(parts[1], &kind)
		k, ok := kinds[kind]
		if err != nil || !ok {
			return fmt.Errorf("%s is neither \"bool\" nor \"int64\"", parts[1])
		}
		t.DType, r.fill = k.dtype, k.fill
	} else if err := errors.Join(json.Unmarshal(parts[1], &r.mean), json.Unmarshal(parts[2], &r.std)); err != nil {
		return err
	}
	var err error
	if t.Size, err = tensor.Bytes(t.DType, t.Shape); err != nil {
		return err
	}
	s.tensors, s.rows[name] = append(s.tensors, t), r
	return nil
}

// uniform writes mean + std·√12·(u - ½) with u uniform in [0, 1) of 24 bits: each product is rounded to float64 before
// it is added, then the sum to float32.
func uniform(r row, first int, dst []float32) {
	scale := float64(r.std * math.Sqrt(12))
	for i := range dst {
		z := r.key + uint64(first+i+1)*0x9E3779B97F4A7C15
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		z ^= z >> 31
		u := float64(z>>40) / (1 << 24)
		dst[i] = float32(r.mean + float64(scale*(u-0.5)))
	}
}

func ones(_ row, _ int, dst []float32) {
	for i := range dst {
		dst[i] = 1
	}
}

func counting(_ row, first int, dst []float32) {
	for i := range dst {
		dst[i] = float32(first + i)
	}
}

// Tensors returns all tensors, sorted by name.
func (s *Source) Tensors() []checkpoint.Tensor { return s.tensors }

// Tensor returns the tensor of this name.
func (s *Source) Tensor(name string) (checkpoint.Tensor, bool) { return tensor.Find(s.tensors, name) }

// ReadF32 generates rows.
func (s *Source) ReadF32(name string, first, count int, dst []float32) error {
	t, ok := s.Tensor(name)
	if !ok {
		return fmt.Errorf("the checkpoint has no tensor %q", name)
	}
	first, count, err := checkpoint.Elements(t, first, count)
	if err != nil {
		return err
	}
	return s.ReadElements(name, first, count, dst)
}

// ReadElements generates elements.
func (s *Source) ReadElements(name string, first, count int, dst []float32) error {
	t, ok := s.Tensor(name)
	if !ok {
		return fmt.Errorf("the checkpoint has no tensor %q", name)
	}
	if err := checkpoint.CheckRead(t, first, count, dst); err != nil {
		return err
	}
	r := s.rows[name]
	r.fill(r, first, dst)
	return nil
}

// Digest hashes the rows.
func (s *Source) Digest() (string, error) { return s.digest, nil }

// Close does nothing.
func (s *Source) Close() error { return nil }
