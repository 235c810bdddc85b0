package kerneltest

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/tfgen/tfgen/asm/amd64/kerneltest/cases"
	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/runtime/portable"
	"github.com/tfgen/tfgen/runtime/quant"
)

type (
	quantFunc    = func(y *float32, ldy int, x *float32, ldx int, w *uint8, tiles int, c *float32, ldc, rows int)
	quantizeFunc = func(y *float32, ldy int, x *float32, ldx, rows int)
)

// A quantCall is one product with quantised weights; the rows of all matrices have gaps of canaries.
type quantCall struct {
	f              *quant.Format
	k, rows, tiles int
	w              []uint8
	x, c, y        []float32
	ldx, ldc, ldy  int
}

// newQuantCall makes random arguments.
func newQuantCall(k kernel.Kernel, rows, tiles int, seed uint64) *quantCall {
	f, err := quant.Lookup(k.S)
	if err != nil {
		panic(err)
	}
	r := rand.New(rand.NewPCG(seed, 7))
	q := &quantCall{f: f, k: k.D[0], rows: rows, tiles: tiles, ldx: quant.ActivationWords(k.D[0]) + rows, ldc: 16*tiles + 3, ldy: 16*tiles + rows%5}
	q.w = randomTiles(r, f, q.k, tiles)
	q.x, q.c, q.y = canaries(rows*q.ldx+guard), canaries(rows*q.ldc+guard), canaries(rows*q.ldy+guard)
	if rows%2 == 1 {
		q.ldc = 0
	}
	plain := make([]float32, q.k)
	for row := range rows {
		for i := range plain {
			plain[i] = float32(r.NormFloat64())
		}
		portable.Quantize(q.x[row*q.ldx:], q.ldx, plain, q.k, 1, q.k)
		for i := range 16 * tiles {
			q.c[row*q.ldc+i] = float32(r.NormFloat64())
		}
	}
	return q
}

// randomTiles returns weights of random codes and scales of all magnitudes.
func randomTiles(r *rand.Rand, f *quant.Format, k, tiles int) []uint8 {
	w := make([]uint8, tiles*f.TileBytes(k))
	for i := range w {
		w[i] = uint8(r.Uint32())
	}
	for at := 0; at < len(w); at += f.UnitBytes() {
		halves := 2 * quant.Rows // factors and factors of offsets, or the scales of two groups
		if f.Super == 0 && f.Min {
			halves = 4 * quant.Rows
		}
		for i := range halves {
			bits := uint16(r.IntN(16)+8)<<10 | uint16(r.IntN(1<<10)) | uint16(r.IntN(2))<<15 // f16 of 2⁻⁷ … 2⁸
			if f.Wide {
				bits = uint16(r.IntN(16)+120) << 7
			}
			binary.LittleEndian.PutUint16(w[at+2*i:], bits)
		}
	}
	return w
}

// canaries returns a slice full of what nothing may read or write.
func canaries(n int) []float32 { return slices.Repeat([]float32{canary}, n) }

// run calls the assembly for so many rows at a time into a new result.
func (q *quantCall) run(level string, steps int) []float32 {
	y := slices.Clone(q.y)
	for from := 0; from < q.rows; from += steps {
		q.runRows(level, y, from, min(steps, q.rows-from))
	}
	return y
}

// runRows calls the assembly for n rows. Rows that a version in blocks leaves are for the next lower level, as in generated
// programs.
func (q *quantCall) runRows(level string, y []float32, from, n int) {
	k := kernel.Kernel{Op: "qgemm", S: q.f.Name, D: []int{q.k}}
	if level == "AMXInt8" {
		whole := n / blockRows * blockRows
		if n > whole {
			q.runRows("AVX512VNNI", y, from+whole, n-whole)
		}
		if n = whole; n == 0 {
			return
		}
	}
	fn := functions[k.Name()+level].(quantFunc)
	fn(&y[from*q.ldy], q.ldy, &q.x[from*q.ldx], q.ldx, &q.w[0], q.tiles, &q.c[from*q.ldc], q.ldc, n)
}

// blockRows is the multiple of rows that level AMXInt8 takes.
const blockRows = 16

// twin calls the portable kernel.
func (q *quantCall) twin() []float32 {
	y := slices.Clone(q.y)
	portable.GemmQuant(y, q.ldy, q.x, q.ldx, q.w, q.tiles, q.c, q.ldc, q.rows, q.k, q.f)
	return y
}

