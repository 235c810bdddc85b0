package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tfgen/tfgen/gen/bundle"
	"github.com/tfgen/tfgen/gen/emit/goemit"
	"github.com/tfgen/tfgen/gen/file"
	"github.com/tfgen/tfgen/gen/ir"
)

// backend is an emitter. Targets of the same backend share the compiled model and the bytes of the weights file.
type backend struct {
	name       string                // in messages: "the NAME backend"
	operations func() []string       // the operations that it can emit, in order
	adapt      func(*bundle.Options) // what its compilation needs other than the user's options; may be nil
}

// target is a row of the table of deployment targets: a bundle that can be made of a model.
type target struct {
	name, summary string
	noun          string // what the bundle is, before the model's name
	backend       *backend

	// mark is the file that shows that a directory is a bundle of this target.
	mark string
	// weights is the path of the weights file in the bundle.
	weights func(pkg string) string
	// inModule tells whether generated code lives in the Go module around its directory.
	inModule bool
	// files returns all files but the weights, whose digests are known.
	files func(o *output, b *bundle.Bundle) ([]file.File, error)
	// finish runs tools, such as a C compiler, in the directory with all files and the weights; nil if none is needed.
	finish func(ctx context.Context, o *output, dir string) error
	// parity runs the finished bundle for tfgen parity, and adds a row for each variant; nil: there is no driver yet.
	parity func(ctx context.Context, j *parityJob, o *output)
}

var goBackend = &backend{name: "Go", operations: goemit.Operations}

// libraryBackend makes the Go packages in C libraries, whose vocabularies are in the weights file: it is shared by all processes,
// and the library stays small.
var libraryBackend = &backend{name: "Go", operations: goemit.Operations, adapt: func(o *bundle.Options) { o.Stored = true }}

// targets is the table of targets. The first is the default.
var targets = []target{
	{name: "go", summary: "a Go package", noun: "package", backend: goBackend, mark: "weights.go", weights: beside, inModule: true, files: goFiles, parity: goParity},
	{name: "c", summary: "a C library", noun: "library", backend: libraryBackend, mark: manifestName, weights: cWeights, files: cFiles, finish: cCompile, parity: cParity},
	{name: "python", summary: "a Python package and its wheel", noun: "Python package", backend: libraryBackend, mark: manifestName, weights: pythonWeights,
		files: pythonFiles, finish: pythonBuild, parity: pythonParity},
	{name: "wasm", summary: "an npm package for browsers and Node", noun: "npm package", backend: wasmBackend, mark: manifestName, weights: beside,
		files: wasmFiles, finish: wasmDigests, parity: wasmParity},
}

// beside puts the weights file at the top of the bundle.
func beside(pkg string) string { return pkg + ".weights" }

// findTargets looks up a comma-separated list of targets.
func findTargets(list string) ([]*target, error) {
	var found []*target
	for _, name := range strings.Split(list, ",") {
		i := slices.IndexFunc(targets, func(t target) bool { return t.name == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("no target is called %q; there are %s", name, targetNames())
		}
		if slices.Contains(found, &targets[i]) {
			return nil, fmt.Errorf("the target %s stands twice in %q", targets[i].name, list)
		}
		found = append(found, &targets[i])
	}
	return found, nil
}

// targetNames lists the names of all targets.
func targetNames() string {
	var names []string
	for _, t := range targets {
		names = append(names, t.name)
	}
	return strings.Join(names, ", ")
}

// check reports the first operation of a model that the backend cannot emit.
func (b *backend) check(g *ir.Graph) error {
	have := b.operations()
	for _, op := range g.Ops {
		if !slices.Contains(have, op.Kind) {
			return fmt.Errorf("%s: the %s backend has no lowering for the operation %s; it has %s", op.Pos, b.name, op.Kind, strings.Join(have, ", "))
		}
	}
	return nil
}

// goFiles are the files of a Go package.
func goFiles(o *output, b *bundle.Bundle) ([]file.File, error) {
	own := *b
	own.Options.ImportPath = o.importPath
	files, err := own.Files()
	if err != nil {
		return nil, err
	}
	if o.options.vendor {
		if files, err = vendor(files, o.importPath, vendorDir); err != nil {
			return nil, err
		}
	}
	if o.ownModule {
		files = append(files, file.File{Name: "go.mod", Data: goMod(o.importPath, o.options.vendor)})
	}
	return files, nil
}
