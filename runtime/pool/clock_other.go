//go:build !linux

package pool

import "time"

// processorTime returns thread 0: how long a thread has been run is not known on this system.
func processorTime() (thread int, used time.Duration) { return 0, 0 }
