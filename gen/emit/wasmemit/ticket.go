package wasmemit

import (
	"github.com/tfgen/tfgen/gen/emit/wasmemit/wasm"
	"github.com/tfgen/tfgen/gen/ir"
)

// Threads that share a product of many rows draw its tiles one by one from a counter, so that a thread that other programs hold up
// does less. Which thread computes a tile changes none of its bits. Every product has a counter of its own, which is never reset: in
// each pass all threads together draw as many tickets as there are tiles, and one more each that finds none left.

// drawnRows is the number of rows from which on tiles are drawn; below, drawing costs more than it brings.
const drawnRows = 8

// ticketBytes keeps counters in cache lines of their own.
const ticketBytes = 64

// tickets is the number of counters of a graph.
func tickets(g *ir.Graph) (n int) {
	for _, o := range g.Ops {
		if o.Kind == "linear" {
			n++
		}
	}
	return n
}

// ticket returns the address of the next counter.
func (e *emitter) ticket() int {
	e.drawn++
	return int(e.memory.tickets) + ticketBytes*(e.drawn-1)
}

// beginPass notes how many passes a job has done, which its counters tell, and counts one more.
func (f *code) beginPass(job string) {
	passes := f.e.global("passes of " + job)
	f.GetGlobal(passes).SetGlobal(f.e.global("passes")).GetGlobal(passes).I32(1).Do(wasm.I32Add).SetGlobal(passes)
}

// before pushes what a counter stood at when the pass began, for a product of so many tiles.
func (f *code) before(tiles int) {
	f.GetGlobal(f.e.global("passes")).GetGlobal(f.e.threads).I32(tiles).Do(wasm.I32Add, wasm.I32Mul)
}

// drawTiles computes tiles as long as there are some.
func (f *code) drawTiles(g gemm, tiles int, counter, rows wasm.Local, product *wasm.Func) {
	i := f.Local(wasm.I32)
	f.Loop(func() {
		f.Get(counter).I32(1).Mem(wasm.AtomicAdd, 0)
		f.before(tiles) // counters have 32 bits in every module
		f.Do(wasm.I32Sub).I32(0xffffffff).Do(wasm.I32And).Tee(i).I32(tiles).Do(wasm.I32LtU).If(func() {
			for arg, stride := range []int{64, 0, g.tileBytes(), 64} {
				f.Get(wasm.Local(arg)).Get(i).I32(stride).Do(wasm.I32Mul, wasm.I32Add)
			}
			f.I32(1).Get(rows).Call(product).Br(1)
		})
	})
}

// skipTickets moves a counter on as a pass of drawn tiles does: one thread for all.
func (f *code) skipTickets(tiles int, counter wasm.Local) {
	f.GetGlobal(f.e.thread).Do(wasm.I32Eqz).If(func() {
		f.Get(counter).GetGlobal(f.e.threads).I32(tiles).Do(wasm.I32Add).Mem(wasm.AtomicAdd, 0).Do(wasm.Drop)
	})
}
