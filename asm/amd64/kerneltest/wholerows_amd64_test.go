package kerneltest

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tfgen/tfgen/asm/amd64/kerneltest/cases"
	"github.com/tfgen/tfgen/runtime/portable"
	"github.com/tfgen/tfgen/runtime/quant"
)

// TestWholeRows multiplies weights with one scale for a row, extreme codes included: the twin has the sum in float64 of what
// weights and codes mean, every level that sum up to the last multiply-add, and all levels and numbers of rows the same bits.
func TestWholeRows(t *testing.T) {
	for i, k := range cases.Quantised() {
		f, _ := quant.Lookup(k.S)
		if k.Op != "qgemm" || !f.Whole {
			continue
		}
		shapes := [][2]int{{1, 1}, {2, 3}, {3, 1}, {4, 2}, {7, 2}, {15, 1}}
		if slices.Contains(quantLevels(), "AMXInt8") {
			shapes = append(shapes, blockShapes()...)
		}
		for j, shape := range shapes {
			q := newWholeCall(f, k.D[0], shape[0], shape[1], uint64(10*i+j))
			want := q.twin()
			q.compareExact(t, want)
			var first []float32
			for _, level := range quantLevels() {
				for _, steps := range []int{q.rows, 1, 3, 21} {
					y := q.run(level, steps)
					if first == nil {
						first = y
					}
					for i, v := range y {
						if math.Float32bits(v) != math.Float32bits(first[i]) || !close(v, want[i], 1e-6*(1+math.Abs(float64(want[i])))+1e-6*math.Abs(float64(want[i]))) {
							t.Fatalf("%s %s, %d × %d, %d rows at a time: y[%d] = %v, %v at first, the twin says %v",
								k.Name(), level, q.rows, q.tiles, steps, i, v, first[i], want[i])
						}
					}
				}
			}
		}
	}
}

// newWholeCall makes random arguments; row 0 of x and of the weights have the largest codes.
func newWholeCall(f *quant.Format, k, rows, tiles int, seed uint64) *quantCall {
	r := rand.New(rand.NewPCG(seed, 8))
	q := &quantCall{f: f, k: k, rows: rows, tiles: tiles, ldx: quant.RowActivationWords(k) + rows, ldc: 16*tiles + 3, ldy: 16*tiles + rows%5}
	size := f.TileBytes(k)
	q.w = make([]uint8, tiles*size)
	for i := range q.w { // magnitudes that keep quant.LaneLimit in 8 columns of a lane
		q.w[i] = uint8(64 - 32 + r.IntN(65))
	}
	for tile := range tiles {
		for row := range quant.Rows {
			f.SetRowScale(q.w[tile*size:][:size], k, row, float32(math.Exp(r.NormFloat64())/1000))
		}
	}
	for at := 0; at < f.RowScalesAt(k); at += 256 { // rows 0 and 1 of the first tile: as much as LaneLimit allows
		for quad, v := range [][]uint8{{63, 63, 63, 63}, {63, 3, 63, 3}, {33, 33, 33, 33}, {0, 0, 0, 0}} {
			for i, v := range v {
				q.w[at+64*quad+i], q.w[at+64*quad+4+i] = 64+v, 64-v
			}
		}
	}
	q.x, q.c, q.y = canaries(rows*q.ldx+guard), canaries(rows*q.ldc+guard), canaries(rows*q.ldy+guard)
	if rows%2 == 1 {
		q.ldc = 0
	}
	plain := make([]float32, k)
	for row := range rows {
		for i := range plain {
			plain[i] = float32(r.NormFloat64())
			if row == 0 {
				plain[i] = float32(1 - i%4/2*2) // 1, 1, -1, -1
			}
		}
		portable.QuantizeRows(q.x[row*q.ldx:], q.ldx, plain, k, 1, k)
		for i := range 16 * tiles {
			q.c[row*q.ldc+i] = float32(r.NormFloat64())
		}
	}
	return q
}

// compareExact compares with the sum in float64.
func (q *quantCall) compareExact(t *testing.T, got []float32) {
	t.Helper()
	weights, size := make([]float32, q.k), q.f.TileBytes(q.k)
	for n := range 16 * q.tiles {
		q.f.Row(weights, q.w[n/16*size:][:size], n%16)
		for r := range q.rows {
			x := quant.WholeRow(q.x[r*q.ldx:], q.k)
			want, scale := float64(q.c[r*q.ldc+n]), math.Abs(float64(q.c[r*q.ldc+n]))
			for i, v := range weights {
				p := float64(v) * float64(x.Codes[i]) * float64(*x.Scale)
				want, scale = want+p, scale+math.Abs(p)
			}
			if v := float64(got[r*q.ldy+n]); math.Abs(v-want) > 1e-6*scale {
				t.Fatalf("row %d output %d is %v, expected %v", r, n, v, want)
			}
		}
	}
	if slices.Contains(got[:16*q.tiles], canary) {
		t.Fatal("an output was not written")
	}
}
