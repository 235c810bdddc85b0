package checkpoint

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/tfgen/tfgen/gen/checkpoint/dtype"
)

// scaled is a source whose quantised tensors have their scales in tensors of their own, which it applies and hides.
type scaled struct {
	Source
	tensors []Tensor // by name, as they look to readers
	rules   map[string]rule
	parts   map[string]bool // tensors that derived ones are made of
	whole   cache
}

// rule reads elements of one quantised tensor.
type rule struct {
	shown Tensor
	read  func(first, count int, dst []float32) error
}

// methods is the table of quantisations of Hugging Face checkpoints: quant_method of quantization_config. They are
// undone when tensors are read, so that nothing behind the reader knows of them.
var methods = map[string]func(s *scaled, config map[string]any) error{
	"fp8": (*scaled).blockwise, "mxfp4": (*scaled).microscaled, "gptq": (*scaled).gptq, "awq": (*scaled).awq,
	"bitsandbytes": (*scaled).bitsandbytes, "compressed-tensors": (*scaled).compressed,
}

// unscale wraps a source whose configuration names a quantisation, and returns the configuration without it. One that is
// not in the table stays as it is: specifications refuse it.
func unscale(source Source, config map[string]any) (Source, map[string]any, error) {
	q, _ := config["quantization_config"].(map[string]any)
	kind, _ := q["quant_method"].(string)
	method, ok := methods[kind]
	if !ok {
		return source, config, nil
	}
	s := &scaled{Source: source, rules: map[string]rule{}, parts: map[string]bool{}}
	if err := method(s, q); err != nil {
		return nil, nil, fmt.Errorf("quantization_config: %s: %w", kind, err)
	}
	rest := map[string]any{}
	for k, v := range config {
		if k != "quantization_config" {
			rest[k] = v
		}
	}
	return s, rest, nil
}

// hide makes the list of tensors without those that hold scales.
func (s *scaled) hide(suffix string) {
	for _, t := range s.Source.Tensors() {
		if r, ok := s.rules[t.Name]; ok {
			t = r.shown
		} else if stem, ok := strings.CutSuffix(t.Name, suffix); ok && s.hides(stem) {
			continue
		}
		s.tensors = append(s.tensors, t)
	}
}

// hides reports whether some rule applies the scales of a stem.
func (s *scaled) hides(stem string) bool {
	_, plain := s.rules[stem]
	_, blocks := s.rules[stem+"_blocks"]
	return plain || blocks
}

// Tensors returns all tensors but scales.
func (s *scaled) Tensors() []Tensor { return s.tensors }

// Tensor returns the tensor of this name.
func (s *scaled) Tensor(name string) (Tensor, bool) {
	i := sort.Search(len(s.tensors), func(i int) bool { return s.tensors[i].Name >= name })
	if i == len(s.tensors) || s.tensors[i].Name != name {
		return Tensor{}, false
	}
	return s.tensors[i], true
}

// ReadF32 reads rows.
func (s *scaled) ReadF32(name string, first, count int, dst []float32) error {
	r, ok := s.rules[name]
	if !ok {
		return s.Source.ReadF32(name, first, count, dst)
	}
	first, count, err := Elements(r.shown, first, count)
	if err != nil {
		return err
	}
	return s.ReadElements(name, first, count, dst)
}

// ReadElements reads elements.
func (s *scaled) ReadElements(name string, first, count int, dst []float32) error {
	r, ok := s.rules[name]
	if !ok {
		return s.Source.ReadElements(name, first, count, dst)
	}
	if err := CheckRead(r.shown, first, count, dst); err != nil {
		return err
	}
	return r.read(first, count, dst)
}

// blockwise undoes fp8 with one scale for each block of a matrix (DeepSeek-V3: 128 × 128): NAME_scale_inv holds the factors.
func (s *scaled) blockwise(config map[string]any) error {
	size, err := blockSize(config["weight_block_size"])
	if err != nil {
		return err
	}
	for _, t := range s.Source.Tensors() {
		if t.DType != dtype.F8E4M3 && t.DType != dtype.F8E5M2 {
			continue
		}
		scales, ok := s.Source.Tensor(t.Name + "_scale_inv")
		if !ok || len(t.Shape) != 2 {
			return fmt.Errorf("tensor %s (%v) is no matrix with scales in %s_scale_inv", t.Name, t.Shape, t.Name)
		}
		want := []int{(t.Shape[0] + size[0] - 1) / size[0], (t.Shape[1] + size[1] - 1) / size[1]}
		if !slices.Equal(scales.Shape, want) {
			return fmt.Errorf("tensor %s has shape %v, expected %v for blocks of %v in %s", scales.Name, scales.Shape, want, size, t.Name)
		}
		s.rules[t.Name] = rule{t, func(first, count int, dst []float32) error {
			return s.readBlocks(t, scales, size, first, count, dst)
		}}
	}
	s.hide("_scale_inv")
	return nil
}