// eachQuantCall runs test for every format and some shapes.
func eachQuantCall(t *testing.T, test func(t *testing.T, q *quantCall)) {
	if len(quantLevels()) == 0 {
		t.Skip("this machine has no vector level")
	}
	shapes := [][2]int{{1, 1}, {1, 3}, {2, 1}, {3, 2}, {5, 1}, {7, 1}, {8, 2}, {13, 1}}
	if testing.Short() {
		shapes = [][2]int{{1, 2}, {15, 1}}
	}
	if slices.Contains(quantLevels(), "AMXInt8") {
		shapes = append(shapes, blockShapes()...)
	}
	for i, k := range cases.Quantised() {
		if f, _ := quant.Lookup(k.S); k.Op != "qgemm" || f.Whole {
			continue
		}
		t.Run(k.Name(), func(t *testing.T) {
			for j, s := range shapes {
				test(t, newQuantCall(k, s[0], s[1], uint64(100*i+j)))
			}
		})
	}
}

// blockShapes are rows and tiles for the level that computes rows in blocks.
func blockShapes() [][2]int {
	if testing.Short() {
		return [][2]int{{50, 3}}
	}
	return [][2]int{{16, 1}, {32, 2}, {33, 3}, {50, 5}, {127, 1}}
}

// TestQuantAgainstPortable compares the products with those of the twin, within the rounding of as many additions as
// there are groups.
func TestQuantAgainstPortable(t *testing.T) {
	eachQuantCall(t, func(t *testing.T, q *quantCall) {
		want, size := q.twin(), q.magnitudes()
		groups := float64(q.f.Columns(q.k)/q.f.Group*2 + 1)
		c := kernel.Kernel{Op: "qgemm", S: q.f.Name, D: []int{q.k}}.Tolerance().C
		for _, level := range quantLevels() {
			got := q.run(level, q.rows)
			for i, v := range got {
				if !close(v, want[i], c*0x1p-24*groups*size[i]) {
					t.Fatalf("%s %d × %d: y[%d] = %v, the twin says %v", level, q.rows, q.tiles, i, v, want[i])
				}
			}
		}
	})
}

// magnitudes returns Σ|s·d·dot| + Σ|m·sum| + |c| for every element of y, in float64 from the weights themselves.
func (q *quantCall) magnitudes() []float64 {
	size := make([]float64, len(q.y))
	row := make([]float32, q.f.Columns(q.k))
	for n := range 16 * q.tiles {
		tile := q.w[n/16*q.f.TileBytes(q.k):][:q.f.TileBytes(q.k)]
		q.f.Row(row, tile, n%16)
		for r := range q.rows {
			x := quant.ActivationRow(q.x[r*q.ldx:], q.k)
			sum := math.Abs(float64(q.c[r*q.ldc+n]))
			for at := 0; at < len(row); at += q.f.Group {
				m := float64(q.f.Offset(tile[at/q.f.Unit()*q.f.UnitBytes():], n%16, at%q.f.Unit()/q.f.Group))
				dot, codes := 0.0, 0.0
				for i := range q.f.Group {
					dot += (float64(row[at+i]) + m) * float64(x.Codes[at+i])
					codes += float64(x.Codes[at+i])
				}
				d := float64(x.Scales[at/quant.Block])
				sum += math.Abs(d*dot) + math.Abs(d*m*codes)
			}
			size[r*q.ldy+n] = sum
		}
	}
	return size
}

// TestQuantExact compares with the sum in float64 of what the weights and codes mean.
func TestQuantExact(t *testing.T) {
	eachQuantCall(t, func(t *testing.T, q *quantCall) {
		got, size := q.twin(), q.magnitudes()
		row := make([]float32, q.f.Columns(q.k))
		for n := range 16 * q.tiles {
			q.f.Row(row, q.w[n/16*q.f.TileBytes(q.k):], n%16)
			for r := range q.rows {
				x := quant.ActivationRow(q.x[r*q.ldx:], q.k)
				want := float64(q.c[r*q.ldc+n])
				for i, v := range row {
					want += float64(v) * float64(x.Codes[i]) * float64(x.Scales[i/quant.Block])
				}
				if i := r*q.ldy + n; math.Abs(float64(got[i])-want) > 1e-5*size[i] {
					t.Fatalf("row %d output %d is %v, expected %v", r, n, got[i], want)
				}
			}
		}
	})
}

