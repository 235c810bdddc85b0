package kerneltest

import (
	"math"
	"testing"

	"github.com/tfgen/tfgen/asm/amd64/kerneltest/cases"
)

// TestTilesAgainstTwin compares the bits of products by tiles of bfloat16 with those of their twins.
func TestTilesAgainstTwin(t *testing.T) {
	if len(tileLevels()) == 0 {
		t.Skip("this machine has no AMX")
	}
	twins := map[string]tileTwin{"AMXbf16": bf16Tiles, "AMXStrictbf16": bf16Strict, "AMXf32": f32Tiles, "AMXStrictf32": f32Strict}
	for _, level := range tileLevels() {
		for i, k := range cases.Kernels() {
			twin, ok := twins[level+k.S]
			if k.Op != "gemm" || !ok {
				continue
			}
			for j, s := range shapes(k) {
				c := newCall(k, s, uint64(100*i+j))
				want := c.tileTwin(twin)
				c.runAssembly(level, 0, s.rows)
				for row, y := range want {
					for n, v := range y {
						if got := c.floats["y"][guard+row*c.num["ldy"]+n]; math.Float32bits(got) != math.Float32bits(v) {
							t.Fatalf("%v %s: y[%d][%d] = %v, the twin says %v", c, level, row, n, got, v)
						}
					}
				}
			}
		}
	}
}

// tileTwin computes the rows of a product by a twin.
func (c *call) tileTwin(twin tileTwin) [][]float32 {
	k, outputs := c.k.D[0], c.width("y")
	w := make([][]float32, outputs)
	for n := range w {
		w[n] = make([]float32, k)
		for j := range w[n] {
			w[n][j] = c.weight(n, j)
		}
	}
	starts, x := make([][]float32, c.shape.rows), make([][]float32, c.shape.rows)
	for r := range x {
		starts[r] = c.floats["c"][guard+r*c.num["ldc"]:][:outputs]
		x[r] = c.floats["x"][guard+r*c.num["ldx"]:][:k]
	}
	return twin.rows(starts, x, w)
}
