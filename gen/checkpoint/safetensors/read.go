// Package safetensors reads and writes the safetensors container: the length of a header, the header in JSON, the
// tensors without gaps (https://github.com/huggingface/safetensors).
package safetensors

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/tfgen/tfgen/gen/checkpoint/dtype"
	"github.com/tfgen/tfgen/gen/checkpoint/strictjson"
	"github.com/tfgen/tfgen/gen/checkpoint/tensor"
)

// MaxHeader is the size in bytes of the largest header, that of the reference implementation.
const MaxHeader = 100_000_000

// maxMetadata is how many strings __metadata__ may contain.
const maxMetadata = 4096

// Header is what a file says about its tensors.
type Header struct {
	Metadata map[string]string
	Tensors  []tensor.Tensor // by name; offsets count from the start of the file
}

// Read parses the header of a file of size bytes, whose base name goes into the tensors and which may have at most
// limit tensors. Everything a file can get wrong is an error: a header that is too large or leaves the file, JSON that
// is not as expected, an unknown dtype, a shape whose product overflows or does not give the size, tensors that
// overlap, leave the file or leave bytes unused, a name listed twice.
func Read(r io.ReaderAt, size int64, file string, limit int) (*Header, error) {
	text, err := header(r, size)
	if err != nil {
		return nil, err
	}
	start := int64(8 + len(text))
	h := &Header{Tensors: make([]tensor.Tensor, 0, min(strings.Count(text, `"data_offsets"`), limit))}
	s := strictjson.New(text, 0)
	err = s.Object(func(name string) error {
		switch {
		case len(name) > tensor.MaxString:
			return s.Errorf("a name has %d bytes, at most %d are supported", len(name), tensor.MaxString)
		case name == "__metadata__":
			return h.metadata(s)
		case len(h.Tensors) == limit:
			return fmt.Errorf("there are more than %d tensors, too many for %d bytes", limit, size)
		}
		t, err := entry(s)
		if err != nil {
			return fmt.Errorf("tensor %.200q: %w", name, err)
		}
		t.Name, t.File, t.Offset = name, file, t.Offset+start
		h.Tensors = append(h.Tensors, t)
		return nil
	})
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if err := tensor.Place(h.Tensors, start, size, true); err != nil {
		return nil, err
	}
	return h, tensor.Sort(h.Tensors)
}

// header reads the text of the header.
func header(r io.ReaderAt, size int64) (string, error) {
	if size < 8 {
		return "", fmt.Errorf("the file has %d bytes, a safetensors file at least 8", size)
	}
	var length [8]byte
	if _, err := r.ReadAt(length[:], 0); err != nil {
		return "", fmt.Errorf("reading the length of the header: %w", err)
	}
	n := binary.LittleEndian.Uint64(length[:])
	switch {
	case n > MaxHeader:
		return "", fmt.Errorf("the header claims %d bytes, at most %d are supported", n, MaxHeader)
	case int64(n) > size-8:
		return "", fmt.Errorf("the header claims %d bytes, the file has %d after it began (is it truncated?)", n, size-8)
	}
	var b strings.Builder
	b.Grow(int(n))
	if _, err := io.Copy(&b, io.NewSectionReader(r, 8, int64(n))); err != nil {
		return "", fmt.Errorf("reading the header: %w", err)
	}
	if b.Len() != int(n) {
		return "", fmt.Errorf("reading the header: %w", io.ErrUnexpectedEOF)
	}
	return b.String(), nil
}

func (h *Header) metadata(s *strictjson.Scanner) error {
	if h.Metadata != nil {
		return s.Errorf("__metadata__ is listed twice")
	}
	h.Metadata = map[string]string{}
	return s.Object(func(name string) error {
		if _, twice := h.Metadata[name]; twice {
			return s.Errorf("__metadata__: the name %.200q appears twice", name)
		}
		if len(h.Metadata) == maxMetadata {
			return s.Errorf("__metadata__: there are more than %d strings", maxMetadata)
		}
		v, err := s.String()
		if err != nil {
			return fmt.Errorf("__metadata__: %.200q: %w", name, err)
		}
		if len(v) > tensor.MaxString || len(name) > tensor.MaxString {
			return s.Errorf("__metadata__: %.200q has %d bytes, at most %d are supported", name, len(v), tensor.MaxString)
		}
		h.Metadata[name] = v
		return nil
	})
}

// entry reads one tensor; its offset counts from the start of the data section.
func entry(s *strictjson.Scanner) (t tensor.Tensor, err error) {
	var place [2]uint64
	seen := 0 // a bit for each key
	err = s.Object(func(key string) (err error) {
		bit := 1
		switch key {
		case "dtype":
			t.DType, err = format(s)
		case "shape":
			bit = 2
			t.Shape, err = shape(s)
		case "data_offsets":
			bit = 4
			err = offsets(s, &place)
		default:
			return s.Errorf("key %.200q; a tensor has dtype, shape and data_offsets", key)
		}
		if err == nil && seen&bit != 0 {
			err = s.Errorf("%q appears twice", key)
		}
		seen |= bit
		return err
	})
	if err != nil {
		return t, err
	}
	if seen != 7 {
		return t, s.Errorf("a tensor has dtype, shape and data_offsets; not all are given")
	}
	if place[1] < place[0] {
		return t, fmt.Errorf("data_offsets [%d, %d] end before they begin", place[0], place[1])
	}
	t.Offset, t.Size = int64(place[0]), int64(place[1]-place[0])
	want, err := tensor.Bytes(t.DType, t.Shape)
	if err == nil && want != t.Size {
		err = fmt.Errorf("%v of shape %v takes %d bytes, data_offsets give %d", t.DType, t.Shape, want, t.Size)
	}
	return t, err
}

func format(s *strictjson.Scanner) (dtype.DType, error) {
	name, err := s.String()
	if err != nil {
		return dtype.Invalid, err
	}
	return dtype.BySafetensors(name)
}

func shape(s *strictjson.Scanner) ([]int, error) {
	var dims [tensor.MaxDims]int
	n := 0
	err := s.Array(func() error {
		if n == len(dims) {
			return s.Errorf("the shape has more than %d dimensions", tensor.MaxDims)
		}
		d, err := s.Uint(math.MaxInt)
		dims[n] = int(d)
		n++
		return err
	})
	return append([]int(nil), dims[:n]...), err
}

func offsets(s *strictjson.Scanner, place *[2]uint64) error {
	n := 0
	err := s.Array(func() (err error) {
		if n == 2 {
			return s.Errorf("data_offsets are two numbers")
		}
		place[n], err = s.Uint(math.MaxInt64 - 8 - MaxHeader)
		n++
		return err
	})
	if err == nil && n != 2 {
		err = s.Errorf("data_offsets are two numbers, found %d", n)
	}
	return err
}
