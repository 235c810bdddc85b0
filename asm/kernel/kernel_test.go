package kernel

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/runtime/quant"
)

// samples has one kernel of every row and variant.
func samples() []Kernel {
	var ks []Kernel
	for _, op := range Ops() {
		r := table[op]
		for _, s := range r.variants() {
			k := Kernel{Op: op, S: s, D: slices.Repeat([]int{64}, r.dims), F: slices.Repeat([]float64{1e-6}, r.floats)}
			if f, err := quant.Lookup(s); err == nil {
				k.D[0] = max(f.Super, 64)
			}
			ks = append(ks, k)
		}
	}
	return ks
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		k    Kernel
		want string
	}{
		{Kernel{Op: "gemm", S: "f32", D: []int{640}}, "gemmF32K640"},
		{Kernel{Op: "gemm", S: "bf16", D: []int{640}}, "gemmBF16K640"},
		{Kernel{Op: "rmsNorm", D: []int{640}, F: []float64{1e-6}}, "rmsNorm640"},
		{Kernel{Op: "rmsNorm", D: []int{640}, F: []float64{1e-6}, Variant: 1}, "rmsNorm640V2"},
		{Kernel{Op: "glu", S: "silu", D: []int{768}}, "gluSiLU768"},
		{Kernel{Op: "rope", S: "half", D: []int{64, 64}}, "ropeHalf64"},
		{Kernel{Op: "rope", S: "interleaved", D: []int{64, 32}}, "ropeInterleaved64r32"},
		{Kernel{Op: "softmaxBlock", D: []int{64}, F: []float64{0.125, 0}}, "softmaxBlock64"},
	} {
		if got := c.k.Name(); got != c.want {
			t.Errorf("%s is named %s, want %s", c.k.Key(), got, c.want)
		}
		if err := c.k.Validate(); err != nil {
			t.Error(err)
		}
	}
}

// TestPortableTwins parses runtime/portable: every row must have a function
// there with the parameters of the row followed by its literals.
func TestPortableTwins(t *testing.T) {
	signatures := portableFunctions(t)
	for _, k := range samples() {
		if err := k.Validate(); err != nil {
			t.Fatal(err)
		}
		fn, literals := k.Portable()
		got, ok := signatures[fn]
		if !ok {
			t.Errorf("%s: runtime/portable has no function %s", k.Name(), fn)
			continue
		}
		ps := k.Params()
		if len(got) != len(ps)+len(literals) {
			t.Errorf("%s: %s takes %d arguments, the table gives %d and %d literals", k.Name(), fn, len(got), len(ps), len(literals))
			continue
		}
		for i, p := range ps {
			if got[i] != p.Type {
				t.Errorf("%s: argument %d (%s) of %s is %s, the table says %s", k.Name(), i, p.Name, fn, got[i], p.Type)
			}
		}
	}
}

// portableFunctions returns the parameter types of every function of
// runtime/portable.
func portableFunctions(t *testing.T) map[string][]string {
	files, err := filepath.Glob("../../runtime/portable/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no Go files in runtime/portable: %v", err)
	}
	signatures := map[string][]string{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				signatures[fn.Name.Name] = parameterTypes(fn)
			}
		}
	}
	return signatures
}

func parameterTypes(fn *ast.FuncDecl) []string {
	var types []string
	for _, field := range fn.Type.Params.List {
		name := "other"
		switch e := field.Type.(type) {
		case *ast.Ident:
			name = e.Name
		case *ast.ArrayType:
			if elem, ok := e.Elt.(*ast.Ident); ok && e.Len == nil {
				name = "[]" + elem.Name
			}
		}
		types = append(types, slices.Repeat([]string{name}, len(field.Names))...)
	}
	return types
}

func TestDocs(t *testing.T) {
	for _, k := range samples() {
		doc := k.Doc()
		if !strings.HasPrefix(doc, k.Name()+" ") || !strings.HasSuffix(doc, ".") || strings.Contains(doc, "%!") {
			t.Errorf("doc of %s reads %q", k.Name(), doc)
		}
		if lines := strings.Split(doc, "\n"); len(lines) > 4 {
			t.Errorf("doc of %s has %d lines", k.Name(), len(lines))
		}
	}
}

func TestDistinct(t *testing.T) {
	a := Kernel{Op: "rmsNorm", D: []int{8}, F: []float64{1e-6}}
	b := Kernel{Op: "rmsNorm", D: []int{8}, F: []float64{1e-5}}
	c := Kernel{Op: "add", D: []int{8}}
	got := Distinct([]Kernel{a, b, a, c})
	again := Distinct([]Kernel{c, b, a})
	if len(got) != 3 {
		t.Fatalf("Distinct kept %d kernels, want 3", len(got))
	}
	names := map[string]bool{}
	for i, k := range got {
		names[k.Name()] = true
		if k.Key() != again[i].Key() || k.Name() != again[i].Name() {
			t.Errorf("kernel %d depends on the order of the input: %s and %s", i, k.Name(), again[i].Name())
		}
	}
	if len(names) != 3 {
		t.Errorf("names are not unique: %v", names)
	}
}

func TestValidateRejects(t *testing.T) {
	for _, k := range []Kernel{
		{Op: "conv"},
		{Op: "gemm", S: "f64", D: []int{8}},
		{Op: "gemm", S: "f32"},
		{Op: "gemm", S: "f32", D: []int{0}},
		{Op: "gemm", S: "f32", D: []int{1 << 21}},
		{Op: "rmsNorm", D: []int{8}},
		{Op: "rmsNorm", D: []int{8}, F: []float64{-1}},
		{Op: "rmsNorm", D: []int{8}, F: []float64{1e300}},
		{Op: "rope", S: "half", D: []int{8, 3}},
		{Op: "rope", S: "half", D: []int{8, 10}},
		{Op: "softmaxBlock", D: []int{32}, F: []float64{1, 0}},
		{Op: "softmaxBlock", D: []int{64}, F: []float64{1, -3}},
		{Op: "glu", S: "prelu", D: []int{8}},
	} {
		if err := k.Validate(); err == nil {
			t.Errorf("%s is accepted", k.Key())
		}
	}
}

func TestActivationAliases(t *testing.T) {
	for name, want := range map[string]string{
		"gelu_pytorch_tanh": "gelu_tanh", "gelu_new": "gelu_tanh", "swish": "silu", "GELU": "gelu", "relu2": "relu2",
	} {
		if got, ok := Activation(name); !ok || got != want {
			t.Errorf("Activation(%q) = %q, %v; want %q", name, got, ok, want)
		}
	}
	if got, ok := Activation("prelu"); ok {
		t.Errorf("Activation(prelu) = %q", got)
	}
}

// TestParameterNames keeps names that the Go assembler would read as something
// else out of the table.
func TestParameterNames(t *testing.T) {
	for _, k := range samples() {
		for _, p := range k.Params() {
			if slices.Contains([]string{"g", "SP", "FP", "SB", "PC"}, p.Name) {
				t.Errorf("%s has a parameter %s, which is a register of the assembler", k.Name(), p.Name)
			}
		}
	}
}
