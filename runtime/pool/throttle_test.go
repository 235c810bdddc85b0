package pool

import (
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// simulate lets the throttle see runs of 10 ms of work, spread over the active workers, of which the last is kept from running
// for a share of the time, and returns the numbers of active workers.
func simulate(t *throttle, now *time.Time, d time.Duration, processors int, kept float64) []int {
	var active []int
	for end := now.Add(d); now.Before(end); {
		n, measure := t.begin(*now, processors)
		active = append(active, n)
		wall := 10 * time.Millisecond / time.Duration(n)
		if measure && n > 1 {
			wall = time.Duration(float64(wall) / (1 - kept))
			t.end(now.Add(wall), wall, time.Duration(kept*float64(wall)), processors)
		}
		*now = now.Add(wall)
	}
	return active
}

func TestThrottle(t *testing.T) {
	tests := []struct {
		name                string
		workers, processors int
		kept                float64
		want                int
	}{
		{"quiet", 4, 4, 0, 4},
		{"a fifth of a worker lost", 4, 4, 0.2, 4}, // three would take 7 % longer
		{"half of a worker lost", 4, 4, 0.5, 2},    // two and half a worker's time, or two
		{"nearly half of two", 2, 2, 0.45, 2},
		{"more than half of two", 2, 2, 0.6, 1},
		{"more workers than processors", 16, 3, 0, 3},
		{"one processor", 3, 1, 0, 1},
	}
	for _, c := range tests {
		now := time.Now()
		th := &throttle{workers: c.workers, active: c.workers}
		active := simulate(th, &now, 5*time.Second, c.processors, c.kept)
		if active[0] != c.workers {
			t.Errorf("%s: begins with %d workers, want %d", c.name, active[0], c.workers)
		}
		times := make([]int, c.workers+1)
		for _, n := range active {
			times[n]++
		}
		if n := slices.Index(times, slices.Max(times)); n != c.want {
			t.Errorf("%s: mostly %d workers, want %d", c.name, n, c.want)
		}
	}
}

// TestThrottleTriesAgain takes the disturbance away: all workers come back, and the next disturbance pauses one for a short time only.
func TestThrottleTriesAgain(t *testing.T) {
	now := time.Now()
	th := &throttle{workers: 2, active: 2}
	disturbed := simulate(th, &now, 20*time.Second, 2, 0.7)
	tries := 0
	for i := 1; i < len(disturbed); i++ {
		if disturbed[i] > disturbed[i-1] {
			tries++
		}
	}
	if tries < 3 || tries > 10 { // 20 s: pauses of 0.4, 0.8, 1.6, 3.2, 5, 5 s
		t.Errorf("%d tries in 20 s beside a busy process, want 3 to 10", tries)
	}
	quiet := simulate(th, &now, 10*time.Second, 2, 0)
	if quiet[len(quiet)-1] != 2 {
		t.Error("the worker did not come back")
	}
	simulate(th, &now, 200*time.Millisecond, 2, 0.7)
	if th.pause != firstPause {
		t.Errorf("a pause of %v after a quiet time, want %v", th.pause, firstPause)
	}
}

// TestPausingWorkers changes the number of active workers from run to run: each run is complete, and barriers hold.
func TestPausingWorkers(t *testing.T) {
	p := steady(5)
	defer p.Close()
	for run := range 200 {
		p.throttle.active = 1 + run*7%5
		p.throttle.resume = time.Now().Add(time.Hour)
		want := p.throttle.active
		const items = 97
		var done, seen [items]atomic.Int32
		err := p.Run(jobFunc(func(worker int) {
			if p.Active() != want || worker >= want {
				t.Errorf("worker %d of %d takes part, want %d workers", worker, p.Active(), want)
			}
			from, to := p.Range(worker, items, 3)
			for i := from; i < to; i++ {
				done[i].Add(1)
			}
			p.Barrier(worker)
			for i := range done { // all of all, after the barrier
				seen[i].Add(done[i].Load())
			}
			p.Barrier(worker)
		}))
		if err != nil {
			t.Fatal(err)
		}
		for i := range seen {
			if done[i].Load() != 1 || seen[i].Load() != int32(want) {
				t.Fatalf("%d workers: item %d was done %d times and seen %d times", want, i, done[i].Load(), seen[i].Load())
			}
		}
	}
}

// TestExcessWorkersPause gives three workers one processor: after a while one of them does all the work.
func TestExcessWorkersPause(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	p := New(3)
	defer p.Close()
	for begin := time.Now(); ; {
		var active atomic.Int32
		if err := p.Run(jobFunc(func(worker int) {
			active.Add(1)
			for end := time.Now().Add(time.Millisecond); time.Now().Before(end); {
			}
			p.Barrier(worker)
		})); err != nil {
			t.Fatal(err)
		}
		if active.Load() == 1 {
			return
		}
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("%d workers on one processor after ten seconds", active.Load())
		}
	}
}

func TestLost(t *testing.T) {
	begin := time.Now()
	u := usage{thread: 7, used: 3 * time.Millisecond, waited: 2 * time.Millisecond, ended: begin.Add(9 * time.Millisecond)}
	if got := u.lost(begin); got != 4*time.Millisecond {
		t.Errorf("lost %v, want 4ms: 9 less 3 of running and 2 of waiting", got)
	}
	u.used = 8 * time.Millisecond // clocks do not agree to the last bit
	if got := u.lost(begin); got != 0 {
		t.Errorf("lost %v, want nothing", got)
	}
	u.thread, u.used = 0, 0
	if got := u.lost(begin); got != 0 {
		t.Errorf("lost %v on a system that does not tell, want nothing", got)
	}
}

// TestUsage lets a worker compute and a worker wait, and compares what is measured of them.
func TestUsage(t *testing.T) {
	if thread, _ := processorTime(); thread == 0 {
		t.Skip("this system does not tell the processor time of a thread")
	}
	p := New(2)
	defer p.Close()
	p.Run(jobFunc(func(worker int) {
		if worker == 0 {
			for !p.workers[1].parked.Load() {
				runtime.Gosched()
			}
			for end := time.Now().Add(5 * time.Millisecond); time.Now().Before(end); {
			}
		}
		p.Barrier(worker)
	}))
	if !p.measure {
		t.Fatal("the first run was not measured")
	}
	if waited := p.workers[1].usage.waited; waited < 5*time.Millisecond {
		t.Errorf("worker 1 waited %v, want at least 5ms", waited)
	}
	if used := p.workers[1].usage.used; used <= 0 {
		t.Errorf("worker 1 ran %v", used)
	}
}