// TestQuantRowsAreIndependent computes rows alone and together, on every level: the bits are the same.
func TestQuantRowsAreIndependent(t *testing.T) {
	eachQuantCall(t, func(t *testing.T, q *quantCall) {
		var first []float32
		for _, level := range quantLevels() {
			for _, steps := range []int{q.rows, 1, 3, 21} {
				y := q.run(level, steps)
				if first == nil {
					first = y
				}
				for i, v := range y {
					if math.Float32bits(v) != math.Float32bits(first[i]) {
						t.Fatalf("%s, %d rows at a time: y[%d] = %v, %v at first", level, steps, i, v, first[i])
					}
				}
			}
		}
	})
}

// first is the name of a twin without its literals.
func first(name string, _ []string) string { return name }

// TestQuantize compares the bits of quantised rows with the twin's, special values included.
func TestQuantize(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, k := range cases.Quantised() {
		if k.Op != "quantize" {
			continue
		}
		const rows = 12
		n := k.D[0]
		ldx, ldy := n+3, max(quant.ActivationWords(n), quant.RowActivationWords(n))+5
		twin := twins[first(k.Portable())].(func(y []float32, ldy int, x []float32, ldx, rows, k int))
		x, y := canaries(rows*ldx), canaries(rows*ldy+guard)
		r := rand.New(rand.NewPCG(uint64(n), 3))
		for row := range rows {
			for i := range n {
				x[row*ldx+i] = float32(r.NormFloat64() * math.Pow(10, float64(row)-4))
			}
			if row >= 6 { // one special value
				x[row*ldx+r.IntN(n)] = []float32{nan, inf, -inf, 0, math.MaxFloat32, 1e-40}[row-6]
			}
		}
		clear(x[3*ldx : 3*ldx+n])
		want := slices.Clone(y)
		twin(want, ldy, x, ldx, rows, n)
		for _, level := range levels() {
			got := slices.Clone(y)
			functions[k.Name()+level].(quantizeFunc)(&got[0], ldy, &x[0], ldx, rows)
			for i, v := range got {
				if math.Float32bits(v) != math.Float32bits(want[i]) {
					t.Fatalf("%s %s: word %d of row %d is %#x, the twin says %#x", k.Name(), level, i%ldy, i/ldy,
						math.Float32bits(v), math.Float32bits(want[i]))
				}
			}
		}
	}
}

// BenchmarkQuant measures decoding, as a share of the read bandwidth, and prefill of every format.
func BenchmarkQuant(b *testing.B) {
	for _, level := range quantLevels() {
		data := aligned(streamBytes / 4)
		vector := min(level, "AVX512")
		limit := bandwidth(vector)
		w := unsafe.Slice((*uint8)(unsafe.Pointer(&data[0])), streamBytes)
		for _, k := range cases.Quantised() {
			if k.Op != "qgemm" {
				continue
			}
			f, _ := quant.Lookup(k.S)
			fn := functions[k.Name()+level].(quantFunc)
			for _, rows := range []int{1, 2, 4, 8, 128} {
				tiles := (streamBytes / 2) / f.TileBytes(k.D[0])
				if rows > 8 {
					tiles = 32
				}
				ldx := f.InputWords(k.D[0])
				x, y, c := aligned(rows*ldx), aligned(rows*tiles*16), aligned(tiles*16)
				b.Run(fmt.Sprintf("%s/%s/rows=%d", level, k.Name(), rows), func(b *testing.B) {
					for b.Loop() {
						fn(&y[0], tiles*16, &x[0], ldx, &w[0], tiles, &c[0], 0, rows)
					}
					seconds := b.Elapsed().Seconds() / float64(b.N)
					b.ReportMetric(float64(tiles*f.TileBytes(k.D[0]))/seconds/1e9, "GB/s")
					b.ReportMetric(100*float64(tiles*f.TileBytes(k.D[0]))/seconds/limit, "%ofread")
					b.ReportMetric(float64(tiles*16*rows*k.D[0])/seconds/1e9, "GMAC/s")
				})
			}
		}
	}
}
