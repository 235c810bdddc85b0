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
	asm, stubs, err := amd64.EmitTuned(e.Package, strings.TrimPrefix(e.header(), "// "), e.kernels, e.Tuning)
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
	b.WriteString(rowsInBlocks(k, pointers))
	b.WriteString("switch level {\n")
	var levels []string // without a version of their own, they run the next lower one
	for i := len(amd64.ISAs) - 1; i >= 0; i-- {
		isa := amd64.ISAs[i]
		levels = append(levels, "cpu."+isa.String())
		if amd64.Supports(isa, k) && amd64.RowsOf(isa, k).Multiple == 1 {
			fmt.Fprintf(&b, "case %s:\n%s%s(%s)\n", strings.Join(levels, ", "), k.Name(), isa, strings.Join(pointers, ", "))
			levels = nil
		}
	}
	fmt.Fprintf(&b, "default:\n%s\n}\n}\n", portable)
	return b.String()
}

// rowsInBlocks calls the versions of a kernel that only take multiples of some rows; the rows that they leave are for the
// other versions. A level that has one is its own or above it.
func rowsInBlocks(k kernel.Kernel, arguments []string) string {
	var b strings.Builder
	for i := len(amd64.ISAs) - 1; i >= 0; i-- {
		isa := amd64.ISAs[i]
		rows := amd64.RowsOf(isa, k)
		if !amd64.Supports(isa, k) || rows.Multiple == 1 {
			continue
		}
		call := strings.Join(arguments[:len(arguments)-1], ", ") // the last is rows
		matrices, rest := matricesFrom(k, "whole")
		fmt.Fprintf(&b, "if whole := rows / %d * %[1]d; level >= cpu.%s && whole >= %d {\n%s%[2]s(%[5]s, whole)\n", rows.Multiple, isa, rows.Least, k.Name(), call)
		fmt.Fprintf(&b, "if rows -= whole; rows == 0 {\nreturn\n}\n%s = %s\n}\n", matrices, rest)
	}
	return b.String()
}

// matricesFrom lists the matrices of a kernel, and the same from a row on.
func matricesFrom(k kernel.Kernel, row string) (matrices, rest string) {
	var names, slices []string
	params := k.Params()
	for i, p := range params[:len(params)-1] {
		if ld := params[i+1].Name; ld == "ld"+p.Name {
			names, slices = append(names, p.Name), append(slices, fmt.Sprintf("%s[%s*%s:]", p.Name, row, ld))
		}
	}
	return strings.Join(names, ", "), strings.Join(slices, ", ")
}
