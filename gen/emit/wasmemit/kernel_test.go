package wasmemit

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/runtime/portable"
	"github.com/tfgen/tfgen/runtime/quant"
)

// kernelRun runs one function of a module in a memory of float32.
type kernelRun struct {
	t      *testing.T
	memory []byte
}

// put writes bytes at an address.
func (k *kernelRun) put(at int, b []byte) { copy(k.memory[at:], b) }

func (k *kernelRun) putFloats(at int, v []float32) {
	for i, x := range v {
		binary.LittleEndian.PutUint32(k.memory[at+4*i:], math.Float32bits(x))
	}
}

// call runs the function that build returns with the given arguments, and leaves the memory as it left it.
func (k *kernelRun) call(build func(e *emitter) *wasm.Func, args ...uint64) {
	k.t.Helper()
	m := &wasm.Module{}
	m.Memory("memory", len(k.memory)/wasm.Page+2, 0)
	e := &emitter{module: m, shared: map[string]*wasm.Func{}, tables: map[string]int{}, memory: &Memory{tables: int64(len(k.memory) + 64)}}
	g := build(e)
	f := m.Func("run", words(len(args)), nil)
	for i := range args {
		f.Get(wasm.Local(i))
	}
	f.Call(g)
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	defer r.Close(ctx)
	instance, err := r.Instantiate(ctx, m.Encode())
	if err != nil {
		k.t.Fatal(err)
	}
	if !instance.Memory().Write(0, k.memory) {
		k.t.Fatal("the memory is too small")
	}
	if _, err := instance.ExportedFunction("run").Call(ctx, args...); err != nil {
		k.t.Fatal(err)
	}
	b, _ := instance.Memory().Read(0, uint32(len(k.memory)))
	copy(k.memory, b)
}

func (k *kernelRun) floats(at, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(k.memory[at+4*i:]))
	}
	return v
}

// randomTile returns a tile of arbitrary codes and of scales that are sane numbers.
func randomTile(q *quant.Format, k int, random *rand.Rand) []byte {
	tile := make([]byte, q.TileBytes(k))
	for i := range tile {
		tile[i] = byte(random.Uint32())
	}
	scales := 2 * quant.Rows * 2 // bytes of 16-bit scales at the begin of a unit
	if q.Super == 0 && q.Min {
		scales *= 2
	}
	for at := 0; at < len(tile); at += q.UnitBytes() {
		for i := 0; i < scales; i += 2 {
			h := uint16(0x2000 + random.IntN(0x1800)) // 2⁻⁷ to 2⁻¹ as float16
			if q.Wide {
				h = uint16(0x3c00 + random.IntN(0x180))
			}
			if i%8 == 0 {
				h = uint16(random.IntN(3)) // zero and subnormal ones
			}
			binary.LittleEndian.PutUint16(tile[at+i:], h)
		}
	}
	return tile
}

// TestQuantised compares quantisation and products of every format with the portable kernels, to the bit.
func TestQuantised(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, name := range quant.Names() {
		q, _ := quant.Lookup(name)
		if q.Whole {
			continue // linear says that it has no lowering
		}
		sizes := []int{100, 103, 320}
		if q.Super > 0 { // only whole units are packed in such formats
			sizes = []int{q.Super, 2 * q.Super}
		}
		for _, k := range sizes {
			for _, rows := range []int{1, 6} {
				t.Run(fmt.Sprintf("%s k=%d rows=%d", name, k, rows), func(t *testing.T) { quantCase(t, q, k, rows, rows%2 == 0, random) })
			}
		}
	}
}

func quantCase(t *testing.T, q *quant.Format, k, rows int, start bool, random *rand.Rand) {
	const tiles = 2
	n := 16 * tiles
	x := make([]float32, rows*k)
	for i := range x {
		x[i] = float32(random.NormFloat64())
	}
	clear(x[:min(32, k)]) // a block of zeros
	words := quant.ActivationWords(k)
	w := append(randomTile(q, k, random), randomTile(q, k, random)...)
	c := make([]float32, n)
	for i := range c {
		c[i] = float32(random.NormFloat64())
	}
	xAt := 1024
	qAt := xAt + (4*len(x)+127)&^63 // weights begin at multiples of 64, as in a weights file
	wAt := qAt + (4*rows*words+127)&^63
	cAt := wAt + len(w)
	yAt := cAt + 4*n
	run := &kernelRun{t, make([]byte, yAt+4*rows*n+64)}
	run.putFloats(xAt, x)
	run.put(wAt, w)
	run.putFloats(cAt, c)
	run.call(func(e *emitter) *wasm.Func { return e.quantizeRows(k, 4*words, 4*k) }, uint64(qAt), uint64(xAt), uint64(rows))
	g := gemm{format: "tile16_" + q.Name, k: k, ldy: 4 * n, ldx: 4 * words, start: start}
	run.call(func(e *emitter) *wasm.Func { return e.gemm(g) }, uint64(yAt), uint64(qAt), uint64(wAt), uint64(cAt), tiles, uint64(rows))

	input, want := make([]float32, rows*words), make([]float32, rows*n)
	portable.Quantize(input, words, x, k, rows, k)
	if !start {
		clear(c)
	}
	portable.GemmQuant(want, n, input, words, w, tiles, c, 0, rows, k, q)
	for i, got := range run.floats(yAt, rows*n) {
		if math.Float32bits(got) != math.Float32bits(want[i]) {
			t.Fatalf("output %d of row %d is %v, expected %v", i%n, i/n, got, want[i])
		}
	}
	row := make([]float32, k)
	q.Row(row, w, 5)
	run.call(func(e *emitter) *wasm.Func { return lookupKernel(e, q, k) }, uint64(xAt), uint64(wAt), 5)
	for i, got := range run.floats(xAt, k) {
		if got != row[i] {
			t.Fatalf("weight %d of row 5 is %v, expected %v", i, got, row[i])
		}
	}
}

// lookupKernel returns the function of (y, w, id) that looks up a row.
func lookupKernel(e *emitter, q *quant.Format, k int) *wasm.Func {
	return e.sharedFunc("lookup", words(3), nil, func(f *code) {
		l := quantLookup(q)
		from, i := f.Local(wasm.I32), f.Local(wasm.I32)
		l.row(f, 1, 2, k)
		f.Set(from)
		f.steps(i, 0, k, 1, func() {
			f.Get(0).Get(i).I32(2).Do(wasm.I32Shl, wasm.I32Add)
			l.element(f, from, i)
			f.Mem(wasm.F32Store, 0)
		})
	})
}

// TestHalf compares all float16 with their values.
func TestHalf(t *testing.T) {
	run := &kernelRun{t, make([]byte, 4<<16)}
	for h := range 1 << 16 {
		binary.LittleEndian.PutUint32(run.memory[4*h:], uint32(h))
	}
	run.call(func(e *emitter) *wasm.Func {
		half := e.half()
		return e.sharedFunc("all", words(1), nil, func(f *code) {
			f.Loop(func() {
				f.Get(0).Get(0).Mem(wasm.V128Load, 0).Call(half).Mem(wasm.V128Store, 0)
				f.Get(0).I32(16).Do(wasm.I32Add).Tee(0).I32(4 << 16).Do(wasm.I32Ne).BrIf(0)
			})
		})
	}, 0)
	for h, got := range run.floats(0, 1<<16) {
		if want := quant.Half(uint16(h)); h>>10&31 != 31 && math.Float32bits(got) != math.Float32bits(want) {
			t.Fatalf("float16 %#04x is %v, expected %v", h, got, want)
		}
	}
}
