//go:build unix

package weightfile

import (
	"fmt"
	"os"
	"syscall"
)

// mapFile maps the first size bytes of f read-only and returns them with the
// function that releases them.
func mapFile(f *os.File, size int) ([]byte, func() error, error) {
	if size == 0 {
		return nil, nil, nil
	}
	data, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, nil, fmt.Errorf("mapping %d bytes: %w", size, err)
	}
	advise(data, hugePages, true)
	return data, func() error { return syscall.Munmap(data) }, nil
}
