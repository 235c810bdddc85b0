package pool

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// jobFunc lets a function be a Job.
type jobFunc func(worker int)

func (f jobFunc) Work(worker int) { f(worker) }

// steady starts a pool in which all workers take part in all runs.
func steady(workers int) *Pool {
	p := New(workers)
	p.throttle.measured = time.Now().Add(time.Hour)
	return p
}

// counts lists worker counts below, at and above the processors of most machines.
var counts = []int{1, 2, 3, 4, 7, 16}

// testSteps runs a job of many steps in which each step reads what all workers
// wrote in the step before, and fails if a barrier lets one through early.
func testSteps(t *testing.T, p *Pool, steps int) {
	t.Helper()
	n := p.Workers()
	values := [2][]int{make([]int, n), make([]int, n)}
	var bad atomic.Int64
	err := p.Run(jobFunc(func(worker int) {
		for s := range steps {
			for _, v := range values[s%2] {
				if v != s {
					bad.Add(1)
				}
			}
			values[(s+1)%2][worker] = s + 1
			p.Barrier(worker)
		}
		p.Barrier(worker)
		values[0][worker], values[1][worker] = 0, 0
	}))
	if err != nil {
		t.Fatal(err)
	}
	if bad.Load() != 0 {
		t.Errorf("%d workers: %d stale values after barriers", n, bad.Load())
	}
}

func TestBarrierOrdersSteps(t *testing.T) {
	for _, n := range counts {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			p := steady(n)
			defer p.Close()
			for range 20 {
				testSteps(t, p, 50)
			}
		})
	}
}

func TestRunCallsEachWorkerOnce(t *testing.T) {
	for _, n := range counts {
		p := steady(n)
		calls := make([]int, n)
		for range 100 {
			if err := p.Run(jobFunc(func(w int) { calls[w]++ })); err != nil {
				t.Fatal(err)
			}
		}
		p.Close()
		for w, c := range calls {
			if c != 100 {
				t.Errorf("%d workers: worker %d ran %d times, want 100", n, w, c)
			}
		}
	}
}

func TestZeroMeansGOMAXPROCS(t *testing.T) {
	p := steady(0)
	defer p.Close()
	if p.Workers() != runtime.GOMAXPROCS(0) {
		t.Errorf("Workers() = %d, want %d", p.Workers(), runtime.GOMAXPROCS(0))
	}
}

func TestParkedWorkersWakeUp(t *testing.T) {
	p := steady(4)
	defer p.Close()
	for range 5 {
		for i := 1; i < 4; i++ {
			for !p.workers[i].parked.Load() {
				runtime.Gosched()
			}
		}
		testSteps(t, p, 3)
	}
}

// TestWaitAtBarrierParks holds one worker back until the others have parked at
// the barrier.
func TestWaitAtBarrierParks(t *testing.T) {
	p := steady(4)
	defer p.Close()
	for slow := range 4 {
		err := p.Run(jobFunc(func(worker int) {
			if worker == slow {
				for i := range p.workers {
					for i != slow && !p.workers[i].parked.Load() {
						runtime.Gosched()
					}
				}
			}
			p.Barrier(worker)
		}))
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestOneProcessor(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, n := range counts {
		p := steady(n)
		testSteps(t, p, 30)
		p.Close()
	}
}

func TestGarbageCollection(t *testing.T) {
	p := steady(3)
	defer p.Close()
	stop := make(chan struct{})
	var collectors sync.WaitGroup
	collectors.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	})
	for range 20 {
		testSteps(t, p, 20)
	}
	close(stop)
	collectors.Wait()
}

