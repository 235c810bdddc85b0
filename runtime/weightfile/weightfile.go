// Package weightfile gives a generated model its weights: it maps the file
// read-only, checks that it is the one the model was generated for, and
// returns slices of it. It parses nothing; the layout is known to the
// generated code.
//
// All slices point into the mapping. They must not be written to, and must
// not be used after Close: the owner of a File sees to it that nothing runs any
// more when it closes. A file must not be shortened while it is mapped.
package weightfile

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"unsafe"

	"github.com/tfgen/tfgen/runtime/sha256"
)

// Alignment is the alignment in bytes of tensors in the file, and of the file
// in memory if it is mapped.
const Alignment = 64

// eager is the largest file whose tensors are verified when it is opened.
const eager = 64 << 20

// ErrMismatch is wrapped by the errors that say that a file is not the one the
// model was generated for.
var ErrMismatch = errors.New("weights do not belong to this model")

// ErrClosed is returned by Verify after Close.
var ErrClosed = errors.New("weights are closed")

// Layout says what a weights file must be. Offsets and sizes are bytes.
type Layout struct {
	Size       int64    // of the file
	Header     [32]byte // SHA-256 of the first HeaderSize bytes
	HeaderSize int64
	Tensors    []Tensor
	Kept       *Kept // the one of the tensors that outlives the file; nil: none does
}

// Tensor is the place and the SHA-256 digest of a tensor in the file.
type Tensor struct {
	Name         string
	Offset, Size int64
	SHA256       [32]byte
}

// File is an open weights file. Its methods may be called concurrently, except
// Close.
type File struct {
	name   string // for messages
	data   []byte
	layout Layout
	unmap  func() error // nil if there is nothing to release
}

// Open maps the weights file at path and checks it against want: size and
// header at once, and all tensors as well if the file has 64 MiB or less. Of a
// larger file no tensor is read; Verify does it.
func Open(path string, want Layout) (*File, error) {
	if err := supported(want); err != nil {
		return nil, fmt.Errorf("weights file %s: %w", path, err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("weights file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("weights file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("weights file: %w", &fs.PathError{Op: "open", Path: path, Err: errors.New("not a regular file")})
	}
	w := &File{name: "weights file " + path, layout: want}
	if info.Size() != want.Size {
		return nil, w.mismatch("size", fmt.Sprintf("%d bytes", want.Size), fmt.Sprintf("%d bytes", info.Size()))
	}
	if w.data, w.unmap, err = mapFile(f, 0, int(want.Size)); err != nil {
		return nil, fmt.Errorf("weights file %s: %w", path, err)
	}
	if err = w.check(); err == nil {
		err = want.Kept.take(w, func() ([]byte, error) { return want.Kept.mapped(f) })
	}
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// FromBytes checks weights that are in memory, for example by go:embed, and
// verifies all tensors if there are 64 MiB or less. It keeps b, which must
// not change; only if b is not aligned to 4 bytes it is copied.
func FromBytes(b []byte, want Layout) (*File, error) {
	w := &File{name: "embedded weights", layout: want}
	if err := supported(want); err != nil {
		return nil, fmt.Errorf("%s: %w", w.name, err)
	}
	if int64(len(b)) != want.Size {
		return nil, w.mismatch("size", fmt.Sprintf("%d bytes", want.Size), fmt.Sprintf("%d bytes", len(b)))
	}
	w.data = b
	if len(b) > 0 && uintptr(unsafe.Pointer(&b[0]))%4 != 0 {
		w.data = aligned(len(b))
		copy(w.data, b)
	}
	if err := w.check(); err != nil {
		return nil, err
	}
	return w, want.Kept.take(w, func() ([]byte, error) { return w.Bytes(want.Kept.Offset, want.Kept.Count), nil })
}

// supported returns an error if weights of this layout cannot be used on this
// machine, or the layout contradicts itself.
func supported(want Layout) error {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		return errors.New("this processor is big-endian; weights are little-endian and used as they are: little-endian processors are supported")
	}
	if want.Size < 0 || int64(int(want.Size)) != want.Size {
		return fmt.Errorf("%d bytes do not fit the address space of this processor", want.Size)
	}
	if want.HeaderSize < 0 || want.HeaderSize > want.Size {
		return fmt.Errorf("layout: header of %d bytes in a file of %d", want.HeaderSize, want.Size)
	}
	tensors := want.Tensors
	if k := want.Kept; k != nil {
		if k.Count < 0 || int64(k.Count) > k.Size {
			return fmt.Errorf("layout: %d bytes of tensor %s, which has %d", k.Count, k.Name, k.Size)
		}
		tensors = append(tensors[:len(tensors):len(tensors)], k.Tensor)
	}
	for _, t := range tensors {
		if t.Offset < want.HeaderSize || t.Size < 0 || t.Size > want.Size || t.Offset > want.Size-t.Size || t.Offset%Alignment != 0 {
			return fmt.Errorf("layout: tensor %s at offset %d with %d bytes: outside of the file's %d bytes or not aligned to %d",
				t.Name, t.Offset, t.Size, want.Size, Alignment)
		}
	}
	return nil
}

// check compares the header, and the tensors of a small file.
func (w *File) check() error {
	if got := sha256.Sum256(w.data[:w.layout.HeaderSize]); got != w.layout.Header {
		return w.mismatch("header digest", hex(w.layout.Header), hex(got))
	}
	if w.layout.Size > eager {
		return nil
	}
	advise(w.data, willNeed, w.unmap != nil)
	return w.Verify(context.Background())
}

// mismatch returns the error for a file that is not the expected one.
func (w *File) mismatch(what, want, got string) error {
	return fmt.Errorf("%s: %w: %s is %s, expected %s: built from other weights, or damaged: run tfgen build again", w.name, ErrMismatch, what, got, want)
}

// hex returns the beginning of a digest in hexadecimal.
func hex(d [32]byte) string { return fmt.Sprintf("sha256:%x…", d[:8]) }

// Size returns the size of the file in bytes.
func (w *File) Size() int64 { return w.layout.Size }

// Close releases the mapping; closing again does nothing. Slices of the file
// must not be used any more: reading them would crash the program.
func (w *File) Close() error {
	unmap := w.unmap
	w.data, w.unmap = nil, nil
	if unmap == nil {
		return nil
	}
	if err := unmap(); err != nil {
		return fmt.Errorf("%s: %w", w.name, err)
	}
	return nil
}
