// Package wasmemit writes the WebAssembly modules of a planned model: forward pass, kernels and argmax in one module with
// every shape, stride and address a literal, and nothing of a runtime. It reads the same plan and the same weights file
// as the Go backend and returns files; it writes nothing.
//
// A module imports one memory (env.memory), and a power function (host.pow) if its rotary frequencies are dynamic. It exports
//
//	init(thread, threads, scratch)  what this instance is: called once for each instance
//	layers()                        embedding and blocks for the rows that stand in the input area
//	head()                          the outputs of the selected rows
//	encode()                        encoder–decoders: the encoder for the rows of one sequence
//	argmax(row) → id                greedy choice over a row of logits, −1 if there is none
//	work()                          modules with threads: takes part in layers and head of thread 0 until stopped
//	stop()                          modules with threads: makes work return in all other threads
//
// The host writes tokens, positions and segments to the input area (Memory), and reads outputs where Description says
// they are.
package wasmemit

import (
	"errors"
	"fmt"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/ir"
	"github.com/tfgen/tfgen/gen/plan"
	"github.com/tfgen/tfgen/gen/weights"
)

// Model is what is emitted.
type Model struct {
	Plan     *plan.Plan
	Place    map[*ir.Weight]*weights.Packed // placed in the weights file
	FileSize int64                          // of the weights file
	Gap      int64                          // bytes of memory that are left free before the weights, for tests of large memories
}

// Variant is one way to compile a model.
type Variant struct {
	Name    string // of the file: "simd", "relaxed", "simd-threads", "relaxed-threads", and the same with "-64"
	Relaxed bool   // fused multiply-add of the relaxed SIMD proposal
	Threads bool   // shared memory and barriers
	Wide    bool   // 64-bit addresses of the memory64 proposal
}

// all are all variants, the plainest first.
var all = []Variant{
	{Name: "simd"},
	{Name: "relaxed", Relaxed: true},
	{Name: "simd-threads", Threads: true},
	{Name: "relaxed-threads", Relaxed: true, Threads: true},
	{Name: "simd-64", Wide: true},
	{Name: "relaxed-64", Relaxed: true, Wide: true},
	{Name: "simd-threads-64", Threads: true, Wide: true},
	{Name: "relaxed-threads-64", Relaxed: true, Threads: true, Wide: true},
}

// Variants are the variants of a model: those with 32-bit addresses if one pass fits such a memory, those with 64-bit addresses if a
// whole context does not. every asks for all that are possible.
func Variants(m *Model, trace, every bool) ([]Variant, error) {
	memory, err := layout(m, trace)
	if err != nil {
		return nil, err
	}
	state := int64(0)
	for _, s := range states(m) {
		blocks := (m.Plan.Graph.MaxPos + blockKeys - 1) / blockKeys
		if s.Ring > 0 {
			blocks = min(blocks, s.Ring)
		}
		state += int64(blocks) * int64(s.Key+s.Value)
	}
	fits, whole := memory.Heap <= narrowLimit, memory.Heap+state <= narrowLimit
	var list []Variant
	for _, v := range all {
		if !v.Wide && fits || v.Wide && (!whole || every) {
			list = append(list, v)
		}
	}
	return list, nil
}

// emitter collects a module while it is written.
type emitter struct {
	*Model
	Variant
	memory  *Memory
	module  *wasm.Module
	shared  map[string]*wasm.Func // functions by what they compute
	thread  int                   // globals of the instance: its number, …
	threads int                   // … how many there are, …
	scratch int                   // … and its own memory
	counts  map[ir.Rows]int       // globals: rows of the current pass
	globals map[string]int        // further globals by what they hold
	pow     *wasm.Func            // of the host, if the model needs it
	barrier *wasm.Func
	tables  map[string]int // addresses of literal tables by their bytes
	drawn   int            // counters of tickets that have been given out
}

// Emit returns the module of one variant.
func Emit(m *Model, v Variant, trace bool) ([]byte, error) {
	memory, err := layout(m, trace)
	if err != nil {
		return nil, err
	}
	e := &emitter{Model: m, Variant: v, memory: memory, module: &wasm.Module{Wide: v.Wide}, shared: map[string]*wasm.Func{}, tables: map[string]int{}, globals: map[string]int{}}
	if needsPow(m.Plan.Graph) {
		e.pow = e.module.ImportFunc("host", "pow", []wasm.Type{wasm.F64, wasm.F64}, []wasm.Type{wasm.F64})
	}
	e.module.ImportMemory("env", "memory", int((memory.Heap+wasm.Page-1)/wasm.Page), v.Threads)
	e.thread, e.threads, e.scratch = e.module.Global(0), e.module.Global(1), e.module.Global(0)
	e.counts = map[ir.Rows]int{}
	for _, r := range countedRows {
		e.counts[r] = e.module.Global(0)
	}
	regions, err := e.regions()
	if err != nil {
		return nil, err
	}
	e.run(regions)
	if err := e.memory.fits(e.tables); err != nil {
		return nil, err
	}
	return e.module.Encode(), nil
}

// sharedFunc returns the function of this key; build writes it the first time it is asked for.
func (e *emitter) sharedFunc(key string, params, results []wasm.Type, build func(f *code)) *wasm.Func {
	if f, ok := e.shared[key]; ok {
		return f
	}
	f := e.module.Func("", params, results)
	e.shared[key] = f
	build(e.code(f))
	return f
}

// global returns a global of the instance by what it holds.
func (e *emitter) global(what string) int {
	g, ok := e.globals[what]
	if !ok {
		g = e.module.Global(0)
		e.globals[what] = g
	}
	return g
}

// code wraps a function that is to be written.
func (e *emitter) code(f *wasm.Func) *code { return &code{f, e, map[string][]wasm.Local{}} }

// words are n parameters of type i32.
func words(n int) []wasm.Type {
	list := make([]wasm.Type, n)
	for i := range list {
		list[i] = wasm.I32
	}
	return list
}

// ErrUnsupported is wrapped by errors for what this backend cannot compile.
var ErrUnsupported = errors.New("not supported by the WebAssembly backend")

// unsupported is the error for an operation that this backend cannot compile.
func unsupported(o *ir.Op, format string, args ...any) error {
	return fmt.Errorf("%s: %s with %s is %w", o.Pos, o.Kind, fmt.Sprintf(format, args...), ErrUnsupported)
}
