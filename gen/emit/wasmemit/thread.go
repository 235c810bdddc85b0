package wasmemit

import (
	"math"

	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/ir"
)

var negativeInfinity = float32(math.Inf(-1))

// Jobs of the threads.
const (
	jobLayers = 1
	jobHead   = 2
	jobStop   = 3
	jobEncode = 4
)

// job is what the host can ask for: an exported function, and its number for the other threads.
type job struct {
	name   string
	number int
}

// jobsOf are the jobs of a model.
func jobsOf(g *ir.Graph) []job {
	list := []job{{"layers", jobLayers}, {"head", jobHead}}
	if encodes(g) {
		list = append(list, job{"encode", jobEncode})
	}
	return list
}

// jobOf is the job that a region belongs to.
func jobOf(g *ir.Graph, r *ir.Region) string {
	switch {
	case r.Kind == ir.Head:
		return "head"
	case r.Tower != "" && encodes(g):
		return "encode"
	}
	return "layers"
}

// encodes reports whether the model is an encoder–decoder whose sequences read a source first.
func encodes(g *ir.Graph) bool { return len(g.States) > 0 && g.Towers() }

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
	f.I32(address).I32(-1).Narrow().Mem(wasm.AtomicNotify, 0).Do(wasm.Drop)
}

// await returns when a word is not the known one any more.
func (f *code) await(address int, known wasm.Local) {
	left := f.Local(wasm.I32)
	f.I32(spins).Set(left)
	f.while(func() { f.I32(address).Mem(wasm.AtomicLoad, 0).Get(known).Do(wasm.I32Eq) }, func() {
		f.Get(left).IfElse(func() { f.add(left, -1) }, func() {
			f.I32(address).Get(known).Narrow().I64(-1).Mem(wasm.AtomicWait32, 0).Do(wasm.Drop)
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
func (e *emitter) work(jobs []job, parts []*wasm.Func) {
	f := e.code(e.module.Func("work", nil, nil))
	seen, number := f.Local(wasm.I32), f.Local(wasm.I32)
	f.Loop(func() {
		f.await(addrJob, seen)
		f.Get(seen).I32(1).Do(wasm.I32Add).Set(seen)
		f.I32(addrWork).Mem(wasm.AtomicLoad, 0).Set(number)
		for i, job := range jobs {
			f.Get(number).I32(job.number).Do(wasm.I32Eq).If(func() { f.Call(parts[i]) })
		}
		f.Get(number).I32(jobStop).Do(wasm.I32Ne).BrIf(0)
	})
	stop := e.module.Func("stop", nil, nil)
	e.begin(stop, jobStop)
}
