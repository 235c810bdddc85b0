//go:build !linux

package tokenizer

import "time"

var begun = time.Now()

// busy is the time that passes.
func busy() time.Duration { return time.Since(begun) }
