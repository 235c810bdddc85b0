package kernel

import "github.com/tfgen/tfgen/runtime/quant"

// A Matrix is what a product has to know of packed weights.
type Matrix struct {
	Kernel Kernel
	Stride int // elements of a tile
	Bytes  int // of a tile
	Input  int // words of 4 bytes in a row of the input
}

// MatrixOf returns the matrix of weights of a format, float or quantised, with k columns, and whether there is a kernel.
func MatrixOf(format string, k int) (Matrix, bool) {
	if f, err := quant.Lookup(format); err == nil {
		n := f.TileBytes(k)
		return Matrix{Kernel{Op: "qgemm", S: f.Name, D: []int{k}}, n, n, f.InputWords(k)}, true
	}
	for _, m := range []struct {
		format string
		stride int
		size   int
	}{{"f32", k * Tile, 4}, {"bf16", (k + 1) / 2 * 2 * Tile, 2}, {"f16", k * Tile, 2}} {
		if format == m.format {
			return Matrix{Kernel{Op: "gemm", S: m.format, D: []int{k}}, m.stride, m.stride * m.size, k}, true
		}
	}
	return Matrix{}, false
}
