//go:build !amd64

package limits

import "github.com/tfgen/tfgen/runtime/cpu"

// unitOf returns plain Go.
func unitOf(cpu.Level) unit { return plain }
