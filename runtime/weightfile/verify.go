package weightfile

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/tfgen/tfgen/runtime/sha256"
)

// hashers is the largest number of tensors hashed at the same time.
const hashers = 8

// hashStep is how many bytes are hashed between looks at the context.
const hashStep = 8 << 20

// Verify reads the whole file and compares the digest of every tensor. The
// error names the first tensor, in the layout's order, that differs.
func (w *File) Verify(ctx context.Context) error {
	if w.data == nil && w.layout.Size > 0 {
		return fmt.Errorf("%s: %w", w.name, ErrClosed)
	}
	tensors := w.layout.Tensors
	failed := make([]error, len(tensors))
	var next atomic.Int64
	var work sync.WaitGroup
	for range min(len(tensors), hashers, runtime.GOMAXPROCS(0)) {
		work.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(tensors); i = int(next.Add(1)) - 1 {
				failed[i] = w.verify(ctx, tensors[i])
			}
		})
	}
	work.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// verify compares the digest of one tensor.
func (w *File) verify(ctx context.Context, t Tensor) error {
	rest := w.data[t.Offset:][:t.Size]
	h := sha256.New()
	for len(rest) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		step := min(len(rest), hashStep)
		h.Write(rest[:step])
		rest = rest[step:]
	}
	if got := [32]byte(h.Sum(nil)); got != t.SHA256 {
		return w.mismatch("digest of tensor "+t.Name, hex(t.SHA256), hex(got))
	}
	return nil
}
