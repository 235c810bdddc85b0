// Package check keeps the rules of the repository: who may import whom, architectures as data, functions that fit a screen.
package check

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tfgen/tfgen/gen/spec"
)

const (
	root   = "../.."
	module = "github.com/tfgen/tfgen/"
)

// imports maps every package of the module to what it imports directly, by paths relative to the module where they are ours.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		f := strings.Fields(line)
		for _, i := range f[1:] {
			all[strings.TrimPrefix(f[0], module)] = append(all[strings.TrimPrefix(f[0], module)], strings.TrimPrefix(i, module))
		}
	}
	return all
}

func under(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

// external reports whether an import path belongs to another module.
func external(path string) bool { return strings.Contains(strings.Split(path, "/")[0], ".") }

// TestDependencyRules holds the rules that keep stages apart.
func TestDependencyRules(t *testing.T) {
	ours := []string{"gen", "asm", "cmd", "runtime", "generated", "tests", "specs"}
	isOurs := func(p string) bool {
		for _, dir := range ours {
			if under(p, dir) {
				return true
			}
		}
		return false
	}
	for pkg, list := range imports(t) {
		for _, i := range list {
			bad := ""
			switch {
			case pkg == "gen/ir" && isOurs(i):
				bad = "gen/ir imports nothing of ours"
			case under(pkg, "runtime") && (isOurs(i) && !under(i, "runtime") || external(i)):
				bad = "the runtime is the standard library and itself"
			case under(pkg, "targets/capi") && (isOurs(i) && !under(i, "runtime") || external(i)):
				bad = "the C library is the runtime and itself"
			case under(pkg, "generated") && !under(pkg, "generated/"+strings.Split(pkg, "/")[1]+"/cmd") && (isOurs(i) && !under(i, "runtime") || external(i)):
				bad = "generated packages import only the runtime"
			case strings.HasPrefix(i, "github.com/dave/jennifer") && !under(pkg, "gen/emit/goemit"):
				bad = "jennifer belongs to gen/emit/goemit"
			case strings.HasPrefix(i, "github.com/mmcloughlin/avo") && !under(pkg, "asm/amd64"):
				bad = "avo belongs to asm/amd64"
			case under(pkg, "gen/emit") && under(i, "gen/emit") && strings.Split(pkg, "/")[2] != strings.Split(i, "/")[2]:
				bad = "emitters do not import each other"
			case (under(pkg, "gen") || under(pkg, "asm")) && under(i, "cmd"):
				bad = "only the command line is above the stages"
			case under(pkg, "asm") && under(i, "gen"):
				bad = "kernels know nothing of the compiler"
			}
			if bad != "" {
				t.Errorf("%s imports %s: %s", pkg, i, bad)
			}
		}
	}
}

// each calls f for every hand-written Go file that is not a test.
func each(t *testing.T, f func(path string, set *token.FileSet, file *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "bin" || d.Name() == "testdata" || d.Name() == "generated") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err == nil && !ast.IsGenerated(file) {
			f(path, set, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestArchitecturesAreData fails on a comparison or a case with the name of an architecture.
func TestArchitecturesAreData(t *testing.T) {
	all, err := spec.List()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, s := range all {
		names[s.Arch] = true
		for _, m := range s.ModelTypes {
			names[m] = true
		}
	}
	each(t, func(path string, set *token.FileSet, file *ast.File) {
		name := func(e ast.Expr) {
			if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				// GGUF names some tokenizers like architectures; a tokenizer is not one.
				if s, err := strconv.Unquote(lit.Value); err == nil && names[s] && !strings.Contains(path, "tokenizer") {
					t.Errorf("%s: compares with the architecture %q", set.Position(lit.Pos()), s)
				}
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				if n.Op == token.EQL || n.Op == token.NEQ {
					name(n.X)
					name(n.Y)
				}
			case *ast.CaseClause:
				for _, e := range n.List {
					name(e)
				}
			}
			return true
		})
	})
}

// longest is the number of lines that a function may have.
const longest = 80

// TestFunctionsFitAScreen fails on long functions.
func TestFunctionsFitAScreen(t *testing.T) {
	each(t, func(path string, set *token.FileSet, file *ast.File) {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				if n := set.Position(f.End()).Line - set.Position(f.Pos()).Line; n > longest {
					t.Errorf("%s: %s has %d lines, more than %d", set.Position(f.Pos()), f.Name.Name, n, longest)
				}
			}
		}
	})
}
