// Package wasm makes the npm package of a model: generated modules, the JavaScript that runs them, and a manifest.
package wasm

import (
	"embed"
	"io/fs"
)

//go:embed js template
var files embed.FS

// Sources are the JavaScript files, below "js".
func Sources() fs.FS { return files }
