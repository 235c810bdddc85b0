package dividend

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/tfgen/tfgen/runtime/cpu"
)

// outputs of all products, as the literal strides have them.
const outputs = 384

type (
	product    = func(y *float32, ldy int, x *float32, ldx int, w *float32, tiles int, c *float32, ldc, rows int)
	anyProduct = func(y *float32, ldy int, x *float32, ldx int, w *float32, tiles int, c *float32, ldc, rows, k int)
)

// A form is one of the kernels for a number of columns.
type form struct {
	name string
	run  product
}

// forms returns the kernels for k columns at a level: with run-time shapes, with a literal number of columns, and with literal strides.
func forms(level string, k int) []form {
	any := anyProducts[level]
	runtime := func(y *float32, ldy int, x *float32, ldx int, w *float32, tiles int, c *float32, ldc, rows int) {
		any(y, ldy, x, ldx, w, tiles, c, ldc, rows, k)
	}
	return []form{{"runtime", runtime}, {"literal", literal[level][k]}, {"strides", fixed[level][k]}}
}

var (
	anyProducts = map[string]anyProduct{"avx2": gemmF32AnyAVX2, "avx512": gemmF32AnyAVX512}
	literal     = map[string]map[int]product{
		"avx2":   {20: gemmF32K20AVX2, 100: gemmF32K100AVX2, 384: gemmF32K384AVX2, 1536: gemmF32K1536AVX2},
		"avx512": {20: gemmF32K20AVX512, 100: gemmF32K100AVX512, 384: gemmF32K384AVX512, 1536: gemmF32K1536AVX512},
	}
	fixed = map[string]map[int]product{
		"avx2":   {20: gemmF32Fixed20AVX2, 100: gemmF32Fixed100AVX2, 384: gemmF32Fixed384AVX2, 1536: gemmF32Fixed1536AVX2},
		"avx512": {20: gemmF32Fixed20AVX512, 100: gemmF32Fixed100AVX512, 384: gemmF32Fixed384AVX512, 1536: gemmF32Fixed1536AVX512},
	}
	columns = []int{20, 100, 384, 1536}
)

// levels are those of this machine that have kernels here.
func levels() (names []string) {
	for _, l := range cpu.Available() {
		if _, ok := anyProducts[l.String()]; ok {
			names = append(names, l.String())
		}
	}
	return names
}

// floats returns n different float32 of size 1, from a cache line on.
func floats(n int) []float32 {
	v := make([]float32, n+2064) // kernels fetch ahead
	v = v[(64-int(uintptr(unsafe.Pointer(&v[0]))%64))%64/4:][:n]
	for i := range v {
		v[i] = float32(uint32(i)*2654435761>>8)/(1<<23) - 1
	}
	return v
}

// TestSameBits compares all forms, for few and many rows: what is measured against each other computes the same.
func TestSameBits(t *testing.T) {
	for _, level := range levels() {
		for _, k := range columns {
			for _, rows := range []int{1, 2, 5, 6, 13, 70} {
				x, w, c := floats(rows*k), floats(outputs*k), floats(outputs)
				var want []float32
				for _, f := range forms(level, k) {
					y := make([]float32, rows*outputs)
					f.run(&y[0], outputs, &x[0], k, &w[0], outputs/16, &c[0], 0, rows)
					if want == nil {
						want = y
					}
					for i := range y {
						if math.Float32bits(y[i]) != math.Float32bits(want[i]) || y[i] == 0 {
							t.Fatalf("%s, %d columns, %d rows, %s: output %d is %v, expected %v", level, k, rows, f.name, i, y[i], want[i])
						}
					}
				}
			}
		}
	}
}

// BenchmarkDividend runs the forms in turn within each iteration, so that all see the same machine, and reports their
// GFLOP/s and the gains over run-time shapes, the medians of the ratios within an iteration.
func BenchmarkDividend(b *testing.B) {
	for _, level := range levels() {
		for _, k := range columns {
			for _, rows := range []int{1, 8, 128} {
				b.Run(strings.ToUpper(level)+fmt.Sprintf("/k=%d/rows=%d", k, rows), func(b *testing.B) { compare(b, forms(level, k), k, rows) })
			}
		}
	}
}

func compare(b *testing.B, list []form, k, rows int) {
	x, w, c, y := floats(rows*k), floats(outputs*k), floats(outputs), floats(rows*outputs)
	times := max(1, 2_000_000/(rows*k*outputs/8)) // about a millisecond
	seconds := make([][]float64, len(list))
	for b.Loop() {
		for i, f := range list {
			begin := time.Now()
			for range times {
				f.run(&y[0], outputs, &x[0], k, &w[0], outputs/16, &c[0], 0, rows)
			}
			seconds[i] = append(seconds[i], time.Since(begin).Seconds())
		}
	}
	for i, f := range list {
		ratios := make([]float64, len(seconds[i]))
		for j := range ratios {
			ratios[j] = seconds[0][j] / seconds[i][j]
		}
		b.ReportMetric(2*float64(times*rows*k*outputs)/median(seconds[i])/1e9, f.name+"-GFLOP/s")
		if i > 0 {
			b.ReportMetric(100*(median(ratios)-1), f.name+"-gain-%")
		}
	}
}

// median sorts the values.
func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
