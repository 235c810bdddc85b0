package quant

import (
	"math"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/checkpoint/dtype"
	"github.com/tfgen/tfgen/runtime/quant"
)

// quantized returns the values of a row after quantisation.
func quantized(t *testing.T, typ *Type, x, importance []float32) []float32 {
	t.Helper()
	tile := make([]byte, typ.Format.TileBytes(len(x)))
	if err := typ.Quantize(tile, 3, x, importance); err != nil {
		t.Fatal(err)
	}
	y := make([]float32, len(x))
	typ.Format.Row(y, tile, 3)
	return y
}

// TestQuantizeError bounds the root mean square error on normal weights with outliers; plain
// nearest rounding with the largest magnitude at the end of the range does worse.
func TestQuantizeError(t *testing.T) {
	x := noise(1, 4096)
	limits := map[string]float64{"q4": 0.192, "q4m": 0.129, "q5": 0.096, "q5m": 0.062, "q8": 0.0121, "q4k": 0.132, "q5k": 0.066, "q6k": 0.036, "int8": 0.08}
	for i := range types {
		typ := &types[i]
		if !typ.Fits() {
			continue
		}
		e := meanSquare(quantized(t, typ, x, nil), x)
		t.Logf("%s: %.4f", typ.Format.Name, e)
		if !(e <= limits[typ.Format.Name]) {
			t.Errorf("%s: root mean square error %.4f, expected at most %.4f", typ.Format.Name, e, limits[typ.Format.Name])
		}
		if s := typ.Format.Zero; s > 0 && typ.Format.Super == 0 && !typ.Format.Whole {
			if p := meanSquare(nearest(x, s), x); e > p {
				t.Errorf("%s: error %.4f, plain rounding has %.4f", typ.Format.Name, e, p)
			}
		}
	}
}

// nearest rounds blocks of 32 with the largest magnitude at −half.
func nearest(x []float32, half int) []float32 {
	y := make([]float32, len(x))
	for at := 0; at < len(x); at += 32 {
		largest := float32(0)
		for _, v := range x[at:][:32] {
			if abs(v) > abs(largest) {
				largest = v
			}
		}
		s := quant.Half(quant.ToHalf(-largest / float32(half)))
		for i := range 32 {
			y[at+i] = s * clamp(x[at+i]/s, -float32(half), float32(half-1))
		}
	}
	return y
}

// TestQuantizeExact keeps what the format can hold: multiples of a scale, zeros, constants.
func TestQuantizeExact(t *testing.T) {
	for i := range types {
		typ := &types[i]
		if !typ.Fits() {
			continue
		}
		x := make([]float32, 512)
		for j := range x {
			x[j] = float32((j*7)%15-8) / 8
		}
		clear(x[64:128])
		if typ.Format.Super == 0 && typ.Format.Bits < 6 {
			for j, v := range quantized(t, typ, x, nil) {
				if v != x[j] && !(typ.Format.Min && math.Abs(float64(v-x[j])) < 0.03) {
					t.Errorf("%s: column %d is %v, expected %v", typ.Format.Name, j, v, x[j])
					break
				}
			}
		}
		for _, v := range quantized(t, typ, make([]float32, 256), nil) {
			if v != 0 {
				t.Errorf("%s: zeros become %v", typ.Format.Name, v)
				break
			}
		}
		for _, size := range []float64{1e-38, 1e-6, 1e4} {
			for j := range x {
				x[j] = float32(size * math.Sin(float64(j)))
			}
			for j, v := range quantized(t, typ, x, nil) {
				if d := math.Abs(float64(v - x[j])); !(d <= size*0.15+1e-6) {
					t.Errorf("%s: %v becomes %v", typ.Format.Name, x[j], v)
					break
				}
			}
		}
	}
}