func TestConcurrentRuns(t *testing.T) {
	p := steady(3)
	defer p.Close()
	var inside, total atomic.Int64
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 20 {
				err := p.Run(jobFunc(func(worker int) {
					if inside.Add(1) > 3 {
						t.Error("two runs at the same time")
					}
					p.Barrier(worker)
					total.Add(1)
					p.Barrier(worker)
					inside.Add(-1)
				}))
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	callers.Wait()
	if total.Load() != 8*20*3 {
		t.Errorf("%d pieces of work, want %d", total.Load(), 8*20*3)
	}
}

func TestPanic(t *testing.T) {
	cause := errors.New("broken weights")
	for _, n := range counts {
		p := steady(n)
		for guilty := range n {
			err := p.Run(jobFunc(func(worker int) {
				p.Barrier(worker)
				if worker == guilty {
					panic(cause)
				}
				p.Barrier(worker)
				p.Barrier(worker)
			}))
			var pe *PanicError
			if !errors.As(err, &pe) || pe.Worker != guilty || !errors.Is(err, cause) {
				t.Fatalf("%d workers: %v, want the panic of worker %d", n, err, guilty)
			}
			if !strings.Contains(err.Error(), "TestPanic") {
				t.Errorf("the stack does not show the job:\n%v", err)
			}
			testSteps(t, p, 10)
		}
		p.Close()
	}
}

func TestAllPanic(t *testing.T) {
	p := steady(4)
	defer p.Close()
	for range 50 {
		var pe *PanicError
		if err := p.Run(jobFunc(func(worker int) { panic(worker) })); !errors.As(err, &pe) || pe.Value != pe.Worker {
			t.Fatal(err)
		}
	}
	testSteps(t, p, 10)
}

// TestPanicReleasesParked lets a worker panic when the others have parked.
func TestPanicReleasesParked(t *testing.T) {
	p := steady(3)
	defer p.Close()
	err := p.Run(jobFunc(func(worker int) {
		if worker == 2 {
			for !p.workers[0].parked.Load() || !p.workers[1].parked.Load() {
				runtime.Gosched()
			}
			panic("late")
		}
		p.Barrier(worker)
	}))
	if err == nil || !strings.Contains(err.Error(), "worker 2 panicked: late") {
		t.Fatal(err)
	}
	testSteps(t, p, 10)
}

func TestGoexit(t *testing.T) {
	p := steady(3)
	defer p.Close()
	err := p.Run(jobFunc(func(worker int) {
		if worker == 1 {
			runtime.Goexit()
		}
		p.Barrier(worker)
	}))
	if err == nil || !strings.Contains(err.Error(), "worker 1 left its job by runtime.Goexit") {
		t.Fatal(err)
	}
	testSteps(t, p, 10)

	var caller sync.WaitGroup
	caller.Go(func() {
		p.Run(jobFunc(func(worker int) {
			if worker == 0 {
				runtime.Goexit()
			}
			p.Barrier(worker)
		}))
	})
	caller.Wait()
	testSteps(t, p, 10)
}

func TestClose(t *testing.T) {
	before := runtime.NumGoroutine()
	p := steady(4)
	testSteps(t, p, 3)
	p.Close()
	p.Close()
	if err := p.Run(jobFunc(func(int) { t.Error("work after Close") })); err != ErrClosed {
		t.Errorf("Run after Close: %v, want ErrClosed", err)
	}
	for runtime.NumGoroutine() > before { // an ended goroutine is counted a moment longer
		runtime.Gosched()
	}
}

func TestRange(t *testing.T) {
	for _, n := range counts {
		p := steady(n)
		for _, items := range []int{0, 1, 5, 16, 17, 100, 4096, 4097} {
			for _, tile := range []int{1, 4, 16, 48} {
				next := 0
				for w := range n {
					from, to := p.Range(w, items, tile)
					if from != min(next, items) || to < from || (from < to && from%tile != 0) {
						t.Fatalf("%d workers, %d items, tile %d: worker %d has [%d, %d) after %d", n, items, tile, w, from, to, next)
					}
					next = to
				}
				if next != items {
					t.Errorf("%d workers, %d items, tile %d: parts end at %d", n, items, tile, next)
				}
			}
		}
		p.Close()
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	p := steady(2)
	defer p.Close()
	job := Job(jobFunc(func(worker int) { p.Barrier(worker) }))
	if n := testing.AllocsPerRun(100, func() { p.Run(job) }); n != 0 {
		t.Errorf("%v allocations a run, want 0", n)
	}
}

func BenchmarkBarrier(b *testing.B) {
	for _, n := range []int{1, 2, 4} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := steady(n)
			defer p.Close()
			p.Run(jobFunc(func(worker int) {
				for range b.N {
					p.Barrier(worker)
				}
			}))
		})
	}
}

func BenchmarkRun(b *testing.B) {
	for _, n := range []int{1, 2, 4} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			p := steady(n)
			defer p.Close()
			job := Job(jobFunc(func(int) {}))
			for range b.N {
				p.Run(job)
			}
		})
	}
}
