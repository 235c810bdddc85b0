package limits

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/tfgen/tfgen/runtime/cpu"
)

// unit is what one core does with one set of instructions.
type unit struct {
	flops float64 // of one turn of peak
	peak  func(turns int)
	bytes int // that one turn of read reads
	read  func(p *byte, turns int)
}

const (
	peakTurns   = 1 << 20
	streamBytes = 256 << 20 // of all threads together: no cache holds them
	repetitions = 7         // the best counts
)

// Flops returns the floating-point operations per second, two for a multiply-add of float32, that so many threads reach
// in registers with the widest instructions of a level.
func Flops(level cpu.Level, threads int) float64 {
	u := unitOf(level)
	return u.flops * peakTurns * float64(threads) / best(threads, func(int) { u.peak(peakTurns) })
}

// Bandwidth returns the bytes per second that so many threads read from memory, each from a part of its own in order.
func Bandwidth(level cpu.Level, threads int) float64 {
	u := unitOf(level)
	turns := streamBytes / threads / u.bytes
	data := make([]byte, turns*u.bytes*threads+prefetched)
	for i := 0; i < len(data); i += 4096 {
		data[i] = byte(i) // pages exist only when they have been written
	}
	seconds := best(threads, func(i int) { u.read(&data[i*turns*u.bytes], turns) })
	return float64(turns*u.bytes*threads) / seconds
}

// prefetched is how far behind the data the read functions fetch.
const prefetched = 8192

// best returns the shortest of several runs of f in all threads at once, in seconds.
func best(threads int, f func(thread int)) float64 {
	shortest := time.Duration(1<<63 - 1)
	for range repetitions {
		shortest = min(shortest, together(threads, f))
	}
	return shortest.Seconds()
}

// together runs f in threads that begin at the same time, and returns how long the last one took.
func together(threads int, f func(thread int)) time.Duration {
	var ready, done sync.WaitGroup
	begin := make(chan struct{})
	for i := range threads {
		ready.Add(1)
		done.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			ready.Done()
			<-begin
			f(i)
		})
	}
	ready.Wait()
	start := time.Now()
	close(begin)
	done.Wait()
	return time.Since(start)
}

// sink keeps the compiler from dropping what plain Go computes.
var sink atomic.Pointer[float32]

// plain does in Go what the assembly does.
var plain = unit{flops: 8 * 2, peak: multiplyAdd, bytes: 1024, read: readWords}

// multiplyAdd runs turns of 8 independent products and sums.
func multiplyAdd(turns int) {
	var a [8]float32
	x := float32(turns)
	for range turns {
		for i := range a {
			a[i] += x * x
		}
	}
	sink.Store(&a[0])
}

// readWords reads turns of 1024 bytes from p on.
func readWords(p *byte, turns int) {
	var a uint64
	for _, v := range unsafe.Slice((*uint64)(unsafe.Pointer(p)), turns*128) {
		a |= v
	}
	f := float32(a)
	sink.Store(&f)
}
