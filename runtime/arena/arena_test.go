package arena

import (
	"testing"
	"unsafe"
)

func TestNewIsAlignedAndExact(t *testing.T) {
	for _, n := range []int{1, 15, 16, 17, 1000, 4097} {
		a := New(n)
		if len(a) != n || cap(a) != n {
			t.Errorf("New(%d) has length %d and capacity %d", n, len(a), cap(a))
		}
		if at := uintptr(unsafe.Pointer(&a[0])) % Align; at != 0 {
			t.Errorf("New(%d) begins %d bytes past a multiple of %d", n, at, Align)
		}
	}
}
