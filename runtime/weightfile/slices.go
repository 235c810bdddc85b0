package weightfile

import (
	"fmt"
	"unsafe"
)

// Bytes returns count bytes at offset, which must be a multiple of Alignment.
// It panics if they are not in the file, as do F32 and U16: the generated code
// asks for places that its own layout names.
func (w *File) Bytes(offset int64, count int) []byte {
	return view[byte](w, offset, count)
}

// F32 returns count float32 values at offset, which must be a multiple of Alignment.
func (w *File) F32(offset int64, count int) []float32 {
	return view[float32](w, offset, count)
}

// U16 returns count 16-bit words at offset, which must be a multiple of
// Alignment: bfloat16 or float16 values.
func (w *File) U16(offset int64, count int) []uint16 {
	return view[uint16](w, offset, count)
}

// view returns count elements at offset of the file.
func view[T byte | uint16 | float32](w *File, offset int64, count int) []T {
	size := int64(unsafe.Sizeof(*new(T)))
	have := int64(len(w.data))
	if offset < 0 || offset%Alignment != 0 || offset > have || count < 0 || int64(count) > (have-offset)/size {
		panic(fmt.Sprintf("weightfile: %d × %d bytes at offset %d of %d: outside of the file, not aligned to %d, or closed",
			count, size, offset, have, Alignment))
	}
	if count == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&w.data[offset])), count)
}

// aligned returns n zero bytes that begin at a multiple of Alignment.
func aligned(n int) []byte {
	b := make([]byte, n+Alignment-1)
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(b))) % Alignment
	return b[skip:][:n:n]
}
