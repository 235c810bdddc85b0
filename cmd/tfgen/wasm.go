package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/emit/wasmemit"
	"github.com/tfgen/tfgen/gen/file"
	"github.com/tfgen/tfgen/targets/wasm"
)

var wasmBackend = &backend{name: "WebAssembly", operations: wasmemit.Operations}

// wasmFiles are the files of an npm package.
func wasmFiles(o *output, b *bundle.Bundle) ([]file.File, error) {
	if b.Options.KV != "" && b.Options.KV != "f32" {
		return nil, errors.New("the WebAssembly backend keeps keys and values as f32 only: leave out --kv")
	}
	modules, description, err := b.Modules()
	if err != nil {
		return nil, err
	}
	settings, err := b.Generation()
	if err != nil {
		return nil, err
	}
	r, limit := b.Result, description.Context
	if r.Context > 0 {
		limit = min(limit, r.Context)
	}
	return wasm.Package(&wasm.Model{
		Name: o.options.Package, Title: o.options.Title, Architecture: r.Spec.Arch, Task: r.Task, Spec: r.Spec.File, SpecSHA256: r.Spec.SHA256,
		Parameters: b.Parameters(), Format: b.Options.Weights, Weights: o.weights(o.options.Package), WeightsSize: b.WeightsSize(),
		Generation: settings, Start: ids(r.Start), MaxTokens: limit, Modules: modules, Description: description, Tokenizer: b.Tokenizer, Chat: b.Chat,
	})
}

// ids are token ids as the targets hold them.
func ids(list []int) []int32 {
	out := make([]int32, len(list))
	for i, id := range list {
		out[i] = int32(id)
	}
	return out
}

// wasmDigests writes the digests of the weights' pieces, which the browser checks while it downloads.
func wasmDigests(_ context.Context, o *output, dir string) error {
	f, err := os.Open(filepath.Join(dir, o.weightsName()))
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := wasm.Digests(f)
	return errors.Join(err, os.WriteFile(filepath.Join(dir, wasm.PiecesName), data, 0o644))
}
