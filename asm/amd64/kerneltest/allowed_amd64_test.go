package kerneltest

import (
	"math"

	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/runtime/quant"
)

// allowed returns the magnitude that the tolerance of the kernel is relative
// to, for element i of a parameter; want is the result of the twin.
func (c *call) allowed(want *call) func(name string, i int) float64 {
	value := func(name string, i int) float64 { return math.Abs(float64(want.floats[name][guard+i])) }
	output := func(name string) bool { return name == "y" || name == c.shape.alias }
	switch c.k.Op {
	case "gemm":
		return c.allowedProduct()
	case "layerNorm", "addLayerNorm":
		magnitude := c.normMagnitude()
		return func(name string, i int) float64 {
			if !output(name) {
				return 0
			}
			return magnitude(i)
		}
	case "scanState", "scanHead":
		return func(name string, i int) float64 {
			if name != "y" && name != "h" {
				return 0
			}
			return (1 + float64(c.k.D[0])/8) * (1 + value(name, i))
		}
	case "rope":
		return func(name string, i int) float64 { return 8 }
	case "softmaxBlock":
		return func(name string, i int) float64 { return 40 * (1 + c.k.F[0]*8) * value(name, i) / 16 }
	case "act":
		return func(name string, i int) float64 { return max(value(name, i), 0x1p-126) }
	case "glu":
		return func(name string, i int) float64 {
			if !output(name) {
				return 0
			}
			u := math.Abs(float64(c.floats["u"][guard+i/c.num["ldy"]*c.num["ldu"]+column(i, c.num["ldy"], c.k.D[0])]))
			return max(value(name, i), 0x1p-126*(1+u))
		}
	}
	return value
}

// normMagnitude is (|x| + |mean|)/√(var + eps)·|w| + |b| of the elements of a layer normalisation.
func (c *call) normMagnitude() func(i int) float64 {
	n := c.k.D[0]
	x := func(row, j int) float64 {
		v := float64(c.floats["x"][guard+row*c.num["ldx"]+j])
		if c.k.Op == "addLayerNorm" {
			v += float64(c.floats["d"][guard+row*c.num["ldd"]+j])
		}
		return v
	}
	means, deviations := make([]float64, c.shape.rows), make([]float64, c.shape.rows)
	for row := range means {
		variance := c.k.F[0]
		for j := range n {
			means[row] += x(row, j) / float64(n)
		}
		for j := range n {
			variance += (x(row, j) - means[row]) * (x(row, j) - means[row]) / float64(n)
		}
		deviations[row] = math.Sqrt(variance)
	}
	ld, w, b := c.num["ldy"], c.floats["w"][guard:], c.floats["b"][guard:]
	return func(i int) float64 {
		row, col := max(i, 0)/ld, column(i, ld, n)
		if i < 0 || row >= c.shape.rows {
			return 0
		}
		return (math.Abs(x(row, col))+math.Abs(means[row]))/deviations[row]*(1+math.Abs(float64(w[col]))) + 1 + math.Abs(float64(b[col]))
	}
}

// column returns the column of element i of a matrix, the last for a gap.
func column(i, ld, width int) int { return min(max(i, 0)%ld, width-1) }

// allowedProduct returns (K + 1)·(Σ|x·w| + |c|) for the outputs of a product.
func (c *call) allowedProduct() func(name string, i int) float64 {
	k := c.k.D[0]
	return func(name string, i int) float64 {
		row, col := 0, 0
		if ld := c.num["ldy"]; i > 0 {
			row, col = i/ld, i%ld
		}
		if (name != "y" && name != c.shape.alias) || i < 0 || row >= c.shape.rows || col >= c.width("y") {
			return 0
		}
		sum := math.Abs(float64(c.floats["c"][guard+row*c.num["ldc"]+col]))
		for j := range k {
			x := c.floats["x"][guard+row*c.num["ldx"]+j]
			sum += math.Abs(float64(x) * float64(c.weight(col, j)))
		}
		return float64(k+1) * sum
	}
}

// weight returns the weight of input j for output n.
func (c *call) weight(n, j int) float32 {
	k := c.k.D[0]
	tile, lane := n/kernel.Tile, n%kernel.Tile
	if c.k.S == "f16" {
		return quant.Half(c.halves["w"][guard+(tile*k+j)*kernel.Tile+lane])
	}
	if c.k.S == "i8" {
		return float32(c.bytes["w"][guard+(tile*k+j)*kernel.Tile+lane])
	}
	if c.k.S == "bf16" {
		h := c.halves["w"][guard+((tile*((k+1)/2)+j/2)*kernel.Tile+lane)*2+j%2]
		return math.Float32frombits(uint32(h) << 16)
	}
	return c.floats["w"][guard+(tile*k+j)*kernel.Tile+lane]
}
