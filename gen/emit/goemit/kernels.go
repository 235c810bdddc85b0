package goemit

import (
	"fmt"
	"strings"

	"github.com/tfgen/tfgen/asm/amd64"
	"github.com/tfgen/tfgen/asm/kernel"
)

// operations emits ops.go: the methods that the layers call, each over its kernel.
func (e *emitter) operations() ([]File, error) {
	var texts []string
	for _, name := range keys(e.tables) {
		texts = append(texts, e.tables[name])
	}
	texts = append(texts, fmt.Sprintf("// zeros is where sums without a bias start.\nvar zeros [%d]float32\n", (e.zeros+15)/16*16))
	for _, name := range keys(e.ops) {
		texts = append(texts, e.ops[name])
	}
	f, err := e.file("ops.go", "", "", texts...)
	return []File{f}, err
}

// kernelFiles emits the kernels: assembly and its declarations for amd64, and the functions that choose between them
// and the portable twins.
func (e *emitter) kernelFiles() ([]File, error) {
	asm, stubs, err := amd64.EmitTuned(e.Package, e.header(), e.kernels, e.Tuning)
	if err != nil {
		return nil, err
	}
	files := []File{{Name: "kernels_amd64.s", Data: asm}, {Name: "kernels_amd64.go", Data: stubs}}
	var vector, plain []string
	for _, k := range e.kernels {
		vector = append(vector, dispatch(k, true))
		plain = append(plain, dispatch(k, false))
	}
	level := "// level is the instruction set whose kernels run; TFGEN_CPU forces one.\nvar level = cpu.Current()\n"
	for _, part := range []struct {
		name, constraint string
		texts            []string
	}{{"dispatch_amd64.go", "", vector}, {"dispatch_other.go", "!amd64", plain}} {
		f, err := e.file(part.name, "", part.constraint, part.texts...)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	f, err := e.file("level.go", "", "", level)
	return append(files, f), err
}

// dispatch is the function of one kernel: with its vector versions, or its portable twin alone. It is not inlined, so
// that the collector can stop a worker between kernels.
func dispatch(k kernel.Kernel, vector bool) string {
	var params, slices, pointers []string
	for _, p := range k.Params() {
		params = append(params, p.Name+" "+p.Type)
		slices = append(slices, p.Name)
		if strings.HasPrefix(p.Type, "[]") {
			pointers = append(pointers, "&"+p.Name+"[0]")
		} else {
			pointers = append(pointers, p.Name)
		}
	}
	fn, literals := k.Portable()
	portable := fmt.Sprintf("portable.%s(%s)", fn, strings.Join(append(slices, literals...), ", "))
	var b strings.Builder
	b.WriteString(comment(k.Doc()))
	fmt.Fprintf(&b, "//\n//go:noinline\nfunc %s(%s) {\n", k.Name(), strings.Join(params, ", "))
	if !vector {
		return b.String() + portable + "\n}\n"
	}
	b.WriteString("switch level {\n")
	var levels []string // without a version of their own, they run the next lower one
	for i := len(amd64.ISAs) - 1; i >= 0; i-- {
		isa := amd64.ISAs[i]
		levels = append(levels, "cpu."+isa.String())
		if amd64.Supports(isa, k) {
			fmt.Fprintf(&b, "case %s:\n%s%s(%s)\n", strings.Join(levels, ", "), k.Name(), isa, strings.Join(pointers, ", "))
			levels = nil
		}
	}
	fmt.Fprintf(&b, "default:\n%s\n}\n}\n", portable)
	return b.String()
}
