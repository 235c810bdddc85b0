package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/tfgen/tfgen"
	"github.com/tfgen/tfgen/gen/file"
)

// vendorDir is where a bundle keeps its copy of the runtime.
const vendorDir = "internal/tfgenrt"

const runtimeImport = "github.com/tfgen/tfgen/runtime/"

// vendor adds the packages of the runtime that files import, directly or not, and makes all imports point to them.
func vendor(files []file.File, importPath string) ([]file.File, error) {
	own := importPath + "/" + vendorDir + "/"
	var out []file.File
	done := map[string]bool{}
	queue := slices.Clone(files)
	for len(queue) > 0 {
		f := queue[0]
		queue = queue[1:]
		if strings.HasSuffix(f.Name, ".go") {
			packages, err := runtimeImports(f)
			if err != nil {
				return nil, err
			}
			for _, p := range packages {
				if done[p] {
					continue
				}
				done[p] = true
				more, err := runtimePackage(p)
				if err != nil {
					return nil, err
				}
				queue = append(queue, more...)
			}
			f.Data = []byte(strings.ReplaceAll(string(f.Data), `"`+runtimeImport, `"`+own))
		}
		out = append(out, f)
	}
	return out, nil
}

// runtimeImports lists the packages of the runtime that a Go file imports.
func runtimeImports(f file.File) ([]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), f.Name, f.Data, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, i := range file.Imports {
		if p, err := strconv.Unquote(i.Path.Value); err == nil && strings.HasPrefix(p, runtimeImport) {
			list = append(list, strings.TrimPrefix(p, runtimeImport))
		}
	}
	return list, nil
}

// runtimePackage returns the files of one package of the runtime that tfgen carries.
func runtimePackage(name string) ([]file.File, error) {
	entries, err := fs.ReadDir(tfgen.Runtime, path.Join("runtime", name))
	if err != nil {
		return nil, fmt.Errorf("the runtime has no package %s: %w", name, err)
	}
	var files []file.File
	for _, e := range entries {
		if e.IsDir() || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		data, err := tfgen.Runtime.ReadFile(path.Join("runtime", name, e.Name()))
		if err != nil {
			return nil, err
		}
		files = append(files, file.File{Name: path.Join(vendorDir, name, e.Name()), Data: data})
	}
	return files, nil
}

// goMod is the go.mod of a bundle that is a module of its own.
func goMod(module string, vendored bool) []byte {
	text := "module " + module + "\n\ngo 1.26\n"
	if !vendored {
		text += "\nrequire github.com/tfgen/tfgen v0.0.0\n"
		if root := checkout(); root != "" {
			text += "\nreplace github.com/tfgen/tfgen => " + root + "\n"
		}
	}
	return []byte(text)
}

// checkout is the directory of the sources that this tfgen was built from, "" if it is not there any more.
func checkout() string {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		return ""
	}
	root := filepath.Dir(filepath.Dir(filepath.Dir(file)))
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		return ""
	}
	return root
}
