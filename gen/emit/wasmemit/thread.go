package wasmemit

import (
	"math"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
)

var negativeInfinity = float32(math.Inf(-1))

// Jobs of the threads.
const (
	jobLayers = 1
	jobHead   = 2
	jobStop   = 3
)

// spins is how often a thread looks before it sleeps: some ten microseconds, longer than the others need between two
// operations.
const spins = 20000

// emitBarrier writes the function in which all threads wait for each other (sense-reversing: the last to come begins the
// next generation).
func (e *emitter) emitBarrier() {
	e.barrier = e.module.Func("", nil, nil)
	f := e.code(e.barrier)
	generation := f.Local(wasm.I32)
	f.I32(addrGeneration).Mem(wasm.AtomicLoad, 0).Set(generation)
	f.I32(addrBarrier).I32(1).Mem(wasm.AtomicAdd, 0).GetGlobal(e.threads).I32(1).Do(wasm.I32Sub, wasm.I32Eq)
	f.IfElse(func() {
		f.I32(addrBarrier).I32(0).Mem(wasm.AtomicStore, 0)
		f.signal(addrGeneration)
	}, func() {
		f.await(addrGeneration, generation)
	})
}

// signal increases a word and wakes all that wait for it.
func (f *code) signal(address int) {
	f.I32(address).I32(1).Mem(wasm.AtomicAdd, 0).Do(wasm.Drop)
	f.I32(address).I32(-1).Mem(wasm.AtomicNotify, 0).Do(wasm.Drop)
}

// await returns when a word is not the known one any more.
func (f *code) await(address int, known wasm.Local) {
	left := f.Local(wasm.I32)
	f.I32(spins).Set(left)
	f.while(func() { f.I32(address).Mem(wasm.AtomicLoad, 0).Get(known).Do(wasm.I32Eq) }, func() {
		f.Get(left).IfElse(func() { f.add(left, -1) }, func() {
			f.I32(address).Get(known).I64(-1).Mem(wasm.AtomicWait32, 0).Do(wasm.Drop)
		})
	})
}

// begin wakes the other threads for a job.
func (e *emitter) begin(g *wasm.Func, job int) {
	f := e.code(g)
	f.I32(addrWork).I32(job).Mem(wasm.AtomicStore, 0)
	f.signal(addrJob)
}

// work exports the loop of the other threads, which take part in every job until told to stop, and stop, which tells them.
func (e *emitter) work(parts [2]*wasm.Func) {
	f := e.code(e.module.Func("work", nil, nil))
	seen, job := f.Local(wasm.I32), f.Local(wasm.I32)
	f.Loop(func() {
		f.await(addrJob, seen)
		f.Get(seen).I32(1).Do(wasm.I32Add).Set(seen)
		f.I32(addrWork).Mem(wasm.AtomicLoad, 0).Set(job)
		for i, id := range []int{jobLayers, jobHead} {
			f.Get(job).I32(id).Do(wasm.I32Eq).If(func() { f.Call(parts[i]) })
		}
		f.Get(job).I32(jobStop).Do(wasm.I32Ne).BrIf(0)
	})
	stop := e.module.Func("stop", nil, nil)
	e.begin(stop, jobStop)
}
