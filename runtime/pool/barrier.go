package pool

import (
	"runtime"
	"sync/atomic"
	"time"

	"github.com/tfgen/tfgen/runtime/cpu"
)

const (
	spinsPerLook = 1024                   // between looks at the clock: 10–50 µs
	crowdedSpins = 64                     // before parking when processors are fewer than workers
	patience     = 100 * time.Microsecond // of spinning before parking
)

// pad keeps neighbours out of a cache line and of the line that adjacent-line
// prefetching brings along.
type pad [128]byte

// line is a counter alone in its cache lines.
type line struct {
	atomic.Uint32
	_ [124]byte
}

// worker is the state of one worker.
type worker struct {
	_      pad
	parked atomic.Bool // waits for wake; whoever clears it sends
	wake   chan struct{}
	flags  []line // flags[r]: barriers for which the partner of round r has arrived
	_      pad
	begun  atomic.Uint32 // runs that it is to take part in
	_      pad
	done   atomic.Uint32 // runs finished
	_      pad
	phase  uint32 // barriers entered, used by the worker alone
	usage  usage  // of a measured run
	_      pad
}

// Barrier returns when all workers of the run have called it. Each must call it
// equally often during a run. What a worker wrote before the barrier is seen
// by all after it.
//
// The algorithm is the dissemination barrier: Hensgen, Finkel, Manber, Two
// algorithms for barrier synchronization, 1988; ⌈log₂ workers⌉ rounds.
func (p *Pool) Barrier(worker int) {
	n := p.active
	w := &p.workers[worker]
	w.phase++
	for round, step := 0, 1; step < n; round, step = round+1, 2*step {
		to := worker + step
		if to >= n {
			to -= n
		}
		p.workers[to].flags[round].Store(w.phase)
		p.workers[to].unpark()
		if !p.await(worker, &w.flags[round].Uint32, w.phase, true) {
			panic(released{})
		}
	}
}

// await returns true when counter has reached want. At a barrier it returns
// false when the barrier cannot be completed.
func (p *Pool) await(worker int, counter *atomic.Uint32, want uint32, barrier bool) bool {
	var begin time.Time
	for spins := 1; ; spins++ {
		if int32(counter.Load()-want) >= 0 {
			return true
		}
		if barrier && p.broken.Load() {
			return false
		}
		switch {
		case spins%spinsPerLook == 0:
			if begin.IsZero() {
				begin = time.Now()
			} else if time.Since(begin) > patience {
				p.park(worker, counter, want, barrier)
			}
			if worker == 0 { // the others are locked to threads: Gosched would switch threads
				runtime.Gosched()
			}
		case spins >= crowdedSpins && p.crowded.Load():
			p.park(worker, counter, want, barrier)
		default:
			cpu.Pause()
		}
	}
}

// park blocks the worker until somebody changes what it waits for. It may
// return early.
func (p *Pool) park(worker int, counter *atomic.Uint32, want uint32, barrier bool) {
	w := &p.workers[worker]
	w.parked.Store(true)
	ready := int32(counter.Load()-want) >= 0 || barrier && p.broken.Load()
	if ready && w.parked.CompareAndSwap(true, false) {
		return
	}
	if !barrier || !p.measure { // between runs, p.measure is not this worker's to read
		<-w.wake
		return
	}
	begin := time.Now()
	<-w.wake
	w.usage.waited += w.usage.woken.Sub(begin)
}

// unpark wakes the worker if it is parked. It is called after the change that
// the worker may wait for.
func (w *worker) unpark() {
	if w.parked.Load() && w.parked.CompareAndSwap(true, false) {
		w.usage.woken = time.Now()
		w.wake <- struct{}{}
	}
}

// wakeAll wakes all parked workers.
func (p *Pool) wakeAll() {
	for i := range p.workers {
		p.workers[i].unpark()
	}
}

// reset brings all workers' barriers back to the beginning.
func (p *Pool) reset() {
	for i := range p.workers {
		w := &p.workers[i]
		w.phase = 0
		for r := range w.flags {
			w.flags[r].Store(0)
		}
	}
}
