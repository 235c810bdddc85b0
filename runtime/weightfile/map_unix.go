//go:build unix

package weightfile

import (
	"fmt"
	"os"
	"syscall"
)

// mapFile maps size bytes of f from offset, which is a multiple of the page size,
// read-only and returns them with the function that releases them.
func mapFile(f *os.File, offset int64, size int) ([]byte, func() error, error) {
	if size == 0 {
		return nil, nil, nil
	}
	data, err := syscall.Mmap(int(f.Fd()), offset, size, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, nil, fmt.Errorf("mapping %d bytes: %w", size, err)
	}
	advise(data, hugePages, true)
	return data, func() error { return syscall.Munmap(data) }, nil
}
