// Package wasm makes the npm package of a model: generated modules, the JavaScript that runs them, and a manifest.
package wasm

import "embed"

//go:embed js template
var files embed.FS
