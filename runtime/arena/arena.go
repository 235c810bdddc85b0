// Package arena allocates the memory in which a generated model computes.
package arena

import "unsafe"

// Align is the alignment of an arena in bytes: a cache line, and the width of the largest vector register.
const Align = 64

// New returns n zero float32 values that begin at a multiple of Align bytes. It allocates Bytes(n) bytes.
func New(n int) []float32 {
	const slack = Align / 4
	block := make([]float32, n+slack)
	skip := 0
	if at := uintptr(unsafe.Pointer(unsafe.SliceData(block))) % Align; at != 0 {
		skip = int(Align-at) / 4
	}
	return block[skip : skip+n : skip+n]
}

// Bytes is the number of bytes that New(n) allocates.
func Bytes(n int) int64 { return int64(n)*4 + Align }
