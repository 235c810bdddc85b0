package weights

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/runtime/portable"
	"github.com/tfgen/tfgen/runtime/quant"
)

func random(n int) []float32 {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

var shapes = [][2]int{{1, 1}, {16, 16}, {17, 3}, {40, 33}, {48, 64}, {5, 1}, {31, 1}, {64, 1}}

// TestLayouts packs and unpacks matrices of awkward sizes, whole and in pieces of 16 rows.
func TestLayouts(t *testing.T) {
	for i := range layouts {
		l := &layouts[i]
		if Quantised(l.Name) != nil || l.Name == dataLayout {
			continue
		}
		for _, s := range shapes {
			rows, cols := s[0], s[1]
			src := random(rows * cols)
			if strings.HasSuffix(l.Name, "bf16") {
				for i, v := range src {
					src[i] = portable.WidenBF16(portable.RoundBF16(v))
				}
			}
			if strings.HasSuffix(l.Name, "_f16") {
				for i, v := range src {
					src[i] = quant.Half(quant.ToHalf(v))
				}
			}
			whole := dirty(l.Bytes(rows, cols))
			if err := l.Pack(whole, src, rows, cols); err != nil {
				t.Fatal(err)
			}
			got := make([]float32, rows*cols)
			l.Unpack(got, whole, rows, cols)
			if !slices.Equal(got, src) {
				t.Errorf("%s %d × %d is not what was packed", l.Name, rows, cols)
			}
			var pieces []byte
			for first := 0; first < rows; first += Tile {
				n := min(Tile, rows-first)
				b := dirty(l.Bytes(n, cols))
				if err := l.Pack(b, src[first*cols:], n, cols); err != nil {
					t.Fatal(err)
				}
				pieces = append(pieces, b...)
			}
			if !slices.Equal(pieces, whole) {
				t.Errorf("%s %d × %d differs when packed in pieces", l.Name, rows, cols)
			}
		}
	}
}

func dirty(n int64) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = 0xa5
	}
	return b
}

// TestTilesMatchKernels compares the tiled layouts with what the portable kernels read.
func TestTilesMatchKernels(t *testing.T) {
	for _, s := range shapes {
		rows, cols := s[0], s[1]
		src := random(rows * cols)
		f32 := make([]float32, portable.PackedF32(rows, cols))
		portable.PackF32(f32, src, rows, cols)
		want := make([]byte, 4*len(f32))
		for i, v := range f32 {
			binary.LittleEndian.PutUint32(want[4*i:], math.Float32bits(v))
		}
		check(t, "tile16_f32", rows, cols, src, want)

		bf16 := make([]uint16, portable.PackedBF16(rows, cols))
		portable.PackBF16(bf16, src, rows, cols)
		want = make([]byte, 2*len(bf16))
		for i, v := range bf16 {
			binary.LittleEndian.PutUint16(want[2*i:], v)
		}
		check(t, "tile16_bf16", rows, cols, src, want)
	}
}

func check(t *testing.T, layout string, rows, cols int, src []float32, want []byte) {
	t.Helper()
	l, err := Lookup(layout)
	if err != nil {
		t.Fatal(err)
	}
	got := dirty(l.Bytes(rows, cols))
	if err := l.Pack(got, src, rows, cols); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s %d × %d is not what the kernels read", layout, rows, cols)
	}
}

func TestRoundBF16(t *testing.T) {
	for _, c := range []struct{ in, want uint32 }{
		{0x3f800000, 0x3f80}, {0x3f808000, 0x3f80}, {0x3f818000, 0x3f82}, {0x3f808001, 0x3f81}, {0x80000000, 0x8000},
	} {
		if got := roundBF16(math.Float32frombits(c.in)); got != c.want {
			t.Errorf("%#x rounds to %#x, expected %#x", c.in, got, c.want)
		}
	}
	for _, name := range []string{"rows_bf16", "tile16_bf16"} {
		l, _ := Lookup(name)
		src := make([]float32, 18*5)
		src[17*5+4] = math.MaxFloat32
		err := l.Pack(make([]byte, l.Bytes(18, 5)), src, 18, 5)
		if err == nil || !strings.Contains(err.Error(), "row 17 contains 3.4028235e+38") {
			t.Errorf("%s: error %v, expected one for row 17", name, err)
		}
	}
}

func TestBeyond(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, bad := range []float32{inf, -inf, float32(math.NaN()), math.Float32frombits(0xffffffff)} {
		for at := range 9 {
			x := []float32{math.MaxFloat32, -math.MaxFloat32, 0, 1, -1, 2, -2, 3, -3}
			if i := beyond(x, infinity); i != -1 {
				t.Fatalf("%v is said to be infinite", x[i])
			}
			x[at] = bad
			if i := beyond(x, infinity); i != at {
				t.Errorf("%v at %d is found at %d", bad, at, i)
			}
		}
	}
}

func TestLookupUnknown(t *testing.T) {
	_, err := Lookup("tile8")
	if err == nil || !strings.Contains(err.Error(), "there are bytes, rows_bf16, rows_f16, rows_f32, tile16_bf16, tile16_f16, tile16_f32, tile16_int8, tile16_iq4nl") {
		t.Errorf("error %v, expected the list of layouts", err)
	}
}

func benchmarkPack(b *testing.B, layout string) {
	const rows, cols = 1024, 1024
	l, err := Lookup(layout)
	if err != nil {
		b.Fatal(err)
	}
	src, dst := random(rows*cols), make([]byte, l.Bytes(rows, cols))
	b.SetBytes(int64(len(dst)))
	for b.Loop() {
		if err := l.Pack(dst, src, rows, cols); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPackTileF32(b *testing.B)  { benchmarkPack(b, "tile16_f32") }
func BenchmarkPackTileBF16(b *testing.B) { benchmarkPack(b, "tile16_bf16") }
func BenchmarkPackRowsF32(b *testing.B)  { benchmarkPack(b, "rows_f32") }
func BenchmarkPackRowsBF16(b *testing.B) { benchmarkPack(b, "rows_bf16") }
