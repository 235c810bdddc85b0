package main

import (
	"fmt"
	"go/format"
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

// Where bundles keep their copies of the runtime: Go packages where no other module can import it, C libraries, whose module
// nobody imports, at a short path, which the names of thousands of functions in the library repeat.
const (
	vendorDir  = "internal/tfgenrt"
	libraryDir = "rt"
)

// moduleImport begins the import paths of what is vendored.
const moduleImport = "github.com/tfgen/tfgen/"

// vendor adds the packages of the runtime and of targets that files import, directly or not, and makes all imports point to
// the copies below dir.
func vendor(files []file.File, importPath, dir string) ([]file.File, error) {
	own := importPath + "/" + dir + "/"
	var out []file.File
	done := map[string]bool{}
	queue := slices.Clone(files)
	for len(queue) > 0 {
		f := queue[0]
		queue = queue[1:]
		if strings.HasSuffix(f.Name, ".go") {
			packages, err := ownImports(f)
			if err != nil {
				return nil, err
			}
			for _, p := range packages {
				if done[p] {
					continue
				}
				done[p] = true
				more, err := carriedPackage(p, dir)
				if err != nil {
					return nil, err
				}
				queue = append(queue, more...)
			}
			text := strings.ReplaceAll(string(f.Data), `"`+moduleImport+"runtime/", `"`+own)
			text = strings.ReplaceAll(text, `"`+moduleImport, `"`+own)
			sorted, err := format.Source([]byte(text)) // the order of imports is another one now
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.Name, err)
			}
			f.Data = sorted
		}
		out = append(out, f)
	}
	return out, nil
}

// ownImports lists the packages of this module that a Go file imports, by their directories.
func ownImports(f file.File) ([]string, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), f.Name, f.Data, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, i := range parsed.Imports {
		if p, err := strconv.Unquote(i.Path.Value); err == nil && strings.HasPrefix(p, moduleImport) {
			list = append(list, strings.TrimPrefix(p, moduleImport))
		}
	}
	return list, nil
}

// carriedPackage returns the files of one package that tfgen carries, at their places below dir in a bundle.
func carriedPackage(name, dir string) ([]file.File, error) {
	tree := tfgen.Targets
	if strings.HasPrefix(name, "runtime/") {
		tree = tfgen.Runtime
	}
	entries, err := fs.ReadDir(tree, name)
	if err != nil {
		return nil, fmt.Errorf("tfgen carries no package %s: %w", name, err)
	}
	var files []file.File
	for _, e := range entries {
		if e.IsDir() || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		data, err := tree.ReadFile(path.Join(name, e.Name()))
		if err != nil {
			return nil, err
		}
		files = append(files, file.File{Name: path.Join(dir, strings.TrimPrefix(name, "runtime/"), e.Name()), Data: data})
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
