package weights

import (
	"io"
	"sync"
)

// hugeBlock is the size in bytes of the pages that a processor translates at once. Linux keeps what one write has filled in one piece
// of its page cache if the file system can, and maps a piece of this size by one entry: a product of matrices then waits less
// for translations, and mapping a file costs a five-hundredth of the page faults.
const hugeBlock = 2 << 20

// hugeBlocks writes zeros over each block of hugeBlock bytes, in one write, before anything else is written into it.
type hugeBlocks struct {
	io.WriterAt
	size  int64 // of the file
	mu    sync.Mutex
	begun []bool // by block
}

// inHugeBlocks returns a writer of a file of size bytes.
func inHugeBlocks(w io.WriterAt, size int64) io.WriterAt {
	if size < hugeBlock {
		return w
	}
	return &hugeBlocks{WriterAt: w, size: size, begun: make([]bool, (size+hugeBlock-1)/hugeBlock)}
}

var zeroBlock [hugeBlock]byte

// WriteAt implements io.WriterAt.
func (h *hugeBlocks) WriteAt(b []byte, at int64) (int, error) {
	if err := h.begin(at, int64(len(b))); err != nil {
		return 0, err
	}
	return h.WriterAt.WriteAt(b, at)
}

// begin fills the blocks of n bytes at an offset that nothing was written into.
func (h *hugeBlocks) begin(at, n int64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for block := at / hugeBlock; block*hugeBlock < at+n; block++ {
		if h.begun[block] {
			continue
		}
		start := block * hugeBlock
		if _, err := h.WriterAt.WriteAt(zeroBlock[:min(hugeBlock, h.size-start)], start); err != nil {
			return err
		}
		h.begun[block] = true
	}
	return nil
}
