// Package tfgen holds what the compiler carries with it: the sources of the runtime, from which bundles are made that
// need no other module.
package tfgen

import "embed"

// Runtime is the runtime's source tree, below "runtime".
//
//go:embed runtime
var Runtime embed.FS
