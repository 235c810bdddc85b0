//go:build !unix

package weightfile

import (
	"fmt"
	"io"
	"os"
)

// mapFile reads size bytes of f from offset into aligned memory: this system has
// no memory map that the standard library knows.
func mapFile(f *os.File, offset int64, size int) ([]byte, func() error, error) {
	data := aligned(size)
	if _, err := io.ReadFull(io.NewSectionReader(f, offset, int64(size)), data); err != nil {
		return nil, nil, fmt.Errorf("reading %d bytes: %w", size, err)
	}
	return data, nil, nil
}