// blockSize reads [rows, columns] of a block.
func blockSize(x any) (size [2]int, err error) {
	list, _ := x.([]any)
	for i, v := range list {
		n, _ := v.(json.Number)
		k, err := n.Int64()
		if err != nil || k < 1 || k > 1<<20 || len(list) != 2 {
			return size, fmt.Errorf("weight_block_size is %v, expected two sizes", list)
		}
		size[i] = int(k)
	}
	if len(list) != 2 {
		return size, fmt.Errorf("weight_block_size is %v, expected two sizes; scales of whole tensors are not supported", x)
	}
	return size, nil
}

// readBlocks reads elements of a matrix and multiplies each by the scale of its block.
func (s *scaled) readBlocks(t, scales Tensor, size [2]int, first, count int, dst []float32) error {
	if count == 0 {
		return nil
	}
	if err := s.Source.ReadElements(t.Name, first, count, dst); err != nil {
		return err
	}
	cols, across := t.Shape[1], scales.Shape[1]
	top := first / cols / size[0]
	factors := make([]float32, ((first+count-1)/cols/size[0]-top+1)*across)
	if err := s.Source.ReadElements(scales.Name, top*across, len(factors), factors); err != nil {
		return err
	}
	for i := 0; i < count; {
		row, col := (first+i)/cols, (first+i)%cols
		n := min(size[1]-col%size[1], cols-col, count-i) // to the end of the block's row
		f := factors[(row/size[0]-top)*across+col/size[1]]
		for j := range dst[i : i+n] {
			dst[i+j] *= f
		}
		i += n
	}
	return nil
}

// microscaled undoes MXFP4 as gpt-oss stores it: NAME_blocks holds two values of E2M1 in each byte, the first in the low
// half, sixteen bytes under one exponent of NAME_scales. It looks like NAME_blocks of twice the bytes, the last two
// dimensions joined. Source: OCP Microscaling Formats 1.0; transformers integrations/mxfp4.py, convert_moe_packed_tensors.
func (s *scaled) microscaled(map[string]any) error {
	for _, t := range s.Source.Tensors() {
		stem, ok := strings.CutSuffix(t.Name, "_blocks")
		if !ok || t.DType != dtype.U8 {
			continue
		}
		scales, ok := s.Source.Tensor(stem + "_scales")
		n := len(t.Shape)
		if !ok || n < 2 || t.Shape[n-1] != 16 || scales.DType != dtype.U8 || !slices.Equal(scales.Shape, t.Shape[:n-1]) {
			return fmt.Errorf("tensor %s (%v) has no fitting exponents in %s_scales", t.Name, t.Shape, stem)
		}
		shown := t
		shown.Shape = append(slices.Clone(t.Shape[:n-2]), t.Shape[n-2]*32)
		s.rules[t.Name] = rule{shown, func(first, count int, dst []float32) error {
			return s.readMX(t.Name, scales.Name, first, count, dst)
		}}
	}
	s.hide("_scales")
	return nil
}

// e2m1 are the values of E2M1.
var e2m1 = [16]float32{0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6}

// readMX reads elements of a microscaled tensor.
func (s *scaled) readMX(blocks, scales string, first, count int, dst []float32) error {
	if count == 0 {
		return nil
	}
	from, to := first/2, (first+count+1)/2
	bytes := make([]float32, to-from)
	if err := s.Source.ReadElements(blocks, from, len(bytes), bytes); err != nil {
		return err
	}
	group := first / 32
	exponents := make([]float32, (first+count-1)/32-group+1)
	if err := s.Source.ReadElements(scales, group, len(exponents), exponents); err != nil {
		return err
	}
	for i := range dst {
		at := first + i
		nibble := int(bytes[at/2-from]) >> (at % 2 * 4) & 15
		e := exponents[at/32-group]
		if e == 255 {
			return fmt.Errorf("tensor %s: element %d is not a number", scales, at/32)
		}
		dst[i] = float32(math.Ldexp(float64(e2m1[nibble]), int(e)-127))
		if math.IsInf(float64(dst[i]), 0) {
			return fmt.Errorf("tensor %s: element %d is beyond the range of float32", blocks, at)
		}
	}
	return nil
}
