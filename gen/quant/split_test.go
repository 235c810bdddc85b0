package quant

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tfgen/tfgen/gen/checkpoint/dtype"
	"github.com/tfgen/tfgen/runtime/quant"
)

// randomRow returns blocks of random bytes that decode to finite numbers, and the numbers.
func randomRow(r *rand.Rand, t *Type, k int) (blocks []byte, values []float32) {
	n, size := t.DType.Block()
	for len(values) < k {
		b, v := make([]byte, size), make([]float32, n)
		for i := range b {
			b[i] = uint8(r.Uint32())
		}
		if t.DType.Decode(v, b) == nil {
			blocks, values = append(blocks, b...), append(values, v...)
		}
	}
	return blocks, values
}

// TestPackIsExact packs random blocks of every type into tiles and reads the rows back: the same bits as dtype decodes,
// which is compared with ggml.
func TestPackIsExact(t *testing.T) {
	for i := range types {
		typ := &types[i]
		if typ.split == nil {
			continue
		}
		t.Run(typ.Format.Name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, uint64(i)))
			n, _ := typ.DType.Block()
			k := 3 * n
			tile := make([]byte, typ.Format.TileBytes(k))
			var want [quant.Rows][]float32
			for row := range quant.Rows {
				var blocks []byte
				blocks, want[row] = randomRow(r, typ, k)
				if err := typ.Pack(tile, row, blocks, k); err != nil {
					t.Fatal(err)
				}
			}
			got := make([]float32, k)
			for row := range quant.Rows {
				typ.Format.Row(got, tile, row)
				for i, v := range got {
					if w := want[row][i]; v != w && !(v != v && w != w) {
						t.Fatalf("row %d column %d is %v, expected %v", row, i, v, w)
					}
				}
			}
		})
	}
}

// TestEveryFormatHasAType keeps the tables complete.
func TestEveryFormatHasAType(t *testing.T) {
	for _, name := range quant.Names() {
		f, err := quant.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		if typ := For(f); typ == nil {
			t.Errorf("format %s belongs to no type", name)
		} else if again, ok := Of(typ.DType); ok != (typ.split != nil) || ok && again != typ {
			t.Errorf("type %v is not found", typ.DType)
		}
	}
	if _, ok := Of(dtype.F32); ok {
		t.Error("F32 is a block type")
	}
}

// noise returns k values of a normal distribution with some outliers.
func noise(seed uint64, k int) []float32 {
	r := rand.New(rand.NewPCG(seed, 5))
	x := make([]float32, k)
	for i := range x {
		x[i] = float32(r.NormFloat64())
		if r.IntN(50) == 0 {
			x[i] *= 6
		}
	}
	return x
}

func meanSquare(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return math.Sqrt(sum / float64(len(a)))
}
