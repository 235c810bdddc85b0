package gguf

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/tfgen/tfgen/gen/checkpoint/tensor"
)

// reader reads the part of a file before its tensors and knows how much of the file is left.
type reader struct {
	in   *bufio.Reader
	at   int64
	size int64
}

func newReader(r io.ReaderAt, size int64) *reader {
	return &reader{in: bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 1<<16), size: size}
}

// errorf returns an error that begins with the place reached.
func (r *reader) errorf(format string, args ...any) error {
	return fmt.Errorf("byte %d: %s", r.at, fmt.Sprintf(format, args...))
}

// take returns the next n ≤ 64 bytes, valid until the next call.
func (r *reader) take(n int) ([]byte, error) {
	b, err := r.in.Peek(n)
	if err != nil {
		return nil, r.ended(int64(n), err)
	}
	r.at += int64(n)
	_, err = r.in.Discard(n)
	return b, err
}

func (r *reader) ended(n int64, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return r.errorf("the file ends after %d bytes, %d more were expected (is it truncated?)", r.size, r.at+n-r.size)
	}
	return fmt.Errorf("byte %d: %w", r.at, err)
}

func (r *reader) uint32() (uint32, error) {
	b, err := r.take(4)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b), nil
}

func (r *reader) uint64() (uint64, error) {
	b, err := r.take(8)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b), nil
}

// count reads a number of things that take at least each bytes in the file, and refuses more than can follow.
func (r *reader) count(what string, each int64) (int, error) {
	n, err := r.uint64()
	if err != nil {
		return 0, err
	}
	if left := r.size - r.at; n > uint64(left/each) {
		return 0, r.errorf("%s has %d elements, which cannot fit in the %d bytes left", what, n, left)
	}
	return int(n), nil
}

// string reads a string. Its bytes need not be UTF-8: vocabularies contain parts of characters.
func (r *reader) string() (string, error) {
	n, err := r.uint64()
	if err != nil {
		return "", err
	}
	if n > tensor.MaxString {
		return "", r.errorf("a string has %d bytes, at most %d are supported", n, tensor.MaxString)
	}
	if left := r.size - r.at; int64(n) > left {
		return "", r.errorf("a string has %d bytes, only %d are left in the file", n, left)
	}
	if n <= 64 {
		b, err := r.take(int(n))
		return string(b), err
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r.in, b); err != nil {
		return "", r.ended(int64(n), err)
	}
	r.at += int64(n)
	return string(b), nil
}
