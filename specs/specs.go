// Package specs holds the specifications of architectures that come with the compiler.
package specs

import "embed"

// Files are the specifications (*.yaml) and the library that they share (lib/*.yaml).
//
//go:embed *.yaml lib/*.yaml
var Files embed.FS
