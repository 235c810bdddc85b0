// Package tfgen holds what the compiler carries with it: the sources of the runtime and of the targets, from which bundles
// are made that need no other module, and the templates of their other files.
package tfgen

import "embed"

// Runtime is the runtime's source tree, below "runtime".
//
//go:embed runtime
var Runtime embed.FS

// Targets holds what targets need beside generated code: "targets/capi", "targets/python" and "templates".
//
//go:embed targets/capi all:targets/python/package templates
var Targets embed.FS
