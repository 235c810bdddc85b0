package amd64

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// An alignedFrame is memory of a function that begins at a multiple of 64 bytes.
type alignedFrame struct {
	base reg.GPVirtual
	size int
}

// reserve returns the displacement of n more bytes, rounded up to 64, in the frame.
func (a *alignedFrame) reserve(n int) int {
	at := a.size
	a.size += (n + 63) / 64 * 64
	return at
}

// place allocates the frame, whose size is known by now.
func (a *alignedFrame) place(f *function) {
	a.base = f.GP64()
	f.LEAQ(f.AllocLocal(a.size+64), a.base)
	f.ADDQ(operand.U8(63), a.base)
	f.ANDQ(operand.I8(-64), a.base)
}

// A tileShape is the number of rows and of bytes in a row of a tile.
type tileShape struct{ rows, bytes int }

// configureTiles loads a configuration of all eight tiles that is known when the kernel is written.
func (f *function) configureTiles(name string, shapes [8]tileShape) {
	var config [64]byte
	config[0] = 1 // palette 1: eight tiles of up to 16 rows of 64 bytes
	for t, s := range shapes {
		config[16+2*t] = byte(s.bytes)
		config[48+t] = byte(s.rows)
	}
	words := make([]uint32, 16)
	for i, b := range config {
		words[i/4] |= uint32(b) << (i % 4 * 8)
	}
	at64 := f.GP64()
	f.LEAQ(f.words(name, words), at64)
	f.tile("LDTILECFG", at(at64, 0))
}
