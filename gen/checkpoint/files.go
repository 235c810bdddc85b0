package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/tfgen/tfgen/gen/checkpoint/dtype"
	"github.com/tfgen/tfgen/gen/checkpoint/tensor"
)

// files is the source whose tensors lie in open files.
type files struct {
	tensors []Tensor // by name
	open    map[string]*os.File
	digest  func() (string, error)
}

// openFile opens a regular file: a pipe or a device could block or never end.
func openFile(path string) (*os.File, int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s: not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	if info, err = f.Stat(); err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// add opens a file and keeps it until Close.
func (f *files) add(path string) (*os.File, int64, error) {
	file, size, err := openFile(path)
	if err != nil {
		return nil, 0, err
	}
	if f.open == nil {
		f.open = map[string]*os.File{}
	}
	f.open[filepath.Base(path)] = file
	return file, size, nil
}

// Tensors returns all tensors.
func (f *files) Tensors() []Tensor { return f.tensors }

// Tensor returns the tensor of this name.
func (f *files) Tensor(name string) (Tensor, bool) { return tensor.Find(f.tensors, name) }

// Digest hashes the files.
func (f *files) Digest() (string, error) { return f.digest() }

// Close closes the files.
func (f *files) Close() error {
	var all []error
	for _, file := range f.open {
		all = append(all, file.Close())
	}
	return errors.Join(all...)
}

// ReadF32 reads rows.
func (f *files) ReadF32(name string, first, count int, dst []float32) error {
	t, ok := f.Tensor(name)
	if !ok {
		return fmt.Errorf("the checkpoint has no tensor %q", name)
	}
	first, count, err := Elements(t, first, count)
	if err != nil {
		return err
	}
	return f.read(t, first, count, dst)
}

// ReadElements reads elements.
func (f *files) ReadElements(name string, first, count int, dst []float32) error {
	t, ok := f.Tensor(name)
	if !ok {
		return fmt.Errorf("the checkpoint has no tensor %q", name)
	}
	return f.read(t, first, count, dst)
}

// ReadBlocks reads the blocks of elements as they are stored.
func (f *files) ReadBlocks(name string, first, count int, dst []byte) error {
	t, ok := f.Tensor(name)
	if !ok {
		return fmt.Errorf("the checkpoint has no tensor %q", name)
	}
	values, bytes := t.DType.Block()
	if n := t.Elements(); first < 0 || count < 0 || first > n || count > n-first {
		return fmt.Errorf("tensor %s: elements %d to %d of %d do not exist", t.Name, first, first+count, n)
	}
	if first%values != 0 || count%values != 0 || len(dst) != count/values*bytes {
		return fmt.Errorf("tensor %s: elements %d to %d are no whole blocks of %d, or there is no room of %d bytes for them", t.Name, first, first+count, values, len(dst))
	}
	p := &pass{t: t, file: f.open[t.File], values: values, bytes: bytes}
	return p.bytesAt(dst, int64(first/values))
}

// Elements converts a range of rows of a tensor to a range of elements, and checks it.
func Elements(t Tensor, first, count int) (int, int, error) {
	rows, values := t.Row()
	if first < 0 || count < 0 || first > rows || count > rows-first {
		return 0, 0, fmt.Errorf("tensor %s: rows %d to %d of %d do not exist", t.Name, first, first+count, rows)
	}
	return first * values, count * values, nil
}

// CheckRead checks a range of elements and the room for it.
func CheckRead(t Tensor, first, count int, dst []float32) error {
	if n := t.Elements(); first < 0 || count < 0 || first > n || count > n-first {
		return fmt.Errorf("tensor %s: elements %d to %d of %d do not exist", t.Name, first, first+count, n)
	}
	if len(dst) != count {
		return fmt.Errorf("tensor %s: %d elements asked for, room for %d", t.Name, count, len(dst))
	}
	return nil
}

// chunk is how many bytes are converted at a time: about half a second-level cache.
const chunk = 1 << 18

var chunks = sync.Pool{New: func() any { return new([chunk]byte) }}

// read reads elements of t, wherever they begin and end in their blocks.
func (f *files) read(t Tensor, first, count int, dst []float32) error {
	if err := CheckRead(t, first, count, dst); err != nil {
		return err
	}
	p := &pass{t: t, file: f.open[t.File]}
	p.values, p.bytes = t.DType.Block()
	if t.DType == dtype.F32 {
		if memory := dtype.Bytes(dst); memory != nil {
			return p.bytesAt(memory, int64(first))
		}
	}
	if skip := first % p.values; skip != 0 {
		n := min(p.values-skip, count)
		if err := p.part(first/p.values, skip, dst[:n]); err != nil {
			return err
		}
		first, dst = first+n, dst[n:]
	}
	whole := len(dst) / p.values * p.values
	if err := p.blocks(first/p.values, dst[:whole]); err != nil {
		return err
	}
	if whole < len(dst) {
		return p.part((first+whole)/p.values, 0, dst[whole:])
	}
	return nil
}

// pass is one read of a tensor.
type pass struct {
	t             Tensor
	file          *os.File
	values, bytes int // of a block
}

// bytesAt reads the bytes of blocks from block first.
func (p *pass) bytesAt(buf []byte, first int64) error {
	n, err := p.file.ReadAt(buf, p.t.Offset+first*int64(p.bytes))
	if n == len(buf) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("the file became shorter while it was open")
	}
	return fmt.Errorf("%s: tensor %s: %w", p.t.File, p.t.Name, err)
}

// blocks reads whole blocks from block first.
func (p *pass) blocks(first int, dst []float32) error {
	buf := chunks.Get().(*[chunk]byte)
	defer chunks.Put(buf)
	most := chunk / p.bytes
	for len(dst) > 0 {
		n := min(most, len(dst)/p.values)
		src := buf[:n*p.bytes]
		if err := p.bytesAt(src, int64(first)); err != nil {
			return err
		}
		if err := p.t.DType.Decode(dst[:n*p.values], src); err != nil {
			return p.decodeError(first, err)
		}
		first, dst = first+n, dst[n*p.values:]
	}
	return nil
}

// part reads a part of one block, after skip of its values.
func (p *pass) part(block, skip int, dst []float32) error {
	var src, all = make([]byte, p.bytes), make([]float32, p.values)
	if err := p.bytesAt(src, int64(block)); err != nil {
		return err
	}
	if err := p.t.DType.Decode(all, src); err != nil {
		return p.decodeError(block, err)
	}
	copy(dst, all[skip:])
	return nil
}

// decodeError names the first element of the block that could not be converted.
func (p *pass) decodeError(first int, err error) error {
	var bad *dtype.BlockError
	if errors.As(err, &bad) {
		err = fmt.Errorf("%v at element %d: %s", p.t.DType, (first+bad.Block)*p.values, bad.Why)
	}
	return fmt.Errorf("%s: tensor %s: %w", p.t.File, p.t.Name, err)
}
