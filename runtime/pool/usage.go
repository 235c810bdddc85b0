package pool

import "time"

// usage is what a worker did in one run.
type usage struct {
	thread int           // that began the run; 0 if unknown
	used   time.Duration // processor time of that thread at the beginning, then during the run
	waited time.Duration // parked for others
	woken  time.Time     // when it was last woken; written by whoever wakes it
	ended  time.Time
}

// begin is called by the worker at the beginning of a run.
func (u *usage) begin() {
	u.waited = 0
	u.thread, u.used = processorTime()
}

// end is called by the worker at the end of a run.
func (u *usage) end() {
	thread, used := processorTime()
	if thread != u.thread { // the caller's goroutine moved to another thread
		u.thread = 0
	}
	u.used = used - u.used
	u.ended = time.Now()
}

// lost returns how long a worker was ready but not running since begin.
func (u *usage) lost(begin time.Time) time.Duration {
	if u.thread == 0 {
		return 0
	}
	return max(0, u.ended.Sub(begin)-u.used-u.waited)
}
