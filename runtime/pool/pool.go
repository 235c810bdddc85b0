// Package pool runs one job on a fixed set of persistent workers, all of them
// at the same time (single program, multiple data), with barriers between the
// steps of the job.
//
// Waiting is made for steps of a few microseconds: a waiting worker spins, and
// parks in the scheduler when nothing has happened for a while, so an idle pool
// costs nothing and a machine with more workers than processors makes progress.
// Workers that processors do not run enough pause (see throttle).
package pool

import (
	"errors"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// ErrClosed is returned by Run after Close.
var ErrClosed = errors.New("pool: Run after Close")

// Job is work that is divided among workers.
type Job interface {
	// Work does the share of worker, which is in [0, Workers()). It must not
	// call Run or Close of the same pool.
	Work(worker int)
}

// Pool is a set of persistent workers. Its methods may be called by several
// goroutines; runs follow each other.
type Pool struct {
	workers  []worker
	running  sync.WaitGroup // workers that have not ended
	mu       sync.Mutex     // held during a run
	job      Job            // of the current run
	active   int            // workers of the current run: the first ones
	measure  bool           // the current run
	throttle throttle

	failure atomic.Pointer[PanicError] // first panic of the current run

	_       pad
	broken  atomic.Bool // a worker failed: barriers let go
	closed  atomic.Bool
	crowded atomic.Bool // more workers than processors: park rather than spin
	_       pad
}

// New starts a pool of the given number of workers, the caller of Run being
// one of them. Zero means GOMAXPROCS, but not more than there are processors:
// shares are equal, so that one worker more than processors makes all wait for
// its turn. A pool that is no longer needed must be closed, or its goroutines
// stay.
func New(workers int) *Pool {
	if workers <= 0 {
		workers = processors()
	}
	p := &Pool{workers: make([]worker, workers), active: workers, throttle: throttle{workers: workers, active: workers}}
	for i := range p.workers {
		p.workers[i].wake = make(chan struct{}, 1)
		p.workers[i].flags = make([]line, bits.Len(uint(workers-1)))
	}
	p.running.Add(workers - 1)
	for i := 1; i < workers; i++ {
		go p.serve(i, 0)
	}
	return p
}

// Workers returns the number of workers.
func (p *Pool) Workers() int { return len(p.workers) }

// Active returns the number of workers that take part in the current run, at
// most Workers: workers 0 to Active()-1. It does not change during a run.
func (p *Pool) Active() int { return p.active }

// Range returns the part [from, to) of n items that falls to worker. Parts
// begin at multiples of tile, are as equal as tiles allow, and depend on
// nothing but n, tile, worker and the number of workers of the run.
func (p *Pool) Range(worker, n, tile int) (from, to int) {
	tiles := (n + tile - 1) / tile
	count := p.active
	share, rest := tiles/count, tiles%count
	first := worker*share + min(worker, rest)
	last := first + share
	if worker < rest {
		last++
	}
	return min(first*tile, n), min(last*tile, n)
}

// Run calls job.Work once for every worker of the run, for worker 0 on the
// calling goroutine, and returns when all have returned. A panic in any of them
// comes back as a *PanicError; the pool stays usable. Run allocates nothing.
func (p *Pool) Run(job Job) (err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed.Load() {
		return ErrClosed
	}
	begin := time.Now()
	p.prepare(job, begin)
	for i := 1; i < p.active; i++ {
		w := &p.workers[i]
		w.begun.Add(1)
		w.unpark()
	}
	defer func() { err = p.finish(begin) }() // deferred: Work may leave by runtime.Goexit
	p.work(0)
	return nil
}

// prepare makes the pool ready for a run.
func (p *Pool) prepare(job Job, now time.Time) {
	p.job = job
	active, measure := p.throttle.begin(now, processors())
	if active != p.active { // who paused has entered fewer barriers
		p.reset()
	}
	p.active, p.measure = active, measure
	if crowded := active > processors(); crowded != p.crowded.Load() {
		p.crowded.Store(crowded)
	}
}

// Close stops the workers, after the current run if there is one, and waits
// for them to end. Closing again does nothing.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed.Swap(true) {
		return
	}
	for i := range p.workers {
		p.workers[i].begun.Add(1)
	}
	p.wakeAll()
	p.running.Wait()
}

// serve is the life of worker i: it waits for the runs that follow the given
// one and takes part in each.
func (p *Pool) serve(i int, run uint32) {
	runtime.LockOSThread()
	defer func() {
		if !p.closed.Load() { // Work called runtime.Goexit
			go p.serve(i, run)
			return
		}
		p.running.Done()
	}()
	for {
		p.await(i, &p.workers[i].begun, run+1, false)
		if p.closed.Load() {
			return
		}
		run++
		p.serveOnce(i, run)
	}
}

// serveOnce does worker i's part of one run and reports that it is done.
func (p *Pool) serveOnce(i int, run uint32) {
	defer func() {
		p.workers[i].done.Store(run)
		p.workers[0].unpark()
	}()
	p.work(i)
}

// work calls the job for worker i and turns a panic into the run's failure.
func (p *Pool) work(i int) {
	returned := false
	defer func() {
		if !returned {
			p.fail(i, recover())
		}
	}()
	if !p.measure {
		p.job.Work(i)
	} else {
		u := &p.workers[i].usage
		u.begin()
		p.job.Work(i)
		u.end()
	}
	returned = true
}

// finish waits for the other workers of the run that began at a time, lets go
// of the job and returns the failure of the run.
func (p *Pool) finish(begin time.Time) error {
	for i := 1; i < p.active; i++ {
		w := &p.workers[i]
		p.await(0, &w.done, w.begun.Load(), false)
	}
	p.job = nil
	if !p.broken.Load() {
		p.judge(begin)
		return nil
	}
	p.reset()
	p.broken.Store(false)
	return p.failure.Swap(nil)
}

// judge tells the throttle about a measured run.
func (p *Pool) judge(begin time.Time) {
	if !p.measure {
		return
	}
	var lost time.Duration
	for i := range p.active {
		lost += p.workers[i].usage.lost(begin)
	}
	now := time.Now()
	p.throttle.end(now, now.Sub(begin), lost, processors())
}

// processors returns how many workers can run at the same time.
func processors() int { return min(runtime.GOMAXPROCS(0), runtime.NumCPU()) }
