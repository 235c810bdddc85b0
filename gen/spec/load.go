package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/tfgen/tfgen/specs"
)

// List returns every built-in specification, in the order of their names. They are decoded once; nobody changes them.
func List() ([]*Spec, error) {
	all, err := builtin()
	return slices.Clone(all), err
}

// builtinLibrary is the library of the built-in specifications; nobody changes it.
var builtinLibrary = sync.OnceValues(func() (*Library, error) { return loadLibrary(specs.Files, "lib") })

var builtin = sync.OnceValues(func() ([]*Spec, error) {
	lib, err := builtinLibrary()
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(specs.Files, "*.yaml")
	if err != nil {
		return nil, err
	}
	var out []*Spec
	for _, name := range names {
		data, err := fs.ReadFile(specs.Files, name)
		if err != nil {
			return nil, err
		}
		s, err := decodeSpec("specs/"+name, data, lib)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
})

// Load reads a specification: a built-in one by its name ("llama"), or a file. Macros come from the folder lib beside
// the file if there is one, and from the built-in library otherwise.
func Load(nameOrPath string) (*Spec, error) {
	if !strings.ContainsAny(nameOrPath, "./\\") {
		return loadBuiltin(nameOrPath)
	}
	info, err := os.Stat(nameOrPath)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s has %d bytes, more than %d", nameOrPath, info.Size(), maxFile)
	}
	data, err := os.ReadFile(nameOrPath)
	if err != nil {
		return nil, err
	}
	lib, err := libraryBeside(nameOrPath)
	if err != nil {
		return nil, err
	}
	return decodeSpec(shownName(nameOrPath), data, lib)
}

func loadBuiltin(name string) (*Spec, error) {
	all, err := List()
	if err != nil {
		return nil, err
	}
	var known []string
	for _, s := range all {
		if s.Arch == name {
			return s, nil
		}
		known = append(known, s.Arch)
	}
	return nil, fmt.Errorf("no specification is called %q; there are %s%s", name, join(known), Suggest(name, known))
}

func libraryBeside(file string) (*Library, error) {
	dir := filepath.Join(filepath.Dir(file), "lib")
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return loadLibrary(os.DirFS(filepath.Dir(file)), "lib")
	}
	return builtinLibrary()
}

// shownName is how positions name a file: with its folder if that is "specs", so that positions do not depend on
// where the file lies.
func shownName(file string) string {
	base := filepath.Base(file)
	if abs, err := filepath.Abs(file); err == nil && filepath.Base(filepath.Dir(abs)) == "specs" {
		return path.Join("specs", base)
	}
	return base
}

// Decode decodes a specification from memory with the built-in library; name is shown in positions.
func Decode(name string, data []byte) (*Spec, error) {
	lib, err := builtinLibrary()
	if err != nil {
		return nil, err
	}
	return decodeSpec(name, data, lib)
}

func decodeSpec(name string, data []byte, lib *Library) (*Spec, error) {
	d := &decoder{file: name, lib: lib}
	s, err := d.spec(data)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	s.Text, s.SHA256 = data, hex.EncodeToString(sum[:])
	s.Digest = lib.digest(data)
	return s, nil
}

// digest is the SHA-256 of a specification and all files of the library.
func (l *Library) digest(data []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n%s", len(data), data)
	names := sortedKeys(l.files)
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(h, "%s %d\n%s", name, len(l.files[name]), l.files[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Check decodes a specification file (or built-in name) and reports the first mistake.
func Check(nameOrPath string) error {
	_, err := Load(nameOrPath)
	return err
}