// TestImportance gives one column in eight a great importance: its error shrinks, that of the others grows.
func TestImportance(t *testing.T) {
	x := noise(2, 4096)
	importance := make([]float32, len(x))
	for i := range importance {
		importance[i] = 0.01
		if i%8 == 3 {
			importance[i] = 100
		}
	}
	pick := func(y []float32) (a []float32) {
		for i := 3; i < len(y); i += 8 {
			a = append(a, y[i])
		}
		return a
	}
	for _, name := range []string{"q4", "q4k", "q5k", "q4m"} {
		f, _ := quant.Lookup(name)
		plain, weighted := quantized(t, For(f), x, nil), quantized(t, For(f), x, importance)
		a, b := meanSquare(pick(plain), pick(x)), meanSquare(pick(weighted), pick(x))
		if b > 0.93*a {
			t.Errorf("%s: error of important columns %.4f, %.4f without importance", name, b, a)
		}
	}
}

func TestQuantizeErrors(t *testing.T) {
	f, _ := quant.Lookup("q2k")
	err := For(f).Quantize(nil, 0, make([]float32, 256), nil)
	if err == nil || !strings.Contains(err.Error(), "read from GGUF files only") {
		t.Errorf("q2k: error %v", err)
	}
	f, _ = quant.Lookup("q4k")
	err = For(f).Quantize(nil, 0, make([]float32, 100), nil)
	if err == nil || !strings.Contains(err.Error(), "a multiple of 256 columns, not 100") {
		t.Errorf("q4k: error %v", err)
	}
	if got := quantized(t, For(quant.Q8), noise(3, 100), nil); meanSquare(got, noise(3, 100)) > 0.01 {
		t.Error("100 columns of q8 are not what they were")
	}
}

// TestToHalf compares with the decoder for all f16 values and the midpoints between them.
func TestToHalf(t *testing.T) {
	for h := range uint16(0x7bff) {
		a, b := quant.Half(h), quant.Half(h+1)
		var decoded [1]float32
		if err := dtype.F16.Decode(decoded[:], []byte{byte(h), byte(h >> 8)}); err != nil || decoded[0] != a {
			t.Fatalf("%#04x is %v, expected %v", h, a, decoded[0])
		}
		even := h + h&1
		for _, c := range []struct {
			v    float32
			want uint16
		}{{a, h}, {-a, h | 0x8000}, {(a + b) / 2, even}, {math.Nextafter32((a+b)/2, b), h + 1}} {
			if got := quant.ToHalf(c.v); got != c.want {
				t.Fatalf("%v becomes %#04x, expected %#04x", c.v, got, c.want)
			}
		}
	}
	if quant.ToHalf(1e30) != 0x7bff || quant.ToHalf(-1e30) != 0xfbff {
		t.Error("large numbers do not become the largest")
	}
}

// TestLaneLimit makes rows of one scale whose weights are all large: the codes keep the limit of sums in 16 bits, and lose
// no more than a step for it.
func TestLaneLimit(t *testing.T) {
	typ := For(quant.INT8)
	for _, x := range [][]float32{noise(3, 384), sameSigns(100), sameSigns(16), {1}, make([]float32, 40)} {
		tile := make([]byte, typ.Format.TileBytes(len(x)))
		if err := typ.Quantize(tile, 3, x, nil); err != nil {
			t.Fatal(err)
		}
		s, y := typ.Format.RowScale(tile, len(x), 3), make([]float32, len(x))
		typ.Format.Row(y, tile, 3)
		var sums [2]float64
		for i := range x {
			if i%quant.LaneColumns == 0 {
				sums = [2]float64{}
			}
			if s != 0 {
				sums[i/2%2] += math.Abs(float64(y[i] / s))
			}
			if most := max(sums[0], sums[1]); most > quant.LaneLimit+0.01 {
				t.Fatalf("%d columns: magnitudes up to column %d sum up to %v", len(x), i, most)
			}
			if e := math.Abs(float64(x[i] - y[i])); e > 1.01*math.Abs(float64(s)) {
				t.Errorf("%d columns: %v became %v with scale %v", len(x), x[i], y[i], s)
			}
		}
	}
}

// sameSigns are weights of equal magnitude: a scale for the largest of them alone would leave no room for their sums.
func sameSigns(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(1 - i%3/2*2)
	}
	return x
}
