package amd64_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/asm/amd64"
	"github.com/tfgen/tfgen/asm/amd64/kerneltest/cases"
	"github.com/tfgen/tfgen/asm/amd64/kerneltest/generate"
	"github.com/tfgen/tfgen/asm/kernel"
)

// TestGeneratedFilesAreFresh compares the files of kerneltest with what the
// emitter writes now, and fails on generated files that nothing writes.
func TestGeneratedFilesAreFresh(t *testing.T) {
	files, err := generate.Files()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, f := range files {
		names[f.Name] = true
		have, err := os.ReadFile(filepath.Join("kerneltest", f.Name))
		if err != nil || !bytes.Equal(have, f.Text) {
			t.Errorf("kerneltest/%s is stale (%v): run go generate ./asm/amd64/kerneltest", f.Name, err)
		}
	}
	all, err := filepath.Glob("kerneltest/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // a folder
		}
		if bytes.HasPrefix(text, []byte("// Code generated")) && !names[filepath.Base(path)] {
			t.Errorf("%s is generated but nothing writes it", path)
		}
	}
}

// TestEmitIgnoresOrder emits the same kernels in reverse order.
func TestEmitIgnoresOrder(t *testing.T) {
	ks := cases.Kernels()[:12]
	a, stubs, err := amd64.Emit("p", "Code generated.", ks)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(ks)
	b, again, err := amd64.Emit("p", "Code generated.", ks)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) || !bytes.Equal(stubs, again) {
		t.Error("the order of the kernels changes the text")
	}
	if !bytes.HasPrefix(a, []byte("// Code generated.\n")) || !bytes.HasPrefix(stubs, []byte("// Code generated.\n")) {
		t.Error("the files do not begin with the header")
	}
}

// TestEmitRejects checks that what cannot be lowered is an error that says why.
func TestEmitRejects(t *testing.T) {
	add := kernel.Kernel{Op: "add", D: []int{8}}
	for want, ks := range map[string][]kernel.Kernel{
		"unknown operation":       {{Op: "conv"}},
		"outside 1..":             {{Op: "add", D: []int{0}}},
		"two kernels are named":   {add, add},
		"unknown variant \"f64\"": {{Op: "gemm", S: "f64", D: []int{8}}},
	} {
		if _, _, err := amd64.Emit("p", "h", ks); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Emit(%v) = %v, want an error with %q", ks, err, want)
		}
	}
}

// TestEveryOperationIsLowered keeps the lowerings complete.
func TestEveryOperationIsLowered(t *testing.T) {
	lowered := map[string]bool{}
	for _, k := range slices.Concat(cases.Kernels(), cases.Quantised()) {
		for _, isa := range amd64.Vectors() {
			if !amd64.Supports(isa, k) {
				t.Errorf("%s is not supported on %s", k.Name(), isa)
			}
		}
		lowered[k.Op] = true
	}
	for _, op := range kernel.Ops() {
		if !lowered[op] {
			t.Errorf("no test kernel for operation %s", op)
		}
	}
}
