package checkpoint

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/tfgen/tfgen/gen/checkpoint/dtype"
	"github.com/tfgen/tfgen/gen/checkpoint/tensor"
)

// Formats whose columns are stored together are unpacked as a whole when the first row is read. The two matrices read
// last are kept: two workers pack at a time.

// A cache holds unpacked matrices.
type cache struct {
	mu      sync.Mutex
	entries [2]*entry
	next    int
}

type entry struct {
	name string
	once sync.Once
	data []float32
	err  error
}

// get returns the elements of a matrix, which load makes if they are not kept.
func (c *cache) get(name string, load func() ([]float32, error)) ([]float32, error) {
	c.mu.Lock()
	var e *entry
	for _, have := range c.entries {
		if have != nil && have.name == name {
			e = have
		}
	}
	if e == nil {
		e = &entry{name: name}
		c.entries[c.next] = e
		c.next = (c.next + 1) % len(c.entries)
	}
	c.mu.Unlock()
	e.once.Do(func() { e.data, e.err = load() })
	return e.data, e.err
}

// derive adds a matrix [rows, cols] of float32 that load makes from the parts of a stem, and hides the parts.
func (s *scaled) derive(name string, rows, cols int, parts []string, load func() ([]float32, error)) error {
	if rows < 1 || cols < 1 || rows > 1<<31/cols {
		return fmt.Errorf("%s: a matrix of %d × %d", name, rows, cols)
	}
	if _, ok := s.Source.Tensor(name); ok && !contains(parts, name) {
		return fmt.Errorf("there is a tensor %s beside its quantised parts", name)
	}
	first, _ := s.Source.Tensor(parts[0])
	shown := Tensor{Name: name, DType: dtype.F32, Shape: []int{rows, cols}, File: first.File, Offset: first.Offset, Size: first.Size}
	s.rules[name] = rule{shown, func(first, count int, dst []float32) error {
		data, err := s.whole.get(name, func() ([]float32, error) {
			data, err := load()
			if err == nil && len(data) != rows*cols {
				err = fmt.Errorf("%d elements, expected %d × %d", len(data), rows, cols)
			}
			if err != nil {
				return nil, fmt.Errorf("tensor %s: %w", parts[0], err)
			}
			return data, nil
		})
		if err != nil {
			return err
		}
		copy(dst, data[first:first+count])
		return nil
	}}
	for _, p := range parts {
		s.parts[p] = true
	}
	return nil
}

func contains(list []string, name string) bool {
	for _, v := range list {
		if v == name {
			return true
		}
	}
	return false
}

// list makes the list of tensors: those of the source without parts, and the derived ones.
func (s *scaled) list() error {
	for _, t := range s.Source.Tensors() {
		if !s.parts[t.Name] {
			s.tensors = append(s.tensors, t)
		}
	}
	for _, r := range s.rules {
		s.tensors = append(s.tensors, r.shown)
	}
	return tensor.Sort(s.tensors)
}

// part returns a tensor of one of the element types and number of dimensions; it must exist unless it is optional.
func (s *scaled) part(name string, dims int, types ...dtype.DType) (Tensor, error) {
	t, ok := s.Source.Tensor(name)
	if !ok {
		return t, fmt.Errorf("there is no tensor %s", name)
	}
	for _, d := range types {
		if t.DType == d && (dims < 0 || len(t.Shape) == dims) {
			return t, nil
		}
	}
	return t, fmt.Errorf("tensor %s is %v of shape %v, expected %v of %d dimensions", name, t.DType, t.Shape, types, dims)
}

// floats reads all elements of a tensor.
func (s *scaled) floats(t Tensor) ([]float32, error) {
	data := make([]float32, t.Elements())
	return data, s.Source.ReadElements(t.Name, 0, len(data), data)
}

// bytes reads all bytes of a tensor.
func (s *scaled) bytes(t Tensor) ([]byte, error) {
	b, ok := s.Source.(interface {
		ReadBlocks(name string, first, count int, dst []byte) error
	})
	if !ok {
		return nil, fmt.Errorf("tensor %s cannot be read as bytes", t.Name)
	}
	data := make([]byte, t.Size)
	return data, b.ReadBlocks(t.Name, 0, t.Elements(), data)
}

// words reads all elements of a tensor of 32-bit integers.
func (s *scaled) words(t Tensor) ([]uint32, error) {
	b, err := s.bytes(t)
	if err != nil {
		return nil, err
	}
	w := make([]uint32, len(b)/4)
	for i := range w {
		w[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	return w, nil
}
