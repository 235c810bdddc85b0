package weightfile

import (
	"context"
	"os"
	"sync"
)

// Kept is a tensor of bytes of which slices are handed out that must stay valid when the file is closed: the tables of the
// tokenizer. The first file of a layout that is opened maps it once more, for as long as the process lives; the files that follow
// share it.
type Kept struct {
	Tensor
	Count int // bytes; zeros up to Size follow

	mu   sync.Mutex
	data []byte
}

// Bytes returns the tensor's bytes, nil before a file of its layout was opened.
func (k *Kept) Bytes() []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.data
}

// take remembers the bytes that get makes, unless there are some already, if the tensor's digest in w is right.
func (k *Kept) take(w *File, get func() ([]byte, error)) (err error) {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.data != nil {
		return nil
	}
	if err := w.verify(context.Background(), k.Tensor); err != nil {
		return err
	}
	k.data, err = get()
	return err
}

// mapped maps the tensor of an open file.
func (k *Kept) mapped(f *os.File) ([]byte, error) {
	page := int64(os.Getpagesize())
	begin := k.Offset / page * page
	data, _, err := mapFile(f, begin, int(k.Offset-begin)+k.Count)
	if err != nil {
		return nil, err
	}
	return data[k.Offset-begin:], nil
}
