package importance

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Limits of the older format, whose lengths are numbers of 32 bits.
const (
	maxEntries = 1 << 18
	maxName    = 1 << 12
)

// readLegacy reads the format of llama.cpp before GGUF (tools/imatrix): the number of entries; for each the length of its
// name, the name, the number of calls, the number of values and these, the means times the calls; then what is not needed.
func readLegacy(r io.ReaderAt, size int64) (Matrix, error) {
	in := &legacy{bufio.NewReader(io.NewSectionReader(r, 0, size)), size}
	entries, err := in.number("entries", maxEntries)
	if err != nil {
		return nil, err
	}
	m := Matrix{}
	for i := range entries {
		if err := in.entry(m); err != nil {
			return nil, fmt.Errorf("entry %d of %d: %w", i+1, entries, err)
		}
	}
	return m, nil
}

// legacy reads the older format and counts the bytes that are left.
type legacy struct {
	*bufio.Reader
	left int64
}

func (l *legacy) bytes(n int64) ([]byte, error) {
	if n > l.left {
		return nil, fmt.Errorf("%d bytes are needed, %d are left: %w", n, l.left, io.ErrUnexpectedEOF)
	}
	b := make([]byte, n)
	_, err := io.ReadFull(l, b)
	l.left -= n
	return b, err
}

// number reads a positive number up to a limit.
func (l *legacy) number(what string, limit int32) (int32, error) {
	b, err := l.bytes(4)
	if err != nil {
		return 0, err
	}
	n := int32(binary.LittleEndian.Uint32(b))
	if n < 1 || n > limit {
		return 0, fmt.Errorf("%d %s, expected 1 to %d (not an importance matrix?)", n, what, limit)
	}
	return n, nil
}

func (l *legacy) entry(m Matrix) error {
	n, err := l.number("bytes of a name", maxName)
	if err != nil {
		return err
	}
	name, err := l.bytes(int64(n))
	if err != nil {
		return err
	}
	calls, err := l.number("calls", math.MaxInt32)
	if err != nil {
		return err
	}
	count, err := l.number("values", math.MaxInt32)
	if err != nil {
		return err
	}
	data, err := l.bytes(4 * int64(count))
	if err != nil {
		return errors.Join(fmt.Errorf("tensor %.200q", name), err)
	}
	return m.add(string(name), floats(data), float64(calls))
}

// floats are the float32 in bytes.
func floats(data []byte) []float32 {
	v := make([]float32, len(data)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return v
}
