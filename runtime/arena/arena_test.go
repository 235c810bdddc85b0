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

// TestHuge asks for huge pages under blocks of all sizes around theirs; what is in them stays.
func TestHuge(t *testing.T) {
	for _, n := range []int{0, 1, 1 << 18, 1<<19 - 1, 1 << 19, 1<<20 + 17, 5 << 19} {
		a := New(n)
		for i := range a {
			a[i] = float32(i)
		}
		Huge(a)
		for i, v := range a {
			if v != float32(i) {
				t.Fatalf("element %d of %d is %g", i, n, v)
			}
		}
	}
}
