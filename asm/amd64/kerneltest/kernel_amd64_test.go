package kerneltest

import (
	"math"
	"slices"
	"testing"

	"github.com/tfgen/tfgen/asm/amd64/kerneltest/cases"
	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/runtime/cpu"
)

// shapes returns the run-time shapes that a kernel is tested with.
func shapes(k kernel.Kernel) []shape {
	if testing.Short() { // for an emulator, some hundred times slower
		if k.D[0] > 400 {
			return []shape{{rows: 3, tiles: 1, heads: 1, gap: 1, sharedC: true}}
		}
		return []shape{{rows: 9, tiles: 4, heads: 2, gap: 5}, {rows: 1, tiles: 13, heads: 1}, {rows: 33, tiles: 6, heads: 1, gap: 1, sharedC: true}}
	}
	list := []shape{
		{rows: 1, tiles: 1, heads: 1},
		{rows: 7, tiles: 5, heads: 3, gap: 5},
		{rows: 2, tiles: 9, heads: 2, gap: 1, sharedC: true},
	}
	for rows := 1; rows <= 17; rows++ {
		list = append(list, shape{rows: rows, tiles: 1 + rows%4, heads: rows%3 + 1, gap: rows, sharedC: rows%2 == 1})
	}
	list = append(list, shape{rows: 1, tiles: 15, heads: 1, gap: 16, sharedC: true}, shape{rows: 200, tiles: 1, heads: 1})
	aliases := map[string][]string{"gemm": {"c"}, "glu": {"x", "u"}, "act": {"x"},
		"rmsNorm": {"x"}, "layerNorm": {"x"}, "addRMSNorm": {"x", "d"}, "addLayerNorm": {"x", "d"}}
	for _, a := range aliases[k.Op] {
		list = append(list, shape{rows: 9, tiles: 4, heads: 1, gap: 3, alias: a})
	}
	return list
}

// eachCall runs test for every kernel and shape on every level of the machine.
func eachCall(t *testing.T, test func(t *testing.T, level string, c *call)) {
	available := levels()
	if len(available) == 0 {
		t.Skip("this machine has neither AVX2 nor AVX-512")
	}
	available = append(available, tileLevels()...)
	for _, level := range available {
		t.Run(level, func(t *testing.T) {
			for i, k := range cases.Kernels() {
				if functions[k.Name()+level] == nil {
					continue // only operations that gain by tiles have a lowering
				}
				for j, s := range shapes(k) {
					test(t, level, newCall(k, s, uint64(100*i+j)))
				}
			}
		})
	}
}

// tileLevels returns the instruction sets with products by tiles of bfloat16.
func tileLevels() []string {
	if slices.Contains(cpu.Available(), cpu.AMX) {
		return []string{"AMX", "AMXStrict"}
	}
	return nil
}

// TestAgainstPortable compares every buffer of a call, canaries included, with
// what the portable twin makes of the same arguments.
func TestAgainstPortable(t *testing.T) {
	eachCall(t, func(t *testing.T, level string, c *call) {
		want, got := c.clone(), c.clone()
		want.runPortable()
		got.runAssembly(level, 0, c.shape.rows)
		allowed := c.allowed(want)
		tolerance := c.k.Tolerance().C * 0x1p-24
		if c.k.Op == "gemm" {
			tolerance += losses[level+c.k.S] / float64(c.k.D[0]+1)
		}
		for name, w := range want.floats {
			for i, v := range got.floats[name] {
				if !close(v, w[i], tolerance*allowed(name, i-guard)) {
					t.Fatalf("%v %s: %s[%d] = %v, the twin says %v", c, level, name, i-guard, v, w[i])
				}
			}
		}
	})
}

// close reports whether two values have the same bits, are equal, or differ by
// no more than the tolerance.
func close(a, b float32, tolerance float64) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a == b || math.Abs(float64(a)-float64(b)) <= tolerance
}

// TestRowsAreIndependent runs a call for all rows at once and again in pieces:
// every bit must be the same.
func TestRowsAreIndependent(t *testing.T) {
	eachCall(t, func(t *testing.T, level string, c *call) {
		whole := c.clone()
		whole.runAssembly(level, 0, c.shape.rows)
		pieces := []int{1, 3}
		if testing.Short() {
			pieces = pieces[1:]
		}
		for _, piece := range pieces {
			parts := c.clone()
			for from := 0; from < c.shape.rows; from += piece {
				parts.runAssembly(level, from, min(piece, c.shape.rows-from))
			}
			sameBits(t, c, parts, whole)
		}
	})
}

// TestTilesAreIndependent computes the tiles of a product one by one.
func TestTilesAreIndependent(t *testing.T) {
	eachCall(t, func(t *testing.T, level string, c *call) {
		if c.k.Op != "gemm" {
			return
		}
		whole, parts := c.clone(), c.clone()
		whole.runAssembly(level, 0, c.shape.rows)
		for tile := range c.shape.tiles {
			one := *parts
			one.floats = map[string][]float32{}
			one.halves, one.bytes = map[string][]uint16{}, map[string][]int8{}
			one.num = map[string]int{"tiles": 1, "rows": c.num["rows"], "ldx": c.num["ldx"], "ldy": c.num["ldy"], "ldc": c.num["ldc"]}
			for name, b := range parts.floats {
				one.floats[name] = b[tile*tileOffset(c, name):]
			}
			for name, b := range parts.halves {
				one.halves[name] = b[tile*tileOffset(c, name):]
			}
			for name, b := range parts.bytes {
				one.bytes[name] = b[tile*tileOffset(c, name):]
			}
			one.runAssembly(level, 0, c.shape.rows)
		}
		sameBits(t, c, parts, whole)
	})
}

// tileOffset is the distance between the data of two tiles in a parameter.
func tileOffset(c *call, name string) int {
	switch {
	case name == "x":
		return 0
	case name == "w" && c.k.S == "bf16":
		return (c.k.D[0] + 1) / 2 * 2 * kernel.Tile
	case name == "w":
		return c.k.D[0] * kernel.Tile
	}
	return kernel.Tile
}

// TestLevelsAgree checks that a matrix product has the same bits on AVX2 and
// AVX-512: both are one chain of fused multiply-adds.
func TestLevelsAgree(t *testing.T) {
	if len(levels()) < 2 {
		t.Skip("this machine does not have both AVX2 and AVX-512")
	}
	for i, k := range cases.Kernels() {
		for j, s := range shapes(k) {
			if k.Op != "gemm" {
				continue
			}
			a := newCall(k, s, uint64(100*i+j))
			b := a.clone()
			a.runAssembly("AVX2", 0, s.rows)
			b.runAssembly("AVX512", 0, s.rows)
			sameBits(t, a, b, a)
		}
	}
}

// sameBits compares all float buffers of two calls.
func sameBits(t *testing.T, c, got, want *call) {
	t.Helper()
	for name, w := range want.floats {
		for i, v := range got.floats[name] {
			if math.Float32bits(v) != math.Float32bits(w[i]) {
				t.Fatalf("%v: %s[%d] = %v in pieces, %v at once", c, name, i-guard, v, w[i])
			}
		}
	}
}
