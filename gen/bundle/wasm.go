package bundle

import (
	"github.com/tfgen/tfgen/gen/emit/wasmemit"
	"github.com/tfgen/tfgen/gen/file"
)

// wasmModel is the model as the WebAssembly backend takes it.
func (b *Bundle) wasmModel() *wasmemit.Model {
	return &wasmemit.Model{Plan: b.Plan, Place: b.place, FileSize: b.size, Gap: b.Options.Gap}
}

// Modules returns the WebAssembly module of each variant, named after it, and what a host must know of them.
func (b *Bundle) Modules() ([]file.File, *wasmemit.Description, error) {
	m := b.wasmModel()
	d, err := wasmemit.Describe(m, b.Options.Trace)
	if err != nil {
		return nil, nil, err
	}
	variants, err := wasmemit.Variants(m, b.Options.Trace, b.Options.Gap > 0)
	if err != nil {
		return nil, nil, err
	}
	var files []file.File
	for _, v := range variants {
		data, err := wasmemit.Emit(m, v, b.Options.Trace)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, file.File{Name: v.Name + ".wasm", Data: data})
	}
	return files, d, nil
}
