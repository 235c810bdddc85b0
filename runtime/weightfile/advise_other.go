//go:build !linux

package weightfile

// The advice that mapFile and check give; only Linux takes it.
const (
	willNeed  = 0
	hugePages = 0
)

// advise does nothing on this system.
func advise(data []byte, advice int, mapped bool) {}
