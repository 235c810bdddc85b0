package pool

import "time"

const (
	measureEvery = 2 * time.Millisecond   // between the runs that are measured
	window       = 100 * time.Millisecond // of measured runs before a decision: longer than a single disturbance
	firstPause   = 200 * time.Millisecond // without a worker that was in the way; doubled each time
	longestPause = 5 * time.Second
)

// throttle decides how many workers take part in runs. Shares are equal, so a worker that its processor runs only half of the
// time makes all wait for it; with one worker fewer each has more to do, and nobody waits. Beside other busy processes, in a
// container with few processors, or with more workers than processors that is faster.
//
// A run shows how long a worker was kept from running: the time of the run less what its thread was run and what it waited
// for others. Workers are kept at different times, because those that run soon wait. When runs without these times, shared by
// one worker fewer, would have been faster, one worker pauses and is tried again later; workers in excess of processors pause
// in any case after the first runs. Which workers take part changes no result.
type throttle struct {
	workers    int
	active     int
	measured   time.Time     // when the last measured run began
	wall, lost time.Duration // of the runs measured since the last decision; lost is the sum over workers
	resume     time.Time     // when the next worker is tried again
	pause      time.Duration // the last one
}

// begin is called before a run, with the number of processors. It returns how many workers take part, and whether to measure
// them.
func (t *throttle) begin(now time.Time, processors int) (active int, measure bool) {
	if t.active < min(t.workers, processors) && !now.Before(t.resume) {
		t.active++
		t.wall, t.lost = 0, 0
	}
	if t.active == 1 || now.Sub(t.measured) < measureEvery {
		return t.active, false
	}
	t.measured = now
	return t.active, true
}

// end takes the duration of a measured run, how long workers were kept from running, and the number of processors.
func (t *throttle) end(now time.Time, wall, lost time.Duration, processors int) {
	t.wall += wall
	t.lost += min(lost, wall)
	if t.wall < window {
		return
	}
	fewer := float64(t.wall-t.lost) * float64(t.active) / float64(t.active-1)
	switch {
	case t.active > processors:
		t.active = processors
	case fewer < float64(t.wall):
		t.active--
		t.pause = min(max(2*t.pause, firstPause), longestPause)
		t.resume = now.Add(t.pause)
	case t.active == min(t.workers, processors):
		t.pause = 0
	}
	t.wall, t.lost = 0, 0
}
