package arena

import (
	"syscall"
	"unsafe"
)

// Huge pages on the processors that generated code has kernels for.
const (
	hugePage     = 2 << 20
	adviseHuge   = 14 // MADV_HUGEPAGE
	wordsPerPage = hugePage / 4
)

// Huge asks for huge pages under the part of a block that fills some, so that fewer translations of addresses are needed. A
// refusal changes nothing but speed.
func Huge(block []float32) {
	if len(block) < wordsPerPage {
		return
	}
	start := uintptr(unsafe.Pointer(unsafe.SliceData(block)))
	skip := int(-start%hugePage) / 4
	if n := (len(block) - skip) / wordsPerPage * wordsPerPage; n > 0 {
		b := unsafe.Slice((*byte)(unsafe.Pointer(&block[skip])), 4*n)
		_ = syscall.Madvise(b, adviseHuge)
	}
}
