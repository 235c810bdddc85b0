package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/tfgen/tfgen/gen/checkpoint/dtype"
	"github.com/tfgen/tfgen/gen/checkpoint/tensor"
)

// Align is the multiple at which the data section of a written file begins.
const Align = 64

// Entry is a tensor to write. Data writes exactly the bytes that format and shape take.
type Entry struct {
	Name  string
	DType dtype.DType
	Shape []int
	Data  func(w io.Writer) error
}

// Write writes tensors, sorted by name, with metadata (may be nil). Spaces after the header bring the data section to
// a multiple of Align. The same input gives the same bytes; the data of one tensor is asked for at a time.
func Write(w io.Writer, metadata map[string]string, tensors []Entry) error {
	sorted := slices.SortedFunc(slices.Values(tensors), func(a, b Entry) int { return cmp.Compare(a.Name, b.Name) })
	text, sizes, err := describe(metadata, sorted)
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	for i, t := range sorted {
		c := &counter{w: w, left: sizes[i]}
		if err := t.Data(c); err != nil {
			return fmt.Errorf("tensor %s: %w", t.Name, err)
		}
		if c.left != 0 {
			return fmt.Errorf("tensor %s: its data is %d bytes shorter than %v of shape %v", t.Name, c.left, t.DType, t.Shape)
		}
	}
	return nil
}

// describe returns the bytes before the data section and the size of every tensor.
func describe(metadata map[string]string, sorted []Entry) ([]byte, []int64, error) {
	var b bytes.Buffer
	b.Write(make([]byte, 8))
	sep := byte('{')
	add := func(name string, value any) error {
		b.WriteByte(sep)
		sep = ','
		for _, part := range []any{name, value} {
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(false)
			if err := e.Encode(part); err != nil {
				return err
			}
			b.Truncate(b.Len() - 1) // Encode ends the line
			b.WriteByte(':')
		}
		b.Truncate(b.Len() - 1)
		return nil
	}
	if len(metadata) > 0 {
		if err := add("__metadata__", metadata); err != nil {
			return nil, nil, err
		}
	}
	at, sizes := int64(0), make([]int64, len(sorted))
	for i, t := range sorted {
		if i > 0 && t.Name == sorted[i-1].Name || t.Name == "__metadata__" || !utf8.ValidString(t.Name) || len(t.Name) > tensor.MaxString {
			return nil, nil, fmt.Errorf("tensor name %.200q is used twice or cannot be written", t.Name)
		}
		size, err := tensor.Bytes(t.DType, t.Shape)
		if err == nil && !t.DType.Safetensors() {
			err = fmt.Errorf("safetensors has no dtype %v", t.DType)
		}
		if err == nil {
			err = add(t.Name, struct {
				DType   string   `json:"dtype"`
				Shape   []int    `json:"shape"`
				Offsets [2]int64 `json:"data_offsets"`
			}{t.DType.String(), append([]int{}, t.Shape...), [2]int64{at, at + size}})
		}
		if err != nil {
			return nil, nil, fmt.Errorf("tensor %s: %w", t.Name, err)
		}
		at, sizes[i] = at+size, size
	}
	if sep == '{' {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	for b.Len()%Align != 0 {
		b.WriteByte(' ')
	}
	binary.LittleEndian.PutUint64(b.Bytes(), uint64(b.Len()-8))
	return b.Bytes(), sizes, nil
}

// counter refuses to write more than is left.
type counter struct {
	w    io.Writer
	left int64
}

// Write passes p on.
func (c *counter) Write(p []byte) (int, error) {
	if int64(len(p)) > c.left {
		return 0, fmt.Errorf("its data is longer than its shape says")
	}
	n, err := c.w.Write(p)
	c.left -= int64(n)
	return n, err
}
