package kerneltest

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/tfgen/tfgen/asm/amd64/kerneltest/cases"
	"github.com/tfgen/tfgen/asm/kernel"
	"github.com/tfgen/tfgen/asm/limits"
	"github.com/tfgen/tfgen/runtime/cpu"
)

// streamBytes is the size of weights that no cache holds.
const streamBytes = 256 << 20

// aligned returns n float32 that begin at a cache line.
func aligned(n int) []float32 {
	b := make([]float32, n+16)
	skip := (64 - int(uintptr(unsafe.Pointer(&b[0]))%64)) % 64 / 4
	b = b[skip : skip+n]
	for i := range b {
		b[i] = float32(i%97) / 97
	}
	return b
}

// peak measures the multiply-add peak of one core in flop/s.
func peak(level string) float64 { return limits.Flops(levelOf(level), 1) }

// bandwidth measures how fast one core reads memory, in bytes/s.
func bandwidth(level string) float64 { return limits.Bandwidth(levelOf(level), 1) }

// levelOf is the level of the processor that the names of functions end in.
func levelOf(name string) cpu.Level {
	level, err := cpu.Parse(strings.ToLower(name))
	if err != nil {
		panic(err)
	}
	return level
}

// eachLevel runs a benchmark on every level of the machine.
func eachLevel(b *testing.B, run func(b *testing.B, level string)) {
	for _, level := range levels() {
		b.Run(level, func(b *testing.B) { run(b, level) })
	}
}

// A gemmFunc is the assembly of a product with float32 or bfloat16 weights.
type gemmFunc func(y *float32, ldy int, x *float32, ldx int, w unsafe.Pointer, tiles int, c *float32, ldc, rows int)

// product returns the function of a product for a level.
func product(k kernel.Kernel, level string) gemmFunc {
	if k.S == "f32" {
		fn := functions[k.Name()+level].(func(y *float32, ldy int, x *float32, ldx int, w *float32, tiles int, c *float32, ldc, rows int))
		return func(y *float32, ldy int, x *float32, ldx int, w unsafe.Pointer, tiles int, c *float32, ldc, rows int) {
			fn(y, ldy, x, ldx, (*float32)(w), tiles, c, ldc, rows)
		}
	}
	if k.S == "i8" {
		fn := functions[k.Name()+level].(func(y *float32, ldy int, x *float32, ldx int, w *int8, tiles int, c *float32, ldc, rows int))
		return func(y *float32, ldy int, x *float32, ldx int, w unsafe.Pointer, tiles int, c *float32, ldc, rows int) {
			fn(y, ldy, x, ldx, (*int8)(w), tiles, c, ldc, rows)
		}
	}
	fn := functions[k.Name()+level].(func(y *float32, ldy int, x *float32, ldx int, w *uint16, tiles int, c *float32, ldc, rows int))
	return func(y *float32, ldy int, x *float32, ldx int, w unsafe.Pointer, tiles int, c *float32, ldc, rows int) {
		fn(y, ldy, x, ldx, (*uint16)(w), tiles, c, ldc, rows)
	}
}

// BenchmarkDecode reads weights from memory once for each row or few rows and
// reports the share of the read bandwidth.
func BenchmarkDecode(b *testing.B) {
	eachLevel(b, func(b *testing.B, level string) {
		w := aligned(streamBytes / 4)
		limit := bandwidth(level)
		for _, k := range cases.Kernels() {
			if k.Op != "gemm" || k.D[0] < 384 {
				continue
			}
			for _, rows := range []int{1, 4} {
				tileBytes := map[string]int{"f32": 64 * k.D[0], "bf16": (k.D[0] + 1) / 2 * 64, "f16": 32 * k.D[0], "i8": 16 * k.D[0]}[k.S]
				tiles := streamBytes/tileBytes - 1
				b.Run(fmt.Sprintf("%s/rows=%d", k.Name(), rows), func(b *testing.B) {
					fn := product(k, level)
					y, x := aligned(rows*tiles*16), aligned(rows*k.D[0])
					c := make([]float32, tiles*16)
					run := func() {
						fn(&y[0], tiles*16, &x[0], k.D[0], unsafe.Pointer(&w[0]), tiles, &c[0], 0, rows)
					}
					limit = max(limit, bandwidth(level))
					for b.Loop() {
						run()
					}
					speed := float64(tiles*tileBytes) * float64(b.N) / b.Elapsed().Seconds()
					b.ReportMetric(speed/1e9, "GB/s")
					b.ReportMetric(100*speed/limit, "%ofread")
				})
			}
		}
	})
}

// BenchmarkPrefill multiplies many rows with weights of a layer and reports the
// share of the multiply-add peak.
func BenchmarkPrefill(b *testing.B) {
	eachLevel(b, func(b *testing.B, level string) {
		for _, k := range cases.Kernels() {
			if k.Op != "gemm" || k.D[0] < 64 {
				continue
			}
			for _, rows := range []int{8, 64, 128, 512} {
				const tiles = 48
				b.Run(fmt.Sprintf("%s/rows=%d", k.Name(), rows), func(b *testing.B) {
					fn := product(k, level)
					y, x := aligned(rows*tiles*16), aligned(rows*k.D[0])
					w, c := aligned((k.D[0]+1)*tiles*16), make([]float32, tiles*16)
					limit := peak(level)
					for b.Loop() {
						fn(&y[0], tiles*16, &x[0], k.D[0], unsafe.Pointer(&w[0]), tiles, &c[0], 0, rows)
					}
					speed := 2 * float64(tiles*16*rows*k.D[0]) * float64(b.N) / b.Elapsed().Seconds()
					b.ReportMetric(speed/1e9, "GFLOP/s")
					b.ReportMetric(100*speed/limit, "%ofpeak")
				})
			}
		}
	})
}

// BenchmarkRows measures the kernels that go over rows, on some 16 Ki elements
// that stay in the caches; bytes are those of all float arguments.
func BenchmarkRows(b *testing.B) {
	eachLevel(b, func(b *testing.B, level string) {
		for i, k := range cases.Kernels() {
			if k.Op == "gemm" || k.D[0] < 64 || k.D[0] == 72 || k.D[0] == 385 {
				continue
			}
			b.Run(k.Name(), func(b *testing.B) {
				rows := 16384 / k.D[0]
				c := newCall(k, shape{rows: rows, heads: 1}, uint64(i))
				if k.Op == "softmaxBlock" { // all keys count
					for r := range rows {
						c.ints["lo"][guard+r], c.ints["hi"][guard+r] = 0, kernel.BlockKeys
					}
				}
				fn := reflect.ValueOf(functions[k.Name()+level])
				args := c.arguments(0, rows, true)
				bytes := 0
				for _, buffer := range c.floats {
					bytes += 4 * (len(buffer) - 2*guard)
				}
				for b.Loop() {
					fn.Call(args)
				}
				b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N*rows*k.D[0]), "ns/element")
				b.ReportMetric(float64(bytes)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GB/s")
			})
		}
	})
}
