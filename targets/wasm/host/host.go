// Package host runs generated WebAssembly modules in a Go program, with wazero: for tests and for `tfgen parity`. Browsers
// and Node run the same modules with the JavaScript of targets/wasm/js.
package host

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tfgen/tfgen/gen/emit/wasmemit"
	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
)

// Model is an instance of a module with its memory and its weights.
type Model struct {
	*wasmemit.Description
	ctx     context.Context
	runtime wazero.Runtime
	memory  api.Memory
	main    api.Module
	shared  bool
	stopped chan error // one result for each other thread
	threads int
	heap    int64 // where state tables and states begin
	room    int64 // bytes from there on
}

// Options say how a module is run.
type Options struct {
	Module  []byte
	Weights io.ReaderAt
	Size    int64 // of the weights file
	Threads int   // more than 1 only for modules with threads
	Shared  bool  // the module is one with threads
	State   int64 // bytes for the states of sequences
}

// Open instantiates a module and copies the weights into its memory.
func Open(ctx context.Context, d *wasmemit.Description, o Options) (m *Model, err error) {
	o.Threads = max(o.Threads, 1)
	heap := d.Memory.Heap + int64(o.Threads)*d.Memory.Scratch
	pages := (heap + o.State + wasm.Page - 1) / wasm.Page
	if pages > wasm.MaxPages {
		return nil, fmt.Errorf("the model needs %d pages of memory, there are at most %d", pages, wasm.MaxPages)
	}
	features := api.CoreFeaturesV2 | experimental.CoreFeaturesThreads
	m = &Model{Description: d, ctx: ctx, shared: o.Shared, threads: o.Threads, heap: heap, room: o.State,
		runtime: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(features))}
	if err := m.instantiate(o, int(pages)); err != nil {
		return nil, errors.Join(err, m.runtime.Close(ctx))
	}
	if err := m.load(o.Weights, o.Size); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// instantiate makes the memory and an instance for each thread.
func (m *Model) instantiate(o Options, pages int) error {
	env := &wasm.Module{}
	most := 0
	if o.Shared {
		most = pages
	}
	env.Memory("memory", pages, most)
	owner, err := m.runtime.InstantiateWithConfig(m.ctx, env.Encode(), wazero.NewModuleConfig().WithName("env"))
	if err != nil {
		return err
	}
	m.memory = owner.Memory()
	_, err = m.runtime.NewHostModuleBuilder("host").NewFunctionBuilder().WithFunc(math.Pow).Export("pow").Instantiate(m.ctx)
	if err != nil {
		return err
	}
	compiled, err := m.runtime.CompileModule(m.ctx, o.Module)
	if err != nil {
		return err
	}
	m.stopped = make(chan error, o.Threads)
	for t := range o.Threads {
		instance, err := m.runtime.InstantiateModule(m.ctx, compiled, wazero.NewModuleConfig().WithName(fmt.Sprint("thread", t)))
		if err != nil {
			return err
		}
		scratch := m.Memory.Heap + int64(t)*m.Memory.Scratch
		if _, err := instance.ExportedFunction("init").Call(m.ctx, uint64(t), uint64(o.Threads), uint64(scratch)); err != nil {
			return err
		}
		if t == 0 {
			m.main = instance
			continue
		}
		go func() {
			_, err := instance.ExportedFunction("work").Call(m.ctx)
			m.stopped <- err
		}()
	}
	return nil
}

// load copies the weights file into the memory.
func (m *Model) load(r io.ReaderAt, size int64) error {
	buf := make([]byte, 1<<20)
	for at := int64(0); at < size; {
		n := min(int64(len(buf)), size-at)
		if _, err := r.ReadAt(buf[:n], at); err != nil {
			return fmt.Errorf("reading the weights: %w", err)
		}
		if !m.memory.Write(uint32(m.Memory.Weights+at), buf[:n]) {
			return errors.New("the weights do not fit the memory")
		}
		at += n
	}
	return nil
}

// Close ends the threads and frees the memory.
func (m *Model) Close() error {
	var err error
	if m.shared && m.threads > 1 {
		err = m.call("stop")
		for range m.threads - 1 {
			err = errors.Join(err, <-m.stopped)
		}
	}
	return errors.Join(err, m.runtime.Close(m.ctx))
}

func (m *Model) call(name string, args ...uint64) error {
	_, err := m.main.ExportedFunction(name).Call(m.ctx, args...)
	return err
}

// ArgMax returns the module's choice in row i of the logits.
func (m *Model) ArgMax(i int) (int32, error) {
	out, err := m.main.ExportedFunction("argmax").Call(m.ctx, uint64(i))
	if err != nil {
		return 0, err
	}
	return int32(out[0]), nil
}

func (m *Model) putInts(at int64, values []int32) {
	b := make([]byte, 4*len(values))
	for i, v := range values {
		binary.LittleEndian.PutUint32(b[4*i:], uint32(v))
	}
	m.memory.Write(uint32(at), b)
}

// row returns row i of an output.
func (m *Model) row(o wasmemit.Output, i int) []float32 {
	b, _ := m.memory.Read(uint32(o.At)+uint32(i*o.Stride), uint32(4*o.Width))
	values := make([]float32, o.Width)
	for j := range values {
		values[j] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*j:]))
	}
	return values
}
